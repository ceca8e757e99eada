package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.Blocker;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.LockBudget;
import dev.zerodowntime.orchestrator.spi.TableLock;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Looks before it locks, then tries for a short time.
 *
 * <p>Other roles' transactions hide their age from a user without {@code pg_read_all_stats}. Such a
 * one is looked at twice, a budget apart: what still holds its lock by then is older than that.
 */
final class PostgresLockBudget implements LockBudget {

  /** Autovacuum only yields after deadlock_timeout, 1 s unless set. */
  private static final int AUTOVACUUM_MILLIS = 5_000;

  /**
   * How long the whole transaction may take from here on, with the time between its statements, in
   * which whoever stalls holds the lock. Older servers can only limit each pause by itself. A limit
   * that the server counts already, such as a role's own, is not begun anew by another value; so it
   * is lifted first.
   */
  private static final String WHOLE =
      "CASE WHEN pg_catalog.current_setting('server_version_num')::int >= 170000 THEN"
          + " set_config('transaction_timeout', '0', true) || set_config('transaction_timeout', ?,"
          + " true) END";

  /**
   * Statements that also lock the tables at the other end of a foreign key. Steps that drop one
   * name that table themselves; other constraints have no other end.
   */
  private static final Pattern REACHES_PARTNERS =
      Pattern.compile(
          "\\b(DROP\\s+(COLUMN|TABLE)|FOREIGN\\s+KEY|REFERENCES|TYPE)\\b",
          Pattern.CASE_INSENSITIVE);

  private static final String TABLES =
      "WITH RECURSIVE zdo_tables(oid) AS (SELECT pg_catalog.to_regclass(name)::oid FROM"
          + " unnest(?::text[]) AS name UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN"
          + " zdo_tables t ON i.inhparent = t.oid), zdo_reached(oid) AS (SELECT oid FROM zdo_tables"
          + " UNION SELECT CASE WHEN k.conrelid = t.oid THEN k.confrelid ELSE k.conrelid END FROM"
          + " pg_catalog.pg_constraint k JOIN zdo_tables t ON t.oid IN (k.conrelid, k.confrelid)"
          + " WHERE ? AND k.contype = 'f') ";

  /** Unprivileged users see of autovacuum only that it belongs to nobody. */
  private static final String AUTOVACUUM =
      "(coalesce(a.backend_type, '') = 'autovacuum worker'"
          + " OR (a.backend_type IS NULL AND a.usesysid IS NULL))";

  private static final String LOCKS =
      " FROM pg_catalog.pg_locks l WHERE l.locktype = 'relation' AND l.granted AND l.database ="
          + " (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())"
          + " AND l.relation IN (SELECT oid FROM zdo_reached)"
          + " AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()";

  private static final String BLOCKERS =
      TABLES
          + ", zdo_locks AS (SELECT DISTINCT l.pid, l.virtualtransaction"
          + LOCKS
          + " AND l.mode = ANY(?::text[])) SELECT l.virtualtransaction, a.pid::text,"
          + " coalesce(a.application_name, ''), coalesce(a.state, 'state hidden'), CASE WHEN"
          + " a.xact_start IS NULL AND a.query_start IS NULL THEN NULL ELSE (extract(epoch FROM"
          + " clock_timestamp() - coalesce(a.xact_start, a.query_start)) * 1000)::bigint END,"
          + " left(coalesce(a.query, ''), 200) FROM zdo_locks l JOIN pg_catalog.pg_stat_activity a"
          + " ON a.pid = l.pid WHERE a.leader_pid IS NULL AND (NOT "
          + AUTOVACUUM
          + " OR a.query LIKE '%(to prevent wraparound)%') UNION ALL SELECT l.virtualtransaction,"
          + " 'prepared transaction ' || p.gid, '', 'prepared', (extract(epoch FROM"
          + " clock_timestamp() - p.prepared) * 1000)::bigint, 'COMMIT PREPARED or ROLLBACK"
          + " PREPARED ends it'"
          // What is told apart by process id elsewhere is found by the lock on its own number here.
          + " FROM zdo_locks l JOIN pg_catalog.pg_locks x ON x.locktype = 'transactionid' AND"
          + " x.granted AND x.pid IS NULL AND x.virtualtransaction = l.virtualtransaction JOIN"
          + " pg_catalog.pg_prepared_xacts p ON p.transaction = x.transactionid WHERE l.pid IS NULL"
          + " ORDER BY 5 DESC NULLS LAST";

  private static final String BEGIN =
      TABLES
          + "SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit')"
          // A standby that doesn't answer would keep the commit waiting, and with it the lock.
          + " WHEN 'off' THEN 'off' ELSE 'local' END, true),"
          + " set_config('idle_in_transaction_session_timeout', ?, true),"
          + " set_config('lock_timeout', ?, true), set_config('statement_timeout', ?, true), "
          + WHOLE
          + ", EXISTS (SELECT 1"
          + LOCKS
          + " AND l.pid IN (SELECT a.pid FROM pg_catalog.pg_stat_activity a WHERE "
          + AUTOVACUUM
          + "))";

  @Override
  public List<Blocker> blockers(Connection connection, DdlStep step, Duration budget)
      throws SQLException {
    List<Found> first = find(connection, step);
    List<Blocker> blockers = new ArrayList<>();
    Set<String> hidden = new HashSet<>();
    for (Found each : first) {
      if (each.age() == null) {
        hidden.add(each.transaction());
      } else if (each.age().compareTo(budget) > 0) {
        blockers.add(each.blocker(each.age()));
      }
    }
    if (!hidden.isEmpty() && blockers.isEmpty()) {
      pause(budget);
      for (Found each : find(connection, step)) {
        if (hidden.contains(each.transaction())) {
          blockers.add(each.blocker(budget));
        }
      }
    }
    return blockers;
  }

