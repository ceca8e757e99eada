package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import dev.zerodowntime.orchestrator.spi.Blocker;
import dev.zerodowntime.orchestrator.spi.CopyStep;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.LockBudget;
import dev.zerodowntime.orchestrator.spi.Probe;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import dev.zerodowntime.orchestrator.spi.TableCopier;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.sql.SQLTransientException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs a {@link CopyStep}: a tool copies a table, on sessions of its own, while a thread of this
 * process looks after it, on a connection that holds the migration's session lock, and the driving
 * thread goes on.
 *
 * <p>The tool may outlive this process. Whoever has the lock next finds its sessions, and waits for
 * them where it wants the same copy; it ends them where it does not. Only then is anything cleaned
 * up that an attempt has left, so that nobody's copy is taken away from under them.
 */
final class CopyRunner {

  private static final Logger LOG = LoggerFactory.getLogger(CopyRunner.class);

  private static final long GRACE_SECONDS = 2;
  private static final long LOOK_MILLIS = 200;
  private static final long ASK_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** In ticks: how often others are told how far it has come. */
  private static final int NOTE_TICKS = 10;

  private final EngineContext ctx;
  private final BuildWatch watch;

  /** By migration. */
  private final Map<String, Running> running = new ConcurrentHashMap<>();

  CopyRunner(EngineContext ctx, BuildWatch watch) {
    this.ctx = ctx;
    this.watch = watch;
  }

  /** What the copy's thread reports. */
  private record Result(Outcome outcome, boolean found, long millis, boolean needless) {

    Result(Outcome outcome, boolean found, long millis) {
      this(outcome, found, millis, false);
    }
  }

  /** A copy of this process, and the step, movement and token that it belongs to. */
  private record Running(String key, FutureTask<Result> task, Wish wish) {}

  /** What this driver wants of the copy, and how far it has come. */
  private final class Wish implements TableCopier.Control {

    private final StepContext step;
    private volatile boolean stop;
    private volatile @Nullable String overLoad;
    private volatile String progress = "begins";
    private @Nullable String paused;
    private long asked = System.nanoTime() - ASK_NANOS;
    private long noted = System.nanoTime();

    Wish(StepContext step) {
      this.step = step;
    }

    /** Also while nobody calls the runner, since the migration is paused. */
    @Override
    public @Nullable String hold() throws SQLException {
      long now = System.nanoTime();
      if (now - asked >= ASK_NANOS) {
        asked = now;
        boolean goes =
            Db.autoCommit(
                ctx.dataSource(),
                connection -> ctx.reader().running(connection, step.row(), ctx.server()));
        paused = goes ? null : "paused";
      }
      return paused == null ? overLoad : paused;
    }

    @Override
    public boolean stop() {
      return stop;
    }

    @Override
    public void progress(String text) {
      progress = text;
    }
  }

  /**
   * What is left of a movement that was turned round, or driven under another token: it is ended
   * before anything else happens to the migration.
   */
  @Nullable Outcome before(MigrationRow row) {
    Running left = running.get(row.key());
    if (left == null || left.key().startsWith(row.state() + " ")) {
      return null;
    }
    left.wish().stop = true;
    if (!left.task().isDone()) {
      return Outcome.running("the copy of the movement before is being ended");
    }
    running.remove(row.key());
    return null;
  }

  /** Starts the copy, or looks after it; waits for it at most {@code patience} milliseconds. */
  Outcome run(StepContext step, CopyStep copy, long patience) throws SQLException {
    TableCopier copier = ctx.dialect().copier().orElse(null);
    if (copier == null) {
      return Outcome.cant(
          "step "
              + copy.name()
              + " is done by a tool that copies tables; a driver that was given copyTool(...) must"
              + " go on");
    }
    String migration = step.row().key();
    Running mine = running.get(migration);
    if (mine != null && !mine.key().equals(step.runKey())) {
      if (!mine.task().isDone()) {
        return Outcome.running("a copy under an older token is still running");
      }
      mine = null;
    }
    // What backfills give way to, a copy does too.
    String over = watch.heldBack(step);
    if (mine == null) {
      if (over != null && copy.alter() != null) {
        return step.told(new Outcome(Outcome.Kind.HELD, Wait.of(Wait.Kind.LOAD, over)));
      }
      mine = begin(step, copy, copier);
    }
    mine.wish().overLoad = over;
    try {
      Result result = mine.task().get(patience, TimeUnit.MILLISECONDS);
      running.remove(migration);
      return ended(step, copy, result);
    } catch (TimeoutException e) {
      String progress = over == null ? mine.wish().progress : "paused: " + over;
      tell(step, mine.wish(), progress);
      return Outcome.running(copy.summary() + ": " + progress);
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
      return Outcome.running(copy.summary());
    }
  }

