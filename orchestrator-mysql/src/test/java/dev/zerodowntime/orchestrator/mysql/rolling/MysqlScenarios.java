package dev.zerodowntime.orchestrator.mysql.rolling;

import dev.zerodowntime.orchestrator.mysql.MysqlDialect;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlSpelling;
import dev.zerodowntime.orchestrator.testing.rolling.Accounts;
import dev.zerodowntime.orchestrator.testing.rolling.Columns;
import dev.zerodowntime.orchestrator.testing.rolling.Renames;
import dev.zerodowntime.orchestrator.testing.rolling.Rules;
import dev.zerodowntime.orchestrator.testing.rolling.Scenario;
import dev.zerodowntime.orchestrator.testing.rolling.Tables;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Every operation that the dialect ships; one that nobody wrote a scenario for is an error. */
final class MysqlScenarios {

  private static final int ROWS = 2_000;

  /**
   * A new column is invisible at first. Columns that checks name are refused by some operations.
   */
  static final Accounts ACCOUNTS =
      new Accounts(new MysqlSpelling(), ROWS) {
        @Override
        protected boolean hidesNewColumns() {
          return true;
        }

        @Override
        protected String notEmpty(String column) {
          return "";
        }

        @Override
        protected List<String> lookups() {
          return List.of("CREATE INDEX by_name ON accounts (name, id)");
        }
      };

  private static final Columns COLUMNS = new Columns(ACCOUNTS);
  private static final Renames RENAMES = new Renames(ACCOUNTS);
  private static final Rules RULES = new Rules(ACCOUNTS);
  private static final Tables TABLES = new Tables(ACCOUNTS);

  private MysqlScenarios() {}

  static List<Scenario<?>> all(MysqlServer server) {
    Set<String> shipped = shipped(server);
    List<Scenario<?>> scenarios = new ArrayList<>();
    Set<String> covered = new TreeSet<>();
    for (Scenario<?> each :
        List.of(
            COLUMNS.addColumn(),
            COLUMNS.dropColumn(),
            RENAMES.renameColumn(),
            RENAMES.renameUniqueColumn(),
            RENAMES.renameColumnInCode(false),
            RENAMES.renameTable("members"),
            // Comes before the old name: there the table moves later.
            RENAMES.renameTable("account_list"),
            TypeScenarios.changeColumnType(server.flavor()),
            TypeScenarios.widenColumn(),
            COLUMNS.addGeneratedColumn(),
            RULES.addCheck(),
            ConstraintScenarios.addPrimaryKey(),
            RULES.reindex(),
            COLUMNS.backfill(),
            COLUMNS.setDefault(),
            COLUMNS.dropDefault(),
            COLUMNS.dropNotNull(),
            RULES.setNotNull(),
            RULES.addUnique(),
            RULES.addForeignKey(),
            RULES.dropConstraint(),
            RULES.createIndex(),
            RULES.dropIndex(),
            RULES.renameIndex(),
            TABLES.createTable(),
            TABLES.dropTable(),
            PlanScenarios.line())) {
      String operation = each.migration().lifecycle().operation();
      covered.add(operation);
      boolean refused =
          operation.equals("Reindex") && server.flavor() == MysqlServer.Flavor.MARIADB;
      if (shipped.contains(operation) && !refused) {
        scenarios.add(each);
      }
    }
    if (!covered.containsAll(shipped)) {
      throw new AssertionError(
          "the dialect ships " + shipped + ", and nobody rolls out more than " + covered);
    }
    return scenarios;
  }

  private static Set<String> shipped(MysqlServer server) {
    try (Connection connection = server.dataSource(null).getConnection()) {
      return new MysqlDialect()
          .forServer(connection).operations().stream()
              .map(each -> each.type().name())
              .collect(Collectors.toCollection(TreeSet::new));
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }
}
