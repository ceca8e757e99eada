package dev.zerodowntime.orchestrator.spi;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Optional;
import javax.sql.DataSource;

/**
 * How long statements are run and watched: alone, outside any transaction, with no short limits.
 */
public interface LongStatements {

  /**
   * Lifts the session's time limits, remembering what they were.
   *
   * @param connection in auto-commit mode
   * @return puts them back; closing it fails if the connection is broken
   * @throws SQLException if that fails
   */
  Restore liftLimits(Connection connection) throws SQLException;

  /**
   * Limits the session's next statement, which may take a lock that others wait for.
   *
   * @param connection in auto-commit mode
   * @param budget for how long it may run; zero for as long as it likes
   * @throws SQLException if that fails
   */
  default void limit(Connection connection, Duration budget) throws SQLException {
    throw new UnsupportedOperationException("this dialect has no such statements");
  }

  /**
   * Executes a statement that lets others go on while it works, but may wait for a blocking lock
   * when it begins and when it ends: it is ended when others have waited behind it for as long as
   * the budget. The default executes it, for databases where it never waits so.
   *
   * @param statement of the connection that holds the step's session lock
   * @param others where other connections come from, if one is needed to watch this one
   * @param sql the statement, which begins with a comment that no other statement has
   * @param budget the lock budget
   * @throws SQLException if it fails, or was ended
   */
  default void execute(Statement statement, DataSource others, String sql, Duration budget)
      throws SQLException {
    statement.execute(sql);
  }

  /**
   * What an online statement comes to in a database that nobody uses: without waiting for the end
   * of transactions that have nothing to do with it. The default leaves it as it is.
   *
   * @param sql the statement, without its comment
   * @return one with the same effect
   */
  default String offline(String sql) {
    return sql;
  }

  /**
   * Makes a transaction that stands idle one that nothing waits for but what needs its locks: it
   * lets go of the snapshot that its last query has left behind. The default does nothing.
   *
   * @param connection somebody else's, perhaps in a transaction
   * @throws SQLException if that fails
   */
  default void idle(Connection connection) throws SQLException {}

  /**
   * Takes the session lock of a step, without waiting. A successor can't have it while the session
   * of a dead driver still executes the statement, or still might.
   *
   * @param connection the connection that will execute the statement
   * @param key names the step
   * @return whether it was had
   * @throws SQLException if the server can't be asked
   */
  boolean tryLock(Connection connection, String key) throws SQLException;

  /**
   * Releases the session lock.
   *
   * @param connection the connection that holds it
   * @param key names the step
   * @throws SQLException if the server can't be asked
   */
  void unlock(Connection connection, String key) throws SQLException;

  /**
   * Finds who holds the session lock of a step.
   *
   * @param connection any connection
   * @param key names the step
   * @return the holder, and what it is doing
   * @throws SQLException if the server can't be asked
   */
  Optional<Blocker> holder(Connection connection, String key) throws SQLException;

  /**
   * How far the statement of the session that holds a step's lock has come.
   *
   * @param connection any other connection
   * @param key names the step
   * @return progress for people, or empty if the server doesn't tell
   * @throws SQLException if the server can't be asked
   */
  Optional<String> progress(Connection connection, String key) throws SQLException;

  /**
   * How many sessions wait for the session that holds a step's lock, directly or in the queue
   * behind it.
   *
   * @param connection any other connection
   * @param key names the step
   * @return how many; 0 if nobody holds it
   * @throws SQLException if the server can't be asked
   */
  int waiting(Connection connection, String key) throws SQLException;

  /** Puts session settings back. */
  interface Restore extends AutoCloseable {
    @Override
    void close() throws SQLException;
  }
}
