package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.BuildLimits;
import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.spi.LongStatements;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks after long statements from another connection: says when one may begin, tells how far it
 * has come, and cancels it where it is too much for the server. Used by the driving thread.
 */
final class BuildWatch {

  private static final Logger LOG = LoggerFactory.getLogger(BuildWatch.class);

  /** One look may have caught a moment. */
  private static final int LOOKS = 3;

  /** In ticks: how often others are told how far it has come, and how often the log is. */
  private static final int NOTE_TICKS = 10;

  private static final int LOG_TICKS = 30;

  private final EngineContext ctx;
  private final Throttle throttle;
  private final Alone alone;

  BuildWatch(EngineContext ctx, Throttle throttle, Alone alone) {
    this.ctx = ctx;
    this.throttle = throttle;
    this.alone = alone;
  }

  /** Executes something. */
  @FunctionalInterface
  interface Execution {
    void run(Statement statement) throws SQLException;
  }

  /** A statement that is watched. Its own thread says when it runs; the driving thread looks. */
  static final class Watched {
    private final long began = System.nanoTime();
    private int over;
    private long noted = began;
    private long logged = began;
    private @Nullable Statement statement;
    private @Nullable String cancelled;

    /** Runs the statement; from another thread it can be cancelled meanwhile, and only then. */
    void execute(Connection connection, Execution execution) throws SQLException {
      try (Statement mine = connection.createStatement()) {
        set(mine);
        try {
          execution.run(mine);
        } finally {
          set(null);
        }
      }
    }

    private synchronized void set(@Nullable Statement running) {
      statement = running;
    }

    /** Why it was cancelled by us; null if it was not. */
    synchronized @Nullable String cancelled() {
      return cancelled;
    }

    private synchronized boolean cancel(String why) throws SQLException {
      Statement running = statement;
      if (running == null || cancelled != null) {
        return false;
      }
      cancelled = why;
      running.cancel();
      return true;
    }
  }

  /** Why a step must not begin now; null if it may. Nobody waits for a quiet hour to go back. */
  @Nullable String heldBack(StepContext step) throws SQLException {
    if (step.row().state().direction() == Direction.DOWN || alone.is(step.row())) {
      return null;
    }
    Instant now =
        Db.autoCommit(
            ctx.dataSource(),
            connection -> Instant.ofEpochMilli(ctx.reader().control(connection).now()));
    return throttle.ask(step.row().policy().pace(), now).reason();
  }

  /**
   * Looks at a statement that runs.
   *
   * @return how far it has come, for people
   */
  String look(StepContext step, Watched watched) throws SQLException {
    LongStatements statements = ctx.dialect().longStatements();
    String key = step.lockKey();
    boolean up = step.row().state().direction() == Direction.UP;
    BuildLimits limits = step.row().policy().builds();
    boolean counts = up && limits.maxWaiting() != null;
    List<String> over = new ArrayList<>();
    String progress =
        Db.autoCommit(
            ctx.dataSource(),
            connection -> {
              Integer most = limits.maxWaiting();
              int waiting = counts ? statements.waiting(connection, key) : 0;
              if (most != null && waiting > most) {
                over.add(waiting + " sessions wait for it, limit " + most);
              }
              return statements.progress(connection, key).orElse("running");
            });
    if (up) {
      tooLong(limits, watched, over);
      if (!alone.is(step.row())) {
        over.addAll(throttle.over(limits.maxLag()));
      }
      cancelIfOver(step, watched, over, progress);
    }
    tell(step, watched, progress);
    return progress;
  }

  private static void tooLong(BuildLimits limits, Watched watched, List<String> over) {
    Duration most = limits.maxTime();
    Duration taken = Duration.ofNanos(System.nanoTime() - watched.began);
    if (most != null && taken.compareTo(most) > 0) {
      over.add("it takes longer than " + Reasons.duration(most));
    }
  }

  private void cancelIfOver(StepContext step, Watched watched, List<String> over, String progress)
      throws SQLException {
    watched.over = over.isEmpty() ? 0 : watched.over + 1;
    if (watched.over < LOOKS) {
      return;
    }
    String why = String.join("; also: ", over) + "; it had come to: " + progress;
    if (watched.cancel(why)) {
      LOG.warn("{} step {} is cancelled: {}", step.row().id(), step.step().name(), why);
    }
  }

  /** Others read it in the migration's row. */
  private void tell(StepContext step, Watched watched, String progress) throws SQLException {
    long now = System.nanoTime();
    long tick = ctx.timing().tick().toNanos();
    if (now - watched.noted >= NOTE_TICKS * tick) {
      watched.noted = now;
      String what = Wait.of(Wait.Kind.RUNNING, step.step().summary() + ": " + progress).toString();
      Db.autoCommit(
          ctx.dataSource(),
          connection -> {
            ctx.migrations().waits(connection, step.row(), what);
            return true;
          });
    }
    if (now - watched.logged >= LOG_TICKS * tick) {
      watched.logged = now;
      LOG.info("{} step {}: {}", step.row().id(), step.step().name(), progress);
    }
  }
}
