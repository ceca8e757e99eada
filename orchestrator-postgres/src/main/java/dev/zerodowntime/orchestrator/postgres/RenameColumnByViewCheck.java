package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.operation.RenameColumnByView;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;

/** Whether a table can step aside for a view, and come back. */
final class RenameColumnByViewCheck {

  static final String TRIGGER_FORM = "Or use RenameColumn, which works with a second column.";

  private static final int MAX_COLUMNS = 1_600;

  /** These are kept by the column's number, or with the table: a rename doesn't touch them. */
  private static final Set<Dependent.Kind> FOLLOW =
      Set.of(
          Dependent.Kind.VIEW,
          Dependent.Kind.GENERATED_COLUMN,
          Dependent.Kind.POLICY,
          Dependent.Kind.TRIGGER,
          Dependent.Kind.STATISTICS);

  private final RenameColumnByView migration;
  private final Catalog catalog;
  private final TwoNameView view;
  private final StandInCheck standIn;

  RenameColumnByViewCheck(RenameColumnByView migration, Target target, Connection connection)
      throws SQLException {
    this.migration = migration;
    this.catalog = new Catalog(migration, target, connection);
    this.view = new TwoNameView(migration, target);
    this.standIn = new StandInCheck(catalog, TRIGGER_FORM);
  }

  /** Before the table steps aside. */
  void requireSwappable() throws SQLException {
    CatalogTable table = catalog.table(migration.table());
    CatalogColumn from = catalog.column(table, migration.from());
    Sql.requireFits(migration.id(), "column", migration.to());
    requireFree(table);
    requireSimple(table, from);
    standIn.requireOrdinary(table);
    requireUnused(table, from);
    standIn.requireNobodys(table);
    standIn.requireUnpublished(table);
    RecordedStatements.requireHarmless(catalog, table, List.of(from.name()), TRIGGER_FORM);
  }

  /** Before the view goes, and the column gets its new name. */
  void requireBack() throws SQLException {
    requireDroppable();
    CatalogTable hidden = catalog.table(view.hiddenName());
    CatalogColumn from = catalog.column(hidden, migration.from());
    requireFree(hidden);
    // Their text names what code sees.
    requireUnused(
        new CatalogTable(
            hidden.oid(),
            hidden.schema(),
            migration.table(),
            hidden.owner(),
            hidden.rowSecurity(),
            hidden.lastAttribute()),
        from);
    standIn.requireUnpublished(hidden);
  }

  /** Before the view goes, whatever the column is called afterwards. */
  void requireDroppable() throws SQLException {
    List<Long> shown =
        catalog.list(
            "SELECT c.oid::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                + " WHERE n.nspname = ? AND c.relname = ? AND c.relkind = 'v'",
            row -> row.getLong(1),
            catalog.target().schema(),
            migration.table());
    if (shown.isEmpty()) {
      throw catalog.refuse(
          view.table() + " is no longer the view that shows table " + view.hidden(),
          "Find out who replaced it, and restore it: "
              + view.table()
              + " has to be a view of all columns of "
              + view.hidden()
              + ", and of "
              + Sql.quote(view.from())
              + " as "
              + Sql.quote(view.to())
              + ".");
    }
    catalog.table(view.hiddenName());
    standIn.requireUnused(shown.get(0), view.table());
  }

  private void requireFree(CatalogTable table) throws SQLException {
    if (!catalog
        .list(
            "SELECT 1 FROM pg_attribute WHERE attrelid = ?::bigint::oid AND attname = ?",
            row -> row.getInt(1),
            table.oid(),
            migration.to())
        .isEmpty()) {
      throw catalog.refuse(
          "the name \"" + migration.to() + "\" is taken in table " + table.display(),
          "Choose another name, or drop the column that has it. Every table has system columns,"
              + " such as ctid and xmin, too.");
    }
  }

  private void requireSimple(CatalogTable table, CatalogColumn from) throws SQLException {
    String column = "column " + table.display() + "." + from.quoted();
    catalog.requireFree("table meanwhile", view.hiddenName());
    if (from.inherited()) {
      throw catalog.refuse(
          column + " is inherited from another table",
          "Rename it in that table, or NO INHERIT it.");
    }
    if (from.domainDefault() != null) {
      throw catalog.refuse(
          column
              + " is of domain "
              + from.type()
              + ", which has a default: a row that gives the column under one name would get it"
              + " under the other",
          "ALTER DOMAIN "
              + from.type()
              + " DROP DEFAULT; and give the column a default of its own. "
              + TRIGGER_FORM);
    }
    if (catalog.columns(table).size() >= MAX_COLUMNS) {
      throw catalog.refuse(
          "table " + table.display() + " has as many columns as a view may have, " + MAX_COLUMNS,
          "Drop one.");
    }
  }

  private void requireUnused(CatalogTable table, CatalogColumn from) throws SQLException {
    List<String> dependents =
        catalog.dependents(table, from).stream()
            .filter(each -> !FOLLOW.contains(each.kind()))
            .map(Dependent::name)
            .toList();
    if (!dependents.isEmpty()) {
      throw catalog.refuse(
          "column "
              + table.display()
              + "."
              + from.quoted()
              + " is used by "
              + String.join(", ", dependents),
          "Drop it, or change it so that it doesn't name the column, and create it anew for the new"
              + " name afterwards.");
    }
  }
}
