package dev.zerodowntime.orchestrator.spi;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.sql.DataSource;

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
   * Ends the session of somebody who is in the way, because its user wants that; never one of
   * replication, of the server itself, of a backup, or that has locked tables by an explicit
   * statement or changes them. The default ends nobody's.
   *
   * @param connection in auto-commit mode
   * @param blocker as {@link #blockers} found it; left alone if its transaction is over
   * @param mostRows how many rows it may have changed, where the server can tell
   * @return why it was left alone; empty if it was ended
   * @throws SQLException if the server can't be asked
   */
  default Optional<String> end(Connection connection, Blocker blocker, long mostRows)
      throws SQLException {
    return Optional.of("sessions of this database are not ended");
  }

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
   * Executes a statement that may take a blocking lock, where DDL is not transactional: it is ended
   * when it has waited, or run, for as long as the budget, or earlier. The default executes it.
   *
   * @param statement of a connection in auto-commit mode, after {@link #begin}, that holds the
   *     step's session lock
   * @param others where other connections come from, if one is needed to watch this one
   * @param step the step
   * @param sql its statement, which begins with a comment that no other statement has
   * @param budget the lock budget
   * @throws SQLException if it fails, or was ended
   */
  default void execute(
      Statement statement, DataSource others, DdlStep step, String sql, Duration budget)
      throws SQLException {
    statement.execute(sql);
  }

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
