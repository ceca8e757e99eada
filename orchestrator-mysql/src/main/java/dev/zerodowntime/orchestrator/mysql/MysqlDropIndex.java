package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.DropIndex;
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

/** An index, dropped, and built again in place on the way back. */
final class MysqlDropIndex implements OperationSupport<DropIndex> {

  /** What follows ADD to build it again, as the server writes it. */
  private static final String CLAUSE = "clause";

  private final MysqlVersion version;

  MysqlDropIndex(MysqlVersion version) {
    this.version = version;
  }

  @Override
  public OperationType<DropIndex> type() {
    return DropIndex.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      DropIndex migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    Catalog catalog = new Catalog(migration, target, version, connection);
    CatalogTable table = catalog.table(migration.table());
    Privileges.of(catalog).require(table, "INDEX");
    catalog.requireNoCluster("building the index again, as the way back does,");
    CatalogIndex index = catalog.index(table, migration.name());
    if (!index.columns().stream().allMatch(column -> !column.isEmpty())) {
      throw catalog.refuse(
          "index "
              + Sql.quote(index.name())
              + " of table "
              + table.display()
              + " is over an expression: the way back, which builds it again, would block every"
              + " write meanwhile",
          "Drop it by hand, if you must.");
    }
    new IndexCheck(catalog, table).requireDispensable(index);
    return Map.of(CLAUSE, index.clause());
  }

  @Override
  public List<Step> steps(
      DropIndex migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    String schema = target.schema();
    String table = migration.table();
    return List.of(
        direction == Direction.UP
            ? MysqlCreateIndex.drop(version, schema, table, migration.name())
            : Ddl.online(
                "rebuild-index",
                "builds the same index again while the table is in use; a unique one fails if there"
                    + " are duplicates by now",
                schema,
                table,
                "ADD " + Facts.required(facts, CLAUSE) + Ddl.noCopy(version),
                Probes.all(Probes.index(schema, table, migration.name()))));
  }

  @Override
  public List<String> net(DropIndex migration, NetTarget target, Map<String, Object> facts) {
    return List.of(
        "DROP INDEX "
            + Plain.name(migration.name())
            + " ON "
            + new Plain(target).in(migration.table()));
  }
}
