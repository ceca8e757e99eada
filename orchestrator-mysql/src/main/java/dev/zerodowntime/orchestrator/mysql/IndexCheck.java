package dev.zerodowntime.orchestrator.mysql;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What stands against building or dropping an index. */
final class IndexCheck {

  private final Catalog catalog;
  private final CatalogTable table;

  IndexCheck(Catalog catalog, CatalogTable table) {
    this.catalog = catalog;
    this.table = table;
  }

  /**
   * Refuses an index that can't be built online under this name.
   *
   * @param clause as ADD takes it
   * @return whether the same index is there already
   */
  boolean requireBuildable(String name, String clause) throws SQLException {
    Sql.requireFits(catalog.migration(), "index", name);
    catalog.requireNoCluster("building an index");
    if (name.equalsIgnoreCase("PRIMARY")) {
      throw catalog.refuse(
          "an index can't be called PRIMARY: that is the primary key", "Choose another name.");
    }
    Optional<CatalogIndex> there = catalog.find(table, name);
    String wanted = tryOut(name, clause, there.isPresent());
    if (there.isPresent() && !there.get().clause().equals(wanted)) {
      throw catalog.refuse(
          "table " + table.display() + " has another index of this name: " + there.get().clause(),
          "Choose another name, or declare the same index.");
    }
    return there.isPresent();
  }

  /** As the server writes it down. */
  private String tryOut(String name, String clause, boolean there) throws SQLException {
    Trial.require(catalog, table);
    // An index of that name is there: the same must be possible under another.
    String trial = there ? "zdo_trial_key" : name;
    try {
      ShowCreate made =
          Trial.make(catalog, table, Map.of(), clause.replace(Sql.quote(name), Sql.quote(trial)));
      String found = made.keys().get(trial);
      return found == null ? clause : found.replaceFirst("`zdo_trial_key`", quoted(name));
    } catch (SQLException e) {
      throw catalog.refuse(
          "index \""
              + name
              + "\" on table "
              + table.display()
              + " can't be built: "
              + Catalog.said(e),
          "Correct its key; a column of TEXT or BLOB needs a length: .column(\"c\", \"(100)\").");
    }
  }

  private String quoted(String name) throws SQLException {
    String actual = catalog.find(table, name).map(CatalogIndex::name).orElse(name);
    return Sql.quote(actual).replace("\\", "\\\\").replace("$", "\\$");
  }

  /** Refuses an index that rows, or other tables, can't be without. */
  void requireDispensable(CatalogIndex index) throws SQLException {
    String what = "index " + Sql.quote(index.name()) + " of table " + table.display();
    if (index.primary()) {
      throw catalog.refuse(what + " is its primary key, which the rows are stored by", "Keep it.");
    }
    if (!index.kind().equals("BTREE")) {
      throw catalog.refuse(
          what
              + " is "
              + index.kind()
              + ": the way back, which builds it again, would block every write meanwhile",
          "Drop it by hand, if you must.");
    }
    List<CatalogIndex> others =
        catalog.indexes(table).stream().filter(each -> !each.name().equals(index.name())).toList();
    requireRowsKeepTheirPlace(index, what);
    requireCounterKeepsItsKey(index, others, what);
    requireForeignKeysKeepOne(index, others, what);
  }

  /** Without a primary key, rows are stored by the first unique index that has no NULL. */
  private void requireRowsKeepTheirPlace(CatalogIndex index, String what) throws SQLException {
    if (table.definition().keys().containsKey("PRIMARY") || !index.unique()) {
      return;
    }
    for (String column : index.columns()) {
      if (column.isEmpty() || !catalog.column(table, column).notNull()) {
        return;
      }
    }
    throw catalog.refuse(
        what + " may be what the rows are stored by, since there is no primary key",
        "Add a primary key first.");
  }

  private void requireCounterKeepsItsKey(CatalogIndex index, List<CatalogIndex> others, String what)
      throws SQLException {
    String first = index.columns().get(0);
    if (!first.isEmpty()
        && catalog.column(table, first).autoIncrement()
        && others.stream().noneMatch(each -> starts(each, List.of(first)))) {
      throw catalog.refuse(
          what + " is needed by its AUTO_INCREMENT column " + Sql.quote(first),
          "Build another index that begins with this column first.");
    }
  }

  private record Use(String by, List<String> columns) {}

  /** A foreign key needs an index at either end that begins with its columns. */
  private void requireForeignKeysKeepOne(CatalogIndex index, List<CatalogIndex> others, String what)
      throws SQLException {
    for (Use use : uses()) {
      if (starts(index, use.columns())
          && others.stream().noneMatch(each -> starts(each, use.columns()))) {
        throw catalog.refuse(
            what + " is needed by " + use.by(),
            "Drop the foreign key first, or build another index that begins with "
                + use.columns()
                + ".");
      }
    }
  }

  private List<Use> uses() throws SQLException {
    Map<String, List<String>> uses = new LinkedHashMap<>();
    String here = Probes.isTable(table.schema(), table.name());
    catalog.list(
        "SELECT CONSTRAINT_NAME, COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE WHERE "
            + here
            + " AND REFERENCED_TABLE_NAME IS NOT NULL ORDER BY CONSTRAINT_NAME, ORDINAL_POSITION",
        row -> add(uses, "its foreign key " + Sql.quote(row.getString(1)), row.getString(2)));
    catalog.list(
        "SELECT CONSTRAINT_NAME, TABLE_SCHEMA, TABLE_NAME, REFERENCED_COLUMN_NAME FROM"
            + " information_schema.KEY_COLUMN_USAGE WHERE "
            + here.replace("TABLE_SCHEMA", "REFERENCED_TABLE_SCHEMA")
                .replace("TABLE_NAME", "REFERENCED_TABLE_NAME")
            + " ORDER BY TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION",
        row ->
            add(
                uses,
                "foreign key "
                    + Sql.quote(row.getString(1))
                    + " of table "
                    + Sql.qualified(row.getString(2), row.getString(3)),
                row.getString(4)));
    List<Use> list = new ArrayList<>();
    uses.forEach((by, columns) -> list.add(new Use(by, columns)));
    return list;
  }

  private static boolean add(Map<String, List<String>> uses, String by, String column) {
    return uses.computeIfAbsent(by, name -> new ArrayList<>()).add(column);
  }

  private static boolean starts(CatalogIndex index, List<String> columns) {
    if (!index.whole()
        || !index.kind().equals("BTREE")
        || index.columns().size() < columns.size()) {
      return false;
    }
    for (int i = 0; i < columns.size(); i++) {
      if (!index.columns().get(i).equalsIgnoreCase(columns.get(i))) {
        return false;
      }
    }
    return true;
  }
}
