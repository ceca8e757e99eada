package dev.zerodowntime.orchestrator.testing.crash;

import java.io.PrintWriter;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.Statement;
import java.util.Deque;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.logging.Logger;
import javax.sql.DataSource;

/**
 * A small pool whose connections send everything through a {@link Wire}. A pool, because a leaked
 * setting or lock shows only where sessions are used again.
 */
final class CutDataSource implements DataSource, AutoCloseable {

  /** Calls of a connection that go to the server, beside those that execute SQL. */
  private static final Set<String> ROUND_TRIPS =
      Set.of(
          "getSchema",
          "setSchema",
          "getTransactionIsolation",
          "setTransactionIsolation",
          "setReadOnly",
          "setSavepoint",
          "releaseSavepoint");

  private final Wire wire;
  private final Deque<Wire.Session> idle = new ConcurrentLinkedDeque<>();

  CutDataSource(Wire wire) {
    this.wire = wire;
  }

  @Override
  public Connection getConnection() throws SQLException {
    wire.requireAlive();
    Wire.Session free = idle.poll();
    return proxy(Connection.class, new OnConnection(free == null ? wire.open() : free));
  }

  private static <T> T proxy(Class<T> type, InvocationHandler handler) {
    return type.cast(
        Proxy.newProxyInstance(
            CutDataSource.class.getClassLoader(), new Class<?>[] {type}, handler));
  }

  /** What all handlers share: identity, and the exceptions of the real thing. */
  private abstract class Handler implements InvocationHandler {
    final Wire.Session session;
    final Object target;

    Handler(Wire.Session session, Object target) {
      this.session = session;
      this.target = target;
    }

    @Override
    public Object invoke(Object proxy, Method method, Object[] args) throws Throwable {
      return switch (method.getName()) {
        case "equals" -> proxy == args[0];
        case "hashCode" -> System.identityHashCode(proxy);
        case "toString" -> "cuttable " + target.getClass().getSimpleName();
        default -> handle(proxy, method, args);
      };
    }

    abstract Object handle(Object proxy, Method method, Object[] args) throws SQLException;

    final Object call(Method method, Object[] args) throws SQLException {
      try {
        return method.invoke(target, args);
      } catch (InvocationTargetException e) {
        if (e.getCause() instanceof SQLException sql) {
          throw sql;
        }
        throw new IllegalStateException(e.getCause());
      } catch (IllegalAccessException e) {
        throw new IllegalStateException(e);
      }
    }

    final Object send(String sql, Method method, Object[] args) throws SQLException {
      boolean inTransaction = !session.raw.isClosed() && !session.raw.getAutoCommit();
      String text = Point.text(sql);
      Point.Effect effect = Point.effect(text, inTransaction);
      if (inTransaction) {
        session.inTransaction = true;
        session.changed |= effect != Point.Effect.NONE;
      }
      return wire.send(session, text, effect, () -> call(method, args));
    }
  }

  private final class OnConnection extends Handler {
    private boolean closed;

    OnConnection(Wire.Session session) {
      super(session, session.raw);
    }

    @Override
    Object handle(Object proxy, Method method, Object[] args) throws SQLException {
      String name = method.getName();
      switch (name) {
        case "close" -> {
          giveBack();
          return null;
        }
        case "isClosed" -> {
          return closed || session.raw.isClosed();
        }
        case "abort" -> {
          wire.forget(session);
          return null;
        }
        case "unwrap", "isWrapperFor", "getAutoCommit" -> {
          return call(method, args);
        }
        case "commit" -> {
          return end("jdbc commit", method, args);
        }
        case "rollback" -> {
          return args == null
              ? end("jdbc rollback", method, args)
              : send("jdbc rollback to", method, args);
        }
        case "setAutoCommit" -> {
          return Boolean.TRUE.equals(args[0])
              ? end("jdbc setAutoCommit", method, args)
              : call(method, args);
        }
        case "createStatement" -> {
          wire.requireAlive();
          return statement(proxy, Statement.class, method, args);
        }
        case "prepareStatement", "prepareCall" -> {
          wire.requireAlive();
          return statement(proxy, method.getReturnType(), method, args);
        }
        case "getMetaData" -> {
          wire.requireAlive();
          return proxy(DatabaseMetaData.class, new OnMetaData(session, proxy, call(method, args)));
        }
        default -> {
          return ROUND_TRIPS.contains(name)
              ? send("jdbc " + name, method, args)
              : call(method, args);
        }
      }
    }

    private Object statement(Object proxy, Class<?> type, Method method, Object[] args)
        throws SQLException {
      String sql = args != null && args[0] instanceof String text ? text : null;
      return proxy(type, new OnStatement(session, proxy, call(method, args), sql));
    }

    /** Ends the transaction, if there is one: else nothing goes to the server. */
    private Object end(String what, Method method, Object[] args) throws SQLException {
      if (!session.inTransaction) {
        wire.requireAlive();
        return call(method, args);
      }
      boolean lasting = session.changed && !what.equals("jdbc rollback");
      session.ended();
      return wire.send(
          session,
          what,
          lasting ? Point.Effect.LASTING : Point.Effect.NONE,
          () -> call(method, args));
    }

    private void giveBack() throws SQLException {
      if (closed) {
        return;
      }
      closed = true;
      if (wire.dead() || session.raw.isClosed()) {
        return;
      }
      if (!session.raw.getAutoCommit() || session.inTransaction) {
        wire.fault("a connection came back in a transaction");
        wire.forget(session);
        return;
      }
      idle.push(session);
    }
  }

  private final class OnStatement extends Handler {
    private final Object connection;
    private final String prepared;

    OnStatement(Wire.Session session, Object connection, Object target, String prepared) {
      super(session, target);
      this.connection = connection;
      this.prepared = prepared;
    }

    @Override
    Object handle(Object proxy, Method method, Object[] args) throws SQLException {
      String name = method.getName();
      if (name.equals("getConnection")) {
        return connection;
      }
      if (name.startsWith("execute")) {
        boolean given = args != null && args[0] instanceof String;
        return send(given ? (String) args[0] : String.valueOf(prepared), method, args);
      }
      return call(method, args);
    }
  }

  /** The driver asks the catalog for these. */
  private final class OnMetaData extends Handler {
    private final Object connection;

    OnMetaData(Wire.Session session, Object connection, Object target) {
      super(session, target);
      this.connection = connection;
    }

    @Override
    Object handle(Object proxy, Method method, Object[] args) throws SQLException {
      if (method.getName().equals("getConnection")) {
        return connection;
      }
      return method.getReturnType() == ResultSet.class
          ? send("jdbc " + method.getName(), method, args)
          : call(method, args);
    }
  }

  @Override
  public void close() throws SQLException {
    wire.die();
  }

  @Override
  public Connection getConnection(String user, String password) throws SQLException {
    throw new SQLFeatureNotSupportedException();
  }

  @Override
  public PrintWriter getLogWriter() {
    return null;
  }

  @Override
  public void setLogWriter(PrintWriter out) {
    // Nothing to log.
  }

  @Override
  public void setLoginTimeout(int seconds) {
    // The server is near.
  }

  @Override
  public int getLoginTimeout() {
    return 0;
  }

  @Override
  public Logger getParentLogger() throws SQLFeatureNotSupportedException {
    throw new SQLFeatureNotSupportedException();
  }

  @Override
  public <T> T unwrap(Class<T> type) throws SQLException {
    throw new SQLFeatureNotSupportedException();
  }

  @Override
  public boolean isWrapperFor(Class<?> type) {
    return false;
  }
}
