package dev.zerodowntime.orchestrator.mysql;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Variables of a session and its server. Read by SHOW, which leaves out those that a server doesn't
 * have, and which needs no right.
 *
 * @param values by name, in lower case
 */
record ServerSettings(Map<String, String> values) {

  private static final String ALL =
      "SHOW SESSION VARIABLES WHERE Variable_name IN ('read_only', 'super_read_only',"
          + " 'offline_mode', 'innodb_read_only', 'transaction_read_only', 'tx_read_only',"
          + " 'sql_mode', 'binlog_format', 'log_bin', 'wsrep_on', 'group_replication_group_name',"
          + " 'group_replication_single_primary_mode', 'lower_case_table_names',"
          + " 'sql_auto_is_null', 'character_set_client', 'character_set_connection',"
          + " 'log_bin_trust_function_creators')";

  static ServerSettings read(Connection connection) throws SQLException {
    Map<String, String> values = new TreeMap<>();
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(ALL)) {
      while (row.next()) {
        values.put(row.getString(1).toLowerCase(Locale.ROOT), row.getString(2));
      }
    }
    return new ServerSettings(values);
  }

  /** A value; empty where the server has no such variable. */
  String text(String name) {
    return values.getOrDefault(name, "");
  }

  /** Whether a switch is on, or says anything but off. */
  boolean on(String name) {
    String value = text(name).toUpperCase(Locale.ROOT);
    return !value.isEmpty() && !value.equals("OFF") && !value.equals("0");
  }

  /** The session's sql_mode. */
  Set<String> modes() {
    return new TreeSet<>(Set.of(text("sql_mode").toUpperCase(Locale.ROOT).split(",")));
  }

  /** Whether names of tables are compared without regard to case. */
  boolean foldsTableNames() {
    return !text("lower_case_table_names").equals("0");
  }

  /** Whether CREATE TRIGGER needs SUPER, a right that managed servers give nobody. */
  boolean triggersNeedSuper() {
    return on("log_bin") && !on("log_bin_trust_function_creators");
  }

  /** The cluster that the server belongs to. */
  Cluster cluster() {
    if (on("wsrep_on")) {
      return new Cluster(true, "Galera (wsrep_on=ON)");
    }
    String group = text("group_replication_group_name");
    return group.isEmpty()
        ? new Cluster(false, "")
        : new Cluster(
            true,
            "Group Replication ("
                + (on("group_replication_single_primary_mode") ? "single" : "multi")
                + " primary, group "
                + group
                + ")");
  }

  /**
   * A cluster whose members certify each other's writes: there DDL that runs for long stops the
   * whole cluster, or its members' writes, so operations refuse what rebuilds a table or an index.
   *
   * @param clustered whether the server belongs to one
   * @param what which kind, for messages; empty where it doesn't
   */
  record Cluster(boolean clustered, String what) {}
}
