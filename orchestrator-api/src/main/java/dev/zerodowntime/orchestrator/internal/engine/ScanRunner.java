package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.internal.control.Progress;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.ScanSql;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Runs backfills and verifications, a slice of time at a call. Rows, progress and the check of the
 * lease's token commit together, so any driver can go on where another stopped, and a driver that
 * was overtaken changes nothing.
 *
 * <p>A walk ends at the greatest key there was when it began: rows that come later are the business
 * of triggers, or of code that writes both columns. Rows that others have locked are skipped, tried
 * again, and at last waited for one by one while nothing else is locked. When a backfill has walked
 * the table, a verification walks it too; rows that are left, such as those whose key was changed
 * under the walk, start another sweep.
 */
final class ScanRunner {

  private static final int MOST_SWEEPS = 10;
  private static final int SKIPPED_TRIES = 3;
  private static final int SHOWN_KEYS = 5;

  /** A verification only reads, so its chunks may be larger than those that lock. */
  private static final int VERIFY_FACTOR = 10;

  private final EngineContext ctx;
  private final ScanSql sql;

  ScanRunner(EngineContext ctx) {
    this.ctx = ctx;
    this.sql = ctx.dialect().scans();
  }

  Outcome backfill(StepContext step, BackfillStep backfill, long deadline) throws SQLException {
    return run(step, backfill.scan(), backfill, deadline);
  }

  Outcome verify(StepContext step, VerifyStep verify, long deadline) throws SQLException {
    return run(step, verify.scan(), null, deadline);
  }

  private Outcome run(StepContext step, Scan scan, @Nullable BackfillStep backfill, long deadline)
      throws SQLException {
    Progress progress = start(step, scan, backfill == null);
    do {
      if (progress.finished()) {
        return Outcome.DONE;
      }
      Progress before = progress;
      List<String> upTo = progress.end() == null ? null : chunkEnd(step, scan, before);
      if (upTo == null) {
        Outcome outcome = endOfWalk(step, scan, backfill, progress);
        if (outcome != null) {
          return outcome;
        }
      } else if (backfill == null || progress.verifying()) {
        countChunk(step, scan, before, upTo);
      } else {
        Outcome outcome = changeChunk(step, backfill, before, upTo);
        if (outcome != null) {
          return outcome;
        }
        pause(step.row().policy().batchPause(), deadline);
      }
      progress =
          Db.autoCommit(
                  ctx.dataSource(),
                  c -> Progress.read(c, ctx.tables(), step.row(), step.step().name()))
              .orElseThrow(Lease.LeaseLostException::new);
    } while (System.nanoTime() - deadline < 0);
    return progress.finished() ? Outcome.DONE : Outcome.more(progress.describe());
  }

  private Progress start(StepContext step, Scan scan, boolean verify) throws SQLException {
    return Db.transaction(
        ctx.ddlDataSource(),
        connection -> {
          step.lease().requireRunning(connection, step.row());
          Optional<Progress> found =
              Progress.read(connection, ctx.tables(), step.row(), step.step().name());
          if (found.isPresent()) {
            return found.get();
          }
          step.claim(connection);
          long estimate =
              Db.queryOne(connection, sql.estimate(scan), row -> row.getLong(1)).orElse(-1L);
          Progress fresh =
              new Progress(
                  step.step().name(),
                  verify,
                  false,
                  1,
                  null,
                  lastKey(connection, scan),
                  0,
                  estimate,
                  0,
                  step.row().policy().batchRows());
          fresh.write(connection, ctx.tables(), step.row());
          return fresh;
        });
  }

