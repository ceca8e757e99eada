package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.spi.Blocker;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.LockBudget;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import dev.zerodowntime.orchestrator.spi.TableLock;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.sql.DataSource;

/**
 * Keeps DDL out of the queue for metadata locks: it looks who holds them for long, waits for a
 * moment in which nobody holds any, and is ended when it has waited for as long as the budget. Not
 * only would everybody queue behind it: a transaction that has read the table and then writes it
 * while DDL waits is a deadlock for these servers, and they end the transaction, not the DDL.
 *
 * <p>MariaDB can try without waiting at all, which is in nobody's way. On MySQL the moment is
 * looked for, and the statement watched by a {@link MdlWatch}; should the process die meanwhile,
 * the server's own limit ends it, which counts whole seconds. Where there is no such moment, for
 * everybody comes and goes, both wait once, for a part of the budget.
 */
final class MysqlLockBudget implements LockBudget {

  /**
   * What a statement begins with whose session doesn't look at the rows there are: with
   * foreign_key_checks, the server would copy the table to add a foreign key. What is written later
   * is checked by the sessions that write it.
   */
  static final String UNCHECKED = "/* SET foreign_key_checks = 0 */ ";

  private final MysqlVersion version;

  MysqlLockBudget(MysqlVersion version) {
    this.version = version;
  }

  @Override
  public List<Blocker> blockers(Connection connection, DdlStep step, Duration budget)
      throws SQLException {
    return new MdlHolders(version).find(connection, step, budget);
  }

  @Override
  public Optional<String> end(Connection connection, Blocker blocker, long mostRows)
      throws SQLException {
    return new BlockerEnd(version).end(connection, blocker, mostRows);
  }

  @Override
  public void begin(Connection connection, DdlStep step, Duration budget) throws SQLException {
    limit(connection, budget);
    if (step.sql().stream().anyMatch(sql -> sql.startsWith(UNCHECKED))) {
      // Put back with the session's limits.
      set(connection, "foreign_key_checks", "0");
    }
  }

  @Override
  public void limit(Connection connection, Duration left) throws SQLException {
    set(connection, "lock_wait_timeout", Long.toString(MysqlControlSql.seconds(left.toMillis())));
  }

  @Override
  public void execute(
      Statement statement, DataSource others, DdlStep step, String sql, Duration budget)
      throws SQLException {
    if (version.mariadb()) {
      withoutWaiting(statement, others, sql, budget);
      return;
    }
    boolean done =
        LockedTable.helps(statement.getConnection(), step.tables(), sql)
            && new LockedTable(version, others, step.tables()).execute(statement, sql, budget);
    if (!done) {
      Duration most =
          new MdlHolders(version).awaitNone(statement.getConnection(), step.tables(), budget);
      MdlWatch.execute(statement, others, version, sql, most);
    }
  }

  /**
   * In the moment in which nobody has the table locked: who doesn't wait is in nobody's way. On a
   * table that is always in use there is none.
   */
  private void withoutWaiting(Statement statement, DataSource others, String sql, Duration budget)
      throws SQLException {
    Connection connection = statement.getConnection();
    long deadline = System.nanoTime() + budget.multipliedBy(MdlHolders.PATIENCE).toNanos();
    set(connection, "lock_wait_timeout", "0");
    set(connection, "max_statement_time", Double.toString(budget.toMillis() / 1000.0));
    try {
      while (true) {
        try {
          statement.execute(sql);
          return;
        } catch (SQLException e) {
          if (MysqlErrors.classify(e) != SqlErrorKind.LOCK_TIMEOUT) {
            throw e;
          }
          if (System.nanoTime() - deadline >= 0) {
            break;
          }
          MdlHolders.pause();
        }
      }
      set(connection, "lock_wait_timeout", "1");
      MdlWatch.execute(statement, others, version, sql, budget.dividedBy(MdlHolders.PATIENCE));
    } finally {
      set(connection, "max_statement_time", "0");
      set(connection, "lock_wait_timeout", "1");
    }
  }

  private static void set(Connection connection, String name, String value) throws SQLException {
    try (Statement set = connection.createStatement()) {
      set.execute("SET SESSION " + name + " = " + value);
    }
  }

  /** Nobody else's statements are executed as a step here. */
  @Override
  public Tables tables(Connection connection) {
    return new Tables(Map.of(), Map.of());
  }

  @Override
  public Optional<String> violation(
      Connection connection, List<TableLock> declared, boolean files, Tables before) {
    return Optional.empty();
  }
}
