package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Looks for keys that are there more than once: groups the whole table, for a limited time. No
 * index is needed for it, and no lock beyond that of a SELECT. The equality is that of the index:
 * both take the type's default, and the column's collation.
 */
final class Duplicates {

  /** Whoever registers the migration waits for it, and its snapshot holds up vacuum so long. */
  static final int MILLIS = 2_000;

  private static final int SHOWN = 5;

  private static final int LONGEST_VALUE = 60;

  private final Catalog catalog;
  private final CatalogTable table;
  private final List<CatalogColumn> columns;
  private final boolean nullsNotDistinct;

  Duplicates(
      Catalog catalog, CatalogTable table, List<CatalogColumn> columns, boolean nullsNotDistinct) {
    this.catalog = catalog;
    this.table = table;
    this.columns = columns;
    this.nullsNotDistinct = nullsNotDistinct;
  }

  /** Refuses if it finds some in time; else the build will. */
  void requireNone() throws SQLException {
    look(MILLIS);
  }

  /**
   * Looks for so long.
   *
   * @return whether it came to the end
   */
  boolean look(int millis) throws SQLException {
    Connection connection = catalog.connection();
    Savepoint before = connection.setSavepoint();
    List<String> found = new ArrayList<>();
    long keys = 0;
    long rows = 0;
    try (Statement statement = connection.createStatement()) {
      statement.execute("SET LOCAL statement_timeout = " + millis);
      try (ResultSet row = statement.executeQuery(sql())) {
        while (row.next()) {
          keys = row.getLong(1);
          rows = row.getLong(2);
          found.add(describe(row));
        }
      }
    } catch (SQLException e) {
      if (PostgresErrors.classify(e) != SqlErrorKind.CANCELLED) {
        throw e;
      }
      connection.rollback(before);
      return false;
    }
    connection.rollback(before);
    if (!found.isEmpty()) {
      throw catalog.refuse(
          "table "
              + table.display()
              + " has duplicates: "
              + keys
              + (keys == 1 ? " key of " : " keys of ")
              + columns.stream().map(CatalogColumn::quoted).collect(Collectors.joining(", "))
              + " in "
              + rows
              + " rows, such as "
              + String.join(", ", found),
          "Change or remove these rows first: where a Backfill does, declare this migration after"
              + " it.");
    }
    return true;
  }

  private String sql() {
    List<String> keys = new ArrayList<>();
    List<String> shown = new ArrayList<>();
    List<String> present = new ArrayList<>();
    List<String> places = new ArrayList<>();
    for (CatalogColumn column : columns) {
      String alias = "k" + keys.size();
      keys.add(column.quoted() + " AS " + alias);
      places.add(Integer.toString(keys.size()));
      shown.add("left(" + alias + "::text, " + LONGEST_VALUE + ")");
      if (!nullsNotDistinct) {
        present.add(column.quoted() + " IS NOT NULL");
      }
    }
    return "SELECT count(*) OVER (), sum(n) OVER (), n, "
        + String.join(", ", shown)
        + " FROM (SELECT "
        + String.join(", ", keys)
        + ", count(*) AS n FROM "
        + table.qualified()
        + (present.isEmpty() ? "" : " WHERE " + String.join(" AND ", present))
        + " GROUP BY "
        + String.join(", ", places)
        + " HAVING count(*) > 1) AS d ORDER BY n DESC, "
        + places.stream()
            .map(each -> Integer.toString(3 + Integer.parseInt(each)))
            .collect(Collectors.joining(", "))
        + " LIMIT "
        + SHOWN;
  }

  private String describe(ResultSet row) throws SQLException {
    List<String> values = new ArrayList<>();
    for (int i = 0; i < columns.size(); i++) {
      values.add(String.valueOf(row.getString(4 + i)));
    }
    return "(" + String.join(", ", values) + ") in " + row.getLong(3) + " rows";
  }
}
