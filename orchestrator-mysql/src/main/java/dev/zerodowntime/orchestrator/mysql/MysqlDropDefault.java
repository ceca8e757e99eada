package dev.zerodowntime.orchestrator.mysql;

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
import java.util.List;
import java.util.Map;

/** A column's default, dropped by a change of the catalog. */
final class MysqlDropDefault implements OperationSupport<DropDefault> {

  private static final String NOT_NULL = "notNull";

  private final MysqlVersion version;

  MysqlDropDefault(MysqlVersion version) {
    this.version = version;
  }

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
    Catalog catalog = new Catalog(migration, target, version, connection);
    CatalogTable table = catalog.table(migration.table());
    CatalogColumn column = DefaultChange.column(catalog, table, migration.column());
    if (column.defaultSql() == null) {
      throw catalog.refuse(
          "column " + column.quoted() + " of table " + table.display() + " has no default",
          "Correct the name, or delete this declaration.");
    }
    if (version.mariadb()
        && column.notNull()
        && ColumnText.words(column.definition()).contains("UPDATE")) {
      throw catalog.refuse(
          "column "
              + column.quoted()
              + " of table "
              + table.display()
              + " is NOT NULL and has ON UPDATE: without its default, MariaDB gives it the default"
              + " 0000-00-00",
          "Keep the default, or declare SetDefault.");
    }
    Map<String, Object> facts = DefaultChange.facts(version, column, null);
    facts.put(NOT_NULL, column.notNull());
    return facts;
  }

  @Override
  public void preflightBack(
      DropDefault migration,
      Target target,
      int phase,
      Map<String, Object> facts,
      Connection connection)
      throws SQLException {
    DefaultChange.requireUnchanged(
        new Catalog(migration, target, version, connection),
        migration.table(),
        migration.column(),
        facts);
  }

  @Override
  public List<Step> steps(
      DropDefault migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    boolean notNull = Facts.flag(facts, NOT_NULL);
    return List.of(
        direction == Direction.UP
            ? DefaultChange.set(
                "drop-default",
                notNull
                    ? "the column is NOT NULL, so an INSERT that omits it fails from now on; touches"
                        + " no row"
                    : "rows that omit the column get NULL from now on; touches no row",
                version,
                target.schema(),
                migration.table(),
                migration.column(),
                null,
                facts,
                notNull)
            : DefaultChange.restore(
                version, target.schema(), migration.table(), migration.column(), facts, notNull));
  }

  @Override
  public List<String> net(DropDefault migration, NetTarget target, Map<String, Object> facts) {
    return List.of(
        DefaultChange.net(
            new Plain(target),
            migration.table(),
            migration.column(),
            null,
            facts,
            Facts.flag(facts, NOT_NULL)));
  }
}
