package dev.zerodowntime.orchestrator.postgres;

import java.sql.SQLException;
import java.util.List;
import java.util.Set;

/**
 * The application's triggers: those that a backfill would fire, and those that could undo what ours
 * did.
 */
final class RowTriggers {

  /** Our triggers begin with the last character of ASCII, so that they sort, and fire, last. */
  static final String OURS = "~zdo_";

  private static final String FIRING =
      " FROM pg_trigger t WHERE t.tgrelid = ?::bigint::oid AND NOT t.tgisinternal"
          + " AND t.tgenabled IN ('O', 'A') AND left(t.tgname, 5) <> '~zdo_'";

  private static final String FOR_EACH_ROW = "(t.tgtype & 1) = 1";

  /** Fired once for each statement, but with all of its rows in hand. */
  private static final String WITH_ROWS = "num_nonnulls(t.tgoldtable, t.tgnewtable) > 0";

  private RowTriggers() {}

  /**
   * Triggers that an UPDATE of one column fires, and that see its rows.
   *
   * @param number the column's number; 0 for one that doesn't exist yet
   */
  static List<String> firedByUpdate(Catalog catalog, CatalogTable table, int number)
      throws SQLException {
    return catalog.list(
        "SELECT t.tgname"
            + FIRING
            + " AND ("
            + FOR_EACH_ROW
            + " OR "
            + WITH_ROWS
            + ") AND (t.tgtype & 16) = 16 AND (t.tgattr::text = '' OR ?::int2 ="
            + " ANY(t.tgattr::int2[])) ORDER BY 1",
        row -> row.getString(1),
        table.oid(),
        number);
  }

  /**
   * Refuses a backfill that would fire triggers nobody consented to: they may overwrite dates, send
   * messages, or write an audit record for every row.
   */
  static void requireConsent(Catalog catalog, CatalogTable table, int number, Set<String> allowed)
      throws SQLException {
    List<String> fired =
        firedByUpdate(catalog, table, number).stream()
            .filter(name -> !allowed.contains(name))
            .toList();
    if (!fired.isEmpty()) {
      throw catalog.refuse(
          "the backfill of table "
              + table.display()
              + " would fire these triggers for every row: "
              + fired,
          "If that is harmless, say so with .allowTriggers(\""
              + String.join("\", \"", fired)
              + "\"); else let the triggers ignore such updates.");
    }
  }

  /**
   * Refuses triggers of the application that fire before ours on INSERT, and would see the sentinel
   * that stands for a value which isn't given: an audit record would keep it.
   */
  static void requireBlind(Catalog catalog, CatalogTable table, Set<String> allowed)
      throws SQLException {
    List<String> seeing = others(catalog, table, FOR_EACH_ROW + " AND (t.tgtype & 6) = 6", allowed);
    if (!seeing.isEmpty()) {
      throw catalog.refuse(
          "these triggers of table "
              + table.display()
              + " fire before each INSERT, when the new column still holds a placeholder for a value"
              + " that is not given: "
              + seeing,
          "If they don't look at the row as a whole, say so with .allowTriggers(\""
              + String.join("\", \"", seeing)
              + "\"); else make them AFTER triggers.");
    }
  }

  /** Triggers that fire, of a kind, without those that somebody consented to. */
  private static List<String> others(
      Catalog catalog, CatalogTable table, String kind, Set<String> allowed) throws SQLException {
    return catalog
        .list(
            "SELECT t.tgname" + FIRING + " AND " + kind + " ORDER BY 1",
            row -> row.getString(1),
            table.oid())
        .stream()
        .filter(name -> !allowed.contains(name))
        .toList();
  }

  /** Refuses a copy that would fire triggers of the other table nobody consented to. */
  static void requireConsentToCopies(Catalog catalog, CatalogTable table, Set<String> allowed)
      throws SQLException {
    List<String> fired =
        others(
            catalog,
            table,
            "(" + FOR_EACH_ROW + " OR " + WITH_ROWS + ") AND (t.tgtype & 20) <> 0",
            allowed);
    if (!fired.isEmpty()) {
      throw catalog.refuse(
          "copying rows into table "
              + table.display()
              + " would fire these triggers for every row: "
              + fired,
          "If that is harmless, say so with .allowTriggers(\""
              + String.join("\", \"", fired)
              + "\"); else let the triggers ignore such rows.");
    }
  }

  /**
   * Refuses BEFORE triggers of INSERT and UPDATE that fire after one of ours, and could undo what
   * it did.
   */
  static void requireLast(Catalog catalog, CatalogTable table, String ours) throws SQLException {
    requireLast(catalog, table, ours, 4 | 16);
  }

  /**
   * The same for other events.
   *
   * @param events as in {@code tgtype}: 4 for INSERT, 8 for DELETE, 16 for UPDATE, added up
   */
  static void requireLast(Catalog catalog, CatalogTable table, String ours, int events)
      throws SQLException {
    List<String> later =
        catalog.list(
            "SELECT t.tgname"
                + FIRING
                + " AND "
                + FOR_EACH_ROW
                + " AND (t.tgtype & 2) = 2 AND (t.tgtype & ?::int) <> 0 AND"
                + " convert_to(t.tgname::text, 'UTF8') > convert_to(?, 'UTF8') ORDER BY 1",
            row -> row.getString(1),
            table.oid(),
            events,
            ours);
    if (!later.isEmpty()) {
      throw catalog.refuse(
          "these triggers of table "
              + table.display()
              + " fire after the one that the library needs to be last: "
              + later,
          "ALTER TRIGGER ... ON "
              + table.qualified()
              + " RENAME TO a name that sorts before \""
              + OURS
              + "\".");
    }
  }
}
