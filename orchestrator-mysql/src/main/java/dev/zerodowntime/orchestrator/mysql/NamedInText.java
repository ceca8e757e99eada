package dev.zerodowntime.orchestrator.mysql;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What names a table or a column in a text that the server doesn't follow a rename in: views,
 * triggers, routines and events would fail at their next use. Only what the user may see is found.
 */
final class NamedInText {

  private static final String ALL =
      "SELECT 'view', TABLE_SCHEMA, TABLE_NAME, '', VIEW_DEFINITION FROM information_schema.VIEWS"
          + " WHERE VIEW_DEFINITION LIKE ?"
          + " UNION ALL SELECT LOWER(ROUTINE_TYPE), ROUTINE_SCHEMA, ROUTINE_NAME, '',"
          + " ROUTINE_DEFINITION FROM information_schema.ROUTINES WHERE ROUTINE_DEFINITION LIKE ?"
          + " UNION ALL SELECT 'trigger', TRIGGER_SCHEMA, TRIGGER_NAME, EVENT_OBJECT_TABLE,"
          + " ACTION_STATEMENT FROM information_schema.TRIGGERS WHERE ACTION_STATEMENT LIKE ?"
          + " UNION ALL SELECT 'event', EVENT_SCHEMA, EVENT_NAME, '', EVENT_DEFINITION FROM"
          + " information_schema.EVENTS WHERE EVENT_DEFINITION LIKE ?";

  private NamedInText() {}

  /**
   * Something with a text.
   *
   * @param kind such as {@code view}
   * @param schema its database
   * @param name its name
   * @param table of a trigger, its table; else empty
   * @param text what it is made of
   */
  record Found(String kind, String schema, String name, String table, String text) {

    /** For messages. */
    String display() {
      return kind + " " + schema + "." + name;
    }

    /** Whether it is the view of this name. */
    boolean is(String wantedSchema, String wanted) {
      return kind.equals("view")
          && schema.equalsIgnoreCase(wantedSchema)
          && name.equalsIgnoreCase(wanted);
    }

    /**
     * What is elsewhere must name the database, too; what is here, or a trigger's own, need not.
     */
    boolean about(String wantedSchema, String wanted) {
      boolean here = schema.equalsIgnoreCase(wantedSchema);
      if (here && table.equalsIgnoreCase(wanted)) {
        return true;
      }
      // Of views the server itself writes down all names in full.
      boolean full = !here || kind.equals("view");
      return mentions(text, wanted) && (!full || ColumnText.mentions(text, wantedSchema));
    }
  }

  /**
   * Their names, each with its kind.
   *
   * @param column what is looked for; null for the table as a whole
   */
  static List<String> find(Catalog catalog, CatalogTable table, @Nullable String column)
      throws SQLException {
    String wanted = column == null ? table.name() : column;
    return mentioning(catalog, wanted)
        .filter(each -> each.about(table.schema(), table.name()))
        // Its own triggers go with it.
        .filter(each -> column != null || !each.table().equalsIgnoreCase(table.name()))
        .map(Found::display)
        .distinct()
        .toList();
  }

  /** What names a table. */
  static List<Found> texts(Catalog catalog, String schema, String table) throws SQLException {
    return mentioning(catalog, table).filter(each -> each.about(schema, table)).toList();
  }

  private static Stream<Found> mentioning(Catalog catalog, String wanted) throws SQLException {
    String like =
        "%"
            + wanted.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%").replace("`", "%")
            + "%";
    return catalog.list(ALL, NamedInText::text, like, like, like, like).stream()
        .filter(each -> mentions(each.text(), wanted));
  }

  /**
   * Whether a text has a name in it. MySQL spoils names with backticks in the texts of triggers, so
   * that only their parts can be looked for: better too often than not at all.
   */
  static boolean mentions(String text, String name) {
    return name.indexOf('`') < 0
        ? ColumnText.mentions(text, name)
        : Stream.of(name.split("`")).allMatch(text::contains);
  }

  private static Found text(ResultSet row) throws SQLException {
    String text = row.getString(5);
    return new Found(
        row.getString(1),
        row.getString(2),
        row.getString(3),
        row.getString(4),
        text == null ? "" : text);
  }
}
