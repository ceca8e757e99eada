package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.spi.Scan;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** The key that batches walk along: a table is stored in its order. */
final class PrimaryKey {

  private static final String COLUMNS =
      "SELECT s.column_name, c.data_type, c.column_type, c.character_set_name, c.collation_name,"
          + " s.sub_part IS NOT NULL FROM information_schema.statistics s JOIN"
          + " information_schema.columns c ON c.table_schema = s.table_schema AND c.table_name ="
          + " s.table_name AND c.column_name = s.column_name WHERE s.table_schema = ? AND"
          + " s.table_name = ? AND s.index_name = 'PRIMARY' ORDER BY s.seq_in_index";

  private PrimaryKey() {}

  /**
   * Reads it.
   *
   * @param connection any
   * @param migration the migration's id, for the refusal
   * @param schema the unquoted database
   * @param table the unquoted table
   * @return its columns
   * @throws RefusedException if there is none, or none that can be walked along
   */
  static List<Scan.KeyColumn> of(
      Connection connection, String migration, String schema, String table) throws SQLException {
    List<Scan.KeyColumn> key = new ArrayList<>();
    try (PreparedStatement statement = connection.prepareStatement(COLUMNS)) {
      statement.setString(1, schema);
      statement.setString(2, table);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          String column = row.getString(1);
          String type = row.getString(3);
          String way =
              KeyType.of(row.getString(2), type, row.getString(4), row.getString(5)).orElse(null);
          if (way == null || row.getBoolean(6)) {
            throw new RefusedException(
                ErrorCode.REFUSED,
                migration,
                "rows can't be walked along column \""
                    + column
                    + "\" of the primary key of table "
                    + Sql.qualified(schema, table)
                    + ", which is of type "
                    + type
                    + (row.getBoolean(6) ? " and indexed by its beginning only" : ""),
                "Give the table a primary key of integers, DECIMAL, CHAR, VARCHAR, BINARY,"
                    + " VARBINARY, DATE, DATETIME, TIME or YEAR.");
          }
          key.add(new Scan.KeyColumn(Sql.quote(column), way));
        }
      }
    }
    if (key.isEmpty()) {
      throw new RefusedException(
          ErrorCode.REFUSED,
          migration,
          "table " + Sql.qualified(schema, table) + " has no primary key to walk along in batches",
          "Add one first; it is what tells rows apart.");
    }
    return key;
  }
}
