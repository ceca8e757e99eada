package dev.zerodowntime.orchestrator.internal.plan;

/** Puts a quoted schema name in its place in SQL, also within a string literal. */
public final class Placeholder {

  private Placeholder() {}

  /**
   * Replaces every occurrence.
   *
   * @param sql the SQL; a dollar-quoted body is SQL too
   * @param placeholder what is replaced
   * @param quoted the schema's name, quoted
   * @return the SQL with the name; where a literal is open, with its quotes doubled
   */
  public static String replace(String sql, String placeholder, String quoted) {
    StringBuilder text = new StringBuilder();
    char open = 0;
    int i = 0;
    while (i < sql.length()) {
      if (sql.startsWith(placeholder, i)) {
        text.append(open == '\'' ? quoted.replace("'", "''") : quoted);
        i += placeholder.length();
        continue;
      }
      int end = open == 0 ? endOfComment(sql, i) : i;
      if (end > i) {
        text.append(sql, i, end);
        i = end;
        continue;
      }
      char each = sql.charAt(i++);
      text.append(each);
      if (each == open) {
        open = 0;
      } else if (open == 0 && (each == '\'' || each == '"')) {
        open = each;
      }
    }
    return text.toString();
  }

  /** Apostrophes in comments open nothing. */
  private static int endOfComment(String sql, int from) {
    if (sql.startsWith("--", from)) {
      int end = sql.indexOf('\n', from);
      return end < 0 ? sql.length() : end;
    }
    if (sql.startsWith("/*", from)) {
      int end = sql.indexOf("*/", from + 2);
      return end < 0 ? sql.length() : end + 2;
    }
    return from;
  }
}
