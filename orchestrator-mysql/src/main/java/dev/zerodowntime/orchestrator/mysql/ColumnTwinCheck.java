package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.operation.ColumnRename;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Whether a column can be replaced by a second one that is kept in step. */
final class ColumnTwinCheck {

  /** The old column's name as the catalog has it. */
  static final String OLD = "old";

  /** The column as the server writes it down. */
  static final String DEFINITION = "definition";

  static final String NOT_NULL = "notNull";

  /**
   * What the old column gets in rows that omit it, from CONTRACT on; absent if it has a default.
   */
  static final String PLACEHOLDER = "placeholder";

  static final String STAMPED = "stamped";

  /** Indexes with the column in them: name, unique, and the clause that builds its counterpart. */
  static final String INDEXES = "indexes";

  /** The new column as the server writes it down, where it isn't the old one's. */
  static final String NEW_DEFINITION = "newDefinition";

  private final ColumnRename rename;
  private final String migration;
  private final Target target;
  private final Catalog catalog;
  private final Connection connection;

  /**
   * A check.
   *
   * @param migration the migration
   * @param rename the same, as what it is
   */
  ColumnTwinCheck(
      Migration<?> migration,
      ColumnRename rename,
      Target target,
      MysqlVersion version,
      Connection connection)
      throws SQLException {
    this.rename = rename;
    this.migration = migration.id();
    this.target = target;
    this.catalog = new Catalog(migration, target, version, connection);
    this.connection = connection;
  }

  Catalog catalog() {
    return catalog;
  }

  Map<String, Object> facts() throws SQLException {
    Sql.requireFits(migration, "column", rename.to());
    CatalogTable table = catalog.table(rename.table());
    CatalogColumn column = catalog.column(table, rename.from());
    if (CatalogColumn.find(catalog, table, rename.to()).isPresent()) {
      throw catalog.refuse(
          "table " + table.display() + " already has a column \"" + rename.to() + "\"",
          "Choose another name.");
    }
    requireOrdinary(table, column);
    requireUnused(table, column.name());
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put(OLD, column.name());
    facts.put(DEFINITION, column.definition());
    RowVersions.require(catalog, table, 2, facts);
    facts.put(NOT_NULL, column.notNull());
    facts.put(
        "key", Facts.key(PrimaryKey.of(connection, migration, target.schema(), table.name())));
    facts.put(STAMPED, Touched.columns(catalog, table));
    List<Map<String, Object>> indexes = indexes(table, column.name());
    facts.put(INDEXES, indexes);
    if (column.notNull() || !indexes.isEmpty()) {
      catalog.requireNoCluster("rebuilding the table or its indexes for a renamed column");
    }
    return facts;
  }

  /**
   * Whether triggers can keep the two in step.
   *
   * @param instead another operation that needs none, for the remedy
   */
  void requireTriggers(String instead) throws SQLException {
    OwnTriggers.require(catalog, catalog.table(rename.table()), instead);
  }

  /** What rows get that omit the old column, where it stays NOT NULL. */
  void notePlaceholder(Map<String, Object> facts) throws SQLException {
    CatalogTable table = catalog.table(rename.table());
    CatalogColumn column = catalog.column(table, rename.from());
    if (column.notNull() && column.defaultSql() == null) {
      facts.put(PLACEHOLDER, placeholder(table, column));
    }
  }

  /** What has come since must not be in the way. */
  void again(Map<String, Object> known) throws SQLException {
    CatalogTable table = catalog.table(rename.table());
    requireUnused(table, Facts.required(known, OLD));
    SyncTriggers.requireLast(catalog, table);
  }

