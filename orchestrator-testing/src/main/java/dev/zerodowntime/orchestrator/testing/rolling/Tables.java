package dev.zerodowntime.orchestrator.testing.rolling;

import dev.zerodowntime.orchestrator.operation.CreateTable;
import dev.zerodowntime.orchestrator.operation.DropTable;
import dev.zerodowntime.orchestrator.testing.rolling.Scenario.Harm;
import java.time.Duration;
import java.util.List;

/** Roll-outs of whole tables: the subject is in one of its own. */
public final class Tables {

  private static final String BODY = "(SELECT body FROM bodies WHERE account = id)";

  private final Accounts accounts;

  public Tables(Accounts accounts) {
    this.accounts = accounts;
  }

  /** Rows of accounts that are deleted take their bodies along, also of the quarantined table. */
  public Scenario<DropTable.Code> dropTable() {
    return new Scenario<>(
            "DropTable",
            DropTable.of("rolling/drop-table").table("bodies").retention(Duration.ZERO).build(),
            accounts.table(
                "",
                "",
                "CREATE TABLE bodies (account bigint PRIMARY KEY, "
                    + accounts.text("body", "")
                    + ", FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE)",
                "INSERT INTO bodies SELECT id, "
                    + accounts.sql().concat("'b'", "id")
                    + " FROM accounts"),
            BODY,
            List.of(List.of(), List.of(DropTable.Code.UNUSED)),
            stage -> stage == DropTable.Code.USES ? withBodies(stage) : Code.of(stage),
            account -> null,
            phase -> phase == 0 ? List.of(BODY) : List.of(),
            0)
        .harming(Harm.OF_OLD_CODE);
  }

  /** What code has written before the table was taken back is there when it comes again. */
  public Scenario<CreateTable.Code> createTable() {
    return new Scenario<>(
            "CreateTable",
            CreateTable.of("rolling/create-table")
                .table("bodies")
                .column("account", "bigint")
                .column("body", accounts.sql().text())
                .primaryKey("account")
                .foreignKey("account", "accounts", "id", "ON DELETE CASCADE")
                .build(),
            accounts.table("", ""),
            "NULL",
            List.of(List.of(), List.of(CreateTable.Code.NEEDS)),
            stage -> stage == CreateTable.Code.NEEDS ? withBodies(stage) : Code.of(stage),
            account -> null,
            phase -> phase == CreateTable.DONE ? List.of(BODY) : List.of(),
            0)
        .harming(Harm.OF_NEW_CODE);
  }

  private Code withBodies(Enum<?> stage) {
    return Code.of(stage)
        .tolerant()
        .joins("LEFT JOIN bodies ON account = id")
        .reads("body")
        .after(
            "INSERT INTO bodies (account, body) VALUES (:id, :value)"
                + accounts.sql().orUpdate("account", "body"));
  }
}
