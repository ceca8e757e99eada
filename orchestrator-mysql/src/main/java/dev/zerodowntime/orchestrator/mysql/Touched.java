package dev.zerodowntime.orchestrator.mysql;

import java.sql.SQLException;
import java.util.List;

/**
 * Columns that say when a row was changed last (ON UPDATE CURRENT_TIMESTAMP). A batch is no change
 * that they mean: unless it assigns them itself, it sets them to what they are.
 */
final class Touched {

  private Touched() {}

  /** Their unquoted names. */
  static List<String> columns(Catalog catalog, CatalogTable table) throws SQLException {
    return catalog.list(
        "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE "
            + Probes.isTable(table.schema(), table.name())
            + " AND LOWER(EXTRA) LIKE '%on update %' ORDER BY ORDINAL_POSITION",
        row -> row.getString(1));
  }

  /**
   * Assignments that keep them, each preceded by a comma.
   *
   * @param table quoted, qualified
   * @param columns unquoted
   */
  static String kept(String table, List<String> columns) {
    StringBuilder set = new StringBuilder();
    for (String each : columns) {
      String column = table + "." + Sql.quote(each);
      set.append(", ").append(column).append(" = ").append(column);
    }
    return set.toString();
  }
}