  /** What to do when no key is left: verify, sweep again, or be done. */
  private @Nullable Outcome endOfWalk(
      StepContext step, Scan scan, @Nullable BackfillStep backfill, Progress progress)
      throws SQLException {
    boolean verified = progress.verifying() && progress.leftOver() == 0;
    boolean mustVerify = backfill == null || backfill.mustFinish();
    if (verified || !mustVerify) {
      return Db.transaction(
          ctx.dataSource(),
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
          Db.autoCommit(
              ctx.dataSource(),
              connection -> {
                List<String> end = lastKey(connection, scan);
                return end == null
                    ? List.<List<String>>of()
                    : pending(connection, scan, null, end, "", SHOWN_KEYS);
              });
      String problem =
          progress.leftOver()
              + " rows of "
              + scan.table()
              + " are left or different after "
              + step.step().summary()
              + ", for example those with key "
              + keys
              + "; look at them with SELECT * FROM "
              + scan.table()
              + " WHERE "
              + scan.pending();
      Db.autoCommit(
          ctx.dataSource(),
          connection -> {
            Progress.discard(connection, ctx.tables(), step.row(), step.step().name());
            return true;
          });
      return Outcome.failed(problem);
    }
    Db.transaction(
        ctx.ddlDataSource(),
        connection -> {
          step.lease().requireRunning(connection, step.row());
          List<String> end = lastKey(connection, scan);
          Progress walk =
              progress.verifying()
                  ? progress.walk(false, progress.sweep() + 1, end)
                  : progress.walk(true, progress.sweep(), end);
          walk.write(connection, ctx.tables(), step.row());
          return true;
        });
    return null;
  }

  private void countChunk(StepContext step, Scan scan, Progress progress, List<String> upTo)
      throws SQLException {
    Db.transaction(
        ctx.ddlDataSource(),
        connection -> {
          List<Object> range = range(progress.cursor(), upTo);
          long left =
              Db.queryOne(
                      connection,
                      sql.countPending(scan, progress.cursor() != null),
                      row -> row.getLong(1),
                      range.toArray())
                  .orElse(0L);
          step.lease().requireRunning(connection, step.row());
          progress.moved(upTo, 0, left).write(connection, ctx.tables(), step.row());
          return true;
        });
  }

  private @Nullable Outcome changeChunk(
      StepContext step, BackfillStep backfill, Progress progress, List<String> upTo)
      throws SQLException {
    for (int attempt = 1; ; attempt++) {
      long start = System.nanoTime();
      List<List<String>> skipped;
      try {
        skipped = changeOnce(step, backfill, progress, upTo, start);
      } catch (SQLException e) {
        SqlErrorKind kind = ctx.dialect().classify(e);
        if (kind == SqlErrorKind.DEADLOCK
            || kind == SqlErrorKind.LOCK_TIMEOUT
            || kind == SqlErrorKind.CANCELLED) {
          return Outcome.retry(Wait.Kind.LOCK, kind + " in a batch: " + e.getMessage());
        }
        throw e;
      }
      if (skipped.isEmpty()) {
        return null;
      }
      if (backfill.poison() != null) {
        List<List<String>> bad = poisoned(backfill, progress, upTo);
        if (!bad.isEmpty()) {
          return Outcome.failed(
              "row with key "
                  + bad.get(0)
                  + " of "
                  + backfill.scan().table()
                  + " can't be filled: "
                  + backfill.poison()
                  + " holds for it; mend the row, then resume the migration");
        }
      }
      if (attempt >= SKIPPED_TRIES) {
        return oneByOne(step, backfill, skipped);
      }
      pause(Duration.ofMillis(20L * attempt), Long.MAX_VALUE);
    }
  }

  /** Changes what isn't locked; the cursor moves only if nothing pending is left behind it. */
  private List<List<String>> changeOnce(
      StepContext step, BackfillStep backfill, Progress progress, List<String> upTo, long start)
      throws SQLException {
    return Db.transaction(
        ctx.ddlDataSource(),
        connection -> {
          step.lease().requireRunning(connection, step.row());
          boolean bounded = progress.cursor() != null;
          int rows =
              Db.update(
                  connection,
                  step.tagged(sql.update(backfill, bounded)),
                  range(progress.cursor(), upTo).toArray());
          List<List<String>> left =
              pending(connection, backfill.scan(), progress.cursor(), upTo, "", SHOWN_KEYS);
          Progress moved =
              left.isEmpty()
                  ? progress.moved(upTo, rows, 0)
                  : new Progress(
                      progress.step(),
                      false,
                      false,
                      progress.sweep(),
                      progress.cursor(),
                      progress.end(),
                      progress.rowsDone() + rows,
                      progress.rowsTotal(),
                      0,
                      progress.batchRows());
          resized(step, moved, start).write(connection, ctx.tables(), step.row());
          return left;
        });
  }

  /** A batch locks its rows until it commits: that must not take longer than the lock budget. */
  private Progress resized(StepContext step, Progress progress, long start) {
    long millis = DdlRunner.millisSince(start);
    long budget = ctx.timing().lockBudget().toMillis();
    int most = step.row().policy().batchRows();
    if (millis > budget) {
      return progress.batch(Math.max(Math.min(10, most), progress.batchRows() / 2));
    }
    return millis < budget / 4 && progress.batchRows() < most
        ? progress.batch(Math.min(most, progress.batchRows() * 2))
        : progress;
  }

  private List<List<String>> poisoned(BackfillStep backfill, Progress progress, List<String> upTo)
      throws SQLException {
    return Db.autoCommit(
        ctx.ddlDataSource(),
        connection ->
            pending(
                connection,
                backfill.scan(),
                progress.cursor(),
                upTo,
                String.valueOf(backfill.poison()),
                1));
  }

  /** Waits for rows that others hold, holding nothing else meanwhile. */
  private @Nullable Outcome oneByOne(
      StepContext step, BackfillStep backfill, List<List<String>> keys) throws SQLException {
    for (List<String> key : keys) {
      try {
        Db.transaction(
            ctx.ddlDataSource(),
            connection -> {
              step.lease().requireRunning(connection, step.row());
              Db.execute(connection, sql.limitLockWait(ctx.timing().lockBudget().toMillis()));
              return Db.update(connection, step.tagged(sql.updateOne(backfill)), key.toArray());
            });
      } catch (SQLException e) {
        SqlErrorKind kind = ctx.dialect().classify(e);
        if (kind == SqlErrorKind.LOCK_TIMEOUT || kind == SqlErrorKind.DEADLOCK) {
          return Outcome.retry(
              Wait.Kind.LOCK,
              "row with key "
                  + key
                  + " of "
                  + backfill.scan().table()
                  + " has been locked by somebody else for longer than the lock budget");
        }
        throw e;
      }
    }
    return null;
  }

  private @Nullable List<String> chunkEnd(StepContext step, Scan scan, Progress progress)
      throws SQLException {
    List<String> end = progress.end();
    if (end == null) {
      return null;
    }
    return Db.autoCommit(
            ctx.ddlDataSource(),
            connection -> {
              List<Object> parameters = range(progress.cursor(), end);
              parameters.add(
                  progress.verifying()
                      ? progress.batchRows() * VERIFY_FACTOR
                      : progress.batchRows());
              return Db.queryOne(
                  connection,
                  sql.chunkEnd(scan, progress.cursor() != null),
                  row -> key(row, scan),
                  parameters.toArray());
            })
        .orElse(null);
  }

  private @Nullable List<String> lastKey(Connection connection, Scan scan) throws SQLException {
    return Db.queryOne(connection, sql.lastKey(scan), row -> key(row, scan)).orElse(null);
  }

  private List<List<String>> pending(
      Connection connection,
      Scan scan,
      @Nullable List<String> after,
      List<String> upTo,
      String extra,
      int limit)
      throws SQLException {
    List<Object> parameters = range(after, upTo);
    parameters.add(limit);
    return Db.query(
        connection,
        sql.pending(scan, after != null, extra),
        row -> key(row, scan),
        parameters.toArray());
  }

  private static List<Object> range(@Nullable List<String> after, List<String> upTo) {
    List<Object> parameters = new ArrayList<>();
    if (after != null) {
      parameters.addAll(after);
    }
    parameters.addAll(upTo);
    return parameters;
  }

  private static List<String> key(ResultSet row, Scan scan) throws SQLException {
    List<String> key = new ArrayList<>();
    for (int i = 1; i <= scan.keys().size(); i++) {
      key.add(row.getString(i));
    }
    return key;
  }

  private static void pause(Duration pause, long deadline) {
    long millis =
        deadline == Long.MAX_VALUE
            ? pause.toMillis()
            : Math.min(pause.toMillis(), (deadline - System.nanoTime()) / 1_000_000);
    if (millis > 0) {
      try {
        Thread.sleep(millis);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