  private void requireOrdinary(CatalogTable table, CatalogColumn column) {
    String definition = column.definition().toUpperCase(Locale.ROOT);
    String problem =
        column.generated()
            ? "is a generated column"
            : column.autoIncrement()
                ? "is AUTO_INCREMENT"
                : !column.visible()
                    ? "is invisible"
                    : definition.contains(" ON UPDATE ")
                        ? "has ON UPDATE, which would change one column of the two"
                        : definition.contains(" CHECK (")
                            ? "has a CHECK"
                            : !column.notNull() && column.defaultSql() != null
                                ? "can be NULL and has a default: a NULL that new code inserts could"
                                    + " not be told from a value that old code leaves out"
                                : null;
    if (problem == null && (table.fulltext() || table.compressed())) {
      problem =
          "is in a table that "
              + (table.fulltext() ? "has a FULLTEXT index" : "is compressed")
              + ", where columns are not added or renamed without a copy";
    }
    if (problem == null
        && catalog.version().mariadb()
        && column.notNull()
        && column.type().toLowerCase(Locale.ROOT).startsWith("timestamp")) {
      problem = "is a TIMESTAMP that is NOT NULL, which a MariaDB makes no column in place";
    }
    if (problem != null) {
      throw catalog.refuse(
          "column " + column.quoted() + " of table " + table.display() + " " + problem,
          "Such columns are not renamed, nor given another type, so far.");
    }
  }

  private void requireUnused(CatalogTable table, String column) throws SQLException {
    List<String> users = ColumnUsers.of(catalog, table, column);
    users.removeIf(each -> each.startsWith("trigger " + table.schema() + "." + SyncTriggers.OURS));
    if (!users.isEmpty()) {
      throw catalog.refuse(
          "column "
              + Sql.quote(column)
              + " of table "
              + table.display()
              + " is used by "
              + String.join(", ", users),
          "Change or drop these first; they can be created anew for the new name at ENFORCE.");
    }
  }

  private List<Map<String, Object>> indexes(CatalogTable table, String column) throws SQLException {
    List<Map<String, Object>> indexes = new ArrayList<>();
    for (CatalogIndex each : catalog.indexes(table)) {
      int columns = each.clause().indexOf(" (");
      if (!ColumnText.mentions(each.clause().substring(columns), column)) {
        continue;
      }
      if (each.primary() || !each.kind().equals("BTREE") || each.columns().contains("")) {
        throw catalog.refuse(
            "column "
                + Sql.quote(column)
                + " of table "
                + table.display()
                + " is in "
                + (each.primary() ? "the primary key" : "the index " + each.name())
                + ", which is not built a second time",
            each.primary() ? "It can't be renamed so far." : "Drop the index first.");
      }
      Map<String, Object> index = new LinkedHashMap<>();
      index.put("name", each.name());
      index.put("unique", each.unique());
      index.put(
          "clause",
          each.clause().substring(columns).replace(Sql.quote(column), Sql.quote(rename.to())));
      indexes.add(index);
    }
    return indexes;
  }

  /** Any value of the type, for a column that nobody reads. */
  private String placeholder(CatalogTable table, CatalogColumn column) {
    String type = column.type().toLowerCase(Locale.ROOT);
    String found = placeholder(type);
    if (found == null) {
      throw catalog.refuse(
          "column "
              + column.quoted()
              + " of table "
              + table.display()
              + " is NOT NULL, has no default, and its type "
              + column.type()
              + " has none that would do for rows which omit it",
          "Declare SetDefault first, or DropNotNull.");
    }
    return found;
  }

  private static @Nullable String placeholder(String type) {
    if (type.matches("(tiny|small|medium|big)?int.*|decimal.*|float.*|double.*")) {
      return "0";
    }
    if (type.startsWith("enum(")) {
      return type.substring(5, type.indexOf("'", 6) + 1);
    }
    if (type.matches("(var)?(char|binary)\\(.*|set\\(.*")) {
      return "''";
    }
    if (type.matches("(tiny|medium|long)?(text|blob)")) {
      return "('')";
    }
    if (type.startsWith("datetime")) {
      return "'1970-01-01 00:00:00'";
    }
    if (type.startsWith("timestamp")) {
      return "'1970-01-02 00:00:00'";
    }
    return type.startsWith("date") ? "'1970-01-01'" : type.startsWith("time") ? "'00:00:00'" : null;
  }
}
