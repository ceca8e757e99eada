package dev.zerodowntime.orchestrator.mysql;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Whether rows have the same values where a unique index was to be built. The server applies what
 * is written during a build entry by entry at its end, and may meet the value of a row that is gone
 * by then, as of an INSERT … ON DUPLICATE KEY UPDATE: its error alone doesn't tell.
 */
final class Duplicates {

  private static final String QUOTED = "`(?:[^`]|``)+`";

  private static final String PART = QUOTED + "(?:\\(\\d+\\))?(?: DESC)?";

  private static final Pattern UNIQUE =
      Pattern.compile(
          "\\bALTER TABLE ("
              + QUOTED
              + "\\."
              + QUOTED
              + ") .*?\\bADD (?:UNIQUE KEY "
              + QUOTED
              + "|PRIMARY KEY) ?\\(("
              + PART
              + "(?:, ?"
              + PART
              + ")*)\\)");

  private static final Pattern COLUMN =
      Pattern.compile("(" + QUOTED + ")(?:\\((\\d+)\\))?(?: DESC)?");

  private Duplicates() {}

  /**
   * Asks the table, which reads all of it.
   *
   * @param sql the statement that failed
   * @return true as well where the statement isn't understood
   */
  static boolean are(Connection connection, String sql) throws SQLException {
    Matcher unique = UNIQUE.matcher(sql);
    if (!unique.find()) {
      return true;
    }
    List<String> values = new ArrayList<>();
    Matcher column = COLUMN.matcher(unique.group(2));
    while (column.find()) {
      values.add(
          column.group(2) == null
              ? column.group(1)
              : "LEFT(" + column.group(1) + ", " + column.group(2) + ")");
    }
    String query =
        "SELECT 1 FROM "
            + unique.group(1)
            + " WHERE "
            + values.stream()
                .map(each -> each + " IS NOT NULL")
                .collect(Collectors.joining(" AND "))
            + " GROUP BY "
            + String.join(", ", values)
            + " HAVING COUNT(*) > 1 LIMIT 1";
    try (Statement ask = connection.createStatement();
        ResultSet row = ask.executeQuery(query)) {
      return row.next();
    }
  }
}
