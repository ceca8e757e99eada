package dev.zerodowntime.orchestrator.postgres.crash;

import dev.zerodowntime.orchestrator.postgres.testing.PostgresServer;
import dev.zerodowntime.orchestrator.testing.crash.Server;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.locks.LockSupport;

/** Ends sessions of PostgreSQL, and makes databases from others. */
final class PostgresHand implements Server {

  private final Connection connection;

  PostgresHand() throws SQLException {
    connection = PostgresServer.get().dataSource(null).getConnection();
  }

  @Override
  public String create() throws SQLException {
    return create("template0");
  }

  /** A new database from a template that nobody is connected to. */
  private String create(String template) throws SQLException {
    String name = Names.next();
    awaitNobody(template);
    execute("CREATE DATABASE " + name + " TEMPLATE " + template);
    return name;
  }

  @Override
  public String copy(String template) throws SQLException {
    String name = create(template);
    try (Connection fresh = PostgresProduct.source(name).getConnection();
        Statement statement = fresh.createStatement()) {
      if (exists(statement, "orchestrator.control")) {
        statement.execute(
            "UPDATE orchestrator.control SET identity = regexp_replace(identity, '[0-9]+$', (SELECT"
                + " oid::text FROM pg_database WHERE datname = current_database()))");
      }
    }
    return name;
  }

  private static boolean exists(Statement statement, String table) throws SQLException {
    try (ResultSet row =
        statement.executeQuery("SELECT to_regclass('" + table + "') IS NOT NULL")) {
      row.next();
      return row.getBoolean(1);
    }
  }

  @Override
  public void drop(String database) throws SQLException {
    execute("DROP DATABASE IF EXISTS " + database + " WITH (FORCE)");
  }

  @Override
  public void end(long pid) throws SQLException {
    count("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid = ?", pid);
    await("SELECT count(*) FROM pg_stat_activity WHERE pid = ?", pid, 0);
  }

  @Override
  public void awaitWaiting(long pid) throws SQLException {
    await(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid = ?", pid, 1);
  }

  private void awaitNobody(String database) throws SQLException {
    String sql =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = ? AND backend_type = 'client"
            + " backend'";
    await(sql, database, 0);
  }

  private void await(String sql, Object parameter, long wanted) throws SQLException {
    long deadline = System.nanoTime() + 30_000_000_000L;
    while (count(sql, parameter) != wanted) {
      if (System.nanoTime() - deadline > 0) {
        throw new IllegalStateException("not " + wanted + " after 30 s: " + sql + " " + parameter);
      }
      // A spinning client would only keep the server from getting there.
      LockSupport.parkNanos(300_000);
    }
  }

  private long count(String sql, Object parameter) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setObject(1, parameter);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getLong(1);
      }
    }
  }

  private void execute(String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
