package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Places in the binary log, as text: a kind, the server that it was read from, and a position. The
 * kinds are {@code gtid} (MySQL), {@code domain} (MariaDB), {@code binlog} (MySQL without GTIDs: a
 * file and an offset) and {@code none}, where nothing is logged or this user may not read it.
 *
 * <p>Positions of several sources are in no order: what isn't contained in the other comes after.
 */
final class Positions {

  private static final String NONE = "none";

  private final MysqlVersion version;

  Positions(MysqlVersion version) {
    this.version = version;
  }

  /** Up to where a server has written. */
  String written(Connection connection) throws SQLException {
    String server = server(connection);
    if (version.mariadb()) {
      String position = one(connection, "SELECT @@global.gtid_binlog_pos");
      return position.isEmpty() ? NONE + " " + server + " " : "domain " + server + " " + position;
    }
    if (one(connection, "SELECT @@global.gtid_mode").equals("ON")) {
      return "gtid " + server + " " + one(connection, "SELECT @@global.gtid_executed");
    }
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                version.atLeast(8, 2, 0) ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS")) {
      return row.next()
          ? "binlog " + server + " " + row.getString(1) + ":" + row.getLong(2)
          : NONE + " " + server + " ";
    } catch (SQLException e) {
      if (!missing(e)) {
        throw e;
      }
      return NONE + " " + server + " ";
    }
  }

  /** Up to where a server has replayed another one's log; empty if it replays none. */
  Optional<String> replayed(Connection connection) throws SQLException {
    String server = server(connection);
    if (version.mariadb()) {
      String position = one(connection, "SELECT @@global.gtid_slave_pos");
      return position.isEmpty()
          ? Optional.empty()
          : Optional.of("domain " + server + " " + position);
    }
    if (one(connection, "SELECT @@global.gtid_mode").equals("ON")) {
      // Of a server that is no replica it is what it has written, and queries there see that.
      return Optional.of("gtid " + server + " " + one(connection, "SELECT @@global.gtid_executed"));
    }
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SHOW REPLICA STATUS")) {
      return row.next()
          ? Optional.of(
              "binlog "
                  + server
                  + " "
                  + row.getString("Relay_Source_Log_File")
                  + ":"
                  + row.getLong("Exec_Source_Log_Pos"))
          : Optional.empty();
    } catch (SQLException e) {
      if (missing(e)) {
        throw new SQLException(
            "without GTIDs only a user with REPLICATION CLIENT may see how far it is: GRANT"
                + " REPLICATION CLIENT ON *.* TO it, or set gtid_mode = ON",
            e.getSQLState(),
            e.getErrorCode(),
            e);
      }
      throw e;
    }
  }

  /** The server that a connection leads to, as positions name it. */
  String server(Connection connection) throws SQLException {
    return one(
        connection,
        version.mariadb() ? "SELECT @@global.server_id" : "SELECT @@global.server_uuid");
  }

  /** The server that a position was read from. */
  static String server(String position) {
    return position.split(" ", 3)[1];
  }

  /**
   * As of a comparator. What can't be compared, one of them being unknown or of another kind, comes
   * after: nobody is said to have replayed it.
   */
  static int compare(String one, String other) {
    String[] left = one.split(" ", 3);
    String[] right = other.split(" ", 3);
    if (!left[0].equals(right[0])) {
      return 1;
    }
    if (left[2].equals(right[2])) {
      return 0;
    }
    return switch (left[0]) {
      case "gtid" -> contained(gtids(left[2]), gtids(right[2]));
      case "domain" -> order(domains(left[2]), domains(right[2]));
      case "binlog" -> Long.compareUnsigned(place(left[2]), place(right[2]));
      default -> 0;
    };
  }

  private record Range(long first, long last) {}

  private static int contained(Map<String, List<Range>> one, Map<String, List<Range>> other) {
    if (!within(one, other)) {
      return 1;
    }
    return within(other, one) ? 0 : -1;
  }

  private static boolean within(Map<String, List<Range>> one, Map<String, List<Range>> other) {
    return one.entrySet().stream()
        .allMatch(
            each ->
                each.getValue().stream()
                    .allMatch(
                        range ->
                            other.getOrDefault(each.getKey(), List.of()).stream()
                                .anyMatch(
                                    around ->
                                        around.first() <= range.first()
                                            && range.last() <= around.last())));
  }

  /** {@code uuid:1-5:7, uuid:tag:1-3}. */
  private static Map<String, List<Range>> gtids(String set) {
    Map<String, List<Range>> all = new LinkedHashMap<>();
    for (String source : set.replaceAll("\\s", "").split(",")) {
      String[] parts = source.split(":");
      String key = parts[0];
      for (int i = 1; i < parts.length; i++) {
        if (!Character.isDigit(parts[i].charAt(0))) {
          key = parts[0] + ":" + parts[i];
          continue;
        }
        String[] ends = parts[i].split("-");
        all.computeIfAbsent(key, each -> new ArrayList<>())
            .add(new Range(Long.parseLong(ends[0]), Long.parseLong(ends[ends.length - 1])));
      }
    }
    return all;
  }

  private static int order(Map<String, Long> one, Map<String, Long> other) {
    boolean behind = false;
    for (Map.Entry<String, Long> each : one.entrySet()) {
      Long there = other.get(each.getKey());
      if (there == null || there < each.getValue()) {
        return 1;
      }
      behind |= there > each.getValue();
    }
    return behind || other.size() > one.size() ? -1 : 0;
  }

  /** {@code domain-server-number, …}: numbers only grow within a domain. */
  private static Map<String, Long> domains(String list) {
    Map<String, Long> all = new LinkedHashMap<>();
    for (String each : list.replaceAll("\\s", "").split(",")) {
      String[] parts = each.split("-");
      all.merge(parts[0], Long.parseLong(parts[2]), Math::max);
    }
    return all;
  }

  /** {@code binlog.000012:3456}; files hold less than 4 GB, but for one huge transaction. */
  private static long place(String position) {
    int colon = position.lastIndexOf(':');
    long file = Long.parseLong(position.substring(position.lastIndexOf('.', colon) + 1, colon));
    return (file << 40) + Long.parseLong(position.substring(colon + 1));
  }

  private static boolean missing(SQLException e) {
    return MysqlErrors.classify(e) == SqlErrorKind.PRIVILEGE;
  }

  private static String one(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      @Nullable String text = row.getString(1);
      return text == null ? "" : text.replaceAll("\\s", "");
    }
  }
}
