package dev.zerodowntime.orchestrator.postgres.engine;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import javax.sql.DataSource;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.TransactionState;

/**
 * A pool that puts nothing right: every connection that comes back is looked at, in the driver and
 * on the server, and must be as it was when it was made. Real pools reset less than people think.
 */
final class WatchedPool implements AutoCloseable {

  /** Whatever lasts longer than a transaction. */
  private static final String STATE =
      "SELECT (SELECT string_agg(name || '=' || setting || CASE WHEN name LIKE '%_timeout'"
          // Set to the same value it would not follow the server's configuration any more.
          + " THEN ' by ' || source ELSE '' END, ', ' ORDER BY name) FROM pg_settings WHERE (source = 'session' AND name NOT IN"
          + " ('transaction_isolation', 'transaction_read_only', 'transaction_deferrable')) OR name IN ('lock_timeout', 'statement_timeout',"
          + " 'idle_in_transaction_session_timeout', 'idle_session_timeout', 'transaction_timeout',"
          + " 'synchronous_commit', 'role', 'search_path', 'application_name',"
          + " 'session_replication_role', 'default_transaction_isolation',"
          + " 'default_transaction_read_only', 'default_transaction_deferrable'))"
          + " || '; user ' || current_user || ' of ' || session_user"
          + " || '; advisory locks ' || (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid()"
          + " AND locktype = 'advisory')"
          + " || '; temporary relations ' || (SELECT count(*) FROM pg_class WHERE relnamespace ="
          + " pg_my_temp_schema() AND relkind IN ('r', 'v'))"
          + " || '; held cursors ' || (SELECT count(*) FROM pg_cursors WHERE is_holdable)"
          + " || '; channels ' || (SELECT count(*) FROM pg_listening_channels())"
          + " || '; prepared transactions ' || (SELECT count(*) FROM pg_prepared_xacts WHERE"
          + " database = current_database())";

  /** How the pool makes its connections. */
  interface Shape {
    void give(Connection connection) throws SQLException;
  }

  private record Physical(Connection connection, String state) {}

  private final DataSource real;
  private final Shape shape;
  private final Deque<Physical> free = new ArrayDeque<>();
  private final List<String> leaks = new ArrayList<>();
  private int returned;

  WatchedPool(DataSource real, Shape shape) {
    this.real = real;
    this.shape = shape;
  }

  WatchedPool(DataSource real) {
    this(real, connection -> {});
  }

  DataSource dataSource() {
    return proxy(
        DataSource.class,
        (self, method, arguments) ->
            "getConnection".equals(method.getName())
                ? lent(take())
                : invoke(real, method, arguments));
  }

  /** What connections that came back had in them, each said once. */
  synchronized List<String> leaks() {
    return leaks.stream().distinct().toList();
  }

  /** How many have come back. */
  synchronized int returned() {
    return returned;
  }

  private Physical take() throws SQLException {
    for (Physical idle; (idle = poll()) != null; ) {
      // As pools do: its session may have been idle for longer than the server likes.
      if (idle.connection().isValid(5)) {
        return idle;
      }
      idle.connection().close();
    }
    Connection connection = real.getConnection();
    shape.give(connection);
    return new Physical(connection, state(connection));
  }

  private synchronized Physical poll() {
    return free.poll();
  }

  private Connection lent(Physical physical) {
    boolean[] closed = new boolean[1];
    return proxy(
        Connection.class,
        (self, method, arguments) -> {
          switch (method.getName()) {
            case "close" -> {
              if (!closed[0]) {
                closed[0] = true;
                giveBack(physical);
              }
              return null;
            }
            case "isClosed" -> {
              return closed[0] || physical.connection().isClosed();
            }
            default -> {
              return invoke(physical.connection(), method, arguments);
            }
          }
        });
  }

  private void giveBack(Physical physical) throws SQLException {
    Connection connection = physical.connection();
    if (connection.isClosed()) {
      return;
    }
    String now;
    try {
      now = state(connection);
    } catch (SQLException e) {
      if (connection.isClosed() || !connection.isValid(5)) {
        return; // Its session ended: a real pool finds that out as well.
      }
      now = "could not be asked: " + e.getMessage();
    }
    synchronized (this) {
      returned++;
      if (now.equals(physical.state())) {
        free.push(physical);
        return;
      }
      leaks.add("was: " + physical.state() + "\n  is: " + now);
    }
    connection.close();
  }

  private static String state(Connection connection) throws SQLException {
    TransactionState transaction = connection.unwrap(BaseConnection.class).getTransactionState();
    String driver =
        "transaction "
            + transaction
            + ", autocommit "
            + connection.getAutoCommit()
            + ", read-only "
            + connection.isReadOnly()
            + ", isolation ";
    if (transaction != TransactionState.IDLE) {
      connection.rollback();
    }
    driver += connection.getTransactionIsolation() + ", holdability " + connection.getHoldability();
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(STATE)) {
      row.next();
      driver += "; " + row.getString(1);
    }
    if (!connection.getAutoCommit()) {
      connection.rollback();
    }
    return driver;
  }

  private static Object invoke(Object target, java.lang.reflect.Method method, Object[] arguments)
      throws Throwable {
    try {
      return method.invoke(target, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  private static <T> T proxy(Class<T> type, InvocationHandler handler) {
    return type.cast(
        Proxy.newProxyInstance(WatchedPool.class.getClassLoader(), new Class<?>[] {type}, handler));
  }

  @Override
  public void close() throws SQLException {
    List<Physical> all;
    synchronized (this) {
      all = new ArrayList<>(free);
      free.clear();
    }
    for (Physical each : all) {
      each.connection().close();
    }
  }
}
