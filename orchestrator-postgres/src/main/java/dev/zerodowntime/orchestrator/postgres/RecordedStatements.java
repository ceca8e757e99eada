package dev.zerodowntime.orchestrator.postgres;

import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Statements of the application that a view in the table's place would break, as far as {@code
 * pg_stat_statements} has recorded them and shows them to us. Without it there is no evidence, for
 * or against.
 */
final class RecordedStatements {

  private static final int MERGE_INTO_VIEWS = 170_000;
  private static final int SHOWN = 5;
  private static final int EXCERPT = 160;

  private RecordedStatements() {}

  /**
   * Refuses if any of them is there.
   *
   * @param columns those that a view has no default for: {@code SET ... = DEFAULT} writes a null
   * @param otherwise what else could be done, for the message; a sentence, or empty
   */
  static void requireHarmless(
      Catalog catalog, CatalogTable table, List<String> columns, String otherwise)
      throws SQLException {
    List<String> found =
        harmful(read(catalog, table), table.schema(), table.name(), columns, version(catalog));
    if (!found.isEmpty()) {
      int more = found.size() - SHOWN;
      throw catalog.refuse(
          "statements on table "
              + table.display()
              + " that pg_stat_statements has recorded would fail on a view: "
              + String.join("; ", found.subList(0, Math.min(SHOWN, found.size())))
              + (more > 0 ? "; and " + more + " more" : ""),
          ("Change the code, and when no build with them is left, pg_stat_statements_reset(). "
                  + otherwise)
              .strip());
    }
  }

  static int version(Catalog catalog) throws SQLException {
    return Integer.parseInt(catalog.text("SELECT current_setting('server_version_num')"));
  }

  private static String excerpt(String statement) {
    String line = statement.replaceAll("\\s+", " ").strip();
    return line.length() <= EXCERPT ? line : line.substring(0, EXCERPT) + "...";
  }

  /** Those statements that fail, each with what is the matter with it. */
  static List<String> harmful(
      List<String> statements, String schema, String table, List<String> columns, int version) {
    String name =
        "(?:ONLY\\s+)?(?:"
            + anyQuotes(schema)
            + "\\s*\\.\\s*)?"
            + anyQuotes(table)
            + "(?![\\p{L}\\p{N}_$\"])";
    Map<String, Pattern> patterns = patterns(name, columns, version);
    List<String> found = new ArrayList<>();
    for (String statement : statements) {
      for (Map.Entry<String, Pattern> each : patterns.entrySet()) {
        if (each.getValue().matcher(statement).find()) {
          found.add(each.getKey() + ": " + excerpt(statement));
          break;
        }
      }
    }
    return found;
  }

  private static String anyQuotes(String name) {
    return "(?:" + Pattern.quote(Sql.quote(name)) + "|" + Pattern.quote(name) + ")";
  }

  private static Map<String, Pattern> patterns(String name, List<String> columns, int version) {
    Map<String, Pattern> patterns = new LinkedHashMap<>();
    patterns.put(
        "ON CONFLICT ON CONSTRAINT",
        pattern("\\bINTO\\s+" + name + ".*\\bON\\s+CONFLICT\\s+ON\\s+CONSTRAINT\\b"));
    if (version < MERGE_INTO_VIEWS) {
      patterns.put("MERGE", pattern("\\bMERGE\\s+INTO\\s+" + name));
    }
    patterns.put("TRUNCATE", pattern("^\\s*TRUNCATE\\b.*[\\s,]" + name));
    patterns.put("COPY", pattern("^\\s*COPY\\s+" + name));
    patterns.put("TABLESAMPLE", pattern(name + "(?:\\s+(?:AS\\s+)?[\\w\"]+)?\\s+TABLESAMPLE\\b"));
    patterns.put(
        "WHERE CURRENT OF",
        pattern("(?:\\bUPDATE|\\bFROM)\\s+" + name + ".*\\bWHERE\\s+CURRENT\\s+OF\\b"));
    patterns.put(
        "system column",
        pattern(
            "\\A(?=.*(?:\\bFROM|\\bJOIN|\\bINTO|\\bUPDATE|,)\\s+"
                + name
                + ").*(?<![\\p{L}\\p{N}_$\"])(?:xmin|xmax|cmin|cmax|ctid|tableoid)\\b"));
    if (!columns.isEmpty()) {
      patterns.put(
          "SET ... = DEFAULT",
          pattern(
              "(?:\\bUPDATE|\\bINTO)\\s+"
                  + name
                  + ".*\\bSET\\b.*(?<![\\p{L}\\p{N}_$])(?:"
                  + columns.stream().map(Pattern::quote).collect(Collectors.joining("|"))
                  + ")\"?\\s*=\\s*DEFAULT\\b"));
    }
    return patterns;
  }

  private static Pattern pattern(String regex) {
    return Pattern.compile(regex, Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE | Pattern.DOTALL);
  }

  /** Those of this database that name the table; none where the extension doesn't work. */
  private static List<String> read(Catalog catalog, CatalogTable table) throws SQLException {
    List<String> schemas =
        catalog.list(
            "SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
                + " WHERE e.extname = 'pg_stat_statements'",
            row -> row.getString(1));
    if (schemas.isEmpty()) {
      return List.of();
    }
    String recorded = Sql.qualified(schemas.get(0), "pg_stat_statements");
    Savepoint before = catalog.connection().setSavepoint();
    try {
      return catalog.list(
          "SELECT DISTINCT s.query FROM "
              + recorded
              + " s WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname ="
              + " current_database()) AND position(lower(?) IN lower(s.query)) > 0 ORDER BY 1",
          row -> String.valueOf(row.getString(1)),
          table.name());
    } catch (SQLException e) {
      switch (PostgresErrors.classify(e)) {
        case CONNECTION_LOST, CANCELLED, LOCK_TIMEOUT, DEADLOCK -> throw e;
        default -> {
          // Created, but not loaded by the server; or not for us to read.
          catalog.connection().rollback(before);
          return List.of();
        }
      }
    }
  }
}
