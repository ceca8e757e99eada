package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.DropTable;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.TableLock;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A table is renamed to a tombstone, and after a while dropped. */
final class MysqlDropTable implements OperationSupport<DropTable> {

  /** The tables that its foreign keys point to, which are locked as well. */
  private static final String PARTNERS = "partners";

  private final MysqlVersion version;

  MysqlDropTable(MysqlVersion version) {
    this.version = version;
  }

  @Override
  public OperationType<DropTable> type() {
    return DropTable.TYPE;
  }

  /** What came to use the table since must not break. */
  @Override
  public boolean recaptures(int phase) {
    return true;
  }

  private static String tombstone(DropTable migration, Target target) {
    return Sql.tombstone(migration.id(), target.schema(), migration.table());
  }

  @Override
  public Map<String, Object> preflight(
      DropTable migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    Catalog catalog = new Catalog(migration, target, version, connection);
    String tombstone = tombstone(migration, target);
    boolean purge = phase == DropTable.PURGE;
    CatalogTable table = catalog.table(purge ? tombstone : migration.table());
    Privileges privileges = Privileges.of(catalog);
    privileges.require(table, "DROP");
    if (!purge) {
      privileges.requireOnDatabase(target.schema(), "CREATE");
      privileges.requireOnDatabase(target.schema(), "INSERT");
      if (!catalog
          .list(
              "SELECT 1 FROM information_schema.TABLES WHERE "
                  + Probes.isTable(target.schema(), tombstone),
              row -> true)
          .isEmpty()) {
        throw catalog.refuse(
            "the name \"" + tombstone + "\" for the tombstone is taken",
            "Drop or rename what has it.");
      }
    }
    requireUnused(catalog, migration, table);
    return Map.of(PARTNERS, partners(catalog, table));
  }

  @Override
  public void preflightBack(
      DropTable migration,
      Target target,
      int phase,
      Map<String, Object> facts,
      Connection connection)
      throws SQLException {
    Catalog catalog = new Catalog(migration, target, version, connection);
    if (phase == DropTable.CONTRACT
        && !catalog
            .list(
                "SELECT 1 FROM information_schema.TABLES WHERE "
                    + Probes.isTable(target.schema(), migration.table()),
                row -> true)
            .isEmpty()) {
      throw catalog.refuse(
          "the name " + Sql.qualified(target.schema(), migration.table()) + " is taken by now",
          "Drop or rename what has it, so that the table can come back from "
              + Sql.quote(tombstone(migration, target))
              + ".");
    }
  }

  private static List<String> partners(Catalog catalog, CatalogTable table) throws SQLException {
    return catalog.list(
        "SELECT DISTINCT REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME FROM"
            + " information_schema.KEY_COLUMN_USAGE WHERE "
            + Probes.isTable(table.schema(), table.name())
            + " AND REFERENCED_TABLE_NAME IS NOT NULL AND NOT (REFERENCED_TABLE_SCHEMA ="
            + " TABLE_SCHEMA AND REFERENCED_TABLE_NAME = TABLE_NAME) ORDER BY 1, 2",
        row -> Sql.qualified(row.getString(1), row.getString(2)));
  }

  private static void requireUnused(Catalog catalog, DropTable migration, CatalogTable table)
      throws SQLException {
    List<String> incoming =
        catalog.list(
            "SELECT DISTINCT CONSTRAINT_NAME, TABLE_SCHEMA, TABLE_NAME FROM"
                + " information_schema.KEY_COLUMN_USAGE WHERE "
                + Probes.isTable(table.schema(), table.name())
                    .replace("TABLE_SCHEMA", "REFERENCED_TABLE_SCHEMA")
                    .replace("TABLE_NAME", "REFERENCED_TABLE_NAME")
                + " AND NOT (REFERENCED_TABLE_SCHEMA = TABLE_SCHEMA AND REFERENCED_TABLE_NAME ="
                + " TABLE_NAME) ORDER BY 2, 3, 1",
            row ->
                Sql.quote(row.getString(1))
                    + " of table "
                    + Sql.qualified(row.getString(2), row.getString(3)));
    if (!incoming.isEmpty()) {
      throw catalog.refuse(
          "table " + table.display() + " is referenced by foreign keys: " + incoming,
          "Drop them first, with DropConstraint or the tables that have them.");
    }
    List<String> users = users(catalog, table);
    users.removeIf(
        each ->
            (each.startsWith("procedure ") || each.startsWith("function "))
                && migration.policy().allowedFunctions().stream()
                    .anyMatch(name -> each.endsWith("." + name)));
    if (!users.isEmpty()) {
      throw catalog.refuse(
          "table " + table.display() + " is named by " + users,
          "Drop or change these first; a routine that means something else by the name may be"
              + " allowed by allowFunctions(...).");
    }
  }

