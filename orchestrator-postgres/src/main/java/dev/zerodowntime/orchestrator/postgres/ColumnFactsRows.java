package dev.zerodowntime.orchestrator.postgres;

import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Rows of the catalog in the form in which facts are kept. */
final class ColumnFactsRows {

  private ColumnFactsRows() {}

  /**
   * Queries.
   *
   * @param connection a connection
   * @param sql a query whose columns are named like facts
   * @param parameters texts, numbers or booleans
   * @return rows by column; nulls are left out, whole numbers are Long, arrays are lists of texts
   * @throws SQLException if that fails
   */
  static List<Map<String, Object>> query(Connection connection, String sql, Object... parameters)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < parameters.length; i++) {
        statement.setObject(i + 1, parameters[i]);
      }
      try (ResultSet row = statement.executeQuery()) {
        int columns = row.getMetaData().getColumnCount();
        List<Map<String, Object>> rows = new ArrayList<>();
        while (row.next()) {
          Map<String, Object> values = new LinkedHashMap<>();
          for (int i = 1; i <= columns; i++) {
            Object value = row.getObject(i);
            if (value != null) {
              values.put(row.getMetaData().getColumnLabel(i), fact(value));
            }
          }
          rows.add(values);
        }
        return rows;
      }
    }
  }

  static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  static String text(Map<String, Object> row, String name) {
    return new ColumnFacts(row).text(name);
  }

  static boolean flag(Map<String, Object> row, String name) {
    return new ColumnFacts(row).flag(name);
  }

  private static Object fact(Object value) throws SQLException {
    if (value instanceof Array array) {
      List<String> texts = new ArrayList<>();
      Arrays.asList((Object[]) array.getArray()).forEach(each -> texts.add(String.valueOf(each)));
      return texts;
    }
    if (value instanceof Boolean) {
      return value;
    }
    return value instanceof Number number ? (Object) number.longValue() : value.toString();
  }
}
