package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.internal.control.Progress;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.ScanSql;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Changes the rows of a backfill's chunk.
 *
 * <p>A batch locks its rows until it commits, so it may take no longer than the lock budget: the
 * server cancels one that would, and it is tried again with half as many rows. Only a row that
 * alone takes longer is let through; somebody must change it.
 */
final class BatchRunner {

  private static final String SLOW_ROW = "SLOW_ROW";
  private static final int SKIPPED_TRIES = 3;
  private static final int SHOWN_KEYS = 5;
  private static final long NO_LIMIT = 0;

  private final EngineContext ctx;
  private final ScanSql sql;
  private final ScanReads reads;

  BatchRunner(EngineContext ctx, ScanReads reads) {
    this.ctx = ctx;
    this.sql = ctx.dialect().scans();
    this.reads = reads;
  }

  /** What a batch left behind: how far it came, and keys of rows that others have locked. */
  private record Changed(Progress progress, List<List<String>> skipped) {}

  /**
   * Changes what it can.
   *
   * @param pauseUntil when the pause between two batches ends at the latest, by {@link
   *     System#nanoTime()}
   * @return why the walk can't go on; null if it can, with the progress as it is stored then
   */
  @Nullable Outcome run(
      StepContext step,
      BackfillStep backfill,
      Progress progress,
      List<String> upTo,
      long pauseUntil)
      throws SQLException {
    Progress at = progress;
    for (int attempt = 1; ; attempt++) {
      Optional<Changed> changed = change(step, backfill, at, upTo, budget());
      if (changed.isEmpty()) {
        if (at.batchRows() > 1) {
          shrink(step, at);
          return null;
        }
        changed = change(step, backfill, at, upTo, NO_LIMIT);
      }
      at = changed.orElseThrow().progress();
      List<List<String>> skipped = changed.get().skipped();
      if (skipped.isEmpty()) {
        pause(step.row().policy().pace().pause(), pauseUntil);
        return null;
      }
      Outcome poisoned = poisoned(backfill, at, upTo);
      if (poisoned != null) {
        return poisoned;
      }
      if (attempt >= SKIPPED_TRIES) {
        return oneByOne(step, backfill, at, skipped);
      }
      pause(Duration.ofMillis(20L * attempt), Long.MAX_VALUE);
    }
  }

  private long budget() {
    return ctx.timing().lockBudget().toMillis();
  }

  /**
   * Changes what isn't locked; the cursor moves only if nothing pending is left behind it. Empty if
   * the limit was not enough.
   */
  private Optional<Changed> change(
      StepContext step, BackfillStep backfill, Progress progress, List<String> upTo, long limit)
      throws SQLException {
    long start = System.nanoTime();
    try {
      return Optional.of(
          ctx.ddlTransaction(
              connection -> {
                step.lease().requireRunning(connection, step.row());
                return change(connection, step, backfill, progress, upTo, limit);
              }));
    } catch (SQLException e) {
      boolean ours =
          ctx.dialect().classify(e) == SqlErrorKind.CANCELLED
              && limit != NO_LIMIT
              && DdlRunner.millisSince(start) >= limit;
      if (ours) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private Changed change(
      Connection connection,
      StepContext step,
      BackfillStep backfill,
      Progress progress,
      List<String> upTo,
      long limit)
      throws SQLException {
    reads.limit(connection, limit);
    long start = System.nanoTime();
    int rows =
        Db.update(
            connection,
            step.tagged(sql.update(backfill, progress.cursor() != null)),
            ScanReads.range(progress.cursor(), upTo).toArray());
    if (limit != NO_LIMIT) {
      // The rows stay locked: what follows has only what is left.
      reads.limit(connection, Math.max(1, limit - DdlRunner.millisSince(start)));
    }
    List<List<String>> left =
        reads.pending(connection, backfill.scan(), progress.cursor(), upTo, "", SHOWN_KEYS);
    long millis = DdlRunner.millisSince(start);
    Progress moved = left.isEmpty() ? progress.moved(upTo, rows, 0) : progress.changed(rows);
    Progress sized = moved.sized(millis, budget(), step.row().policy().pace().maxRows());
    step.save(connection, sized);
    if (limit == NO_LIMIT && millis > budget()) {
      noteSlowRow(connection, step, backfill, upTo, millis);
    }
    return new Changed(sized, left);
  }

  /** Once for a backfill: where one row is slow, most are. */
  private void noteSlowRow(
      Connection connection, StepContext step, BackfillStep backfill, List<String> key, long millis)
      throws SQLException {
    if (ctx.events().has(connection, step.row(), SLOW_ROW, backfill.name())) {
      return;
    }
    step.event(
        connection,
        SLOW_ROW,
        null,
        millis,
        null,
        "OVER_BUDGET",
        "row with key "
            + key
            + " of "
            + backfill.scan().table()
            + " alone took "
            + millis
            + " ms, longer than the lock budget of "
            + budget()
            + " ms; who changes such a row meanwhile waits for that long. Other such rows are not"
            + " noted");
  }

  /** Goes back to the same place with half as many rows. */
  private void shrink(StepContext step, Progress progress) throws SQLException {
    ctx.ddlTransaction(
        connection -> {
          step.lease().requireRunning(connection, step.row());
          step.save(connection, progress.halved());
          return true;
        });
  }

  /** A row that the assignments can't mend, among those that were not changed. */
  private @Nullable Outcome poisoned(BackfillStep backfill, Progress progress, List<String> upTo)
      throws SQLException {
    String poison = backfill.poison();
    if (poison == null) {
      return null;
    }
    List<List<String>> bad =
        reads.alone(
            connection ->
                reads.pending(connection, backfill.scan(), progress.cursor(), upTo, poison, 1));
    return bad.isEmpty()
        ? null
        : Outcome.failed(
            "row with key "
                + bad.get(0)
                + " of "
                + backfill.scan().table()
                + " can't be filled: "
                + poison
                + " holds for it; mend the row, then resume the migration");
  }

  /** Waits for rows that others hold, holding nothing else meanwhile. */
  private @Nullable Outcome oneByOne(
      StepContext step, BackfillStep backfill, Progress progress, List<List<String>> keys)
      throws SQLException {
    Progress at = progress;
    for (List<String> key : keys) {
      Progress before = at;
      try {
        at =
            ctx.ddlTransaction(
                connection -> {
                  step.lease().requireRunning(connection, step.row());
                  Db.execute(connection, sql.limitLockWait(budget()));
                  // How long it waits is limited; a single row can't be made smaller.
                  reads.limit(connection, NO_LIMIT);
                  int rows =
                      Db.update(connection, step.tagged(sql.updateOne(backfill)), key.toArray());
                  Progress after = before.changed(rows);
                  step.save(connection, after);
                  return after;
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
