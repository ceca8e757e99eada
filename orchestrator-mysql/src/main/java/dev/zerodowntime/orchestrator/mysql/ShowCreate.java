package dev.zerodowntime.orchestrator.mysql;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A table as the server itself writes it down: SHOW CREATE TABLE, taken apart. The one text that
 * leaves nothing out of a column or an index, whatever the version, and that the server reads back.
 *
 * @param columns by name, what follows the name in a CREATE, ADD or MODIFY
 * @param keys by name, the whole clause; the primary key's is called {@code PRIMARY}
 * @param constraints by name, the whole clause: checks that are not a column's own, foreign keys
 * @param options what follows the parenthesis: engine, character set, comment, partitions
 */
record ShowCreate(
    Map<String, String> columns,
    Map<String, String> keys,
    Map<String, String> constraints,
    String options) {

  private static final String NAME = "`((?:[^`]|``)+)`";
  private static final Pattern COLUMN = Pattern.compile(NAME + " (.*)", Pattern.DOTALL);
  private static final Pattern KEY =
      Pattern.compile("(?:UNIQUE |FULLTEXT |SPATIAL |VECTOR )?KEY " + NAME + ".*", Pattern.DOTALL);
  private static final Pattern CONSTRAINT =
      Pattern.compile("CONSTRAINT " + NAME + " .*", Pattern.DOTALL);

  /**
   * Takes a statement apart.
   *
   * @param sql as the server gives it without ANSI_QUOTES and NO_BACKSLASH_ESCAPES
   */
  static ShowCreate of(String sql) {
    Map<String, String> columns = new LinkedHashMap<>();
    Map<String, String> keys = new LinkedHashMap<>();
    Map<String, String> constraints = new LinkedHashMap<>();
    List<String> parts = new ArrayList<>();
    int end = split(sql, parts);
    for (String part : parts) {
      Matcher column = COLUMN.matcher(part);
      Matcher key = KEY.matcher(part);
      Matcher constraint = CONSTRAINT.matcher(part);
      if (column.matches()) {
        columns.put(name(column), column.group(2));
      } else if (part.startsWith("PRIMARY KEY ")) {
        keys.put("PRIMARY", part);
      } else if (key.matches()) {
        keys.put(name(key), part);
      } else if (constraint.matches()) {
        constraints.put(name(constraint), part);
      } else if (!part.startsWith("PERIOD FOR ")) {
        throw new IllegalArgumentException("not understood: " + part + " in " + sql);
      }
    }
    return new ShowCreate(columns, keys, constraints, sql.substring(end + 1).strip());
  }

  private static String name(Matcher matcher) {
    return matcher.group(1).replace("``", "`");
  }

  /**
   * Splits at commas that are in no quotes and no inner parentheses.
   *
   * @return where the outer parenthesis ends
   */
  private static int split(String sql, List<String> parts) {
    int depth = 0;
    int from = -1;
    for (int i = 0; i < sql.length(); i++) {
      char c = sql.charAt(i);
      if (c == '\'' || c == '`' || c == '"') {
        i = endOfQuoted(sql, i);
      } else if (c == '(') {
        if (depth++ == 0) {
          from = i + 1;
        }
      } else if (c == ')') {
        if (--depth == 0) {
          parts.add(sql.substring(from, i).strip());
          return i;
        }
      } else if (c == ',' && depth == 1) {
        parts.add(sql.substring(from, i).strip());
        from = i + 1;
      }
    }
    throw new IllegalArgumentException("no end: " + sql);
  }

  /** A doubled quote looks like two texts side by side, which does as well. */
  static int endOfQuoted(String sql, int start) {
    char quote = sql.charAt(start);
    for (int i = start + 1; i < sql.length(); i++) {
      char c = sql.charAt(i);
      if (c == '\\' && quote != '`') {
        i++;
      } else if (c == quote) {
        return i;
      }
    }
    throw new IllegalArgumentException("no end of " + quote + ": " + sql);
  }
}
