package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.spi.Blocker;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds transactions that DDL would have to wait for, or that it would break: those that hold a
 * metadata lock on its tables, and, where it changes what SELECT * gives, those with a snapshot
 * older than the change, which would fail with error 1412 on their first use of the table.
 *
 * <p>Which transactions there are, not every user may see, nor does every server tell. What isn't
 * seen isn't looked for: then the lock budget alone keeps DDL from making others wait.
 */
final class MdlHolders {

  private static final Pattern ALTERED =
      Pattern.compile("\\bALTER TABLE (`(?:[^`]|``)+`\\.`(?:[^`]|``)+`)");

  /** For how many budgets a good moment is looked for; nobody waits for us meanwhile. */
  static final int PATIENCE = 5;

  /** A table's quoted, qualified name. */
  static final Pattern NAME = Pattern.compile("`((?:[^`]|``)+)`\\.`((?:[^`]|``)+)`");

  /** Whoever has a snapshot from before can't read the table any more, hidden column or not. */
  private static final Pattern CHANGES_ROWS = Pattern.compile("\\b(?:ADD|DROP) COLUMN\\b");

  private static final String MYSQL_AGE =
      "COALESCE(zdo_e.TIMER_WAIT DIV 1000000000, zdo_t.PROCESSLIST_TIME * 1000)";

  private static final String MYSQL =
      "SELECT zdo_t.PROCESSLIST_ID, CONCAT(zdo_t.PROCESSLIST_USER, '@', zdo_t.PROCESSLIST_HOST),"
          + " IF(zdo_t.PROCESSLIST_COMMAND = 'Sleep', 'idle in transaction',"
          + " COALESCE(zdo_t.PROCESSLIST_STATE, zdo_t.PROCESSLIST_COMMAND)), "
          + MYSQL_AGE
          + ", LEFT(COALESCE(zdo_t.PROCESSLIST_INFO, zdo_s.SQL_TEXT, ''), 200)"
          + " FROM performance_schema.threads zdo_t"
          + " LEFT JOIN performance_schema.events_transactions_current zdo_e"
          + " ON zdo_e.THREAD_ID = zdo_t.THREAD_ID AND zdo_e.STATE = 'ACTIVE'"
          + " LEFT JOIN performance_schema.events_statements_current zdo_s"
          + " ON zdo_s.THREAD_ID = zdo_t.THREAD_ID AND zdo_s.NESTING_EVENT_LEVEL = 0"
          + " WHERE zdo_t.PROCESSLIST_ID <> CONNECTION_ID() AND "
          + MYSQL_AGE
          + " > ? AND ";

  private static final String MYSQL_LOCKS =
      MYSQL
          + "EXISTS (SELECT 1 FROM performance_schema.metadata_locks zdo_m WHERE"
          + " zdo_m.OWNER_THREAD_ID = zdo_t.THREAD_ID AND zdo_m.OBJECT_TYPE = 'TABLE'"
          + " AND zdo_m.LOCK_STATUS = 'GRANTED' AND zdo_m.OBJECT_SCHEMA = ?"
          + " AND zdo_m.OBJECT_NAME = ?)";

  private static final String MYSQL_SNAPSHOTS =
      MYSQL
          + "zdo_e.STATE = 'ACTIVE' AND zdo_e.AUTOCOMMIT = 'NO'"
          + " AND zdo_e.ISOLATION_LEVEL IN ('REPEATABLE READ', 'SERIALIZABLE')";

  /** In whole seconds, begun ones not counted: nobody is taken for older than they are. */
  private static final String MARIADB_AGE =
      "GREATEST(0, TIMESTAMPDIFF(SECOND, CONVERT_TZ(zdo_x.trx_started, 'SYSTEM', '+00:00'),"
          + " UTC_TIMESTAMP()) - 1) * 1000";

  private static final String MARIADB =
      "SELECT zdo_p.ID, CONCAT(zdo_p.USER, '@', zdo_p.HOST), IF(zdo_p.COMMAND = 'Sleep', 'idle in"
          + " transaction', COALESCE(zdo_p.STATE, zdo_p.COMMAND)), "
          + MARIADB_AGE
          + ", LEFT(COALESCE(zdo_p.INFO, ''), 200) FROM information_schema.PROCESSLIST zdo_p"
          + " JOIN information_schema.INNODB_TRX zdo_x ON zdo_x.trx_mysql_thread_id = zdo_p.ID"
          + " WHERE zdo_p.ID <> CONNECTION_ID() AND "
          + MARIADB_AGE
          + " > ? AND ";

  private static final String MARIADB_LOCKS =
      MARIADB
          + "zdo_p.ID IN (SELECT zdo_m.THREAD_ID FROM information_schema.METADATA_LOCK_INFO zdo_m"
          + " WHERE zdo_m.LOCK_TYPE = 'Table metadata lock' AND zdo_m.TABLE_SCHEMA = ?"
          + " AND zdo_m.TABLE_NAME = ?)";

  private static final String MARIADB_SNAPSHOTS =
      MARIADB + "zdo_x.trx_isolation_level IN ('REPEATABLE READ', 'SERIALIZABLE')";

  private static final String ANY =
      "SELECT 1 FROM performance_schema.metadata_locks WHERE OBJECT_TYPE = 'TABLE'"
          + " AND LOCK_STATUS = 'GRANTED' AND OBJECT_SCHEMA = ? AND OBJECT_NAME = ?"
          + " AND OWNER_THREAD_ID <> PS_CURRENT_THREAD_ID() LIMIT 1";

  private static final int UNKNOWN_TABLE = 1109;
  private static final int LOCK_WAIT = 1205;

