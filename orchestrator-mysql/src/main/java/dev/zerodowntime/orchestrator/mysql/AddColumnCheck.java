package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Whether a column can be added: the server is asked what it makes of it on a temporary table. */
final class AddColumnCheck {

  /** The column as the server writes it down, nullable. */
  static final String DEFINITION = "definition";

  /** Whether its default is the same for all rows, so that those that are there get it at once. */
  static final String CONSTANT = "constant";

  /** Whether the catalog alone is changed; else the table is rebuilt, with writes going on. */
  static final String INSTANT = "instant";

  /** Whether the tombstone of an earlier way back is there, to be renamed back. */
  static final String TOMBSTONE = "tombstone";

  /** The columns that the value is computed from. */
  static final String FROM = "from";

  /** Columns that would get the time of the backfill, unless they are set to what they are. */
  static final String STAMPED = "stamped";

  private final AddColumn migration;
  private final Target target;
  private final Catalog catalog;
  private final Connection connection;

  AddColumnCheck(AddColumn migration, Target target, MysqlVersion version, Connection connection)
      throws SQLException {
    this.migration = migration;
    this.target = target;
    this.catalog = new Catalog(migration, target, version, connection);
    this.connection = connection;
  }

  Map<String, Object> facts() throws SQLException {
    Sql.requireFits(migration.id(), "column", migration.column());
    CatalogTable table = catalog.table(migration.table());
    String tombstone = MysqlAddColumn.tombstone(migration, target);
    if (CatalogColumn.find(catalog, table, migration.column()).isPresent()) {
      throw catalog.refuse(
          "table " + table.display() + " already has a column \"" + migration.column() + "\"",
          "Choose another name; or, if it is the one, leave the migration out.");
    }
    String definition =
        ColumnTrial.definition(
            catalog, table, migration.column(), migration.type(), migration.defaultSql());
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put(DEFINITION, definition);
    boolean constant = constant(definition);
    facts.put(CONSTANT, constant);
    boolean instant = instant(table);
    facts.put(INSTANT, instant);
    if (instant) {
      RowVersions.require(catalog, table, 2, facts);
    }
    facts.put(TOMBSTONE, CatalogColumn.find(catalog, table, tombstone).isPresent());
    Map<String, String> columns = new LinkedHashMap<>(table.definition().columns());
    String value = MysqlAddColumn.value(migration);
    List<String> from = FillTriggers.named(value, columns);
    facts.put(FROM, from);
    if (MysqlAddColumn.backfills(migration, facts)) {
      facts.put(
          "key",
          Facts.key(PrimaryKey.of(connection, migration.id(), target.schema(), table.name())));
      facts.put(STAMPED, Touched.columns(catalog, table));
      catalog.requireComputable(table, value, "of column \"" + migration.column() + "\"");
    }
    if (MysqlAddColumn.triggers(migration, facts)) {
      requireNotNullInPlace(definition);
      OwnTriggers.require(catalog, table);
      requireKnown(table, from, columns);
      catalog.requireNoCluster("making a column NOT NULL");
    }
    return facts;
  }

  /** The server writes literals in quotes or as numbers, expressions never. */
  private static boolean constant(String definition) {
    String value = ColumnText.defaultOf(definition);
    if (value == null) {
      return true;
    }
    return value.startsWith("'")
        || value.matches(
            "(?i)-?[0-9.]+(e[-+]?[0-9]+)?|[bx]'.*'|_[a-z0-9]+ ?'.*'|current_timestamp.*");
  }

  private boolean instant(CatalogTable table) {
    if (table.fulltext()) {
      throw catalog.refuse(
          "table "
              + table.display()
              + " has a FULLTEXT index: no column can be added to it while rows are written",
          "Add the column to a table beside it; or drop the index first, and create it anew.");
    }
    if (table.compressed()) {
      catalog.requireNoCluster("rebuilding a compressed table");
      return false;
    }
    return true;
  }

  private void requireNotNullInPlace(String definition) {
    if (catalog.version().mariadb()
        && definition.toLowerCase(Locale.ROOT).startsWith("timestamp")) {
      throw catalog.refuse(
          "column \""
              + migration.column()
              + "\" of type "
              + migration.type()
              + " can't become NOT NULL in place on MariaDB",
          "Use DATETIME; or leave it nullable; or give it a constant default.");
    }
  }

  /** What a row has before it is written, and what it doesn't have yet. */
  private void requireKnown(CatalogTable table, List<String> from, Map<String, String> columns) {
    for (String each : from) {
      if (columns.getOrDefault(each, "").toUpperCase(Locale.ROOT).contains("AUTO_INCREMENT")) {
        throw catalog.refuse(
            "the value of column \""
                + migration.column()
                + "\" is computed from column "
                + Sql.quote(each)
                + " of table "
                + table.display()
                + ", which is AUTO_INCREMENT: before a row is inserted nobody knows it",
            "Compute it from other columns; or leave the column nullable and let code write it.");
      }
    }
    for (Map.Entry<String, String> each : columns.entrySet()) {
      if (ColumnText.generated(each.getValue())
          && ColumnText.mentions(MysqlAddColumn.value(migration), each.getKey())) {
        throw catalog.refuse(
            "the value of column \""
                + migration.column()
                + "\" is computed from column "
                + Sql.quote(each.getKey())
                + " of table "
                + table.display()
                + ", which the server itself computes, after triggers have run",
            "Write its expression out.");
      }
    }
  }
}
