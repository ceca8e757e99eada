package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.DropNotNull;
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

/**
 * A column that may be NULL from now on. Here that rewrites the table, in place and with writes
 * going on; and so does the way back, which the server refuses by itself where a row has a NULL.
 */
final class MysqlDropNotNull implements OperationSupport<DropNotNull> {

  private static final String DEFINITION = "definition";
  private static final String RELAXED = "relaxed";

  /** In the catalog's own case: a MODIFY would change it as well. */
  private static final String COLUMN = "column";

  private final MysqlVersion version;

  MysqlDropNotNull(MysqlVersion version) {
    this.version = version;
  }

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
    Catalog catalog = new Catalog(migration, target, version, connection);
    catalog.requireNoCluster("rewriting a table, as the server does for this,");
    CatalogTable table = catalog.table(migration.table());
    CatalogColumn column = catalog.column(table, migration.column());
    String what = "column " + column.quoted() + " of table " + table.display();
    if (!column.notNull()) {
      throw catalog.refuse(
          what + " is nullable already", "Correct the name, or delete this declaration.");
    }
    if (column.generated() || column.autoIncrement()) {
      throw catalog.refuse(
          what + (column.generated() ? " is a generated column" : " is AUTO_INCREMENT"),
          "Choose another column.");
    }
    for (CatalogIndex index : catalog.indexes(table)) {
      if (index.primary() && index.columns().contains(column.name())) {
        throw catalog.refuse(what + " is part of the primary key", "Choose another column.");
      }
    }
    if (table.fulltext()) {
      throw catalog.refuse(
          "table "
              + table.display()
              + " has a FULLTEXT index: the server would block every write while it rewrites the"
              + " table",
          "Drop that index first, or leave the column as it is.");
    }
    return Map.of(
        COLUMN,
        column.name(),
        DEFINITION,
        column.definition(),
        RELAXED,
        ColumnText.withNotNull(column.definition(), false));
  }

  /** The definition is written down as a whole: not over what others have changed meanwhile. */
  @Override
  public void preflightBack(
      DropNotNull migration,
      Target target,
      int phase,
      Map<String, Object> facts,
      Connection connection)
      throws SQLException {
    Catalog catalog = new Catalog(migration, target, version, connection);
    CatalogTable table = catalog.table(migration.table());
    CatalogColumn column = catalog.column(table, migration.column());
    String what = "column " + column.quoted() + " of table " + table.display();
    String before = Facts.required(facts, DEFINITION);
    if (!ColumnText.withNotNull(column.definition(), true)
        .equals(ColumnText.withNotNull(before, true))) {
      throw catalog.refuse(
          what
              + " was \""
              + before
              + "\", and is \""
              + column.definition()
              + "\" now: with NOT NULL, the rest would come back as well",
          "Take the other changes back first.");
    }
  }

  @Override
  public List<Step> steps(
      DropNotNull migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    boolean up = direction == Direction.UP;
    return List.of(
        Ddl.online(
            up ? "drop-not-null" : "restore-not-null",
            up
                ? "the column may be NULL from now on; rewrites the table while it is in use"
                : "the column is NOT NULL again; fails if a row has a NULL by now; rewrites the"
                    + " table while it is in use",
            target.schema(),
            migration.table(),
            "MODIFY COLUMN "
                + Sql.quote(Facts.required(facts, COLUMN))
                + " "
                + Facts.required(facts, up ? RELAXED : DEFINITION)
                + ", ALGORITHM=INPLACE, LOCK=NONE",
            Probes.all(
                Probes.column(
                    target.schema(),
                    migration.table(),
                    migration.column(),
                    "IS_NULLABLE = '" + (up ? "YES" : "NO") + "'"))));
  }

  @Override
  public List<String> net(DropNotNull migration, NetTarget target, Map<String, Object> facts) {
    return List.of(
        new Plain(target)
            .modify(
                migration.table(), Facts.required(facts, COLUMN), Facts.required(facts, RELAXED)));
  }
}
