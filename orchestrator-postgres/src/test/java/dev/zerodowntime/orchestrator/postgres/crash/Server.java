package dev.zerodowntime.orchestrator.postgres.crash;

import dev.zerodowntime.orchestrator.postgres.testing.PostgresServer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * The hand that the engine doesn't see: ends sessions on the server, and makes databases from
 * others, so that a cut needs no more than its own act. Used by one thread at a time.
 */
final class Server implements AutoCloseable {

  private static final AtomicInteger COUNTER = new AtomicInteger();
  private static final String RUN =
      Integer.toString(ThreadLocalRandom.current().nextInt(0x10000, 0x1000000), 36);

  private final Connection connection;

  Server() throws SQLException {
    connection = PostgresServer.get().dataSource(null).getConnection();
  }

  /** Sessions without TCP keep-alive or other frills: there are thousands of them. */
  static PGSimpleDataSource dataSource(String database) {
    PGSimpleDataSource source = PostgresServer.get().dataSource(database);
    // A driver that survives a column of another type: nothing here is about drivers.
    source.setPrepareThreshold(0);
    return source;
  }

  /** A new database from a template that nobody is connected to. */
  String create(String template) throws SQLException {
    String name = "crash_" + RUN + "_" + COUNTER.incrementAndGet();
    awaitNobody(template);
    execute("CREATE DATABASE " + name + " TEMPLATE " + template);
    return name;
  }

  /** A copy of a database whose control tables take it for the original. */
  String copy(String template) throws SQLException {
    String name = create(template);
    try (Connection fresh = dataSource(name).getConnection();
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

  void drop(String database) throws SQLException {
    execute("DROP DATABASE IF EXISTS " + database + " WITH (FORCE)");
  }

  /** Ends a session and waits until nothing of it is left: no lock, no transaction. */
  void end(int pid) throws SQLException {
    count("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid = ?", pid);
    await("SELECT count(*) FROM pg_stat_activity WHERE pid = ?", pid, 0);
  }

  /** Waits until a session waits for a lock. */
  void awaitWaiting(int pid) throws SQLException {
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
