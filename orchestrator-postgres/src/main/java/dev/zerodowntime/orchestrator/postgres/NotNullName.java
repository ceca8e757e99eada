package dev.zerodowntime.orchestrator.postgres;

import java.sql.SQLException;
import java.util.Map;
import java.util.Optional;

/**
 * What a NOT NULL constraint is called, where it has a name and can be validated later: from
 * PostgreSQL 18 on.
 */
final class NotNullName {

  private static final int SINCE = 180_000;

  private static final String LABEL = "not_null";

  private NotNullName() {}

  /** Whether this server names them. */
  static boolean exists(Catalog catalog) throws SQLException {
    return RecordedStatements.version(catalog) >= SINCE;
  }

  /** The constraint that a column has: its name, whether it is valid, and the like. */
  static Optional<Map<String, Object>> there(
      Catalog catalog, CatalogTable table, CatalogColumn column) throws SQLException {
    return ColumnFactsRows.query(
            catalog.connection(), ColumnFactsSql.NOT_NULL, table.oid(), column.number())
        .stream()
        .findFirst();
  }

  /** The name that SET NOT NULL would give it: the first one that nothing in the schema has. */
  static String free(Catalog catalog, CatalogTable table, String column) throws SQLException {
    for (int pass = 0; ; pass++) {
      String name = given(table.name(), column, pass);
      if (!catalog
          .list(
              "SELECT EXISTS (SELECT 1 FROM pg_constraint k JOIN pg_namespace n ON n.oid ="
                  + " k.connamespace WHERE n.nspname = ? AND k.conname = ?)",
              row -> row.getBoolean(1),
              table.schema(),
              name)
          .get(0)) {
        return name;
      }
    }
  }

  /**
   * The server's own rule: of table and column, the longer one is shortened until all of it fits.
   *
   * @param pass how many names before this one were taken
   */
  static String given(String table, String column, int pass) {
    String end = "_" + LABEL + (pass == 0 ? "" : Integer.toString(pass));
    int room = Sql.MAX_NAME_BYTES - 1 - Sql.bytes(end);
    int first = Sql.bytes(table);
    int second = Sql.bytes(column);
    while (first + second > room) {
      if (first > second) {
        first--;
      } else {
        second--;
      }
    }
    return Sql.cut(table, first) + "_" + Sql.cut(column, second) + end;
  }
}
