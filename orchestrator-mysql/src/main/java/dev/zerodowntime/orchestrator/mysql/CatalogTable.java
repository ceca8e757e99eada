package dev.zerodowntime.orchestrator.mysql;

import java.sql.SQLException;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A table as the catalog has it.
 *
 * @param schema its database, unquoted
 * @param name its name as the catalog has it, unquoted
 * @param rowFormat such as {@code Dynamic}
 * @param collation its default collation
 * @param rows how many rows it may have, as the server guesses
 * @param definition as the server writes it down
 */
record CatalogTable(
    String schema,
    String name,
    String rowFormat,
    String collation,
    long rows,
    ShowCreate definition) {

  private record Found(
      String name,
      String type,
      @Nullable String engine,
      @Nullable String rowFormat,
      @Nullable String options,
      @Nullable String collation,
      long rows) {}

  /** Quoted and qualified. */
  String qualified() {
    return Sql.qualified(schema, name);
  }

  /** For messages. */
  String display() {
    return qualified();
  }

  /** Whether rows are kept compressed, which few changes can be done on in place. */
  boolean compressed() {
    return rowFormat.equalsIgnoreCase("COMPRESSED");
  }

  /** Whether it has a FULLTEXT index, and with it a hidden column and other rules. */
  boolean fulltext() {
    return definition.keys().values().stream().anyMatch(key -> key.startsWith("FULLTEXT "));
  }

  /** An ordinary table of InnoDB. */
  static CatalogTable read(Catalog catalog, String schema, String name) throws SQLException {
    List<Found> found =
        catalog.list(
            "SELECT TABLE_NAME, TABLE_TYPE, ENGINE, ROW_FORMAT, CREATE_OPTIONS, TABLE_COLLATION,"
                + " TABLE_ROWS FROM information_schema.TABLES WHERE "
                + Probes.isTable(schema, name),
            row ->
                new Found(
                    row.getString(1),
                    row.getString(2),
                    row.getString(3),
                    row.getString(4),
                    row.getString(5),
                    row.getString(6),
                    row.getLong(7)));
    if (found.isEmpty()) {
      throw catalog.refuse(
          "there is no table \"" + name + "\" in database \"" + schema + "\"",
          similar(catalog, schema, name));
    }
    Found it = found.get(0);
    if (!it.name().equals(name)) {
      throw catalog.refuse(
          "table \"" + name + "\" is called \"" + it.name() + "\" in the catalog",
          "Write its name like that, so that two migrations of one table are seen to be.");
    }
    String table = Sql.qualified(schema, it.name());
    requireOrdinary(catalog, it, table);
    return new CatalogTable(
        schema,
        it.name(),
        String.valueOf(it.rowFormat()),
        String.valueOf(it.collation()),
        it.rows(),
        showCreate(catalog, table));
  }

  private static void requireOrdinary(Catalog catalog, Found it, String table) {
    String options = String.valueOf(it.options()).toLowerCase(Locale.ROOT);
    String problem =
        switch (it.type()) {
          case "BASE TABLE" ->
              options.contains("partitioned")
                  ? table + " is partitioned"
                  : "InnoDB".equalsIgnoreCase(it.engine())
                      ? null
                      : table
                          + " is a table of the engine "
                          + it.engine()
                          + ", whose changes block every write";
          case "SYSTEM VERSIONED" ->
              table + " is system-versioned: its history would have to be changed as well";
          case "VIEW", "SYSTEM VIEW" -> table + " is a view";
          default -> table + " is not an ordinary table: " + it.type();
        };
    if (problem != null) {
      throw catalog.refuse(
          problem, "Only ordinary tables of the engine InnoDB are supported so far.");
    }
  }

  private static String similar(Catalog catalog, String schema, String name) throws SQLException {
    List<String> names =
        catalog.list(
            "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND"
                + " LOWER(TABLE_NAME) = LOWER(?)",
            row -> row.getString(1),
            schema,
            name);
    return names.isEmpty()
        ? "Correct the name, or the connection's database."
        : "There is "
            + names
            + ": on this server upper and lower case differ in the names of tables"
            + " (lower_case_table_names=0).";
  }

  /** The text depends on how the session quotes; put back at once. */
  private static ShowCreate showCreate(Catalog catalog, String table) throws SQLException {
    String mode = catalog.settings().text("sql_mode");
    boolean plain = !mode.contains("ANSI") && !mode.contains("NO_BACKSLASH_ESCAPES");
    if (!plain) {
      catalog.execute("SET SESSION sql_mode = 'STRICT_ALL_TABLES'");
    }
    try {
      String sql = catalog.list("SHOW CREATE TABLE " + table, row -> row.getString(2)).get(0);
      if (!plain && sql.indexOf('\\') >= 0 && mode.contains("NO_BACKSLASH_ESCAPES")) {
        throw catalog.refuse(
            "table "
                + table
                + " has a default or comment with a backslash or a line break, and the connection's"
                + " sql_mode has NO_BACKSLASH_ESCAPES",
            "Take NO_BACKSLASH_ESCAPES out of sql_mode for the library's connections.");
      }
      return ShowCreate.of(sql);
    } finally {
      if (!plain) {
        catalog.execute("SET SESSION sql_mode = " + Sql.literal(mode));
      }
    }
  }
}