  private final MysqlVersion version;

  MdlHolders(MysqlVersion version) {
    this.version = version;
  }

  /** The oldest first. */
  List<Blocker> find(Connection connection, DdlStep step, Duration budget) throws SQLException {
    Map<String, Blocker> found = new LinkedHashMap<>();
    for (Blocker each : holders(connection, step.tables(), budget)) {
      found.put(each.session(), each);
    }
    if (step.changesRowType()
        || step.sql().stream().anyMatch(sql -> CHANGES_ROWS.matcher(sql).find())) {
      find(connection, version.mariadb() ? MARIADB_SNAPSHOTS : MYSQL_SNAPSHOTS, budget, found);
    }
    List<Blocker> all = new ArrayList<>(found.values());
    all.sort(Comparator.comparing(Blocker::age).reversed());
    return all;
  }

  /**
   * Waits for a moment in which nobody has locked a table, on MySQL; not for ever. A transaction
   * that reads a table and then writes it while DDL waits would be ended as a deadlock.
   *
   * @param connection the one that will execute the statement
   * @param tables quoted, qualified
   * @param budget for how long the statement may wait; five times as long a moment is looked for
   * @return for how long it may wait: less where there is no such moment, and everybody comes and
   *     goes
   * @throws SQLException also where the same transaction has been there all the time: error 1205
   */
  Duration awaitNone(Connection connection, List<String> tables, Duration budget)
      throws SQLException {
    long deadline = System.nanoTime() + budget.multipliedBy(PATIENCE).toNanos();
    while (anyHas(connection, tables)) {
      if (System.nanoTime() - deadline >= 0) {
        List<Blocker> old = holders(connection, tables, budget);
        if (!old.isEmpty()) {
          throw new SQLException(
              "not queueing behind " + old.get(0).describe(), "HY000", LOCK_WAIT);
        }
        return budget.dividedBy(PATIENCE);
      }
      pause();
    }
    return budget;
  }

  /** Whether a transaction is still the one that was found. */
  boolean still(Connection connection, Blocker blocker) throws SQLException {
    Map<String, Blocker> found = new LinkedHashMap<>();
    find(
        connection,
        version.mariadb()
            ? MARIADB + "zdo_p.ID = " + Long.parseLong(blocker.session())
            : MYSQL + "zdo_t.PROCESSLIST_ID = " + Long.parseLong(blocker.session()),
        blocker.age().minusMillis(1),
        found);
    return !found.isEmpty();
  }

  /** Whether anybody else has locked a table: asked as late as can be, so as quickly as can be. */
  private boolean anyHas(Connection connection, List<String> tables) throws SQLException {
    if (!version.performanceSchema()) {
      return false;
    }
    try (PreparedStatement look = connection.prepareStatement(ANY)) {
      for (String table : tables) {
        Matcher name = NAME.matcher(table);
        if (name.matches()) {
          look.setString(1, part(name, 1));
          look.setString(2, part(name, 2));
          try (ResultSet row = look.executeQuery()) {
            if (row.next()) {
              return true;
            }
          }
        }
      }
      return false;
    } catch (SQLException e) {
      if (!unseen(e)) {
        throw e;
      }
      return false;
    }
  }

  /** Whoever has locked one of the tables for longer than the budget. */
  private List<Blocker> holders(Connection connection, List<String> tables, Duration budget)
      throws SQLException {
    Map<String, Blocker> found = new LinkedHashMap<>();
    for (String table : tables) {
      Matcher name = NAME.matcher(table);
      if (name.matches()) {
        find(
            connection,
            version.mariadb() ? MARIADB_LOCKS : MYSQL_LOCKS,
            budget,
            found,
            part(name, 1),
            part(name, 2));
      }
    }
    return List.copyOf(found.values());
  }

  /** The database (1) or the table (2) of a {@link #NAME} that matches, unquoted. */
  static String part(Matcher name, int number) {
    return name.group(number).replace("``", "`");
  }

  /** The table that a statement changes. */
  static List<String> altered(String sql) {
    Matcher table = ALTERED.matcher(sql);
    return table.find() ? List.of(table.group(1)) : List.of();
  }

  /** Shorter than most transactions are. */
  static void pause() throws SQLException {
    try {
      Thread.sleep(1);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SQLException("interrupted while looking for a good moment", "70100", 1317, e);
    }
  }

  private void find(
      Connection connection,
      String sql,
      Duration budget,
      Map<String, Blocker> found,
      String... table)
      throws SQLException {
    if (!version.mariadb() && !version.performanceSchema()) {
      return;
    }
    try (PreparedStatement look = connection.prepareStatement(sql)) {
      look.setLong(1, budget.toMillis());
      for (int i = 0; i < table.length; i++) {
        look.setString(i + 2, table[i]);
      }
      try (ResultSet row = look.executeQuery()) {
        while (row.next()) {
          found.putIfAbsent(
              row.getString(1),
              new Blocker(
                  row.getString(1),
                  row.getString(2),
                  row.getString(3),
                  Duration.ofMillis(row.getLong(4)),
                  row.getString(5)));
        }
      }
    } catch (SQLException e) {
      if (!unseen(e)) {
        throw e;
      }
    }
  }

  /** The user may not look there, or the server has no such table. */
  static boolean unseen(SQLException e) {
    SqlErrorKind kind = MysqlErrors.classify(e);
    return kind == SqlErrorKind.PRIVILEGE
        || kind == SqlErrorKind.UNDEFINED_TABLE
        || e.getErrorCode() == UNKNOWN_TABLE;
  }
}
