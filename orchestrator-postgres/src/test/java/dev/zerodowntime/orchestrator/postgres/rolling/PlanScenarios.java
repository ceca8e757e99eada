package dev.zerodowntime.orchestrator.postgres.rolling;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.operation.PhasePlan;
import dev.zerodowntime.orchestrator.testing.rolling.Account;
import dev.zerodowntime.orchestrator.testing.rolling.Accounts;
import dev.zerodowntime.orchestrator.testing.rolling.Code;
import dev.zerodowntime.orchestrator.testing.rolling.Scenario;
import dev.zerodowntime.orchestrator.testing.rolling.Scenario.Harm;
import java.util.List;

/** The roll-out of an author's own plan: a column moves to a table of its own. */
final class PlanScenarios {

  private static final String EXISTS =
      "SELECT EXISTS (SELECT FROM pg_trigger WHERE tgname = '%s' AND tgrelid ="
          + " to_regclass('{schema}.%s'))";
  private static final String TO_ADDRESSES =
      """
      CREATE TRIGGER accounts_to_addresses AFTER INSERT OR UPDATE ON {schema}.accounts FOR EACH ROW
        WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION {schema}.accounts_to_addresses()""";
  private static final String TO_ACCOUNTS =
      """
      CREATE TRIGGER addresses_to_accounts AFTER INSERT OR UPDATE OR DELETE ON {schema}.addresses
        FOR EACH ROW WHEN (pg_trigger_depth() = 0)
        EXECUTE FUNCTION {schema}.addresses_to_accounts()""";

  private static final int BACKFILL = 2;
  private static final int CONTRACT = 4;

  private PlanScenarios() {}

  enum Split implements CodeStage {
    USES_ACCOUNTS,
    USES_ADDRESSES
  }

  /**
   * Old code alone is not harmed by the last phase: it finds what it wrote itself. What it does not
   * find is what new code writes.
   */
  static Scenario<Split> split() {
    return new Scenario<>(
            "PhasePlan",
            plan(),
            Scenarios.ACCOUNTS.table("street text", "'s' || i"),
            "street",
            List.of(List.of(), List.of(Split.USES_ACCOUNTS), List.of(Split.USES_ADDRESSES)),
            stage ->
                stage == Split.USES_ACCOUNTS
                    ? Code.of(stage).reads("street").writes("street")
                    : Code.of(stage)
                        .joins("LEFT JOIN addresses ON account = id")
                        .reads("line")
                        .after(
                            "INSERT INTO addresses (account, line) VALUES (:id, :value)"
                                + " ON CONFLICT (account) DO UPDATE SET line = excluded.line"),
            Account::subject,
            phase -> {
              String line = "(SELECT line FROM addresses WHERE account = id)";
              if (phase == CONTRACT) {
                return List.of(line);
              }
              return phase >= BACKFILL ? List.of("street", line) : List.of("street");
            },
            0)
        .harming(Harm.OF_NEW_CODE);
  }

  private static PhasePlan<Split> plan() {
    return Accounts.shared(PhasePlan.of("rolling/split", Split.class))
        .table("accounts")
        .phase(
            "EXPAND",
            phase ->
                phase
                    .ddl(
                        "create addresses",
                        """
                        CREATE TABLE {schema}.addresses (
                          account bigint PRIMARY KEY REFERENCES {schema}.accounts ON DELETE CASCADE,
                          line text NOT NULL)""")
                    .probe("SELECT to_regclass('{schema}.addresses') IS NOT NULL")
                    .undo("DROP TABLE {schema}.addresses")
                    .undoLocks("ACCESS EXCLUSIVE", "addresses", "accounts")
                    .ddl(
                        "function to addresses",
                        """
                        CREATE FUNCTION {schema}.accounts_to_addresses() RETURNS trigger
                        LANGUAGE plpgsql AS $$
                        BEGIN
                          IF NEW.street IS NULL THEN
                            DELETE FROM {schema}.addresses WHERE account = NEW.id;
                          ELSE
                            INSERT INTO {schema}.addresses VALUES (NEW.id, NEW.street)
                              ON CONFLICT (account) DO UPDATE SET line = excluded.line;
                          END IF;
                          RETURN NULL;
                        END $$""")
                    .probe("SELECT to_regproc('{schema}.accounts_to_addresses') IS NOT NULL")
                    .undo("DROP FUNCTION {schema}.accounts_to_addresses()")
                    .ddl("sync to addresses", TO_ADDRESSES)
                    .probe(EXISTS.formatted("accounts_to_addresses", "accounts"))
                    .undo("DROP TRIGGER accounts_to_addresses ON {schema}.accounts"))
        .phase(
            "BACKFILL",
            phase ->
                phase.backfill(
                    "copy",
                    rows ->
                        rows.copyInto("addresses", "account")
                            .set("account", "id")
                            .set("line", "street")
                            .where("street IS NOT NULL")))
        .phase(
            "VERIFY",
            phase ->
                phase
                    .verify(
                        "nothing is missing",
                        """
                        street IS NOT NULL AND NOT EXISTS (SELECT FROM {schema}.addresses a
                          WHERE a.account = accounts.id AND a.line = accounts.street)""")
                    .ddl(
                        "function to accounts",
                        """
                        CREATE FUNCTION {schema}.addresses_to_accounts() RETURNS trigger
                        LANGUAGE plpgsql AS $$
                        BEGIN
                          IF TG_OP = 'DELETE' THEN
                            UPDATE {schema}.accounts SET street = NULL WHERE id = OLD.account;
                          ELSE
                            UPDATE {schema}.accounts SET street = NEW.line WHERE id = NEW.account;
                          END IF;
                          RETURN NULL;
                        END $$""")
                    .probe("SELECT to_regproc('{schema}.addresses_to_accounts') IS NOT NULL")
                    .undo("DROP FUNCTION {schema}.addresses_to_accounts()")
                    .ddl("sync to accounts", TO_ACCOUNTS)
                    .probe(EXISTS.formatted("addresses_to_accounts", "addresses"))
                    .undo("DROP TRIGGER addresses_to_accounts ON {schema}.addresses"))
        .phase(
            "CONTRACT",
            phase ->
                phase
                    .ddl(
                        "end sync to addresses",
                        "DROP TRIGGER accounts_to_addresses ON {schema}.accounts")
                    .probe(
                        EXISTS
                            .formatted("accounts_to_addresses", "accounts")
                            .replace("SELECT EXISTS", "SELECT NOT EXISTS"))
                    .undo(TO_ADDRESSES))
        .stage(Split.USES_ACCOUNTS, "NOT_STARTED", "VERIFY")
        .stage(Split.USES_ADDRESSES, "VERIFY", "CONTRACT")
        .build();
  }
}
