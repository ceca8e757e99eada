package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.ControlSql;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** The control tables' SQL. */
final class PostgresControlSql implements ControlSql {

  private static final String MICROS =
      "(extract(epoch FROM %s.backend_start) * 1000000)::bigint::text";

  private static final String VISIBLE =
      "pg_catalog.has_schema_privilege(n.oid, 'USAGE')"
          + " AND pg_catalog.has_table_privilege(c.oid, 'SELECT')"
          + " AND NOT pg_catalog.row_security_active(c.oid)";

  /** One relation that may have rows; where they can't be seen, a table's file decides. */
  private static final String RELATION =
      "SELECT format('%I.%I', n.nspname, c.relname), "
          + VISIBLE
          + ", c.relkind <> 'r' OR pg_catalog.pg_relation_size(c.oid) > 0"
          + " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
          + " WHERE n.nspname = ? AND c.relname = ? AND c.relkind IN ('r', 'p', 'v', 'm', 'f')";

  /**
   * Tables that may hold rows of the application: not empty files, not the server's, not ours, not
   * an extension's, not Flyway's or Liquibase's record of itself. Where rows can't be seen, the
   * file's size decides.
   */
  private static final String TABLES =
      "SELECT format('%%I.%%I', n.nspname, c.relname), "
          + VISIBLE
          + " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
          + " WHERE c.relkind = 'r' AND c.relpersistence <> 't'"
          + " AND n.nspname NOT IN ('pg_catalog', 'information_schema', %s)"
          + " AND n.nspname !~ '^pg_(toast|temp)' AND c.relname !~*"
          + " 'flyway_schema_history|^databasechangelog(lock)?$'"
          + " AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid ="
          + " 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')"
          + " AND pg_catalog.pg_relation_size(c.oid) > 0 ORDER BY c.relpages DESC";

  @Override
  public List<Version> versions(String schema) {
    return List.of(
        new Version(1, "control tables", ControlTables.version1(schema)),
        new Version(2, "drivers and column types", ControlTables.version2(schema)));
  }

  @Override
  public String quote(String identifier) {
    return Sql.quote(identifier);
  }

  @Override
  public String now() {
    return "clock_timestamp()";
  }

  @Override
  public String millis(String time) {
    return "(extract(epoch FROM " + time + ") * 1000)::bigint";
  }

  @Override
  public String time(long millis) {
    return "pg_catalog.to_timestamp(" + millis + " / 1000.0)";
  }

  @Override
  public String later(long millis) {
    // Multiplied, for as a literal 25 days of milliseconds are too many for PostgreSQL 14.
    return "(clock_timestamp() + " + millis + " * interval '1 millisecond')";
  }

  /**
   * When the server started. That covers fail-overs and restores too, without the timeline, which
   * not every user may ask for: whatever gets promoted or restored is a process that started at
   * another time, and no process is promoted twice.
   */
  @Override
  public String incarnation() {
    return "('started ' || to_char(pg_catalog.pg_postmaster_start_time() AT TIME ZONE 'UTC',"
        + " 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'))";
  }

  @Override
  public String forShare() {
    return "FOR SHARE";
  }

  /** The process id alone is used again, sometimes soon. */
  @Override
  public String session() {
    return "(SELECT zdo_a.pid::text || '@' || "
        + MICROS.formatted("zdo_a")
        + " FROM pg_catalog.pg_stat_activity zdo_a WHERE zdo_a.pid = pg_catalog.pg_backend_pid())";
  }

  /** Other roles' start times may be hidden; then the process id has to do. */
  @Override
  public String sessionLeft(String session) {
    return "EXISTS (SELECT 1 FROM (SELECT "
        + session
        + " AS name OFFSET 0) zdo_s JOIN pg_catalog.pg_stat_activity zdo_a ON zdo_a.pid::text ="
        + " split_part(zdo_s.name, '@', 1) WHERE zdo_a.backend_start IS NULL OR "
        + MICROS.formatted("zdo_a")
        + " = split_part(zdo_s.name, '@', 2))";
  }

  @Override
  public String insertIfAbsent(
      String table, List<String> columns, List<String> key, List<String> values) {
    return "INSERT INTO "
        + table
        + " ("
        + String.join(", ", columns)
        + ") VALUES ("
        + String.join(", ", values)
        + ") ON CONFLICT ("
        + String.join(", ", key)
        + ") DO NOTHING";
  }

  /** In one round trip. */
  @Override
  public List<String> begin(long lockMillis, long idleMillis) {
    return List.of(
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = "
            + lockMillis
            + "; SET LOCAL idle_in_transaction_session_timeout = "
            + idleMillis
            // A role may have one for the application's queries.
            + "; SET LOCAL statement_timeout = 0");
  }

  @Override
  public List<String> grants(String schema, String user) {
    String to = " IN SCHEMA " + schema + " TO " + Sql.quote(user);
    return List.of(
        "GRANT USAGE ON SCHEMA " + schema + " TO " + Sql.quote(user),
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES" + to,
        "GRANT USAGE ON ALL SEQUENCES" + to);
  }

  @Override
  public boolean hasRows(Connection connection, String controlSchema) throws SQLException {
    List<String> readable = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(TABLES.formatted(Sql.literal(controlSchema)))) {
      while (row.next()) {
        if (!row.getBoolean(2)) {
          return true;
        }
        readable.add(row.getString(1));
      }
    }
    for (String table : readable) {
      if (hasRow(connection, table)) {
        return true;
      }
    }
    return false;
  }

  @Override
  public boolean tableHasRows(Connection connection, String schema, String table)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(RELATION)) {
      statement.setString(1, schema);
      statement.setString(2, table);
      try (ResultSet row = statement.executeQuery()) {
        if (!row.next()) {
          return false;
        }
        return row.getBoolean(2) ? hasRow(connection, row.getString(1)) : row.getBoolean(3);
      }
    }
  }

  private static boolean hasRow(Connection connection, String table) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT EXISTS (SELECT 1 FROM " + table + ")")) {
      return row.next() && row.getBoolean(1);
    } catch (SQLException e) {
      if (PostgresErrors.UNDEFINED_TABLE.equals(e.getSQLState())) {
        return false; // dropped meanwhile
      }
      throw e;
    }
  }
}
