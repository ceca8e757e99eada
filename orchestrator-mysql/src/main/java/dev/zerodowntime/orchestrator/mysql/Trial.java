package dev.zerodowntime.orchestrator.mysql;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An empty temporary table with the columns of another one, on which the server says whether it
 * takes a key or a default, and how it writes it down. Made in one statement, which ends no
 * transaction; nobody else sees it.
 */
final class Trial {

  private static final String NAME = "zdo_trial";

  /** No such key on a temporary table of InnoDB. */
  private static final List<String> NOT_HERE = List.of("FULLTEXT ", "SPATIAL ", "VECTOR ");

  private Trial() {}

  /**
   * Tries.
   *
   * @param columns definitions instead of those that the table has, by name
   * @param key a clause for a key more, or null
   * @return how the server writes it down
   * @throws SQLException what the server says against it
   */
  static ShowCreate make(
      Catalog catalog, CatalogTable table, Map<String, String> columns, @Nullable String key)
      throws SQLException {
    Map<String, String> all = new LinkedHashMap<>(table.definition().columns());
    all.putAll(columns);
    List<String> parts = new ArrayList<>();
    all.forEach((name, definition) -> parts.add(Sql.quote(name) + " " + definition));
    for (String each : table.definition().keys().values()) {
      if (NOT_HERE.stream().noneMatch(each::startsWith)) {
        parts.add(each);
      }
    }
    if (key != null) {
      parts.add(key);
    }
    String name = Sql.qualified(table.schema(), NAME);
    catalog.execute("DROP TEMPORARY TABLE IF EXISTS " + name);
    String options =
        table.definition().options().replaceAll(" AUTO_INCREMENT=\\d+", "").replace("\n", " ");
    try {
      catalog.execute(
          "CREATE TEMPORARY TABLE " + name + " (" + String.join(", ", parts) + ") " + options);
      return ShowCreate.of(
          catalog.list("SHOW CREATE TABLE " + name, row -> row.getString(2)).get(0));
    } finally {
      catalog.execute("DROP TEMPORARY TABLE IF EXISTS " + name);
    }
  }

  /**
   * Tries whether a row that omits a column is taken: a default is not looked at before that.
   *
   * @throws SQLException what the server says against it
   */
  static void insert(Catalog catalog, CatalogTable table, String column, String definition)
      throws SQLException {
    String name = Sql.qualified(table.schema(), NAME);
    catalog.execute("DROP TEMPORARY TABLE IF EXISTS " + name);
    try {
      catalog.execute(
          "CREATE TEMPORARY TABLE "
              + name
              + " ("
              + Sql.quote(column)
              + " "
              + definition.replace(" /*!80023 INVISIBLE */", "").replace(" INVISIBLE", "")
              + ") ENGINE=InnoDB COLLATE="
              + table.collation());
      catalog.execute("INSERT INTO " + name + " () VALUES ()");
    } finally {
      catalog.execute("DROP TEMPORARY TABLE IF EXISTS " + name);
    }
  }

  /**
   * Tries an expression over one column and nothing else.
   *
   * @param definition of the column
   * @param row whether there is a row, in which the column is NULL; else the server only reads the
   *     expression
   * @return whether its value is NULL; true where there is no row
   * @throws SQLException what the server says against it
   */
  static boolean isNull(
      Catalog catalog,
      CatalogTable table,
      String column,
      String definition,
      String expression,
      boolean row)
      throws SQLException {
    String name = Sql.qualified(table.schema(), NAME);
    catalog.execute("DROP TEMPORARY TABLE IF EXISTS " + name);
    try {
      catalog.execute(
          "CREATE TEMPORARY TABLE "
              + name
              + " ("
              + Sql.quote(column)
              + " "
              + definition
              + ") ENGINE=InnoDB COLLATE="
              + table.collation());
      if (row) {
        catalog.execute("INSERT INTO " + name + " VALUES (NULL)");
      }
      return catalog
          .list(
              "SELECT (" + expression + ") IS NULL FROM " + name + " AS " + Sql.quote(table.name()),
              found -> found.getBoolean(1))
          .stream()
          .allMatch(each -> each);
    } finally {
      catalog.execute("DROP TEMPORARY TABLE IF EXISTS " + name);
    }
  }

  /** Whether the user may make one. Asked first, so that what fails later is the author's part. */
  static void require(Catalog catalog, CatalogTable table) throws SQLException {
    Privileges.of(catalog).requireOnDatabase(table.schema(), "CREATE TEMPORARY TABLES");
  }
}
