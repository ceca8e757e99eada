package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.operation.ChangeColumnType;
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
      "RenameColumnByView, which copies nothing but shows the column under both names, copes with"
          + " keys, references, indexes of every kind, domains, generated columns and views.";

  /** The same in both forms, as the next. */
  private static final int EXPAND = 1;

  private static final int BACKFILL = 2;

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

  /** What copes with what a second column doesn't. */
  private String otherwise() {
    return migration instanceof ChangeColumnType
        ? "Free the column of it first; no operation changes the type of such a column so far."
        : VIEW_FORM;
  }

  /**
   * Checks and captures.
   *
   * @param twin the migration's names
   * @param phase the phase that is about to be entered
   * @param handover whether the old column steps back in it
   * @param inCode whether the application writes both columns
   * @return the facts
   * @throws SQLException if the catalog can't be read
   */
  Map<String, Object> facts(ColumnTwin twin, int phase, boolean handover, boolean inCode)
      throws SQLException {
    Privileges.requireControlSchema(catalog);
    CatalogTable table = catalog.table(rename.table());
    CatalogColumn from = catalog.column(table, rename.from());
    Sql.requireFits(migration.id(), "column", rename.to());
    boolean ours = requireFree(table, twin);
    if (!ours) {
      table.requireRoom(catalog);
    }
    if (!twin.converts()) {
      requireSameType(table, from);
    }
    requireCopyable(table, from);
    requireUnused(table, from);
    if (phase == EXPAND) {
      RowStars.refuse(catalog, table);
    }
    ColumnFactsRefusals refusals = new ColumnFactsRefusals(catalog, table, from, otherwise());
    refusals.referenced();
    refusals.labels();
    Map<String, Object> facts = capture(table, from);
    if (migration instanceof ChangeColumnType change) {
      new ColumnConversionCheck(change, catalog, table, from).require(facts);
    }
    refusals.notNull(new ColumnFacts(facts));
    refusals.indexes(new ColumnFacts(facts));
    refusals.foreignKeys(new ColumnFacts(facts));
    refusals.sequences(new ColumnFacts(facts));
    Published.note(
        catalog, table, Sql.tombstone(migration.id(), table.schema(), rename.from()), facts);
    table.requireBackfill(catalog);
    facts.put("keys", keys(table, from));
    if (phase <= BACKFILL) {
      RowTriggers.requireConsent(
          catalog, table, columnNumber(table), migration.policy().allowedTriggers());
    }
    if (inCode) {
      refusals.volatileDefault(twin, new ColumnFacts(facts));
    } else {
      if (phase > EXPAND) {
        requireSync(table, twin);
      }
      RowTriggers.requireLast(catalog, table, twin.trigger());
      sentinel(table, from, facts);
      if (phase == EXPAND && facts.containsKey("sentinel")) {
        RowTriggers.requireBlind(catalog, table, migration.policy().allowedTriggers());
      }
    }
    if (handover) {
      FillFunctions.awaitNone(catalog, table, from);
    }
    return facts;
  }

  /** Checks only that nothing has come to depend on the old column. */
  void requireUnused() throws SQLException {
    CatalogTable table = catalog.table(rename.table());
    CatalogColumn from = catalog.column(table, rename.from());
    requireUnused(table, from);
    FillFunctions.awaitNone(catalog, table, from);
  }

  private void requireUnused(CatalogTable table, CatalogColumn from) throws SQLException {
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
              + otherwise());
    }
  }

  /** A new column that is ours already has to be of the old one's type, whoever changed that. */
  private void requireSameType(CatalogTable table, CatalogColumn from) throws SQLException {
    CatalogColumn to = catalog.find(table, rename.to()).orElse(null);
    if (to != null && !type(to).equals(type(from))) {
      throw catalog.refuse(
          "column "
              + table.display()
              + "."
              + from.quoted()
              + " is of type "
              + type(from)
              + ", but its double "
              + to.quoted()
              + " of "
              + type(to),
          ColumnFactsGaps.again(catalog));
    }
  }

  private static String type(CatalogColumn column) {
    return column.type() + (column.collation() == null ? "" : " COLLATE " + column.collation());
  }

  private void requireSync(CatalogTable table, ColumnTwin twin) throws SQLException {
    if (catalog
        .list(
            "SELECT 1 FROM pg_trigger WHERE tgrelid = ?::bigint::oid AND tgname = ?",
            row -> row.getInt(1),
            table.oid(),
            twin.trigger())
        .isEmpty()) {
      throw catalog.refuse(
          "table "
              + table.display()
              + " has lost trigger "
              + Sql.quote(twin.trigger())
              + ", which keeps columns "
              + twin.from()
              + " and "
              + twin.to()
              + " in step: they may differ",
          ColumnFactsGaps.again(catalog));
    }
  }

  private Map<String, Object> capture(CatalogTable table, CatalogColumn from) throws SQLException {
    Connection connection = catalog.connection();
    Savepoint before = connection.setSavepoint();
    try {
      ColumnFactsRows.execute(connection, "SET LOCAL search_path TO pg_catalog, pg_temp");
      return new ColumnFactsCapture(
              connection, catalog, table.oid(), from.number(), from.name(), rename.to())
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
      throw catalog.refuse(column + " is a generated column", otherwise());
    }
    if (from.inherited()) {
      throw catalog.refuse(
          column + " is inherited from another table",
          "Rename it in that table, or NO INHERIT it.");
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
              + otherwise());
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
    ColumnFacts found = new ColumnFacts(facts);
    boolean converts = found.flag(ColumnConversion.CONVERTS);
    facts.put(
        "sentinel",
        ColumnFactsSentinel.of(
                found.newType(),
                converts ? found.newType() : from.baseType(),
                migration.id(),
                target.schema())
            .orElseThrow(
                () ->
                    catalog.refuse(
                        "column "
                            + table.display()
                            + "."
                            + Sql.quote(from.name())
                            + " is nullable, has a default, and type "
                            + found.newType()
                            + " has no value to spare: a trigger could not tell an explicit NULL"
                            + " from a value that is not given",
                        "Make the column NOT NULL, drop its default"
                            + (converts ? "." : ", or use RenameColumnInCode."))));
  }
}
