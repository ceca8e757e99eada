package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.BackfillProgress;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.internal.control.BackfillRow;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.Repeat;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Drives backfills and verifications from walk to walk: begins them, ends them, and is itself one
 * of those who work on their chunks meanwhile, a slice of time at a call.
 *
 * <p>A walk ends at the greatest key there was when it began: rows that come later are the business
 * of triggers, or of code that writes both columns. When a backfill has walked the table, a
 * verification walks it too; rows that are left, such as those whose key was changed under the
 * walk, start another sweep.
 */
final class ScanRunner {

  private static final int MOST_SWEEPS = 10;
  private static final int SHOWN_KEYS = 5;

  private final EngineContext ctx;
  private final ScanReads reads;
  private final BackfillShared shared;
  private final BackfillWorker worker;

  ScanRunner(EngineContext ctx, BackfillShared shared) {
    this.ctx = ctx;
    this.shared = shared;
    this.reads = new ScanReads(ctx);
    this.worker = new BackfillWorker(ctx, shared, "driver");
  }

  /**
   * Walks for a while.
   *
   * @param step a backfill or a verification
   * @param deadline when to stop, by {@link System#nanoTime()}
   */
  Outcome run(StepContext step, long deadline) throws SQLException {
    try {
      return walk(step, deadline);
    } catch (SQLException e) {
      SqlErrorKind kind = ctx.dialect().classify(e);
      if (kind != SqlErrorKind.DEADLOCK
          && kind != SqlErrorKind.LOCK_TIMEOUT
          && kind != SqlErrorKind.CANCELLED) {
        throw e;
      }
      Outcome retry =
          Outcome.retry(Wait.Kind.LOCK, kind + " in " + step.step().name() + ": " + e.getMessage());
      settle(step, retry);
      return retry;
    }
  }

  /** There is no next slice: others may go on. */
  void letGo() {
    worker.letGo();
  }

  private Outcome walk(StepContext step, long deadline) throws SQLException {
    BackfillTask task = new BackfillTask(step.row(), step.phase(), step.step());
    if (task.lacksFunction()) {
      return Outcome.cant(
          "step "
              + step.step().name()
              + " is computed by Java code that this build doesn't have; a driver whose build"
              + " declares "
              + step.row().id()
              + " must go on");
    }
    begin(step, task);
    while (true) {
      BackfillWorker.Result result = worker.work(task, deadline);
      Outcome outcome =
          switch (result.kind()) {
            case END -> endOfWalk(step, task);
            case OVER -> over(step, task);
            case MORE -> Outcome.more(describe(task));
            case IDLE -> Outcome.running(describe(task));
            case HELD -> held(step, result);
          };
      if (outcome != null) {
        settle(step, outcome);
        return outcome;
      }
    }
  }

  /** Lets others read what it waits for, too. */
  private void settle(StepContext step, Outcome outcome) throws SQLException {
    Wait wait = outcome.waiting();
    if (outcome.kind() == Outcome.Kind.RETRY) {
      step.waits(outcome.kind().name(), wait == null ? "" : wait.what(), null);
    } else if (step.row().waiting() != null && outcome.kind() != Outcome.Kind.FAILED) {
      step.waitsForNothing();
    }
  }

  private static Outcome held(StepContext step, BackfillWorker.Result result) {
    Wait wait = result.waiting();
    if (wait == null) {
      return Outcome.running("step " + step.step().name());
    }
    return wait.kind() == Wait.Kind.LOCK
        ? new Outcome(Outcome.Kind.RETRY, wait)
        : new Outcome(Outcome.Kind.HELD, wait);
  }

  private String describe(BackfillTask task) throws SQLException {
    return Db.autoCommit(
            ctx.ddlDataSource(), c -> BackfillReports.read(ctx, c, task.row(), task.name()))
        .map(BackfillProgress::toString)
        .orElse("about to begin");
  }

  private void begin(StepContext step, BackfillTask task) throws SQLException {
    boolean begun =
        Db.autoCommit(
            ctx.ddlDataSource(), c -> ctx.backfills().read(c, task.row(), task.name()).isPresent());
    if (begun) {
      return;
    }
    boolean created =
        reads.alone(
            connection -> {
              step.lease().requireRunning(connection, step.row());
              if (ctx.backfills().read(connection, task.row(), task.name()).isPresent()) {
                return false;
              }
              step.claim(connection);
              ctx.backfills()
                  .create(
                      connection,
                      task.row(),
                      task.name(),
                      task.backfill() == null,
                      reads.lastKey(connection, task.scan()),
                      reads.estimate(connection, task.scan()),
                      BatchSize.first(task.row().policy().pace(), task.computed()));
              return true;
            });
    if (created) {
      shared.begun();
    }
  }

