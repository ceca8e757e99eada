package dev.zerodowntime.orchestrator.postgres;

import java.sql.SQLException;
import java.util.List;

/** What the user of the connection needs a privilege for, asked before anything is touched. */
final class Privileges {

  private Privileges() {}

  /** Trigger functions live in the control schema. */
  static void requireControlSchema(Catalog catalog) throws SQLException {
    String schema = catalog.target().controlSchema();
    List<Boolean> allowed =
        catalog.list(
            "SELECT has_schema_privilege(oid, 'CREATE, USAGE') AND has_schema_privilege(oid,"
                + " 'CREATE') FROM pg_namespace WHERE nspname = ?",
            row -> row.getBoolean(1),
            schema);
    if (allowed.isEmpty()) {
      // Not installed yet, as when only a plan is asked for: whoever creates it may use it.
      allowed =
          catalog.list(
              "SELECT has_database_privilege(current_database(), 'CREATE')",
              row -> row.getBoolean(1));
    }
    if (!allowed.equals(List.of(true))) {
      throw catalog.forbid(
          "user \"" + catalog.user() + "\" may not create functions in schema \"" + schema + "\"",
          "GRANT USAGE, CREATE ON SCHEMA "
              + Sql.quote(schema)
              + " TO "
              + Sql.quote(catalog.user())
              + ";");
    }
  }

  /** Indexes and sequences live in the schema of their table. */
  static void requireCreate(Catalog catalog, String what, String schema) throws SQLException {
    if (!catalog
        .list("SELECT has_schema_privilege(?, 'CREATE')", row -> row.getBoolean(1), schema)
        .equals(List.of(true))) {
      String user = catalog.user();
      throw catalog.forbid(
          "user \"" + user + "\" may not create " + what + " in schema \"" + schema + "\"",
          "GRANT CREATE ON SCHEMA " + Sql.quote(schema) + " TO " + Sql.quote(user) + ";");
    }
  }

  /** Expressions are tried out on a temporary table. */
  static void requireTemporary(Catalog catalog) throws SQLException {
    if (!catalog
        .list(
            "SELECT has_database_privilege(current_database(), 'TEMPORARY')",
            row -> row.getBoolean(1))
        .equals(List.of(true))) {
      String database = catalog.text("SELECT current_database()");
      throw catalog.forbid(
          "user \""
              + catalog.user()
              + "\" may not create temporary tables, on which expressions are tried"
              + " out before anything is touched",
          "GRANT TEMPORARY ON DATABASE "
              + Sql.quote(database)
              + " TO "
              + Sql.quote(catalog.user())
              + ";");
    }
  }
}
