package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.DatabaseException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.spi.DriverInfo;
import java.lang.reflect.InvocationTargetException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What is known of the JDBC driver behind a connection. Asked through reflection, because the
 * application brings the driver: in its own version, possibly from its own class loader.
 */
final class MysqlDriver {

  private static final String TYPE = "com.mysql.cj.jdbc.JdbcConnection";

  private static final String REMEDY =
      "Take useServerPrepStmts and useCursorFetch out of the application's JDBC URL: statements that"
          + " the server has prepared read a row of SELECT * with the columns it had before.";

  /** Options that must not be true on anybody's connections, and why. */
  private static final Map<String, String> HARMFUL =
      new TreeMap<>(
          Map.of(
              "cacheResultSetMetadata",
              "SELECT * reads a changed table with the columns that it had before: values come out"
                  + " under the wrong names, without an error"));

  /** Options that must not be true on our own connections, and why. */
  private static final Map<String, String> HARMFUL_TO_US =
      new TreeMap<>(
          Map.of(
              "useAffectedRows",
              "an UPDATE that finds a row as it should be counts as one that finds none",
              "autoReconnect",
              "a statement may be executed in a new session, which holds no lock and has none of the"
                  + " settings of the one before",
              "autoReconnectForPools",
              "a statement may be executed in a new session, which holds no lock and has none of the"
                  + " settings of the one before"));

  private MysqlDriver() {}

  /**
   * Connections of the application. Text statements survive every change of a row type; statements
   * that are prepared on the server don't survive a new column in {@code SELECT *}.
   *
   * @throws DatabaseException if an option makes the application read wrong values
   */
  static DriverInfo info(Connection connection) throws SQLException {
    Object driver = unwrap(connection);
    if (driver == null) {
      return new DriverInfo(
          false,
          "driver "
              + connection.getMetaData().getDriverName()
              + ", which is not MySQL Connector/J 8 or newer",
          "Whether it survives a changed row type is unknown. Use MySQL Connector/J, which works"
              + " with MariaDB too, or declare noStarQueries() if no statement of the application"
              + " says SELECT *.");
    }
    require(driver, HARMFUL);
    Boolean server = flag(driver, "useServerPrepStmts");
    Boolean cursor = flag(driver, "useCursorFetch");
    return new DriverInfo(
        Boolean.FALSE.equals(server) && Boolean.FALSE.equals(cursor),
        "MySQL Connector/J "
            + connection.getMetaData().getDriverVersion()
            + ", useServerPrepStmts="
            + (server == null ? "?" : server)
            + ", useCursorFetch="
            + (cursor == null ? "?" : cursor),
        REMEDY);
  }

  /**
   * Connections that the library itself works with.
   *
   * @throws DatabaseException if an option changes what its statements do
   */
  static void requireUsable(Connection connection) throws SQLException {
    Object driver = unwrap(connection);
    if (driver == null) {
      return;
    }
    require(driver, HARMFUL);
    require(driver, HARMFUL_TO_US);
    String url = connection.getMetaData().getURL();
    if (url != null && url.startsWith("jdbc:mysql:loadbalance:")) {
      throw new DatabaseException(
          ErrorCode.UNSUPPORTED_SETTING,
          "The JDBC URL begins with jdbc:mysql:loadbalance: and each transaction may be on another"
              + " server",
          "Name one server: jdbc:mysql://host/database.",
          null);
    }
  }

  private static void require(Object driver, Map<String, String> harmful) {
    harmful.forEach(
        (option, why) -> {
          if (Boolean.TRUE.equals(flag(driver, option))) {
            throw new DatabaseException(
                ErrorCode.UNSUPPORTED_SETTING,
                "The JDBC connection has " + option + "=true: " + why,
                "Take " + option + " out of the JDBC URL or the pool's properties.",
                null);
          }
        });
  }

  /**
   * The session that the server told the driver of when it connected: a proxy in between tells it
   * something else than the server that executes a statement would.
   *
   * @return its number, or null if the driver doesn't say
   */
  static @Nullable String session(Connection connection) throws SQLException {
    Object driver = unwrap(connection);
    if (driver == null) {
      return null;
    }
    Object id = ask(driver, TYPE, "getId");
    return id == null ? null : String.valueOf(id);
  }

  private static @Nullable Boolean flag(Object driver, String option) {
    Object properties = ask(driver, TYPE, "getPropertySet");
    if (properties == null) {
      return null;
    }
    try {
      ClassLoader loader = driver.getClass().getClassLoader();
      Object property =
          Class.forName("com.mysql.cj.conf.PropertySet", false, loader)
              .getMethod("getProperty", String.class)
              .invoke(properties, option);
      return property != null
              && ask(property, "com.mysql.cj.conf.RuntimeProperty", "getValue")
                  instanceof Boolean value
          ? value
          : null;
    } catch (ReflectiveOperationException e) {
      return null;
    }
  }

  private static @Nullable Object unwrap(Connection connection) throws SQLException {
    // The real connection may come from another class loader than any wrapper around it.
    Connection inner = connection.getMetaData().getConnection();
    for (ClassLoader loader :
        new ClassLoader[] {
          inner == null ? null : inner.getClass().getClassLoader(),
          connection.getClass().getClassLoader(),
          Thread.currentThread().getContextClassLoader(),
          MysqlDriver.class.getClassLoader()
        }) {
      try {
        Class<?> type = Class.forName(TYPE, false, loader);
        if (connection.isWrapperFor(type)) {
          return connection.unwrap(type);
        }
      } catch (ClassNotFoundException | LinkageError e) {
        // Not here: try the next.
      }
    }
    return null;
  }

  private static @Nullable Object ask(Object what, String type, String method) {
    try {
      return Class.forName(type, false, what.getClass().getClassLoader())
          .getMethod(method)
          .invoke(what);
    } catch (ClassNotFoundException
        | NoSuchMethodException
        | IllegalAccessException
        | InvocationTargetException e) {
      return null;
    }
  }
}
