package dev.zerodowntime.orchestrator.spi;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Runs the tool of a {@link CopyStep}. The tool has sessions of its own, which may outlive the
 * process that began it: they are marked on the server, so that whoever comes next finds them.
 */
public interface TableCopier {

  /** What the engine wants of a copy that is under way. */
  interface Control {

    /**
     * Why the tool is to pause.
     *
     * @return a reason for people; null if it may go on
     * @throws SQLException if that can't be asked
     */
    @Nullable String hold() throws SQLException;

    /**
     * Whether it is to be ended.
     *
     * @return true where nobody wants the copy any more
     */
    boolean stop();

    /**
     * Is told how far it has come.
     *
     * @param progress for people
     */
    void progress(String progress);
  }

  /**
   * Finds the tool of a driver that is gone.
   *
   * @param connection the one that holds the step's session lock
   * @param key names the step, as for {@link LongStatements}
   * @return the tool's session; empty if there is none, and then there won't be
   * @throws SQLException if the server can't be asked
   */
  Optional<Blocker> running(Connection connection, String key) throws SQLException;

  /**
   * Ends the sessions of that tool, and returns when they are gone.
   *
   * @param connection the one that holds the step's session lock
   * @param key names the step
   * @throws SQLException if they can't be ended
   */
  void end(Connection connection, String key) throws SQLException;

  /**
   * Copies, and returns when all rows are there and triggers keep the copy up to date. Nothing of
   * an attempt before is left when it is called.
   *
   * @param connection the one that holds the step's session lock; it is kept alive
   * @param others where other connections come from
   * @param key names the step
   * @param step what to copy
   * @param budget the lock budget
   * @param control what the engine wants meanwhile
   * @throws java.sql.SQLTransientException if the tool was ended, or gave up for now: it may be
   *     tried again
   * @throws SQLException if it failed
   */
  void copy(
      Connection connection,
      DataSource others,
      String key,
      CopyStep step,
      Duration budget,
      Control control)
      throws SQLException;
}