  private Running begin(StepContext step, CopyStep copy, TableCopier copier) throws SQLException {
    step.begin();
    Wish wish = new Wish(step);
    Running mine =
        new Running(step.runKey(), new FutureTask<>(() -> execute(step, copy, copier, wish)), wish);
    running.put(step.row().key(), mine);
    Thread thread = new Thread(mine.task(), "orchestrator-copy " + step.row().id());
    thread.setDaemon(true);
    thread.start();
    return mine;
  }

  /** Others read it in the migration's row. */
  private void tell(StepContext step, Wish wish, String progress) throws SQLException {
    long now = System.nanoTime();
    if (now - wish.noted < NOTE_TICKS * ctx.timing().tick().toNanos()) {
      return;
    }
    wish.noted = now;
    String what = Wait.of(Wait.Kind.RUNNING, step.step().summary() + ": " + progress).toString();
    Db.autoCommit(
        ctx.dataSource(),
        connection -> {
          ctx.migrations().waits(connection, step.row(), what);
          return true;
        });
    LOG.info("{} step {}: {}", step.row().id(), step.step().name(), progress);
  }

  private Outcome ended(StepContext step, CopyStep copy, Result result) throws SQLException {
    if (!result.outcome().done()) {
      return step.told(result.outcome());
    }
    if (result.needless()) {
      ctx.transaction(
          connection -> {
            step.lease().require(connection);
            step.event(
                connection, "STEP", null, 0L, null, "FOUND_DONE", "there is nothing to copy");
            ctx.migrations().nextStep(connection, step.row(), copy.afterwards());
            return true;
          });
      return Outcome.more("there is nothing to copy");
    }
    boolean confirmed =
        step.confirmIfShown(
            copy.done(), String.join(";\n", copy.sql()), result.found(), result.millis());
    return confirmed ? Outcome.DONE : Outcome.more("the copy is gone again: once more");
  }

