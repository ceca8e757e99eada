package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.DatabaseException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.spi.ServerInfo;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Looks at the server, in a few round trips, and refuses what can't be worked with.
 *
 * <p>Whether a proxy stands in between is seen from the session's number: the one that the driver
 * was told of when it connected must be the one that answers, each time.
 */
final class MysqlServerCheck {

  /** Modes under which SQL means something else, and what. */
  private static final Map<String, String> MODES =
      new TreeMap<>(
          Map.of(
              "ORACLE", "triggers are read as another language",
              "EMPTY_STRING_IS_NULL", "an empty text is stored as NULL",
              "HIGH_NOT_PRECEDENCE", "NOT binds otherwise than elsewhere",
              "PAD_CHAR_TO_FULL_LENGTH", "values are read with spaces that they don't have"));

  private MysqlServerCheck() {}

  static ServerInfo inspect(Connection connection) throws SQLException {
    MysqlVersion version = MysqlVersion.of(connection);
    requireSupported(version);
    MysqlDriver.requireUsable(connection);
    ServerSettings settings = ServerSettings.read(connection);
    requireWritable(settings);
    // To a MariaDB the driver doesn't say so: it refuses writes itself.
    if (connection.isReadOnly()) {
      throw readOnlyConnection();
    }
    requireModes(settings.modes());
    requireSession(settings);
    String session = ask(connection, "SELECT CONNECTION_ID()");
    String database = ask(connection, "SELECT DATABASE()");
    if (database == null) {
      throw new DatabaseException(
          ErrorCode.SQL,
          "The connection has no current database",
          "Name one in the JDBC URL: jdbc:mysql://host/database.",
          null);
    }
    String incarnation = ask(connection, "SELECT " + Incarnation.sql(version));
    String again = ask(connection, "SELECT CONNECTION_ID()");
    String told = MysqlDriver.session(connection);
    return new ServerInfo(
        version.toString(),
        // Neither server nor user: a replica that takes over is the same database.
        "database " + database,
        String.valueOf(incarnation),
        database,
        session != null && session.equals(again) && (told == null || told.equals(session)));
  }

  static void requireSupported(MysqlVersion version) {
    if (version.mariadb() ? version.atLeast(10, 6, 0) : version.atLeast(8, 0, 32)) {
      return;
    }
    boolean corrupts =
        !version.mariadb() && version.atLeast(8, 0, 29) && !version.atLeast(8, 0, 32);
    throw new DatabaseException(
        ErrorCode.UNSUPPORTED_SERVER,
        "The server is "
            + version
            + (corrupts ? ", which may lose rows of a table whose columns are added INSTANT" : ""),
        version.mariadb()
            ? "Use MariaDB 10.6 or newer."
            : "Use MySQL 8.0.32 or newer, 8.4 or 9.x; or MariaDB 10.6 or newer.",
        null);
  }

  static void requireWritable(ServerSettings settings) {
    for (String each : new String[] {"read_only", "super_read_only", "innodb_read_only"}) {
      if (settings.on(each)) {
        throw readOnly(
            "The server is read-only: " + each + "=" + settings.text(each),
            "Connect to the primary; or, if this is it, SET GLOBAL " + each + " = OFF.");
      }
    }
    if (settings.on("offline_mode")) {
      throw readOnly(
          "The server is closed to applications: offline_mode=ON",
          "SET GLOBAL offline_mode = OFF, or connect to another server.");
    }
    if (settings.on("transaction_read_only") || settings.on("tx_read_only")) {
      throw readOnlyConnection();
    }
  }

  private static DatabaseException readOnlyConnection() {
    return readOnly(
        "Transactions of this connection are read-only (transaction_read_only=ON, or a read-only"
            + " connection)",
        "Give a connection that may write: setReadOnly(false), SET SESSION TRANSACTION READ WRITE.");
  }

  private static DatabaseException readOnly(String problem, String remedy) {
    return new DatabaseException(ErrorCode.READ_ONLY_DATABASE, problem, remedy, null);
  }

  private static void requireModes(Set<String> modes) {
    if (!modes.contains("STRICT_TRANS_TABLES") && !modes.contains("STRICT_ALL_TABLES")) {
      throw setting(
          "The connection's sql_mode is \""
              + String.join(",", modes)
              + "\", without a strict mode: values that don't fit are changed and stored",
          "Add STRICT_TRANS_TABLES to sql_mode, on the server or for these connections"
              + " (sessionVariables=sql_mode='...' in the JDBC URL, or jdbcCompliantTruncation, which"
              + " is on unless switched off).");
    }
    MODES.forEach(
        (mode, why) -> {
          if (modes.contains(mode)) {
            throw setting(
                "The connection's sql_mode has " + mode + ": " + why,
                "Take " + mode + " out of sql_mode for these connections.");
          }
        });
  }

  private static void requireSession(ServerSettings settings) {
    if (settings.on("log_bin") && settings.text("binlog_format").equals("STATEMENT")) {
      throw setting(
          "binlog_format=STATEMENT: changes of rows at READ COMMITTED fail (1665)",
          "SET GLOBAL binlog_format = ROW, or MIXED, and connect anew.");
    }
    if (settings.on("sql_auto_is_null")) {
      throw setting(
          "sql_auto_is_null=ON: a condition IS NULL may mean the row inserted last",
          "SET sql_auto_is_null = OFF for these connections.");
    }
    for (String each : new String[] {"character_set_client", "character_set_connection"}) {
      if (!settings.text(each).equals("utf8mb4")) {
        throw setting(
            "The connection's "
                + each
                + " is "
                + settings.text(each)
                + ": characters that it doesn't have become question marks",
            "Take characterEncoding and connectionCollation out of the JDBC URL, or say"
                + " characterEncoding=UTF-8.");
      }
    }
  }

  private static DatabaseException setting(String problem, String remedy) {
    return new DatabaseException(ErrorCode.UNSUPPORTED_SETTING, problem, remedy, null);
  }

  private static @Nullable String ask(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      return row.next() ? row.getString(1) : null;
    }
  }
}
