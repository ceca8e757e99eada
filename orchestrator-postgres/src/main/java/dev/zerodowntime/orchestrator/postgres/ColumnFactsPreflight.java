package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.operation.ColumnRename;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What both forms of renaming a column check, and note, before anything is touched. */
final class ColumnFactsPreflight {

  static final String VIEW_FORM =
      "A rename that shows one column under both names (the view form) copes with this; a rename"
          + " that copies the column can't.";

  private final Migration<?> migration;
  private final ColumnRename rename;
  private final Catalog catalog;
  private final Target target;

  ColumnFactsPreflight(
      Migration<?> migration, ColumnRename rename, Target target, Connection connection)
      throws SQLException {
    this.migration = migration;
    this.rename = rename;
    this.target = target;
    this.catalog = new Catalog(migration, target, connection);
  }

  Catalog catalog() {
    return catalog;
  }

  /**
   * Checks and captures.
   *
   * @param twin the migration's names
   * @param inCode whether the application writes both columns
   * @return the facts
   * @throws SQLException if the catalog can't be read
   */
  Map<String, Object> facts(ColumnTwin twin, boolean inCode) throws SQLException {
    catalog.requireControlSchema();
    CatalogTable table = catalog.table(rename.table());
    CatalogColumn from = catalog.column(table, rename.from());
    Sql.requireFits(migration.id(), "column", rename.to());
    boolean ours = requireFree(table, twin);
    if (!ours) {
      table.requireRoom(catalog);
    }
    requireCopyable(table, from);
    List<Dependent> dependents = catalog.dependents(table, from);
    if (!dependents.isEmpty()) {
      throw catalog.refuse(
          "column "
              + table.display()
              + "."
              + Sql.quote(from.name())
              + " is used by "
              + String.join(", ", dependents.stream().map(Dependent::name).toList()),
          "Drop it, or change it so that it doesn't name the column, and create it anew for the new"
              + " name afterwards. "
              + VIEW_FORM);
    }
    ColumnFactsRefusals refusals = new ColumnFactsRefusals(catalog, table, from);
    refusals.referenced();
    Map<String, Object> facts = capture(table, from);
    refusals.notNull(new ColumnFacts(facts));
    refusals.indexes(new ColumnFacts(facts));
    refusals.foreignKeys(new ColumnFacts(facts));
    refusals.sequences(new ColumnFacts(facts));
    table.requireBackfill(catalog);
    facts.put("keys", keys(table, from));
    RowTriggers.requireConsent(
        catalog, table, columnNumber(table), migration.policy().allowedTriggers());
    if (inCode) {
      refusals.volatileDefault(twin, new ColumnFacts(facts));
    } else {
      RowTriggers.requireLast(catalog, table, twin.trigger());
      sentinel(table, from, facts);
    }
    return facts;
  }

  private Map<String, Object> capture(CatalogTable table, CatalogColumn from) throws SQLException {
    Connection connection = catalog.connection();
    Savepoint before = connection.setSavepoint();
    try {
      ColumnFactsRows.execute(connection, "SET LOCAL search_path TO pg_catalog, pg_temp");
      return new ColumnFactsCapture(
              connection,
              migration.id(),
              target.controlSchema(),
              table.oid(),
              from.number(),
              from.name(),
              rename.to())
          .capture();
    } finally {
      if (!connection.isClosed()) {
        connection.rollback(before);
      }
    }
  }

  /** The new column may be there already, if it is this migration's own. */
  private boolean requireFree(CatalogTable table, ColumnTwin twin) throws SQLException {
    boolean ours =
        !catalog
            .list(
                "SELECT 1 FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
                    + " WHERE n.nspname = ? AND p.proname = ?",
                row -> row.getInt(1),
                target.controlSchema(),
                twin.functionName())
            .isEmpty();
    if (!ours
        && !catalog
            .list(
                "SELECT 1 FROM pg_attribute WHERE attrelid = ?::bigint::oid AND attname = ?",
                row -> row.getInt(1),
                table.oid(),
                rename.to())
            .isEmpty()) {
      throw catalog.refuse(
          "the name \"" + rename.to() + "\" is taken in table " + table.display(),
          "Choose another name, or drop the column that has it. Every table has system columns,"
              + " such as ctid and xmin, too.");
    }
    return ours;
  }

  private int columnNumber(CatalogTable table) throws SQLException {
    return catalog.find(table, rename.to()).map(CatalogColumn::number).orElse(0);
  }

  private void requireCopyable(CatalogTable table, CatalogColumn from) {
    String column = "column " + table.display() + "." + Sql.quote(from.name());
    if (from.generated()) {
      throw catalog.refuse(column + " is a generated column", VIEW_FORM);
    }
    if (from.inherited()) {
      throw catalog.refuse(column + " is inherited from another table", VIEW_FORM);
    }
    if (from.domainNotNull() || from.domainChecks()) {
      throw catalog.refuse(
          column
              + " is of domain "
              + from.type()
              + ", which has constraints: to add a second column of it, PostgreSQL would rewrite"
              + " the whole table under an exclusive lock",
          "Change the column's type to "
              + from.baseType()
              + " with the same conditions as checks of the table. "
              + VIEW_FORM);
    }
  }

  private List<Object> keys(CatalogTable table, CatalogColumn from) throws SQLException {
    List<Object> keys = new ArrayList<>();
    for (Scan.KeyColumn key : catalog.key(table)) {
      if (key.name().equals(Sql.quote(from.name()))) {
        throw catalog.refuse(
            "table "
                + table.display()
                + " has no key but the one with column "
                + key.name()
                + ", which a backfill can't go along while the column is renamed",
            "Add a primary key over other columns.");
      }
      Map<String, Object> map = new LinkedHashMap<>();
      map.put("name", key.name());
      map.put("type", key.type());
      keys.add(map);
    }
    return keys;
  }

  /**
   * Where NULL may be written explicitly and a default would take the place of what isn't given,
   * the two have to be told apart.
   */
  private void sentinel(CatalogTable table, CatalogColumn from, Map<String, Object> facts) {
    if (from.notNull() || facts.get("default") == null) {
      return;
    }
    facts.put(
        "sentinel",
        ColumnFactsSentinel.of(from.type(), from.baseType(), migration.id(), target.schema())
            .orElseThrow(
                () ->
                    catalog.refuse(
                        "column "
                            + table.display()
                            + "."
                            + Sql.quote(from.name())
                            + " is nullable, has a default, and its type "
                            + from.type()
                            + " has no value to spare: a trigger could not tell an explicit NULL"
                            + " from a value that is not given",
                        "Make the column NOT NULL, drop its default, or use RenameColumnInCode.")));
  }
}
