package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.operation.AddCheck;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.Map;

/** Whether a check can be added. */
final class AddCheckPreflight {

  /** The expression as the server understands it, with every name qualified. */
  static final String EXPRESSION = "expression";

  /** Whether somebody has added it by hand: then the way back leaves it. */
  static final String THERE = "there";

  /** Whether that one is valid, too. */
  static final String VALID = "valid";

  private static final int SAMPLE = 1_000;

  private final AddCheck migration;
  private final Catalog catalog;

  AddCheckPreflight(AddCheck migration, Target target, Connection connection) throws SQLException {
    this.migration = migration;
    this.catalog = new Catalog(migration, target, connection);
  }

  Map<String, Object> facts() throws SQLException {
    Sql.requireFits(migration.id(), "constraint", migration.name());
    CatalogTable table = catalog.tableOrPartitioned(migration.table());
    Map<String, Object> facts = new LinkedHashMap<>();
    String definition = tryOut(table, facts);
    NamedConstraint there = NamedConstraint.read(catalog, table, migration.name()).orElse(null);
    if (there != null && !there.definition().equals(definition)) {
      throw catalog.refuse(
          "table "
              + table.display()
              + " has another constraint \""
              + there.name()
              + "\": "
              + there.definition(),
          "Choose another name, or declare the same check, which is " + definition + ".");
    }
    facts.put(THERE, there != null);
    facts.put(VALID, there != null && there.validated());
    table.requireAllRows(catalog, "the search for rows that fail the check");
    for (CatalogTable leaf : Partitions.capture(catalog, table, facts)) {
      leaf.requireAllRows(catalog, "the search for rows that fail the check");
    }
    if (table.partitioned() && there == null) {
      requireFree(table);
    }
    facts.put(AddColumnCheck.KEY, Facts.key(catalog.key(table, "the search for such rows")));
    if (there == null) {
      EmptyTable.note(catalog, table, facts);
    }
    return facts;
  }

  /** A partition's own would become a part of the table's, and go with it on the way back. */
  private void requireFree(CatalogTable table) throws SQLException {
    for (CatalogPartition each : CatalogPartition.read(catalog, table)) {
      NamedConstraint own =
          NamedConstraint.read(catalog, each.table(), migration.name()).orElse(null);
      if (own != null) {
        throw catalog.refuse(
            "partition "
                + each.qualified()
                + " of "
                + table.display()
                + " has a constraint \""
                + own.name()
                + "\" of its own: "
                + own.definition(),
            "Choose another name, or drop or rename that one.");
      }
    }
  }

  /**
   * Has the server judge the expression, and compute it for some rows.
   *
   * @return the definition as the server writes it
   */
  private String tryOut(CatalogTable table, Map<String, Object> facts) throws SQLException {
    String expression = migration.expression();
    String what = "the check expression \"" + expression + "\" for table " + table.display();
    try (Trial trial = new Trial(catalog, table, SAMPLE)) {
      trial.require(
          "ALTER TABLE "
              + trial.name()
              + " ADD CONSTRAINT "
              + Sql.quote(migration.name())
              + " CHECK ("
              + expression
              + ") NOT VALID",
          what,
          "Correct the expression: it is a condition over the columns of one row, without"
              + " sub-queries.");
      if (trial.changesWithTime(expression, "")) {
        throw catalog.refuse(
            what
                + " has another value every time: a row that passes today may fail tomorrow, with"
                + " the next update of it or when a backup is restored",
            "Compare with what is in the row, or reject such rows in a trigger.");
      }
      trial.require(
          "SELECT count(*) FROM " + trial.name() + " WHERE (" + expression + ") IS FALSE",
          what + " can't be computed for some row",
          "Correct the expression: it is computed for every row, whatever is in it.");
      return catalog
          .list(
              "SELECT pg_get_expr(k.conbin, k.conrelid), regexp_replace(pg_get_constraintdef(k.oid),"
                  + " ' NOT VALID$', '') FROM pg_constraint k WHERE k.conrelid = to_regclass(?)"
                  + " AND k.conname = ?",
              row -> {
                facts.put(EXPRESSION, row.getString(1));
                return row.getString(2);
              },
              trial.name(),
              migration.name())
          .get(0);
    }
  }
}
