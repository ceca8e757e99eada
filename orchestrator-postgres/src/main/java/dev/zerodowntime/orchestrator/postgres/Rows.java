package dev.zerodowntime.orchestrator.postgres;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** Rows of a query. */
final class Rows {

  private Rows() {}

  /** All of them. Parameters are texts, {@code Long}s or {@code Integer}s. */
  static <T> List<T> of(
      Connection connection, String sql, Catalog.Row<T> reader, Object... parameters)
      throws SQLException {
    List<T> rows = new ArrayList<>();
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < parameters.length; i++) {
        statement.setObject(i + 1, parameters[i]);
      }
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          rows.add(reader.read(row));
        }
      }
    }
    return rows;
  }

  /** Whether a query of one boolean says so. */
  static boolean is(Connection connection, String sql, Object... parameters) throws SQLException {
    return of(connection, sql, row -> row.getBoolean(1), parameters).equals(List.of(true));
  }
}
