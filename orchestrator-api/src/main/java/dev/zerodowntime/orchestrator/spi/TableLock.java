package dev.zerodowntime.orchestrator.spi;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A lock that a step takes on a table: what plans show, what the lock budget looks for, and what
 * tests hold the server's own account against.
 *
 * @param mode the mode, as the dialect's database names it in its documentation: {@code ACCESS
 *     EXCLUSIVE}
 * @param table the table's quoted, qualified name
 */
public record TableLock(String mode, String table) {

  private static final String ON = " on ";
  private static final String IDENTIFIER = "(?:\"(?:[^\"]|\"\")+\"|`(?:[^`]|``)+`|[\\p{L}\\w$]+)";
  private static final Pattern NAME =
      Pattern.compile("(" + IDENTIFIER + "(?:\\." + IDENTIFIER + ")?)(, | and )?");

  /**
   * The same mode on several tables.
   *
   * @param mode the mode
   * @param tables their quoted, qualified names, in the order in which they are locked
   * @return one lock for each
   */
  public static List<TableLock> each(String mode, List<String> tables) {
    return tables.stream().map(table -> new TableLock(mode, table)).toList();
  }

  /**
   * Reads a text such as {@code SHARE UPDATE EXCLUSIVE on "public"."users": blocks neither …}, or
   * {@code none}.
   *
   * @param text a mode and the tables that it is taken on
   * @return the locks
   * @throws IllegalArgumentException if it names no table
   */
  static List<TableLock> parse(String text) {
    if (text.startsWith("none")) {
      return List.of();
    }
    int on = text.indexOf(ON);
    List<String> tables = new ArrayList<>();
    if (on > 0) {
      Matcher name = NAME.matcher(text).region(on + ON.length(), text.length());
      while (name.lookingAt()) {
        tables.add(name.group(1));
        if (name.group(2) == null) {
          break;
        }
        name.region(name.end(), text.length());
      }
    }
    if (tables.isEmpty()) {
      throw new IllegalArgumentException(
          "a lock is a mode on a table, such as ACCESS EXCLUSIVE on \"public\".\"users\", or none: "
              + text);
    }
    return each(mode(text), tables);
  }

  /** The mode that a text begins with. */
  static String mode(String text) {
    return text.split(ON + "|[,:;]", 2)[0].strip();
  }

  /**
   * For people.
   *
   * @param locks the locks
   * @return such as {@code ACCESS EXCLUSIVE on a, b; ROW SHARE on c}, or {@code none}
   */
  static String describe(List<TableLock> locks) {
    Map<String, List<String>> byMode = new LinkedHashMap<>();
    for (TableLock lock : locks) {
      byMode.computeIfAbsent(lock.mode(), mode -> new ArrayList<>()).add(lock.table());
    }
    List<String> parts = new ArrayList<>();
    byMode.forEach((mode, tables) -> parts.add(mode + ON + String.join(", ", tables)));
    return parts.isEmpty() ? "none" : String.join("; ", parts);
  }
}
