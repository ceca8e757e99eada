package dev.zerodowntime.orchestrator.spi;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Keeps statements that take a blocking lock from making the application wait longer than the
 * budget.
 */
public interface LockBudget {

  /**
   * Looks for transactions that a step would have to queue behind, and that are already older than
   * the budget: queueing would make everybody who comes after us wait for them too.
   *
   * @param connection in auto-commit mode
   * @param step the step
   * @param budget the lock budget
   * @return the oldest first; empty when the step may try
   * @throws SQLException if the server can't be asked
   */
  List<Blocker> blockers(Connection connection, DdlStep step, Duration budget) throws SQLException;

  /**
   * Sets the limits of the transaction that runs a step, and gets maintenance of the server's own
   * out of the way without blocking anybody.
   *
   * @param connection in the step's transaction, before its first statement
   * @param step the step
   * @param budget the lock budget
   * @throws SQLException if that fails; the step is then tried again later
   */
  void begin(Connection connection, DdlStep step, Duration budget) throws SQLException;

  /**
   * Limits the next statement, so that all statements together stay within the budget.
   *
   * @param connection in the step's transaction
   * @param left what is left of the budget
   * @throws SQLException if that fails
   */
  void limit(Connection connection, Duration left) throws SQLException;

  /**
   * Notes what is there before statements that somebody else than the library wrote.
   *
   * @param connection in the step's transaction, before its first statement
   * @return for {@link #violation}
   * @throws SQLException if the server can't be asked
   */
  Tables tables(Connection connection) throws SQLException;

  /**
   * Asks the server what such statements did, before they commit.
   *
   * @param connection in the step's transaction, after its last statement
   * @param declared the locks that the step declares; without one on a table, only those of queries
   *     and of changes of rows may be held on it
   * @param files whether no table that is locked may have been rewritten
   * @param before what was there
   * @return what is wrong, by name; empty if nothing is
   * @throws SQLException if the server can't be asked
   */
  Optional<String> violation(
      Connection connection, List<TableLock> declared, boolean files, Tables before)
      throws SQLException;

  /**
   * The tables of a database.
   *
   * @param names their quoted, qualified names, by the server's number of them
   * @param files the files that hold their rows, likewise; none for those that have none
   */
  record Tables(Map<Long, String> names, Map<Long, Long> files) {
    /** Copies the maps. */
    public Tables {
      names = Map.copyOf(names);
      files = Map.copyOf(files);
    }
  }
}
