package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.internal.control.Db;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Cancels a statement that runs for too long, for servers that don't end one by themselves. The
 * driver sends the cancellation on a connection of its own; it has been sent, and has had its
 * effect, before the statement's connection is used for anything else.
 */
final class Cutoff {

  private static final Logger LOG = LoggerFactory.getLogger(Cutoff.class);

  private final PreparedStatement statement;
  private final long millis;
  private final CountDownLatch over = new CountDownLatch(1);
  private boolean fired;

  private Cutoff(PreparedStatement statement, long millis) {
    this.statement = statement;
    this.millis = millis;
  }

  /**
   * Runs an INSERT, UPDATE or DELETE.
   *
   * @param millis how long it may run
   * @return how many rows it changed
   * @throws SQLException what the statement threw, or that it was cancelled
   */
  static int update(Connection connection, long millis, String sql, @Nullable Object... parameters)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      Db.bind(statement, parameters);
      Cutoff cutoff = new Cutoff(statement, millis);
      try {
        return cutoff.execute(connection);
      } catch (SQLException e) {
        throw cutoff.fired && e.getSQLState() == null ? cutoff.told(e) : e;
      }
    }
  }

  private int execute(Connection connection) throws SQLException {
    Thread thread = new Thread(this::watch, "orchestrator-cutoff");
    thread.setDaemon(true);
    thread.start();
    try {
      return statement.executeUpdate();
    } finally {
      over.countDown();
      join(thread);
      if (fired) {
        // It may have ended by itself in that moment: what comes next must not be cancelled.
        drain(connection);
      }
    }
  }

  /** Drivers that cancel say so in exceptions of their own, which nothing else tells. */
  private SQLException told(SQLException e) {
    return new SQLTimeoutException("cancelled after " + millis + " ms: " + e.getMessage(), e);
  }

  private void watch() {
    try {
      if (!over.await(millis, TimeUnit.MILLISECONDS)) {
        fired = true;
        statement.cancel();
      }
    } catch (SQLException e) {
      LOG.warn("a batch runs for longer than {} ms and could not be cancelled", millis, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void join(Thread thread) {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static void drain(Connection connection) {
    try {
      Db.execute(connection, "SELECT 1");
    } catch (SQLException e) {
      // That was it; or the connection is broken, which its next use tells.
    }
  }
}
