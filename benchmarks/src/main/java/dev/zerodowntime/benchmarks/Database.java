package dev.zerodowntime.benchmarks;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** One database of the server; closing it drops it. */
record Database(Server server, String name) implements AutoCloseable {

  String url() {
    return server.url(name);
  }

  Connection connect() throws SQLException {
    return DriverManager.getConnection(url());
  }

  void execute(String... statements) throws SQLException {
    try (Connection connection = connect();
        Statement statement = connection.createStatement()) {
      for (String each : statements) {
        statement.execute(each);
      }
    }
  }

  String text(String query) throws SQLException {
    try (Connection connection = connect();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(query)) {
      row.next();
      return String.valueOf(row.getString(1));
    }
  }

  long number(String query) throws SQLException {
    return Long.parseLong(text(query));
  }

  /** So that no run pays for what the one before it, or its own preparation, has left to do. */
  void settle() throws SQLException {
    execute("VACUUM (ANALYZE) " + Users.TABLE, "CHECKPOINT");
  }

  @Override
  public void close() throws SQLException {
    new Database(server, "postgres").execute("DROP DATABASE " + name + " WITH (FORCE)");
  }
}
