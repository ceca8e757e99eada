package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The two triggers that give rows a value which are written without one. */
final class FillTriggers extends OwnTriggers {

  private static final String INSERT = "zdo_fill_insert_";
  private static final String UPDATE = "zdo_fill_update_";

  FillTriggers(String migration, Target target, String table) {
    super(migration, target, table);
  }

  /**
   * The columns that an expression may be about. A trigger that names a column which is gone fails
   * every write, so that it knows no more of them than it needs.
   *
   * @param columns definitions by name
   * @return unquoted names
   */
  static List<String> named(String expression, Map<String, String> columns) {
    List<String> named = new ArrayList<>();
    columns.forEach(
        (name, definition) -> {
          if (ColumnText.mentions(expression, name) && !ColumnText.generated(definition)) {
            named.add(name);
          }
        });
    return named;
  }

  /**
   * Creates them.
   *
   * @param column unquoted
   * @param value an SQL expression over the row
   * @param named the columns that it is about
   */
  List<Step> create(String column, String value, List<String> named) {
    String quoted = "NEW." + Sql.quote(column);
    String row =
        named.stream()
            .map(each -> "NEW." + Sql.quote(each) + " AS " + Sql.quote(each))
            .collect(Collectors.joining(", "));
    String fill =
        "IF "
            + quoted
            + " IS NULL THEN SET "
            + quoted
            + " = (SELECT ("
            + value
            + ")"
            + (row.isEmpty() ? "" : " FROM (SELECT " + row + ") AS " + Sql.quote(table()))
            + "); END IF;";
    String keep =
        "IF "
            + quoted
            + " IS NULL THEN SET "
            + quoted
            + " = OLD."
            + Sql.quote(column)
            + "; END IF;";
    return List.of(
        create(
            "add-fill-trigger-insert",
            "rows that are inserted without a value get one",
            INSERT,
            "BEFORE INSERT",
            fill),
        create(
            "add-fill-trigger-update",
            "rows that are changed get a value, and code that never read it can't erase it",
            UPDATE,
            "BEFORE UPDATE",
            keep + " " + fill));
  }

  /** Drops them. */
  List<Step> drop() {
    return List.of(
        drop(
            "drop-fill-trigger-update", "nothing restores a value that is erased any more", UPDATE),
        drop("drop-fill-trigger-insert", "nothing fills the column any more", INSERT));
  }
}
