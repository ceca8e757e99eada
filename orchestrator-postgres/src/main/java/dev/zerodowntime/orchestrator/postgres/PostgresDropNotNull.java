package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.DropNotNull;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A column becomes nullable; on the way back NOT NULL is proved again. */
final class PostgresDropNotNull implements OperationSupport<DropNotNull> {

  /** Whether it was NOT NULL: else it is left alone. */
  private static final String WAS = "was";

  /** Its name and the like, where NOT NULL has them: from PostgreSQL 18 on. */
  private static final String CONSTRAINT = "constraint";

  @Override
  public OperationType<DropNotNull> type() {
    return DropNotNull.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      DropNotNull migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    Catalog catalog = new Catalog(migration, target, connection);
    CatalogTable table = catalog.table(migration.table());
    CatalogColumn column = catalog.column(table, migration.column());
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put(WAS, column.notNull());
    if (column.notNull()) {
      requireDroppable(catalog, table, column);
      table.requireAllRows(catalog, "the way back, which looks for rows without a value,");
      facts.put(AddColumnCheck.KEY, Facts.key(catalog.key(table, "the way back")));
      ColumnFactsRows.query(connection, ColumnFactsSql.NOT_NULL, table.oid(), column.number())
          .forEach(each -> facts.put(CONSTRAINT, each));
    }
    return facts;
  }

  private static void requireDroppable(Catalog catalog, CatalogTable table, CatalogColumn column)
      throws SQLException {
    String what = "column \"" + column.name() + "\" of table " + table.display();
    if (column.inherited()) {
      throw catalog.refuse(what + " is inherited", "Change the table it comes from.");
    }
    if (!column.identity().isEmpty()) {
      throw catalog.refuse(
          what + " is an identity column, which is always NOT NULL", "DROP IDENTITY first.");
    }
    for (CatalogIndex index : catalog.indexes(table)) {
      if (index.keyColumns().contains(column.name())
          && (index.primary() || index.replicaIdentity())) {
        throw catalog.refuse(
            what
                + " belongs to the "
                + (index.primary() ? "primary key " : "replica identity ")
                + Sql.quote(index.name())
                + ", whose columns are always NOT NULL",
            "Give the table another one first.");
      }
    }
  }

  @Override
  public List<Step> steps(
      DropNotNull migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    if (phase != DropNotNull.DONE) {
      throw new IllegalArgumentException("DropNotNull has no phase " + phase);
    }
    String table = Sql.qualified(target.schema(), migration.table());
    String column = Sql.quote(migration.column());
    String check = "zdo_not_null_" + Sql.hash8(migration.id(), target.schema());
    if (!Facts.flag(facts, WAS)) {
      return direction == Direction.DOWN
          ? List.of()
          : List.of(
              ConstraintSteps.nothing(
                  "already-nullable",
                  "column "
                      + column
                      + " is nullable already: nothing to do, neither now nor on the way back",
                  table));
    }
    if (direction == Direction.UP) {
      return List.of(NotNull.relax(table, migration.column(), check));
    }
    ColumnFacts named = new ColumnFacts(facts).optionalMap(CONSTRAINT);
    List<Step> steps = new ArrayList<>();
    if (named == null || named.flag("valid")) {
      steps.add(
          new VerifyStep(
              "verify-rows",
              "no row may be without a value in column "
                  + column
                  + ", or every update of it would fail from now on; a Backfill gives them one",
              new Scan(table, Facts.key(facts), column + " IS NULL")));
    }
    steps.addAll(
        named == null
            ? NotNull.enforce(table, migration.column(), check)
            : NotNull.enforce(table, migration.column(), named));
    return steps;
  }

  @Override
  public List<String> net(DropNotNull migration, NetTarget target, Map<String, Object> facts) {
    return List.of(
        new Plain(target).alterColumn(migration.table(), migration.column(), "DROP NOT NULL"));
  }
}