  /** As far as the user may read their texts. */
  private static List<String> users(Catalog catalog, CatalogTable table) throws SQLException {
    String here = Probes.isTable(table.schema(), table.name());
    String trigger =
        here.replace("TABLE_SCHEMA", "EVENT_OBJECT_SCHEMA")
            .replace("TABLE_NAME", "EVENT_OBJECT_TABLE");
    List<String> users = new ArrayList<>();
    for (String query :
        List.of(
            "SELECT 'view', TABLE_SCHEMA, TABLE_NAME, VIEW_DEFINITION FROM"
                + " information_schema.VIEWS WHERE TABLE_SCHEMA <> 'sys'",
            "SELECT 'trigger', TRIGGER_SCHEMA, TRIGGER_NAME, ACTION_STATEMENT FROM"
                + " information_schema.TRIGGERS WHERE TRIGGER_SCHEMA <> 'sys' AND NOT ("
                + trigger
                + ")",
            "SELECT LOWER(ROUTINE_TYPE), ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_DEFINITION FROM"
                + " information_schema.ROUTINES WHERE ROUTINE_SCHEMA NOT IN ('sys', 'mysql')",
            "SELECT 'event', EVENT_SCHEMA, EVENT_NAME, EVENT_DEFINITION FROM"
                + " information_schema.EVENTS")) {
      catalog.list(
          query,
          row -> {
            String text = row.getString(4);
            boolean names =
                text != null
                    && NamedInText.mentions(text, table.name())
                    && (row.getString(2).equals(table.schema())
                        || ColumnText.mentions(text, table.schema()));
            return names
                && users.add(row.getString(1) + " " + row.getString(2) + "." + row.getString(3));
          });
    }
    return users;
  }

  @Override
  public List<Step> steps(
      DropTable migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    String schema = target.schema();
    String tombstone = tombstone(migration, target);
    boolean up = direction == Direction.UP;
    return switch (phase) {
      case DropTable.CONTRACT ->
          List.of(
              up
                  ? step(
                      facts,
                      "quarantine-table",
                      "renames the table to a tombstone, with everything in it",
                      Sql.qualified(schema, migration.table()),
                      "RENAME TABLE %s TO " + Sql.qualified(schema, tombstone).replace("%", "%%"),
                      Probes.not(Probes.table(schema, migration.table())),
                      Probes.table(schema, tombstone))
                  : step(
                      facts,
                      "restore-table",
                      "brings the table back from quarantine",
                      Sql.qualified(schema, tombstone),
                      "RENAME TABLE %s TO "
                          + Sql.qualified(schema, migration.table()).replace("%", "%%"),
                      Probes.not(Probes.table(schema, tombstone)),
                      Probes.table(schema, migration.table())));
      case DropTable.PURGE ->
          up
              ? List.of(
                  step(
                      facts,
                      "drop-table",
                      "drops the tombstone, with everything in it; there is no way back",
                      Sql.qualified(schema, tombstone),
                      "DROP TABLE IF EXISTS %s",
                      Probes.not(Probes.table(schema, tombstone))))
              : List.of();
      default -> throw new IllegalArgumentException("DropTable has no phase " + phase);
    };
  }

  private static Step step(
      Map<String, Object> facts,
      String name,
      String summary,
      String table,
      String sql,
      String... done) {
    List<String> tables = new ArrayList<>(List.of(table));
    tables.addAll(Facts.texts(facts, PARTNERS));
    return new DdlStep(
        name,
        summary,
        TableLock.each("EXCLUSIVE", tables),
        List.of(sql.formatted(table)),
        Probes.all(done),
        false);
  }

  @Override
  public List<String> net(DropTable migration, NetTarget target, Map<String, Object> facts) {
    return List.of("DROP TABLE " + new Plain(target).in(migration.table()));
  }
}
