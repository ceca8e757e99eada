package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** Whether a column can be dropped, and what it is, so that it can come back. */
final class DropColumnCheck {

  /** The column's name as the catalog has it: written otherwise, a MODIFY would rename it. */
  static final String NAME = "name";

  /** The column as the server writes it down. */
  static final String DEFINITION = "definition";

  /** Whether a row that omits it is rejected. */
  static final String REJECTS = "rejects";

  /** Indexes that go with it. */
  static final String INDEXES = "indexes";

  static final String STAMPED = AddColumnCheck.STAMPED;

  private final DropColumn migration;
  private final Target target;
  private final Catalog catalog;
  private final Connection connection;

  DropColumnCheck(DropColumn migration, Target target, MysqlVersion version, Connection connection)
      throws SQLException {
    this.migration = migration;
    this.target = target;
    this.catalog = new Catalog(migration, target, version, connection);
    this.connection = connection;
  }

  Map<String, Object> facts() throws SQLException {
    CatalogTable table = catalog.table(migration.table());
    CatalogColumn column = catalog.column(table, migration.column());
    requireOrdinary(table, column);
    requireUnused(table, column.name());
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put(NAME, column.name());
    facts.put(DEFINITION, column.definition());
    RowVersions.require(catalog, table, 1, facts);
    boolean rejects = column.notNull() && column.defaultSql() == null;
    facts.put(REJECTS, rejects);
    facts.put(INDEXES, indexes(table, column.name()));
    if (rejects) {
      catalog.requireNoCluster("letting a column be NULL");
      if (migration.fillBackSql().isPresent()) {
        facts.put(
            "key",
            Facts.key(PrimaryKey.of(connection, migration.id(), target.schema(), table.name())));
        facts.put(STAMPED, Touched.columns(catalog, table));
        catalog.requireComputable(table, migration.fillBackSql().orElseThrow(), "of the way back");
      }
    }
    return facts;
  }

  /** What came to name the column since must not break when it is renamed. */
  void requireStillUnused() throws SQLException {
    CatalogTable table = catalog.table(migration.table());
    requireUnused(table, catalog.column(table, migration.column()).name());
  }

  private void requireOrdinary(CatalogTable table, CatalogColumn column) {
    String what = "column " + column.quoted() + " of table " + table.display();
    if (column.generated() || column.autoIncrement()) {
      throw catalog.refuse(
          what + (column.generated() ? " is a generated column" : " is AUTO_INCREMENT"),
          "Only ordinary columns are dropped so far.");
    }
    if (table.fulltext() || table.compressed()) {
      throw catalog.refuse(
          "table "
              + table.display()
              + (table.fulltext() ? " has a FULLTEXT index" : " is compressed")
              + ": no column of it is renamed or dropped without a copy of the table",
          "Leave the column where it is.");
    }
    if (table.definition().columns().size() == 1) {
      throw catalog.refuse(what + " is its only one", "Declare DropTable.");
    }
  }

  private void requireUnused(CatalogTable table, String column) throws SQLException {
    List<String> users = ColumnUsers.of(catalog, table, column);
    if (ColumnText.mentions(table.definition().columns().getOrDefault(column, ""), "check")) {
      users.add("its own CHECK");
    }
    if (!users.isEmpty()) {
      throw catalog.refuse(
          "column "
              + Sql.quote(column)
              + " of table "
              + table.display()
              + " is used by "
              + String.join(", ", users),
          "Change or drop these first, and declare that .after(...) where it is a migration.");
    }
  }

  /** Without the column each would be another index. */
  private List<String> indexes(CatalogTable table, String column) {
    List<String> found = new ArrayList<>();
    TreeSet<String> unnamed = new TreeSet<>();
    Pattern alone =
        Pattern.compile("\\(" + Pattern.quote(Sql.quote(column)) + "(\\(\\d+\\))?( DESC)?\\).*");
    table
        .definition()
        .keys()
        .forEach(
            (name, clause) -> {
              String columns = clause.substring(clause.indexOf(" (") + 1);
              if (ColumnText.mentions(columns, column)) {
                found.add(name);
                if (!alone.matcher(columns).matches()) {
                  unnamed.add(name);
                }
              }
            });
    if (found.contains("PRIMARY")) {
      throw catalog.refuse(
          "column " + Sql.quote(column) + " is part of the primary key of table " + table.display(),
          "It can't be dropped.");
    }
    unnamed.removeAll(migration.droppedIndexes());
    if (!unnamed.isEmpty()) {
      throw catalog.refuse(
          "column "
              + Sql.quote(column)
              + " of table "
              + table.display()
              + " is, beside others, in the indexes "
              + unnamed,
          "Drop these first with DropIndex; or say alsoDropsIndexes(...), if queries can do without"
              + " them.");
    }
    return found;
  }
}
