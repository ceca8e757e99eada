package dev.zerodowntime.orchestrator.postgres;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What the user of the connection needs a privilege for, asked before anything is touched. */
final class Privileges {

  private Privileges() {}

  /**
   * A privilege that is missing.
   *
   * @param problem what the user may not do, for people
   * @param grant the statement that lets it, without a semicolon
   */
  record Missing(String problem, String grant) {}

  private static void require(Catalog catalog, Optional<Missing> missing) {
    if (missing.isPresent()) {
      throw catalog.forbid(missing.get().problem(), missing.get().grant() + ";");
    }
  }

  /** Trigger functions live in the control schema. */
  static void requireControlSchema(Catalog catalog) throws SQLException {
    require(catalog, controlSchema(catalog.connection(), catalog.target().controlSchema()));
  }

  /** Indexes and sequences live in the schema of their table. */
  static void requireCreate(Catalog catalog, String what, String schema) throws SQLException {
    require(catalog, create(catalog.connection(), what, schema));
  }

  /** Expressions are tried out on a temporary table. */
  static void requireTemporary(Catalog catalog) throws SQLException {
    require(catalog, temporary(catalog.connection()));
  }

  /** Where it isn't installed yet, whoever creates it may use it. */
  static Optional<Missing> controlSchema(Connection connection, String schema) throws SQLException {
    List<Boolean> allowed =
        Rows.of(
            connection,
            "SELECT pg_catalog.has_schema_privilege(oid, 'USAGE') AND"
                + " pg_catalog.has_schema_privilege(oid, 'CREATE') FROM pg_catalog.pg_namespace"
                + " WHERE nspname = ?",
            row -> row.getBoolean(1),
            schema);
    String user = user(connection);
    if (!allowed.isEmpty()) {
      return allowed.get(0)
          ? Optional.empty()
          : Optional.of(
              new Missing(
                  "user \"" + user + "\" may not create functions in schema \"" + schema + "\"",
                  "GRANT USAGE, CREATE ON SCHEMA " + Sql.quote(schema) + " TO " + Sql.quote(user)));
    }
    return database(
        connection, "CREATE", "user \"" + user + "\" may not create schema \"" + schema + "\"");
  }

  /** Whether something may be created in a schema. */
  static Optional<Missing> create(Connection connection, String what, String schema)
      throws SQLException {
    if (Rows.is(connection, "SELECT pg_catalog.has_schema_privilege(?, 'CREATE')", schema)) {
      return Optional.empty();
    }
    String user = user(connection);
    return Optional.of(
        new Missing(
            "user \"" + user + "\" may not create " + what + " in schema \"" + schema + "\"",
            "GRANT CREATE ON SCHEMA " + Sql.quote(schema) + " TO " + Sql.quote(user)));
  }

  /** Whether temporary tables may be created. */
  static Optional<Missing> temporary(Connection connection) throws SQLException {
    return database(
        connection,
        "TEMPORARY",
        "user \""
            + user(connection)
            + "\" may not create temporary tables, on which expressions are tried"
            + " out before anything is touched");
  }

  private static Optional<Missing> database(Connection connection, String right, String problem)
      throws SQLException {
    if (Rows.is(
        connection,
        "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), ?)",
        right)) {
      return Optional.empty();
    }
    String database =
        Rows.of(connection, "SELECT pg_catalog.current_database()", row -> row.getString(1)).get(0);
    return Optional.of(
        new Missing(
            problem,
            "GRANT "
                + right
                + " ON DATABASE "
                + Sql.quote(database)
                + " TO "
                + Sql.quote(user(connection))));
  }

  /** Whether the user has the rights of a table's owner, by being it or inheriting them. */
  static Optional<Missing> owner(Connection connection, String table, String owner)
      throws SQLException {
    if (Rows.is(connection, "SELECT pg_catalog.pg_has_role(?, 'USAGE')", owner)) {
      return Optional.empty();
    }
    String user = user(connection);
    String who = "user \"" + user + "\" does not own table " + table;
    if (!Rows.is(connection, "SELECT pg_catalog.pg_has_role(?, 'MEMBER')", owner)) {
      return Optional.of(
          new Missing(
              who + ", \"" + owner + "\" does",
              "GRANT " + Sql.quote(owner) + " TO " + Sql.quote(user)));
    }
    boolean each =
        Rows.is(connection, "SELECT current_setting('server_version_num')::int >= 160000");
    return Optional.of(
        new Missing(
            who
                + ": it is a member of "
                + Sql.quote(owner)
                + ", which does, but does not inherit its rights",
            each
                ? "GRANT " + Sql.quote(owner) + " TO " + Sql.quote(user) + " WITH INHERIT TRUE"
                : "ALTER ROLE " + Sql.quote(user) + " INHERIT"));
  }

  /** What is needed to work with the control tables. */
  static List<String> onControlTables(Connection connection, String schema) throws SQLException {
    boolean all =
        Rows.is(
            connection,
            "SELECT pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND NOT EXISTS (SELECT FROM"
                + " pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND (c.relkind = 'r' AND"
                + " NOT (pg_catalog.has_table_privilege(c.oid, 'SELECT') AND"
                + " pg_catalog.has_table_privilege(c.oid, 'INSERT') AND"
                + " pg_catalog.has_table_privilege(c.oid, 'UPDATE') AND"
                + " pg_catalog.has_table_privilege(c.oid, 'DELETE')) OR c.relkind = 'S' AND NOT"
                + " pg_catalog.has_sequence_privilege(c.oid, 'USAGE'))) FROM"
                + " pg_catalog.pg_namespace n WHERE n.nspname = ?",
            schema);
    return all
        ? List.of()
        : new ArrayList<>(new PostgresControlSql().grants(Sql.quote(schema), user(connection)));
  }

  static String user(Connection connection) throws SQLException {
    return Rows.of(connection, "SELECT current_user", row -> row.getString(1)).get(0);
  }
}
