package dev.zerodowntime.orchestrator.spi;

import java.io.PrintWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Properties;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Connections straight from the driver, kept for the next use: else those just closed would be seen
 * among the sessions of others. For one thread.
 */
final class DriverSource implements DataSource, AutoCloseable {

  private static final int TIMEOUT_SECONDS = 5;

  private final String url;
  private final Properties properties;
  private final Deque<Connection> idle = new ArrayDeque<>();

  DriverSource(String url, Properties properties) {
    this.url = url;
    this.properties = properties;
  }

  @Override
  public Connection getConnection() throws SQLException {
    for (Connection each; (each = idle.poll()) != null; ) {
      if (each.isValid(TIMEOUT_SECONDS)) {
        return kept(each);
      }
      each.close();
    }
    return kept(DriverManager.getConnection(url, properties));
  }

  private Connection kept(Connection connection) {
    return (Connection)
        Proxy.newProxyInstance(
            DriverSource.class.getClassLoader(),
            new Class<?>[] {Connection.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("close")) {
                idle.push(connection);
                return null;
              }
              try {
                return method.invoke(connection, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause() == null ? e : e.getCause();
              }
            });
  }

  @Override
  public void close() {
    for (Connection each; (each = idle.poll()) != null; ) {
      try {
        each.close();
      } catch (SQLException e) {
        // Nobody needs it any more.
      }
    }
  }

  @Override
  public Connection getConnection(String user, String password) throws SQLException {
    throw new SQLFeatureNotSupportedException("the user is in the properties");
  }

  @Override
  public @Nullable PrintWriter getLogWriter() {
    return null;
  }

  @Override
  public void setLogWriter(@Nullable PrintWriter out) {}

  @Override
  public void setLoginTimeout(int seconds) throws SQLException {
    throw new SQLFeatureNotSupportedException("see the driver's properties");
  }

  @Override
  public int getLoginTimeout() {
    return 0;
  }

  @Override
  public Logger getParentLogger() throws SQLFeatureNotSupportedException {
    throw new SQLFeatureNotSupportedException("it logs nothing");
  }

  @Override
  public <T> T unwrap(Class<T> type) throws SQLException {
    throw new SQLException("it wraps nothing");
  }

  @Override
  public boolean isWrapperFor(Class<?> type) {
    return false;
  }
}
