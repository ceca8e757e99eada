package dev.zerodowntime.orchestrator.mysql;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;

/**
 * Watches statements of ours, one after the other, from a second connection, and ends one when it
 * has waited for a metadata lock for as long as the budget: while it waits, every query on the
 * table that comes after it waits too, and the server's own limit counts whole seconds.
 *
 * <p>The statement is told by the session's id and by its text, which begins with a comment that no
 * other has, right before it is ended. The watching has ended before the connection is used for
 * anything else, and a KILL that came too late is spent on a statement that does nothing.
 */
final class MdlWatch implements AutoCloseable {

  private static final String WAITING = "Waiting for table metadata lock";

  private static final int TAG = 250;

  private final Statement statement;
  private final Connection watcher;
  private final boolean autoCommit;
  private final String find;
  private final long session;
  private final ExecutorService thread;
  private boolean broken;

  /**
   * Watches statements of one session.
   *
   * @param statement what will execute them
   * @param others has the connection that watches
   * @throws SQLException if there is no such connection
   */
  MdlWatch(Statement statement, DataSource others, MysqlVersion version) throws SQLException {
    this.statement = statement;
    this.session = id(statement.getConnection());
    this.find =
        "SELECT STATE, COALESCE(INFO, '') FROM "
            + MysqlControlSql.processes(version)
            + " WHERE ID = ?";
    this.watcher = others.getConnection();
    this.autoCommit = autoCommit(watcher);
    this.thread =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread made = new Thread(task, "orchestrator-watch " + session);
              made.setDaemon(true);
              return made;
            });
  }

  /** As it was; it is on from now on. */
  private static boolean autoCommit(Connection watcher) throws SQLException {
    try {
      boolean before = watcher.getAutoCommit();
      if (!before) {
        watcher.setAutoCommit(true);
      }
      return before;
    } catch (SQLException e) {
      watcher.close();
      throw e;
    }
  }

  /** What is done right before the statement, once it is watched. */
  @FunctionalInterface
  interface Before {

    /**
     * Does it.
     *
     * @throws SQLException the statement isn't executed then
     */
    void run() throws SQLException;
  }

  /**
   * Executes one statement under watch.
   *
   * @throws SQLException what the statement threw; error 1317 if it was ended
   */
  static void execute(
      Statement statement, DataSource others, MysqlVersion version, String sql, Duration budget)
      throws SQLException {
    try (MdlWatch watch = new MdlWatch(statement, others, version)) {
      watch.execute(sql, budget, () -> {});
    }
  }

  /**
   * Executes a statement under watch, after a question that must not be asked long before.
   *
   * @throws SQLException what the statement threw; error 1317 if it was ended
   */
  void execute(String sql, Duration budget, Before before) throws SQLException {
    Watching watching = new Watching(sql, budget);
    Future<?> watched = thread.submit(watching);
    try {
      before.run();
      statement.execute(sql);
    } finally {
      watching.over.countDown();
      await(watched);
      broken |= watching.failed;
      if (watching.killed) {
        // It may have ended by itself in the moment in which it was to be ended.
        drain(statement.getConnection());
      }
    }
  }

  private static long id(Connection connection) throws SQLException {
    try (Statement ask = connection.createStatement();
        ResultSet row = ask.executeQuery("SELECT CONNECTION_ID()")) {
      row.next();
      return row.getLong(1);
    }
  }

  private static void drain(Connection connection) {
    try (Statement nothing = connection.createStatement()) {
      nothing.execute("DO 0");
    } catch (SQLException e) {
      // That was it; or the connection is broken, which its next use tells.
    }
  }

  private static void await(Future<?> watched) {
    boolean interrupted = false;
    while (!watched.isDone()) {
      try {
        watched.get();
      } catch (InterruptedException e) {
        interrupted = true;
      } catch (ExecutionException e) {
        throw new IllegalStateException("the watch of a statement failed", e);
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Of one statement. Its results are read when it has ended. */
  private final class Watching implements Runnable {

    private final String tag;
    private final Duration budget;
    private final CountDownLatch over = new CountDownLatch(1);
    private boolean killed;
    private boolean failed;

    Watching(String sql, Duration budget) {
      this.tag = sql.substring(0, Math.min(TAG, sql.length())).strip();
      this.budget = budget;
    }

    @Override
    public void run() {
      long most = budget.toNanos();
      long interval = Math.max(2, Math.min(50, budget.toMillis() / 10));
      long since = -1;
      try (PreparedStatement look = watcher.prepareStatement(find)) {
        look.setLong(1, session);
        while (!over.await(interval, TimeUnit.MILLISECONDS)) {
          if (!waits(look)) {
            since = -1;
            continue;
          }
          long now = System.nanoTime();
          since = since < 0 ? now : since;
          if (now - since >= most - TimeUnit.MILLISECONDS.toNanos(interval)) {
            kill();
            return;
          }
        }
      } catch (SQLException e) {
        // The server's own limit, in whole seconds, is left.
        failed = true;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    /** Whether it is this very statement that waits. */
    private boolean waits(PreparedStatement look) throws SQLException {
      try (ResultSet row = look.executeQuery()) {
        return row.next() && WAITING.equals(row.getString(1)) && row.getString(2).startsWith(tag);
      }
    }

    private void kill() throws SQLException {
      killed = true;
      try (Statement kill = watcher.createStatement()) {
        kill.execute("KILL QUERY " + session);
      }
    }
  }

  @Override
  public void close() throws SQLException {
    thread.shutdown();
    try (Connection closed = watcher) {
      if (!autoCommit && !broken) {
        closed.setAutoCommit(false);
      }
    }
  }
}
