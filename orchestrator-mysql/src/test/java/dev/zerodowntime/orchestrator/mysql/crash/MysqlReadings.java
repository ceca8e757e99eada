package dev.zerodowntime.orchestrator.mysql.crash;

import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.testing.crash.Dump;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * A database as text, without what may differ between two runs that did the same: times and numbers
 * that are given out in turn.
 */
final class MysqlReadings {

  /** Columns of zdo_migration that say when, or by whom. */
  private static final Set<String> TIMES =
      Set.of(
          "ordinal",
          "since",
          "created_at",
          "finished_at",
          "fit_up_since",
          "fit_down_since",
          "target_by");

  /**
   * Whoever says it again consents again, unless the first word was made use of meanwhile: how
   * often is the clock's. So is whether the lease of one who died is over.
   */
  private static final List<String> CONTROL =
      List.of(
          "SELECT CONCAT_WS(' ', 'release', application, `release`, stages, declared, forgotten)"
              + " FROM zdo_release",
          "SELECT CONCAT('finished ', id, ' ', finished_at IS NOT NULL) FROM zdo_migration",
          "SELECT CONCAT('application ', name) FROM zdo_application",
          "SELECT CONCAT_WS(' ', 'pin', application, label) FROM zdo_pinned_member",
          "SELECT DISTINCT CONCAT_WS(' ', 'approval', migration, phase, 'spent', spent_at IS NOT"
              + " NULL) FROM zdo_approval",
          "SELECT CONCAT_WS(' ', 'lease of one who closed', l.token) FROM zdo_lease l JOIN zdo_member"
              + " m ON m.id = l.holder WHERE m.closed_at IS NOT NULL",
          "SELECT CONCAT('fleet ', id) FROM zdo_fleet",
          "SELECT CONCAT_WS(' ', 'control', version, min_reader, environment, paused) FROM"
              + " zdo_control");

  /** In the order of the log, which is the order of the commits: there is one driver at a time. */
  private static final List<String> DONE =
      List.of(
          "SELECT CONCAT_WS(' ', kind, migration, phase, step, CASE WHEN outcome IN ('APPLIED',"
              + " 'FOUND_DONE') THEN 'DONE' ELSE outcome END, CASE WHEN kind = 'PHASE' OR outcome ="
              + " 'VERIFIED' THEN detail END) FROM zdo_event WHERE kind IN ('PHASE', 'STEP',"
              + " 'DECLARED', 'REDECLARED', 'POLICY', 'FAILED') ORDER BY id",
          "SELECT CONCAT('backfill ', migration, ' ', step, ' ', state, ' sweep=', sweep, ' cursor=',"
              + " COALESCE(cursor_key, ''), ' rows=', rows_done, ' left=', left_over) FROM"
              + " zdo_backfill ORDER BY migration, step");

  /**
   * Flyway's own. It makes the table, its index and the row that says so one after the other, and
   * does without the last two when it is killed in between.
   */
  private static final String HISTORY = "orchestrator_history";

  private final MysqlServer server;
  private final Statement statement;
  private final String database;

  private MysqlReadings(MysqlServer server, Statement statement, String database) {
    this.server = server;
    this.statement = statement;
    this.database = database;
  }

  static List<String> of(MysqlServer server, Statement statement, Dump.Part part)
      throws SQLException {
    String database = statement.getConnection().getCatalog();
    MysqlReadings readings = new MysqlReadings(server, statement, database);
    return switch (part) {
      case LEFT -> readings.leftAtLast();
      case CATALOG -> readings.catalog();
      case ROWS -> readings.rows();
      case CONTROL -> readings.here(readings.control());
      case DONE -> readings.here(readings.all(DONE));
    };
  }

  private List<String> here(List<String> lines) {
    return lines.stream().map(this::here).toList();
  }

  private List<String> catalog() throws SQLException {
    List<String> lines = new ArrayList<>();
    for (String table : MysqlHand.tables(statement, database, "BASE TABLE")) {
      if (table.equals(HISTORY)) {
        continue;
      }
      String text = MysqlHand.shown(statement, "TABLE", database, table, 2);
      // The next number is no part of what a table is.
      text = text.replaceAll(" AUTO_INCREMENT=\\d+", "");
      // It is said where the table was created with it, and left out where it is the collation's.
      lines.add(text.replaceAll(" CHARACTER SET \\w+(?= COLLATE)", ""));
    }
    for (String view : MysqlHand.tables(statement, database, "VIEW")) {
      lines.add(here(MysqlHand.shown(statement, "VIEW", database, view, 2)));
    }
    for (String trigger : MysqlHand.triggers(statement, database)) {
      lines.add(here(MysqlHand.shown(statement, "TRIGGER", database, trigger, 3)));
    }
    lines.addAll(
        MysqlHand.list(
            statement,
            "SELECT CONCAT('routine ', routine_name, ' ', routine_definition) FROM"
                + " information_schema.routines WHERE routine_schema = DATABASE() ORDER BY 1"));
    return lines;
  }

