package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.operation.SetNotNull;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Whether a column can become NOT NULL while its table is in use. */
final class SetNotNullCheck {

  /** Whether the column is NOT NULL already: then it is left alone. */
  static final String ALREADY = "already";

  /** In the catalog's own case: a MODIFY would change it as well. */
  static final String COLUMN = "column";

  /** As the server writes it down, nullable. */
  static final String DEFINITION = "definition";

  private final SetNotNull migration;
  private final Catalog catalog;
  private final Connection connection;
  private final CopyRoute copies;

  SetNotNullCheck(
      SetNotNull migration,
      Target target,
      MysqlVersion version,
      CopyRoute copies,
      Connection connection)
      throws SQLException {
    this.migration = migration;
    this.copies = copies;
    this.catalog = new Catalog(migration, target, version, connection);
    this.connection = connection;
  }

  Map<String, Object> facts(Map<String, Object> known) throws SQLException {
    CatalogTable table = catalog.table(migration.table());
    CatalogColumn column = catalog.column(table, migration.column());
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put(ALREADY, column.notNull());
    facts.put(COLUMN, column.name());
    facts.put(DEFINITION, column.definition());
    if (column.notNull()) {
      return facts;
    }
    catalog.requireNoCluster("rewriting a table, as the server does for this,");
    Privileges.of(catalog).require(table, "SELECT");
    OwnTriggers.require(catalog, table);
    String what = what(table, column);
    if (column.generated()) {
      throw catalog.refuse(what + " is a generated column", "Choose another column.");
    }
    boolean copy = copies.chosen(migration, catalog, table, known, true);
    if (table.fulltext() && !copy) {
      throw catalog.refuse(
          "table "
              + table.display()
              + " has a FULLTEXT index: the server would block every write while it rewrites the"
              + " table",
          CopyRoute.remedy("drop that index first, or leave the column as it is."));
    }
    if (catalog.version().mariadb() && column.type().startsWith("timestamp") && !copy) {
      throw catalog.refuse(
          what
              + " is a TIMESTAMP, which a MariaDB makes NOT NULL by copying the table alone, with"
              + " every write blocked",
          CopyRoute.remedy("make it a DATETIME, or leave it as it is."));
    }
    requireNotSetNull(table, column, what);
    requireSameOtherwise(table, column, what);
    List<Scan.KeyColumn> key =
        PrimaryKey.of(connection, migration.id(), table.schema(), table.name());
    facts.put("key", Facts.key(key));
    if (copy) {
      facts.putAll(copies.facts(migration, catalog, table, known, key));
    }
    return facts;
  }

  private static String what(CatalogTable table, CatalogColumn column) {
    return "column " + column.quoted() + " of table " + table.display();
  }

  private void requireNotSetNull(CatalogTable table, CatalogColumn column, String what)
      throws SQLException {
    List<String> keys =
        catalog.list(
            "SELECT u.CONSTRAINT_NAME FROM information_schema.KEY_COLUMN_USAGE u JOIN"
                + " information_schema.REFERENTIAL_CONSTRAINTS r ON r.CONSTRAINT_SCHEMA ="
                + " u.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = u.CONSTRAINT_NAME AND r.TABLE_NAME"
                + " = u.TABLE_NAME WHERE u.TABLE_SCHEMA = ? AND u.TABLE_NAME = ? AND u.COLUMN_NAME"
                + " = ? AND 'SET NULL' IN (r.UPDATE_RULE, r.DELETE_RULE)",
            row -> row.getString(1),
            table.schema(),
            table.name(),
            column.name());
    if (!keys.isEmpty()) {
      throw catalog.refuse(
          what + " is SET NULL by foreign key " + Sql.quote(keys.get(0)),
          "Give the foreign key another action first.");
    }
  }

  /** A server may refuse it, or give a TIMESTAMP a default of its own. */
  private void requireSameOtherwise(CatalogTable table, CatalogColumn column, String what)
      throws SQLException {
    Trial.require(catalog, table);
    String wanted = ColumnText.withNotNull(column.definition(), true);
    String made;
    try {
      made =
          Objects.requireNonNull(
              Trial.make(catalog, table, Map.of(column.name(), wanted), null)
                  .columns()
                  .get(column.name()));
    } catch (SQLException e) {
      throw catalog.refuse(
          what + " can't be NOT NULL: " + Catalog.said(e),
          "An invisible column needs a default; make it visible, or give it one with SetDefault.");
    }
    if (!Objects.equals(ColumnText.defaultOf(made), ColumnText.defaultOf(wanted))
        || made.contains(" ON UPDATE ") != wanted.contains(" ON UPDATE ")) {
      throw catalog.refuse(
          what + " would become " + made,
          "SET GLOBAL explicit_defaults_for_timestamp = ON, or give it a default with SetDefault.");
    }
  }

  /** The definition is written down as a whole: not over what others have changed meanwhile. */
  void requireUnchanged(String before) throws SQLException {
    CatalogTable table = catalog.table(migration.table());
    CatalogColumn column = catalog.column(table, migration.column());
    if (!ColumnText.withNotNull(column.definition(), true)
        .equals(ColumnText.withNotNull(before, true))) {
      throw catalog.refuse(
          what(table, column)
              + " was \""
              + before
              + "\", and is \""
              + column.definition()
              + "\" now: with NOT NULL, the rest would come back as well",
          "Take the other changes back first.");
    }
  }
}
