package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.DropDefault;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A column's default, dropped by a change of the catalog. */
final class PostgresDropDefault implements OperationSupport<DropDefault> {

  private static final String NOT_NULL = "notNull";

  @Override
  public OperationType<DropDefault> type() {
    return DropDefault.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      DropDefault migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    Catalog catalog = new Catalog(migration, target, connection);
    CatalogTable table = catalog.table(migration.table());
    CatalogColumn column = DefaultChange.column(catalog, table, migration.column());
    String what = "column \"" + column.name() + "\" of table " + table.display();
    if (column.domainDefault() != null) {
      throw catalog.refuse(
          (column.defaultSql() == null ? "the default of " + what + " is" : what + " would get")
              + " the one of its domain "
              + column.type()
              + ": "
              + column.domainDefault(),
          "ALTER DOMAIN "
              + column.type()
              + " DROP DEFAULT; or declare SetDefault with .defaultSql(\"NULL\"), which hides it.");
    }
    if (column.defaultSql() == null) {
      throw catalog.refuse(
          what + " has no default", "Correct the name, or delete this declaration.");
    }
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put(DefaultChange.FORMER, column.defaultSql());
    facts.put(NOT_NULL, column.notNull() || column.domainNotNull());
    return facts;
  }

  @Override
  public List<Step> steps(
      DropDefault migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    String table = Sql.qualified(target.schema(), migration.table());
    return List.of(
        direction == Direction.UP
            ? DefaultChange.step(
                "drop-default",
                Facts.flag(facts, NOT_NULL)
                    ? "the column is NOT NULL, so an INSERT that omits it fails from now on;"
                        + " touches no row"
                    : "rows that omit the column get NULL from now on; touches no row",
                table,
                migration.column(),
                null)
            : DefaultChange.step(
                "restore-default",
                "the column has its default again; rows keep the values they got",
                table,
                migration.column(),
                Facts.required(facts, DefaultChange.FORMER)));
  }

  @Override
  public List<String> net(DropDefault migration, NetTarget target, Map<String, Object> facts) {
    return List.of(
        new Plain(target).alterColumn(migration.table(), migration.column(), "DROP DEFAULT"));
  }
}
