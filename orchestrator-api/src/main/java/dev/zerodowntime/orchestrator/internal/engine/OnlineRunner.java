package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import dev.zerodowntime.orchestrator.spi.LongStatements;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs an {@link OnlineStep}: the statement on a thread and a connection of its own, while the
 * driving thread goes on heartbeating, watches progress, and attends to other migrations.
 *
 * <p>Before the statement, the connection takes the migration's session lock, and only then checks
 * the lease's token and asks the catalog. As long as the session of a dead or frozen driver exists
 * on the server, a successor can't have that lock: so there is never a second statement, nor one
 * that comes after its movement was undone. What the statement did is read from the catalog, never
 * from its outcome alone.
 */
final class OnlineRunner {

  private static final Logger LOG = LoggerFactory.getLogger(OnlineRunner.class);

  private static final long GRACE_SECONDS = 2;

  private final EngineContext ctx;

  /** By migration. */
  private final Map<String, Running> running = new ConcurrentHashMap<>();

  private final BuildWatch watch;
  private final Alone alone;

  OnlineRunner(EngineContext ctx, BuildWatch watch, Alone alone) {
    this.ctx = ctx;
    this.watch = watch;
    this.alone = alone;
  }

  /** What the statement's thread reports. */
  private record Result(Outcome outcome, boolean found, long millis) {}

  /** A statement of this process, and the step, movement and token that it belongs to. */
  private record Running(String key, FutureTask<Result> task, BuildWatch.Watched watched) {}

  /**
   * What is left of a movement that was turned round, or driven under another token. Its statement
   * is let end before anything else happens to the migration; its result is of no account.
   */
  @Nullable Outcome before(MigrationRow row) {
    Running left = running.get(row.key());
    if (left == null || left.key().startsWith(row.state() + " ")) {
      return null;
    }
    if (!left.task().isDone()) {
      return Outcome.running("a statement of the movement before is still running");
    }
    running.remove(row.key());
    return null;
  }

  /**
   * Starts the statement, or looks after it; waits for it at most {@code patience} milliseconds.
   */
  Outcome run(StepContext step, OnlineStep online, long patience) throws SQLException {
    String migration = step.row().key();
    Running mine = running.get(migration);
    if (mine != null && !mine.key().equals(step.runKey())) {
      if (!mine.task().isDone()) {
        return Outcome.running("a statement under an older token is still running");
      }
      mine = null;
    }
    if (mine == null) {
      String heldBack = watch.heldBack(step);
      if (heldBack != null) {
        return step.told(new Outcome(Outcome.Kind.HELD, Wait.of(Wait.Kind.LOAD, heldBack)));
      }
      step.begin();
      BuildWatch.Watched watched = new BuildWatch.Watched();
      mine =
          new Running(
              step.runKey(), new FutureTask<>(() -> execute(step, online, watched)), watched);
      running.put(migration, mine);
      Thread thread = new Thread(mine.task(), "orchestrator-online " + step.row().id());
      thread.setDaemon(true);
      thread.start();
    }
    try {
      Result result = mine.task().get(patience, TimeUnit.MILLISECONDS);
      running.remove(migration);
      return ended(step, online, result);
    } catch (TimeoutException e) {
      String progress = watch.look(step, mine.watched());
      return Outcome.running(online.summary() + ": " + progress);
    } catch (ExecutionException e) {
      running.remove(migration);
      if (e.getCause() instanceof SQLException sql) {
        throw sql;
      }
      if (e.getCause() instanceof RuntimeException runtime) {
        throw runtime;
      }
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Outcome.running(online.summary());
    }
  }

  /**
   * Confirms what the catalog still shows: since the statement ended, anything may have happened.
   */
  private Outcome ended(StepContext step, OnlineStep online, Result result) throws SQLException {
    if (!result.outcome().done()) {
      return step.told(result.outcome());
    }
    boolean confirmed =
        step.confirmIfShown(online.done(), online.statement(), result.found(), result.millis());
    return confirmed ? Outcome.DONE : Outcome.more("its effect is gone again: once more");
  }

