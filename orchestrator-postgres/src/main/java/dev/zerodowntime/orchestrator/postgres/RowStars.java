package dev.zerodowntime.orchestrator.postgres;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Trigger functions that take the row apart with {@code NEW.*}: where the values go by their
 * position, another column is one too many. Whether two rows differ doesn't depend on how many
 * columns they have.
 */
final class RowStars {

  private static final String STAR =
      "(?<![\\p{L}\\p{N}_$.\"])\\(?\\s*(?:NEW|OLD)\\s*\\)?\\s*\\.\\s*\\*";

  private static final String SIDE = "(?:(?:\\bROW\\s*)?\\(\\s*)?" + STAR + "(?:\\s*\\))?";

  private static final Pattern STARS = pattern(STAR);

  private static final Pattern COMPARISON =
      pattern(SIDE + "\\s*IS\\s+(?:NOT\\s+)?DISTINCT\\s+FROM\\s*" + SIDE);

  private static final String FUNCTIONS =
      "SELECT DISTINCT p.oid::regprocedure::text, p.proname, p.prosrc, t.tgname FROM pg_trigger t"
          + " JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace n ON n.oid = p.pronamespace"
          + " WHERE t.tgrelid = ?::bigint::oid AND NOT t.tgisinternal AND n.nspname <> ? ORDER BY"
          + " 1, 4";

  private RowStars() {}

  private static Pattern pattern(String regex) {
    return Pattern.compile(regex, Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE);
  }

  /** Refuses those that nobody consented to, before a column is added. */
  static void refuse(Catalog catalog, CatalogTable table) throws SQLException {
    List<String> found = new ArrayList<>(find(catalog, table));
    if (!found.isEmpty()) {
      throw catalog.refuse(
          "with another column of table "
              + table.display()
              + " these have one value more than they count on, by NEW.* or OLD.*: "
              + String.join(", ", found),
          "Let them name the columns they mean, or hand on the row as a whole, as in"
              + " to_jsonb(NEW).");
    }
  }

  /** For messages. */
  static List<String> find(Catalog catalog, CatalogTable table) throws SQLException {
    return catalog
        .list(
            FUNCTIONS,
            row ->
                new String[] {
                  row.getString(1), row.getString(2), row.getString(3), row.getString(4)
                },
            table.oid(),
            catalog.target().controlSchema())
        .stream()
        .filter(function -> counts(String.valueOf(function[2])))
        .filter(function -> !catalog.policy().allowedFunctions().contains(function[1]))
        .map(
            function ->
                "function "
                    + function[0]
                    + " of trigger "
                    + function[3]
                    + " (allowFunctions(\""
                    + function[1]
                    + "\") if it goes on working)")
        .toList();
  }

  /** Whether a function's text has such a thing outside of comparisons. */
  static boolean counts(String text) {
    return STARS.matcher(COMPARISON.matcher(text).replaceAll(" ")).find();
  }
}