  /** A tool that is at work is left at it; a successor finds its sessions. */
  void close() {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(GRACE_SECONDS);
    for (Running each : running.values()) {
      try {
        each.task().get(Math.max(1, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
      } catch (TimeoutException | ExecutionException e) {
        LOG.info("a copy of a table goes on; the next driver will find it");
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  private Result execute(StepContext step, CopyStep copy, TableCopier copier, Wish wish)
      throws SQLException {
    return StepLock.hold(
        step,
        connection -> locked(connection, step, copy, copier, wish),
        taken -> new Result(taken, false, 0));
  }

  private Result locked(
      Connection connection, StepContext step, CopyStep copy, TableCopier copier, Wish wish)
      throws SQLException {
    Outcome orphan = orphan(connection, step, copy, copier, wish);
    if (orphan != null) {
      return new Result(orphan, false, 0);
    }
    if (StepContext.probe(connection, copy.done())) {
      return new Result(Outcome.DONE, true, 0);
    }
    long start = System.nanoTime();
    try {
      cleanUp(connection, step, copy);
      Probe needless = copy.needless();
      if (needless != null && StepContext.probe(connection, needless)) {
        return new Result(Outcome.DONE, true, 0, true);
      }
      if (copy.alter() != null) {
        copier.copy(
            connection, ctx.ddlDataSource(), step.lockKey(), copy, ctx.timing().lockBudget(), wish);
      }
    } catch (SQLTransientConnectionException e) {
      throw e;
    } catch (SQLTransientException e) {
      return new Result(again(connection, step, copy, e), false, 0);
    } catch (SQLException e) {
      SqlErrorKind kind = ctx.dialect().classify(e);
      if (kind == SqlErrorKind.LOCK_TIMEOUT || kind == SqlErrorKind.CANCELLED) {
        return new Result(Outcome.retry(Wait.Kind.LOCK, kind + ": " + e.getMessage()), false, 0);
      }
      if (kind != SqlErrorKind.CONNECTION_LOST) {
        cleanUpAfter(e, connection, step, copy);
      }
      throw e;
    }
    if (!StepContext.probe(connection, copy.done())) {
      throw new SQLException(
          "the tool has ended well, but the catalog does not show it; probe: " + copy.done().sql());
    }
    return new Result(Outcome.DONE, false, DdlRunner.millisSince(start));
  }

  private Outcome again(
      Connection connection, StepContext step, CopyStep copy, SQLTransientException e)
      throws SQLException {
    cleanUpAfter(e, connection, step, copy);
    String what = String.valueOf(e.getMessage());
    step.event(connection, "CANCEL", null, null, null, "CANCELLED", what);
    SqlErrorKind kind = ctx.dialect().classify(e);
    if (kind == SqlErrorKind.LOCK_TIMEOUT || kind == SqlErrorKind.DEADLOCK) {
      return Outcome.retry(Wait.Kind.LOCK, what);
    }
    Duration after = step.row().policy().builds().retryAfter();
    return Outcome.later(what + "; tried again after " + Reasons.duration(after), after);
  }

  /** The tool of a driver that is gone; null where there is none any more. */
  private @Nullable Outcome orphan(
      Connection connection, StepContext step, CopyStep copy, TableCopier copier, Wish wish)
      throws SQLException {
    Optional<Blocker> session = copier.running(connection, step.lockKey());
    if (session.isEmpty()) {
      return null;
    }
    if (copy.alter() != null) {
      wish.progress("the tool of a driver that is gone goes on: " + session.get().describe());
      LOG.info("{} step {}: {}", step.row().id(), copy.name(), wish.progress);
    }
    while (session.isPresent()) {
      if (copy.alter() == null || wish.hold() != null || wish.stop()) {
        // It can't be told to pause: it is another machine's.
        copier.end(connection, step.lockKey());
        step.event(connection, "CANCEL", null, null, null, "ENDED", session.get().describe());
        return null;
      }
      try {
        Thread.sleep(LOOK_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return Outcome.running(wish.progress);
      }
      session = copier.running(connection, step.lockKey());
    }
    return null;
  }

  /** What fails here is cleaned up before the next attempt; the first failure is what matters. */
  private void cleanUpAfter(
      SQLException failure, Connection connection, StepContext step, CopyStep copy) {
    try {
      cleanUp(connection, step, copy);
    } catch (SQLException e) {
      LOG.warn("{} step {}: what is left of it", step.row().id(), copy.name(), e);
      failure.addSuppressed(e);
    }
  }

  private void cleanUp(Connection connection, StepContext step, CopyStep copy) throws SQLException {
    LockBudget lockBudget = ctx.dialect().lockBudget();
    Duration budget = ctx.timing().lockBudget();
    List<String> dropped = new ArrayList<>();
    for (DdlStep each : copy.cleanUp()) {
      if (StepContext.probe(connection, each.done())) {
        continue;
      }
      lockBudget.begin(connection, each, budget);
      for (String sql : each.sql()) {
        try (Statement statement = connection.createStatement()) {
          lockBudget.execute(statement, ctx.ddlDataSource(), each, step.tagged(sql), budget);
        }
        dropped.add(sql);
      }
      if (!StepContext.probe(connection, each.done())) {
        throw new SQLException(
            "it was cleaned up, but the catalog still shows it; probe: " + each.done().sql());
      }
    }
    if (!dropped.isEmpty()) {
      step.event(
          connection,
          "REPAIR",
          String.join(";\n", dropped),
          null,
          null,
          "APPLIED",
          "a copy that was not finished had left something behind");
    }
  }
}
