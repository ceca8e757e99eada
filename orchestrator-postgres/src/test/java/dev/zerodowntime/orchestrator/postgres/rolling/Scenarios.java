package dev.zerodowntime.orchestrator.postgres.rolling;

import dev.zerodowntime.orchestrator.operation.RenameColumnByView;
import dev.zerodowntime.orchestrator.postgres.PostgresDialect;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresServer;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresSpelling;
import dev.zerodowntime.orchestrator.testing.rolling.Account;
import dev.zerodowntime.orchestrator.testing.rolling.Accounts;
import dev.zerodowntime.orchestrator.testing.rolling.Code;
import dev.zerodowntime.orchestrator.testing.rolling.Code.Form;
import dev.zerodowntime.orchestrator.testing.rolling.Columns;
import dev.zerodowntime.orchestrator.testing.rolling.Renames;
import dev.zerodowntime.orchestrator.testing.rolling.Rules;
import dev.zerodowntime.orchestrator.testing.rolling.Scenario;
import dev.zerodowntime.orchestrator.testing.rolling.Tables;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** One roll-out for each operation. */
final class Scenarios {

  private static final int ROWS = 3_000;

  static final Accounts ACCOUNTS =
      new Accounts(new PostgresSpelling(), ROWS) {
        @Override
        protected boolean hidesNewColumns() {
          return false;
        }

        @Override
        protected String notEmpty(String column) {
          return " CHECK (" + column + " <> '')";
        }

        @Override
        protected List<String> lookups() {
          return List.of();
        }
      };

  static final Columns COLUMNS = new Columns(ACCOUNTS);
  static final Renames RENAMES = new Renames(ACCOUNTS);
  private static final Rules RULES = new Rules(ACCOUNTS);
  private static final Tables TABLES = new Tables(ACCOUNTS);

  private Scenarios() {}

  /** Every operation that the dialect ships; one that nobody wrote a scenario for is an error. */
  static List<Scenario<?>> all() {
    List<Scenario<?>> scenarios =
        new ArrayList<>(
            List.of(
                COLUMNS.addColumn(),
                COLUMNS.dropColumn(),
                RENAMES.renameColumn(),
                RENAMES.renameUniqueColumn(),
                renameColumnByView(),
                RENAMES.renameTable("members"),
                RENAMES.renameColumnInCode(false),
                RENAMES.renameColumnInCode(true),
                RULES.createIndex(),
                COLUMNS.backfill(),
                TypeScenarios.changeColumnType(),
                TypeScenarios.changeUnit(),
                RULES.setNotNull(),
                RULES.addCheck(),
                RULES.addUnique(),
                RULES.addForeignKey(),
                TABLES.dropTable(),
                TypeScenarios.widenColumn(),
                RULES.dropConstraint(),
                COLUMNS.setDefault(),
                COLUMNS.dropDefault(),
                COLUMNS.dropNotNull(),
                ColumnScenarios.addEnumValue(),
                ColumnScenarios.renameEnumValue(),
                TABLES.createTable(),
                ConstraintScenarios.addPrimaryKey(),
                RULES.dropIndex(),
                TypeScenarios.widenKey(),
                TableScenarios.attachPartition(),
                TableScenarios.detachPartition(),
                RULES.reindex(),
                RULES.renameIndex(),
                PlanScenarios.split()));
    // Elsewhere that is refused for a table with rows.
    boolean generates = PostgresServer.get().majorVersion() >= 18;
    if (generates) {
      scenarios.add(COLUMNS.addGeneratedColumn());
    }
    Set<String> missing =
        PostgresDialect.create().operations().stream()
            .map(each -> each.type().name())
            .collect(Collectors.toCollection(TreeSet::new));
    scenarios.forEach(each -> missing.remove(each.migration().lifecycle().operation()));
    // Refused for a table that has rows, and without rows there is nothing to compare.
    missing.remove("AddExclusion");
    if (!generates) {
      missing.remove("AddGeneratedColumn");
    }
    if (!missing.isEmpty()) {
      throw new AssertionError("the dialect ships " + missing + ", and nobody rolls them out");
    }
    return scenarios;
  }

  /** A value of the ledger as another type. */
  static Form cast(String type) {
    return Form.of("?::" + type);
  }

  /** Upserts by either name, on one index, while both are there. */
  static Scenario<RenameColumnByView.Code> renameColumnByView() {
    return new Scenario<>(
        "RenameColumnByView",
        RenameColumnByView.of("rolling/by-view")
            .table("accounts")
            .from("name")
            .to("full_name")
            .build(),
        ACCOUNTS.table("name text NOT NULL", "'n' || i", "CREATE UNIQUE INDEX ON accounts (name)"),
        "name",
        List.of(
            List.of(),
            List.of(RenameColumnByView.Code.USES_OLD_NAME, RenameColumnByView.Code.USES_NEW_NAME),
            List.of(RenameColumnByView.Code.USES_NEW_NAME)),
        stage ->
            stage == RenameColumnByView.Code.USES_OLD_NAME
                ? Code.of(stage).reads("name").writes("name").upserts("name")
                : Code.of(stage).reads("full_name").writes("full_name").upserts("full_name"),
        Account::subject,
        phase ->
            switch (phase) {
              case 0 -> List.of("name");
              case RenameColumnByView.EXPAND -> List.of("name", "full_name");
              default -> List.of("full_name");
            },
        0);
  }
}
