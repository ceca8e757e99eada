package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.NotYetException;
import java.sql.SQLException;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Functions that fill a column being added, of other migrations. Their expression may name a column
 * that is about to lose its name; once that migration is DONE, they are gone.
 */
final class FillFunctions {

  /** What their names begin with. */
  static final String PREFIX = "zdo_fill_";

  private static final String OWNER = "-- fills for migration ";

  private static final Pattern TEXT =
      Pattern.compile(Pattern.quote(OWNER) + "(\\S+)\\R(.*)", Pattern.DOTALL);

  private static final String FUNCTIONS =
      "SELECT DISTINCT p.prosrc FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN"
          + " pg_namespace n ON n.oid = p.pronamespace WHERE t.tgrelid = ?::bigint::oid AND NOT"
          + " t.tgisinternal AND n.nspname = ? AND starts_with(p.proname::text, ?) ORDER BY 1";

  private FillFunctions() {}

  /** A line of such a function's text. */
  static String owner(String migration) {
    return OWNER + migration + "\n";
  }

  /** Waits for those that name the column. */
  static void awaitNone(Catalog catalog, CatalogTable table, CatalogColumn column)
      throws SQLException {
    List<String> texts =
        catalog.list(
            FUNCTIONS,
            row -> row.getString(1),
            table.oid(),
            catalog.target().controlSchema(),
            PREFIX);
    for (String text : texts) {
      Matcher parts = TEXT.matcher(text);
      if (parts.find() && Dependent.word(column.name()).matcher(parts.group(2)).find()) {
        throw new NotYetException(
            "migration "
                + parts.group(1)
                + " fills a column from \""
                + column.name()
                + "\" until it is DONE");
      }
    }
  }
}