  /**
   * Gives running statements a moment to end by themselves. Those that don't are not cancelled: the
   * server goes on, and a successor finds the result, or waits for it.
   */
  void close() {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(GRACE_SECONDS);
    for (Running each : running.values()) {
      try {
        each.task().get(Math.max(1, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
      } catch (TimeoutException | ExecutionException e) {
        LOG.info("an online build goes on at the server; the next driver will find it");
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  private Result execute(StepContext step, OnlineStep online, BuildWatch.Watched watched)
      throws SQLException {
    return StepLock.hold(
        step,
        connection -> locked(connection, step, online, watched),
        taken -> new Result(taken, false, 0));
  }

  private Result locked(
      Connection connection, StepContext step, OnlineStep online, BuildWatch.Watched watched)
      throws SQLException {
    if (StepContext.probe(connection, online.done())) {
      return new Result(Outcome.DONE, true, 0);
    }
    repair(connection, step, online);
    long start = System.nanoTime();
    try {
      limited(connection, online, step.tagged(statement(step, online)), watched);
    } catch (SQLException e) {
      SqlErrorKind kind = ctx.dialect().classify(e);
      String why = kind == SqlErrorKind.CANCELLED ? watched.cancelled() : null;
      if (why != null) {
        // Before the repair, which may wait for the same transactions as the build.
        cancelled(connection, step, online, start, why);
      }
      if (kind != SqlErrorKind.CONNECTION_LOST) {
        // At once, not when it is tried again: an index that is not whole still costs every write,
        // and a unique one still rejects rows.
        repairAfter(e, connection, step, online);
      }
      if (why != null) {
        Duration again = step.row().policy().builds().retryAfter();
        String what = "cancelled: " + why + "; tried again after " + Reasons.duration(again);
        return new Result(Outcome.later(what, again), false, 0);
      }
      if (kind == SqlErrorKind.LOCK_TIMEOUT
          || kind == SqlErrorKind.CANCELLED
          || kind == SqlErrorKind.DEADLOCK) {
        return new Result(Outcome.retry(Wait.Kind.LOCK, kind + ": " + e.getMessage()), false, 0);
      }
      throw e;
    }
    long millis = DdlRunner.millisSince(start);
    if (!StepContext.probe(connection, online.done())) {
      throw new SQLException(
          "the statement succeeded, but the catalog does not show its effect; probe: "
              + online.done().sql());
    }
    return new Result(Outcome.DONE, false, millis);
  }

  /** Where nobody is, it doesn't wait for those who only look as if they were somebody. */
  private String statement(StepContext step, OnlineStep online) {
    return alone.withNobody(step.row())
        ? ctx.dialect().longStatements().offline(online.statement())
        : online.statement();
  }

  private static void cancelled(
      Connection connection, StepContext step, OnlineStep online, long start, String why)
      throws SQLException {
    step.event(
        connection,
        "CANCEL",
        online.statement(),
        DdlRunner.millisSince(start),
        null,
        "CANCELLED",
        why);
  }

  /** What fails here is repaired before the next attempt; the first failure is what matters. */
  private void repairAfter(
      SQLException failure, Connection connection, StepContext step, OnlineStep online) {
    try {
      repair(connection, step, online);
    } catch (SQLException e) {
      LOG.warn("{} step {}: what is left of it", step.row().id(), step.step().name(), e);
      failure.addSuppressed(e);
    }
  }

  private void limited(
      Connection connection, OnlineStep online, String sql, BuildWatch.Watched watched)
      throws SQLException {
    LongStatements longStatements = ctx.dialect().longStatements();
    BuildWatch.Execution execution =
        statement ->
            longStatements.execute(statement, ctx.ddlDataSource(), sql, ctx.timing().lockBudget());
    if (!online.bounded()) {
      watched.execute(connection, execution);
      return;
    }
    longStatements.limit(connection, ctx.timing().lockBudget());
    try {
      watched.execute(connection, execution);
    } finally {
      longStatements.limit(connection, Duration.ZERO);
    }
  }

  /** Removes what an attempt left behind, if it did. */
  private void repair(Connection connection, StepContext step, OnlineStep online)
      throws SQLException {
    if (!StepContext.probe(connection, online.broken())) {
      return;
    }
    for (String sql : online.repair()) {
      long start = System.nanoTime();
      Db.execute(connection, step.tagged(sql));
      step.event(
          connection,
          "REPAIR",
          sql,
          DdlRunner.millisSince(start),
          null,
          "APPLIED",
          "an attempt had left something useless behind");
    }
  }
}