  private String here(String text) {
    return text.replace(database, "crash");
  }

  /** Everything that is the application's. */
  private List<String> rows() throws SQLException {
    List<String> lines = new ArrayList<>();
    for (String table : MysqlHand.tables(statement, database, "BASE TABLE")) {
      if (!table.startsWith("zdo_") && !table.equals(HISTORY)) {
        String columns = MysqlHand.columns(statement, database, table, "");
        lines.addAll(
            lines(table, "SELECT " + columns + " FROM " + MysqlHand.quote(table), Set.of()));
      }
    }
    return lines;
  }

  private List<String> control() throws SQLException {
    List<String> lines = all(CONTROL);
    for (String each : lines("migration", "SELECT * FROM zdo_migration", TIMES)) {
      lines.add(each.replaceAll("\"was\\W+\\d+/\\d+", "\"was"));
    }
    lines.addAll(
        lines(
            "history",
            "SELECT version, description, success FROM orchestrator_history WHERE version"
                + " IS NOT NULL AND type <> 'BASELINE'",
            Set.of()));
    return lines;
  }

  private List<String> all(List<String> queries) throws SQLException {
    List<String> lines = new ArrayList<>();
    for (String sql : queries) {
      List<String> some = MysqlHand.list(statement, sql);
      if (!sql.contains("ORDER BY")) {
        Collections.sort(some);
      }
      lines.addAll(some);
    }
    return lines;
  }

  /** Rows as text, in the order of their texts. */
  private List<String> lines(String what, String sql, Set<String> without) throws SQLException {
    List<String> lines = new ArrayList<>();
    try (ResultSet row = statement.executeQuery(sql)) {
      ResultSetMetaData columns = row.getMetaData();
      while (row.next()) {
        StringBuilder line = new StringBuilder(what);
        for (int i = 1; i <= columns.getColumnCount(); i++) {
          if (!without.contains(columns.getColumnLabel(i))) {
            line.append(' ').append(columns.getColumnLabel(i)).append('=').append(row.getString(i));
          }
        }
        lines.add(line.toString());
      }
    }
    Collections.sort(lines);
    return lines;
  }

  /** A statement that was answered may still be there for a moment, "freeing items". */
  private List<String> leftAtLast() throws SQLException {
    long deadline = System.nanoTime() + 5_000_000_000L;
    List<String> left = left();
    while (!left.isEmpty() && System.nanoTime() - deadline < 0) {
      LockSupport.parkNanos(1_000_000);
      left = left();
    }
    return left;
  }

  /**
   * Transactions, statements and locks of other sessions in this database. Not from innodb_trx,
   * which shows what was for as long as it is read again and again; MariaDB's sessions are asked
   * themselves, see {@link MysqlProduct#settings}.
   */
  private List<String> left() throws SQLException {
    String processes = MysqlHand.processes(server);
    List<String> lines =
        MysqlHand.list(
            statement,
            "SELECT CONCAT('session ', command, ' ', COALESCE(state, ''), ' ', COALESCE(info, ''))"
                + " FROM "
                + processes
                + " WHERE db = DATABASE() AND command <> 'Sleep' AND id <> CONNECTION_ID()");
    if (server.flavor() == MysqlServer.Flavor.MYSQL) {
      lines.addAll(
          MysqlHand.list(
              statement,
              "SELECT CONCAT_WS(' ', 'lock', object_type, object_name, lock_type, lock_status) FROM"
                  + " performance_schema.metadata_locks m JOIN performance_schema.threads t ON"
                  + " t.thread_id = m.owner_thread_id WHERE t.processlist_db = DATABASE() AND"
                  + " t.processlist_id <> CONNECTION_ID()"));
      lines.addAll(
          MysqlHand.list(
              statement,
              "SELECT CONCAT('transaction ', access_mode, ' ', isolation_level) FROM"
                  + " performance_schema.events_transactions_current e JOIN"
                  + " performance_schema.threads t ON t.thread_id = e.thread_id WHERE e.state ="
                  + " 'ACTIVE' AND t.processlist_db = DATABASE() AND t.processlist_id <>"
                  + " CONNECTION_ID()"));
    }
    return lines;
  }
}
