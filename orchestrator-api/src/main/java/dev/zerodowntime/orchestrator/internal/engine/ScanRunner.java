package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.internal.control.Progress;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Walks along a table for backfills and verifications, a slice of time at a call. Rows, progress
 * and the check of the lease's token commit together, so any driver can go on where another
 * stopped, and a driver that was overtaken changes nothing.
 *
 * <p>A walk ends at the greatest key there was when it began: rows that come later are the business
 * of triggers, or of code that writes both columns. Rows that others have locked are skipped, tried
 * again, and at last waited for one by one while nothing else is locked. When a backfill has walked
 * the table, a verification walks it too; rows that are left, such as those whose key was changed
 * under the walk, start another sweep.
 */
final class ScanRunner {

  private static final int MOST_SWEEPS = 10;
  private static final int SHOWN_KEYS = 5;

  /** A first batch that is small enough for slow rows; quick ones make it grow soon. */
  private static final int FIRST_BATCH = 100;

  private final EngineContext ctx;
  private final ScanReads reads;
  private final BatchRunner batches;

  ScanRunner(EngineContext ctx) {
    this.ctx = ctx;
    this.reads = new ScanReads(ctx);
    this.batches = new BatchRunner(ctx, reads);
  }

  Outcome backfill(StepContext step, BackfillStep backfill, long deadline) throws SQLException {
    return run(step, backfill.scan(), backfill, deadline);
  }

  Outcome verify(StepContext step, VerifyStep verify, long deadline) throws SQLException {
    return run(step, verify.scan(), null, deadline);
  }

  private Outcome run(StepContext step, Scan scan, @Nullable BackfillStep backfill, long deadline)
      throws SQLException {
    try {
      return walk(step, scan, backfill, deadline);
    } catch (SQLException e) {
      SqlErrorKind kind = ctx.dialect().classify(e);
      if (kind == SqlErrorKind.DEADLOCK
          || kind == SqlErrorKind.LOCK_TIMEOUT
          || kind == SqlErrorKind.CANCELLED) {
        return retry(
            step,
            Outcome.retry(
                Wait.Kind.LOCK, kind + " in " + step.step().name() + ": " + e.getMessage()));
      }
      throw e;
    }
  }

  private Outcome walk(StepContext step, Scan scan, @Nullable BackfillStep backfill, long deadline)
      throws SQLException {
    Progress progress = start(step, scan, backfill == null);
    do {
      if (progress.finished()) {
        return Outcome.DONE;
      }
      List<String> upTo = reads.chunkEnd(scan, progress).orElse(null);
      Outcome outcome = null;
      if (upTo == null) {
        outcome = endOfWalk(step, scan, backfill, progress);
      } else if (backfill == null || progress.verifying()) {
        countChunk(step, scan, progress, upTo);
      } else {
        outcome = batches.run(step, backfill, progress, upTo, deadline);
      }
      if (outcome != null) {
        return outcome.kind() == Outcome.Kind.RETRY ? retry(step, outcome) : outcome;
      }
      progress =
          Db.autoCommit(
                  ctx.dataSource(),
                  c -> Progress.read(c, ctx.tables(), step.row(), step.step().name()))
              .orElseThrow(Lease.LeaseLostException::new);
    } while (System.nanoTime() - deadline < 0);
    return progress.finished() ? Outcome.DONE : Outcome.more(progress.describe());
  }

  /** Lets others read what it waits for, too. */
  private static Outcome retry(StepContext step, Outcome outcome) throws SQLException {
    Wait wait = outcome.waiting();
    step.waits(outcome.kind().name(), wait == null ? "" : wait.what(), null);
    return outcome;
  }

  private Progress start(StepContext step, Scan scan, boolean verify) throws SQLException {
    return reads.alone(
        connection -> {
          step.lease().requireRunning(connection, step.row());
          Optional<Progress> found =
              Progress.read(connection, ctx.tables(), step.row(), step.step().name());
          if (found.isPresent()) {
            return found.get();
          }
          step.claim(connection);
          Progress fresh =
              new Progress(
                  step.step().name(),
                  verify,
                  false,
                  1,
                  null,
                  reads.lastKey(connection, scan),
                  0,
                  reads.estimate(connection, scan),
                  0,
                  firstBatch(step));
          fresh.write(connection, ctx.tables(), step.row());
          return fresh;
        });
  }

  private static int firstBatch(StepContext step) {
    return Math.min(FIRST_BATCH, step.row().policy().pace().maxRows());
  }

  /** What to do when no key is left: verify, sweep again, or be done. */
  private @Nullable Outcome endOfWalk(
      StepContext step, Scan scan, @Nullable BackfillStep backfill, Progress progress)
      throws SQLException {
    boolean verified = progress.verifying() && progress.leftOver() == 0;
    boolean mustVerify = backfill == null || backfill.mustFinish();
    if (verified || !mustVerify) {
      return ctx.transaction(
          connection -> {
            step.lease().requireRunning(connection, step.row());
            progress.done().write(connection, ctx.tables(), step.row());
            String detail =
                step.step().summary()
                    + ": "
                    + progress.rowsDone()
                    + " rows changed in "
                    + progress.sweep()
                    + (progress.sweep() == 1 ? " sweep" : " sweeps")
                    + (mustVerify ? ", 0 rows left or different" : "");
            step.confirm(
                connection,
                step.step().sql().get(0),
                0,
                mustVerify ? "VERIFIED" : "APPLIED",
                detail);
            return Outcome.DONE;
          });
    }
    if (progress.verifying() && (backfill == null || progress.sweep() >= MOST_SWEEPS)) {
      List<List<String>> keys =
          reads.alone(
              connection -> {
                List<String> end = reads.lastKey(connection, scan);
                return end == null
                    ? List.<List<String>>of()
                    : reads.pending(connection, scan, null, end, "", SHOWN_KEYS);
              });
      String problem =
          progress.leftOver()
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
      Db.autoCommit(
          ctx.dataSource(),
          connection -> {
            Progress.discard(connection, ctx.tables(), step.row(), step.step().name());
            return true;
          });
      return Outcome.failed(problem);
    }
    reads.alone(
        connection -> {
          step.lease().requireRunning(connection, step.row());
          List<String> end = reads.lastKey(connection, scan);
          Progress walk =
              progress.verifying()
                  ? progress.walk(false, progress.sweep() + 1, end).batch(firstBatch(step))
                  : progress.walk(true, progress.sweep(), end);
          step.save(connection, walk);
          return true;
        });
    return null;
  }

  private void countChunk(StepContext step, Scan scan, Progress progress, List<String> upTo)
      throws SQLException {
    reads.alone(
        connection -> {
          long start = System.nanoTime();
          long left = reads.countPending(connection, scan, progress.cursor(), upTo);
          long millis = DdlRunner.millisSince(start);
          step.lease().requireRunning(connection, step.row());
          step.save(
              connection,
              progress
                  .moved(upTo, 0, left)
                  .sized(
                      millis,
                      ctx.timing().lockBudget().toMillis(),
                      step.row().policy().pace().maxRows()));
          return true;
        });
  }
}
