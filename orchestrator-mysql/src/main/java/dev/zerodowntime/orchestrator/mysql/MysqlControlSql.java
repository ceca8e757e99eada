package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.spi.ControlSql;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** The control tables' SQL. */
final class MysqlControlSql implements ControlSql {

  /** With it they can be in the application's own database. */
  static final String PREFIX = "zdo_";

  private static final String EPOCH = "TIMESTAMP'1970-01-01 00:00:00'";

  private static final String TABLES =
      "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()"
          + " AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') AND TABLE_NAME NOT LIKE '"
          + PREFIX.replace("_", "\\_")
          + "%' AND TABLE_NAME <> 'orchestrator_history'"
          + " AND LOWER(TABLE_NAME) NOT LIKE '%flyway\\_schema\\_history%'"
          + " AND LOWER(TABLE_NAME) NOT IN ('databasechangelog', 'databasechangeloglock')";

  private final MysqlVersion version;

  MysqlControlSql(MysqlVersion version) {
    this.version = version;
  }

  @Override
  public List<Version> versions(String schema) {
    return List.of(
        new Version(1, "control tables", MysqlControlTables.version1(schema, version.mariadb())));
  }

  @Override
  public String prefix() {
    return PREFIX;
  }

  @Override
  public String quote(String identifier) {
    return Sql.quote(identifier);
  }

  /** As it was when the statement began; in UTC, since a DATETIME has no zone. */
  @Override
  public String now() {
    return "UTC_TIMESTAMP(3)";
  }

  @Override
  public String millis(String time) {
    return "CAST(TIMESTAMPDIFF(MICROSECOND, " + EPOCH + ", " + time + ") DIV 1000 AS SIGNED)";
  }

  @Override
  public String time(long millis) {
    return "TIMESTAMPADD(MICROSECOND, " + millis + " * 1000, " + EPOCH + ")";
  }

  @Override
  public String later(long millis) {
    return "TIMESTAMPADD(MICROSECOND, " + millis + " * 1000, " + now() + ")";
  }

  @Override
  public String incarnation() {
    return Incarnation.sql(version);
  }

  /** MariaDB has no FOR SHARE; MySQL knows this one too. */
  @Override
  public String forShare() {
    return "LOCK IN SHARE MODE";
  }

  @Override
  public String session() {
    return "CONCAT(CONNECTION_ID(), '@', " + incarnation() + ")";
  }

  /** Sessions of other users are seen by those only who have PROCESS. */
  @Override
  public String sessionLeft(String session) {
    return "("
        + session
        + " IS NOT NULL AND SUBSTRING("
        + session
        + ", LOCATE('@', "
        + session
        + ") + 1) = "
        + incarnation()
        + " AND EXISTS (SELECT 1 FROM "
        + processes(version)
        + " zdo_p WHERE zdo_p.ID = CAST(SUBSTRING_INDEX("
        + session
        + ", '@', 1) AS UNSIGNED)))";
  }

  /** The server's list of sessions. The old one of MySQL stops all others while it is read. */
  static String processes(MysqlVersion version) {
    return !version.mariadb() && version.performanceSchema()
        ? "performance_schema.processlist"
        : "information_schema.PROCESSLIST";
  }

  @Override
  public String insertIfAbsent(
      String table, List<String> columns, List<String> key, List<String> values) {
    // INSERT IGNORE would swallow other errors as well.
    return "INSERT INTO "
        + table
        + " ("
        + String.join(", ", columns)
        + ") VALUES ("
        + String.join(", ", values)
        + ") ON DUPLICATE KEY UPDATE "
        + key.get(0)
        + " = "
        + table
        + "."
        + key.get(0);
  }

  /**
   * The settings are the session's: what they were is kept in its user variables, see {@link
   * #end()}.
   */
  @Override
  public List<String> begin(long lockMillis, long idleMillis) {
    long lock = seconds(lockMillis);
    return List.of(
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
        "SET "
            + settings().stream()
                .map(name -> kept(name) + " = @@session." + name)
                .collect(Collectors.joining(", "))
            + ", SESSION innodb_lock_wait_timeout = "
            + lock
            + ", SESSION lock_wait_timeout = "
            + lock
            + ", SESSION wait_timeout = "
            + seconds(idleMillis)
            // A user may have one for the application's queries.
            + ", SESSION "
            + statementLimit()
            + " = 0");
  }

  @Override
  public List<String> end() {
    return List.of(
        "SET "
            + settings().stream()
                .map(name -> "SESSION " + name + " = " + kept(name))
                .collect(Collectors.joining(", ")));
  }

  private List<String> settings() {
    return List.of(
        "innodb_lock_wait_timeout", "lock_wait_timeout", "wait_timeout", statementLimit());
  }

  /** The user variable in which a setting is kept. */
  static String kept(String name) {
    return "@zdo_" + name;
  }

  private String statementLimit() {
    return statementLimit(version);
  }

  /** The setting that limits statements: of MySQL only those that read. */
  static String statementLimit(MysqlVersion version) {
    return version.mariadb() ? "max_statement_time" : "max_execution_time";
  }

  /** These settings count whole seconds. */
  static long seconds(long millis) {
    return Math.max(1, (millis + 999) / 1000);
  }

  /** The account, which may be for any host, not the user and host that the client is. */
  @Override
  public String user(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT CURRENT_USER()")) {
      row.next();
      return row.getString(1);
    }
  }

  @Override
  public List<String> grants(String schema, String user) {
    int at = user.lastIndexOf('@');
    return List.of(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON "
            + schema
            + ".* TO "
            + Sql.literal(user.substring(0, at))
            + "@"
            + Sql.literal(user.substring(at + 1)));
  }

  @Override
  public boolean hasRows(Connection connection, String controlSchema) throws SQLException {
    List<String> tables = new ArrayList<>();
    try (Statement statement = connection.createStatement()) {
      try (ResultSet row = statement.executeQuery(TABLES)) {
        while (row.next()) {
          tables.add(row.getString(1));
        }
      }
      for (String table : tables) {
        try (ResultSet row =
            statement.executeQuery("SELECT EXISTS (SELECT 1 FROM " + Sql.quote(table) + ")")) {
          if (row.next() && row.getBoolean(1)) {
            return true;
          }
        }
      }
    }
    return false;
  }

  @Override
  public boolean tableHasRows(Connection connection, String schema, String table)
      throws SQLException {
    try (PreparedStatement there =
            connection.prepareStatement(
                "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME ="
                    + " ?");
        Statement statement = connection.createStatement()) {
      there.setString(1, schema);
      there.setString(2, table);
      try (ResultSet row = there.executeQuery()) {
        if (!row.next()) {
          return false;
        }
      }
      try (ResultSet row =
          statement.executeQuery(
              "SELECT EXISTS (SELECT 1 FROM " + Sql.quote(schema) + "." + Sql.quote(table) + ")")) {
        return row.next() && row.getBoolean(1);
      }
    }
  }
}