  @Override
  public Optional<String> end(Connection connection, Blocker blocker, long mostRows)
      throws SQLException {
    return BlockerEnd.end(connection, blocker);
  }

  @Override
  public void begin(Connection connection, DdlStep step, Duration budget) throws SQLException {
    boolean autovacuum;
    try (PreparedStatement begin = connection.prepareStatement(BEGIN)) {
      tables(connection, begin, step, step.tables());
      // Should we stall with the lock in hand, the server takes it away.
      begin.setString(3, Math.max(2_000, 5 * budget.toMillis()) + "ms");
      begin.setString(4, millis(budget));
      begin.setString(5, millis(budget));
      begin.setString(6, whole(budget));
      try (ResultSet row = begin.executeQuery()) {
        autovacuum = row.next() && row.getBoolean(6);
      }
    }
    if (autovacuum) {
      // A lock that no read and no write of the application waits for, but autovacuum yields to.
      try (Statement lock = connection.createStatement()) {
        set(connection, AUTOVACUUM_MILLIS, AUTOVACUUM_MILLIS + 1_000L);
        whole(connection, "0");
        for (String table : step.tables()) {
          lock.execute("LOCK TABLE " + table + " IN SHARE UPDATE EXCLUSIVE MODE");
        }
      }
      whole(connection, whole(budget));
      limit(connection, budget);
    }
  }

  private static String whole(Duration budget) {
    return Math.max(1_200, 5 * budget.toMillis()) + "ms";
  }

  private static void whole(Connection connection, String value) throws SQLException {
    try (PreparedStatement set = connection.prepareStatement("SELECT " + WHOLE)) {
      set.setString(1, value);
      set.executeQuery().close();
    }
  }

  @Override
  public void limit(Connection connection, Duration left) throws SQLException {
    long millis = Math.max(1, left.toMillis());
    set(connection, millis, millis);
  }

  @Override
  public Tables tables(Connection connection) throws SQLException {
    return PostgresOwnLocks.tables(connection);
  }

  @Override
  public Optional<String> violation(
      Connection connection, List<TableLock> declared, boolean files, Tables before)
      throws SQLException {
    return PostgresOwnLocks.violation(connection, declared, files, before);
  }

  private static void set(Connection connection, long lock, long statement) throws SQLException {
    try (Statement set = connection.createStatement()) {
      set.executeQuery(
              "SELECT set_config('lock_timeout', '"
                  + lock
                  + "ms', true), set_config('statement_timeout', '"
                  + statement
                  + "ms', true)")
          .close();
    }
  }

  /** Each table is looked at for what stands in the way of the lock that the step takes on it. */
  private static List<Found> find(Connection connection, DdlStep step) throws SQLException {
    Map<LockMode, List<String>> byMode = new TreeMap<>(Comparator.reverseOrder());
    for (TableLock each : step.locks()) {
      byMode.computeIfAbsent(LockMode.of(each.mode()), mode -> new ArrayList<>()).add(each.table());
    }
    Map<String, Found> found = new LinkedHashMap<>();
    for (Map.Entry<LockMode, List<String>> each : byMode.entrySet()) {
      for (Found one : find(connection, step, each.getValue(), each.getKey())) {
        found.putIfAbsent(one.transaction() + one.session(), one);
      }
    }
    List<Found> all = new ArrayList<>(found.values());
    all.sort(
        Comparator.comparing(
            Found::age, Comparator.nullsLast(Comparator.<Duration>reverseOrder())));
    return all;
  }

  private static List<Found> find(
      Connection connection, DdlStep step, List<String> tables, LockMode mode) throws SQLException {
    List<Found> found = new ArrayList<>();
    try (PreparedStatement statement = connection.prepareStatement(BLOCKERS)) {
      tables(connection, statement, step, tables);
      statement.setArray(3, connection.createArrayOf("text", mode.conflicts().toArray()));
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          long age = row.getLong(5);
          boolean hidden = row.wasNull();
          found.add(
              new Found(
                  row.getString(1),
                  hidden ? null : Duration.ofMillis(Math.max(0, age)),
                  row.getString(2),
                  row.getString(3),
                  row.getString(4),
                  row.getString(6)));
        }
      }
    }
    return found;
  }

  private static void tables(
      Connection connection, PreparedStatement statement, DdlStep step, List<String> tables)
      throws SQLException {
    statement.setArray(1, connection.createArrayOf("text", tables.toArray()));
    statement.setBoolean(
        2, step.sql().stream().anyMatch(sql -> REACHES_PARTNERS.matcher(sql).find()));
  }

  private static String millis(Duration duration) {
    return Math.max(1, duration.toMillis()) + "ms";
  }

  private static void pause(Duration budget) throws SQLException {
    try {
      Thread.sleep(Math.max(1, budget.toMillis()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SQLException("interrupted while looking for blocking transactions", "57014", e);
    }
  }

  private record Found(
      String transaction,
      @Nullable Duration age,
      String session,
      String application,
      String state,
      String query) {

    Blocker blocker(Duration knownAge) {
      return new Blocker(session, application, state, knownAge, query);
    }
  }
}