  /** The backfill as it is now; it is only gone if another driver has discarded it. */
  private BackfillRow read(BackfillTask task) throws SQLException {
    return Db.autoCommit(ctx.ddlDataSource(), c -> ctx.backfills().read(c, task.row(), task.name()))
        .orElseThrow(Lease.LeaseLostException::new);
  }

  /** It has ended, or a row is in the way. */
  private @Nullable Outcome over(StepContext step, BackfillTask task) throws SQLException {
    BackfillRow row = read(task);
    String problem = row.error();
    if (problem != null) {
      shared.reports().ended(task);
      return Outcome.failed(problem);
    }
    return row.done() ? Outcome.DONE : null;
  }

  /** What to do when no key is left: verify, sweep again, or be done. */
  private @Nullable Outcome endOfWalk(StepContext step, BackfillTask task) throws SQLException {
    BackfillRow row = read(task);
    BackfillStep backfill = task.backfill();
    boolean verified = row.verifying() && row.leftOver() == 0;
    boolean mustVerify =
        backfill == null
            || (backfill.mustFinish() && !(backfill.repeat() instanceof Repeat.OncePerKey));
    if (verified || !mustVerify) {
      boolean ended = end(step, task, row, mustVerify);
      if (ended) {
        shared.reports().ended(task);
      }
      return ended ? Outcome.DONE : null;
    }
    if (row.verifying() && (backfill == null || row.sweep() >= MOST_SWEEPS)) {
      return leftOver(step, task, row);
    }
    reads.alone(
        connection -> {
          if (still(step, connection, task, row)) {
            ctx.backfills()
                .walk(
                    connection,
                    task.row(),
                    task.name(),
                    !row.verifying(),
                    row.sweep() + (row.verifying() ? 1 : 0),
                    reads.lastKey(connection, task.scan()));
          }
          return true;
        });
    shared.begun();
    return null;
  }

  /** Whether the walk that has ended is still the present one, which nobody works on. */
  private boolean still(StepContext step, Connection connection, BackfillTask task, BackfillRow row)
      throws SQLException {
    step.lease().requireRunning(connection, step.row());
    BackfillRow now =
        ctx.backfills().lockPatiently(connection, task.row(), task.name()).orElse(null);
    return now != null
        && now.open()
        && now.sweep() == row.sweep()
        && now.verifying() == row.verifying()
        && now.chunks() == row.chunks()
        && now.leftOver() == row.leftOver()
        && ctx.chunks().read(connection, task.row(), task.name()).isEmpty();
  }

  private boolean end(StepContext step, BackfillTask task, BackfillRow row, boolean verified)
      throws SQLException {
    return ctx.ddlTransaction(
        connection -> {
          if (!still(step, connection, task, row)) {
            return false;
          }
          ctx.backfills().done(connection, task.row(), task.name());
          String detail =
              step.step().summary()
                  + ": "
                  + row.rowsDone()
                  + " rows changed in "
                  + row.sweep()
                  + (row.sweep() == 1 ? " sweep" : " sweeps")
                  + (verified
                      ? ", 0 of " + row.rowsSeen() + " rows left or different"
                      : ", " + row.rowsSeen() + " rows walked over");
          step.confirm(
              connection,
              step.step().sql().get(0),
              row.now() - row.startedAt(),
              verified ? "VERIFIED" : "APPLIED",
              detail);
          return true;
        });
  }

  private Outcome leftOver(StepContext step, BackfillTask task, BackfillRow row)
      throws SQLException {
    Scan scan = task.scan();
    List<List<String>> keys =
        reads.alone(
            connection -> {
              List<String> end = reads.lastKey(connection, scan);
              return end == null
                  ? List.<List<String>>of()
                  : reads.pending(connection, scan, null, end, "", SHOWN_KEYS);
            });
    String problem =
        row.leftOver()
            + " rows of "
            + scan.table()
            + " are not as this demands: "
            + step.step().summary()
            + "; for example those with key "
            + keys
            + ". Look at them with SELECT * FROM "
            + scan.table()
            + " WHERE "
            + scan.pending()
            + "; mend them, then resume(\""
            + step.row().id()
            + "\")";
    shared.reports().ended(task);
    reads.alone(
        connection -> {
          if (still(step, connection, task, row)) {
            ctx.backfills().discard(connection, task.row(), task.name());
          }
          return true;
        });
    return Outcome.failed(problem);
  }
}
