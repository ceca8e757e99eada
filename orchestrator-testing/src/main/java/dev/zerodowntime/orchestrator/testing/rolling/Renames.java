package dev.zerodowntime.orchestrator.testing.rolling;

import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumnInCode;
import dev.zerodowntime.orchestrator.operation.RenameTable;
import java.time.Duration;
import java.util.List;

/** Roll-outs of other names. */
public final class Renames {

  private final Accounts accounts;

  public Renames(Accounts accounts) {
    this.accounts = accounts;
  }

  /** The release in the middle can do either, and does what fits when each of its pods starts. */
  public Scenario<RenameColumn.Code> renameColumn() {
    return new Scenario<>(
        "RenameColumn",
        Accounts.shared(RenameColumn.of("rolling/rename"))
            .table("accounts")
            .from("name")
            .to("full_name")
            .retention(Duration.ZERO)
            .build(),
        accounts.table(
            accounts.named(),
            accounts.numbered("n"),
            "CREATE INDEX accounts_name ON accounts (name)"),
        "name",
        List.of(
            List.of(),
            List.of(RenameColumn.Code.USES_OLD_NAME, RenameColumn.Code.USES_NEW_NAME),
            List.of(RenameColumn.Code.USES_NEW_NAME)),
        stage ->
            stage == RenameColumn.Code.USES_OLD_NAME
                ? accounts.old(Code.of(stage).reads("name").writes("name").omitting("anon"))
                : fresh(stage).omitting("anon"),
        Account::subject,
        Renames::renamed,
        0);
  }

  public Scenario<RenameColumn.Code> renameUniqueColumn() {
    return new Scenario<>(
        "RenameColumn, unique",
        RenameColumn.of("rolling/rename-unique")
            .table("accounts")
            .from("name")
            .to("full_name")
            .batchRows(Accounts.BATCH)
            .batchPause(Accounts.PAUSE)
            .retention(Duration.ZERO)
            .build(),
        accounts.table(
            accounts.text("name", " NOT NULL"),
            accounts.numbered("n"),
            "CREATE UNIQUE INDEX one_of_a_name ON accounts (name)"),
        "name",
        List.of(
            List.of(),
            List.of(RenameColumn.Code.USES_NEW_NAME),
            List.of(RenameColumn.Code.UPSERTS_NEW_NAME)),
        stage ->
            switch (stage) {
              case USES_OLD_NAME -> Code.of(stage).reads("name").writes("name").upserts("name");
              case USES_NEW_NAME -> fresh(stage);
              case UPSERTS_NEW_NAME -> fresh(stage).upserts("full_name");
            },
        Account::subject,
        Renames::renamed,
        0);
  }

  private Code fresh(RenameColumn.Code stage) {
    return accounts.fresh(Code.of(stage).reads("full_name").writes("full_name"));
  }

  private static List<String> renamed(int phase) {
    if (phase >= RenameColumn.CONTRACT) {
      return List.of("full_name");
    }
    return phase >= RenameColumn.BACKFILL ? List.of("name", "full_name") : List.of("name");
  }

  /** Code writes both columns for a while. */
  public Scenario<RenameColumnInCode.Code> renameColumnInCode(boolean unique) {
    return new Scenario<>(
        "RenameColumnInCode" + (unique ? ", unique" : ""),
        RenameColumnInCode.of("rolling/in-code" + (unique ? "-unique" : ""))
            .table("accounts")
            .from("name")
            .to("full_name")
            .batchRows(Accounts.BATCH)
            .batchPause(Accounts.PAUSE)
            .retention(Duration.ZERO)
            .build(),
        unique
            ? accounts.table(
                accounts.text("name", " NOT NULL"),
                accounts.numbered("n"),
                "CREATE UNIQUE INDEX one_of_a_name ON accounts (name)")
            : accounts.table(accounts.named(), accounts.numbered("n")),
        "name",
        List.of(
            List.of(),
            List.of(RenameColumnInCode.Code.DUAL_WRITE),
            List.of(RenameColumnInCode.Code.READS_NEW),
            List.of(RenameColumnInCode.Code.NEW)),
        stage -> inCode(stage, unique),
        Account::subject,
        Renames::renamedInCode,
        // Old code would never get past VERIFY: its writes keep the columns different.
        1);
  }

  private Code inCode(RenameColumnInCode.Code stage, boolean unique) {
    Code base = Code.of(stage);
    return switch (stage) {
      case OLD -> {
        Code old = base.reads("name").writes("name");
        yield unique ? old.upserts("name") : accounts.old(old.omitting("anon"));
      }
      case DUAL_WRITE -> {
        Code both = base.reads("name").writes("name", "full_name");
        yield unique ? both.upserts("name") : both;
      }
      case READS_NEW -> accounts.fresh(base.reads("full_name").writes("name", "full_name"));
      case NEW -> {
        Code fresh = accounts.fresh(base.reads("full_name").writes("full_name"));
        yield unique ? fresh.upserts("full_name") : fresh.omitting("anon");
      }
    };
  }

  private static List<String> renamedInCode(int phase) {
    if (phase >= RenameColumnInCode.RELAX) {
      return List.of("full_name");
    }
    return phase >= RenameColumnInCode.BACKFILL ? List.of("name", "full_name") : List.of("name");
  }

  /** Upserts by either name of the table while both are there. */
  public Scenario<RenameTable.Code> renameTable(String to) {
    return new Scenario<>(
        to.equals("members") ? "RenameTable" : "RenameTable to " + to,
        RenameTable.of("rolling/rename-table-" + to.replace('_', '-'))
            .from("accounts")
            .to(to)
            .build(),
        accounts.table(
            accounts.text("name", " NOT NULL"),
            accounts.numbered("n"),
            "CREATE UNIQUE INDEX one_of_a_name ON accounts (name)"),
        "name",
        List.of(
            List.of(),
            List.of(RenameTable.Code.OLD, RenameTable.Code.NEW),
            List.of(RenameTable.Code.NEW)),
        stage ->
            Code.of(stage)
                .reads("name")
                .writes("name")
                .upserts("name")
                .table(stage == RenameTable.Code.OLD ? "accounts" : to),
        Account::subject,
        phase -> List.of("name"),
        phase -> phase == RenameTable.CONTRACT ? to : "accounts",
        0);
  }
}
