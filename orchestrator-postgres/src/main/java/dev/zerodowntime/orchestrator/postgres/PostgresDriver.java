package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.DriverInfo;
import java.lang.reflect.InvocationTargetException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What is known of the JDBC driver behind a connection. Asked through reflection, because the
 * application brings the driver: in its own version, possibly from its own class loader.
 */
final class PostgresDriver {

  private static final String REMEDY =
      "Add autosave=conservative to the application's JDBC URL"
          + " (jdbc:postgresql://host/database?autosave=conservative); prepareThreshold=0 does as"
          + " well.";

  private PostgresDriver() {}

  /**
   * Statements that the server has prepared fail inside a transaction once their row type changed,
   * unless the driver can go back to a savepoint of its own and prepare them anew, or never
   * prepares any.
   */
  static DriverInfo info(Connection connection) throws SQLException {
    Object driver = unwrap(connection);
    if (driver == null) {
      return new DriverInfo(
          false,
          "driver " + connection.getMetaData().getDriverName() + ", which is not pgJDBC",
          "Whether it survives a changed row type is unknown. Use pgJDBC with"
              + " autosave=conservative.");
    }
    String threshold = ask(driver, "getPrepareThreshold");
    String autosave = ask(driver, "getAutosave");
    String mode = ask(driver, "getPreferQueryMode");
    boolean safe =
        "0".equals(threshold)
            || "conservative".equals(autosave)
            || "always".equals(autosave)
            || "simple".equals(mode);
    return new DriverInfo(
        safe,
        "pgJDBC "
            + connection.getMetaData().getDriverVersion()
            + ", prepareThreshold="
            + threshold
            + ", autosave="
            + autosave
            + ("simple".equals(mode) ? ", preferQueryMode=simple" : ""),
        REMEDY);
  }

  /**
   * The backend that the driver believes it talks to: a pooler in between tells it something else
   * than the server itself would.
   *
   * @return its process id, or null if the driver doesn't say
   */
  static @Nullable String backend(Connection connection) throws SQLException {
    Object driver = unwrap(connection);
    String pid = driver == null ? "?" : ask(driver, "getBackendPID");
    return "?".equals(pid) ? null : pid;
  }

  private static @Nullable Object unwrap(Connection connection) throws SQLException {
    // The real connection may come from another class loader than any wrapper around it.
    Connection inner = connection.getMetaData().getConnection();
    for (ClassLoader loader :
        new ClassLoader[] {
          inner == null ? null : inner.getClass().getClassLoader(),
          connection.getClass().getClassLoader(),
          Thread.currentThread().getContextClassLoader(),
          PostgresDriver.class.getClassLoader()
        }) {
      try {
        Class<?> type = Class.forName("org.postgresql.PGConnection", false, loader);
        if (connection.isWrapperFor(type)) {
          return connection.unwrap(type);
        }
      } catch (ClassNotFoundException | LinkageError e) {
        // Not here: try the next.
      }
    }
    return null;
  }

  private static String ask(Object driver, String method) {
    try {
      Object value =
          Class.forName("org.postgresql.PGConnection", false, driver.getClass().getClassLoader())
              .getMethod(method)
              .invoke(driver);
      return String.valueOf(value).toLowerCase(Locale.ROOT);
    } catch (ClassNotFoundException
        | NoSuchMethodException
        | IllegalAccessException
        | InvocationTargetException e) {
      return "?";
    }
  }
}
