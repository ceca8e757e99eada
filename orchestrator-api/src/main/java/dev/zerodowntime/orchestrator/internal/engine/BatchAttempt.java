package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Pace;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.internal.control.Chunk;
import dev.zerodowntime.orchestrator.internal.control.Events.Event;
import dev.zerodowntime.orchestrator.internal.engine.BackfillWorker.ClaimLostException;
import dev.zerodowntime.orchestrator.internal.engine.BackfillWorker.Held;
import dev.zerodowntime.orchestrator.internal.engine.BackfillWorker.Result;
import dev.zerodowntime.orchestrator.internal.engine.BatchRunner.Batch;
import dev.zerodowntime.orchestrator.internal.engine.BatchRunner.Changed;
import dev.zerodowntime.orchestrator.internal.engine.BatchRunner.Way;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.Repeat;
import dev.zerodowntime.orchestrator.spi.RowChange;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * One batch, and what follows from how it went: another size, a way around locks, a search for the
 * row that is in the way. The claim's token is checked and kept in the batch's own transaction.
 *
 * <p>A batch locks its rows until it commits, so it may take no longer than the lock budget: the
 * server cancels one that would, and it is tried again with half as many rows. Only a row that
 * alone takes longer is let through; somebody must change it.
 */
final class BatchAttempt {

  private static final String SLOW_ROW = "SLOW_ROW";
  private static final int SKIPPED_TRIES = 3;
  private static final int DEADLOCK_TRIES = 5;
  private static final int LEDGER_TRIES = 3;
  private static final int AROUND_BATCHES = 3;
  private static final long MILLIS = 1_000_000;

  private final EngineContext ctx;
  private final BackfillShared shared;
  private final ScanReads reads;
  private final BatchRunner batches;
  private final RowStop rowStop;

  BatchAttempt(EngineContext ctx, ScanReads reads, BackfillShared shared) {
    this.ctx = ctx;
    this.shared = shared;
    this.reads = reads;
    this.batches = new BatchRunner(ctx, reads);
    this.rowStop = new RowStop(ctx, reads);
  }

  /** What a batch's transaction has left behind. */
  private record Left(Chunk chunk, @Nullable List<String> upTo, List<List<String>> skipped) {}

  /**
   * Tries one batch.
   *
   * @return why this worker can't go on; null if it can
   */
  @Nullable Result batch(BackfillTask task, Held held, Pace pace) throws SQLException {
    long limit = held.unlimited ? 0 : budget();
    long start = System.nanoTime();
    held.walked = false;
    Left left;
    try {
      left = reads.alone(c -> inTransaction(c, task, held, pace, limit));
    } catch (BatchRunner.UnrepeatableException e) {
      return rowStop.unrepeatable(task, held, e);
    } catch (BatchRunner.FunctionException e) {
      return badRow(task, held, String.valueOf(e.getMessage()));
    } catch (BatchRunner.TooSlowException e) {
      return tooSlow(held);
    } catch (SQLException e) {
      return failed(task, held, e, limit, DdlRunner.millisSince(start));
    }
    held.deadlocks = 0;
    held.conflicts = 0;
    held.unlimited = false;
    boolean walked = left.skipped().isEmpty();
    if (walked && held.chunk().batchRows() == 1) {
      // The row that was looked for is behind.
      held.careful = 0;
    } else if (walked) {
      held.careful -= left.chunk().rowsSeen() - held.chunk().rowsSeen();
    }
    held.chunk(left.chunk());
    if (walked) {
      held.walked = true;
      held.attempts = 0;
      held.around = Math.max(0, held.around - 1);
      return null;
    }
    return others(task, held, left);
  }

  private long budget() {
    return ctx.timing().lockBudget().toMillis();
  }

  private long ttl() {
    return ctx.timing().lease().toMillis();
  }

  private Left inTransaction(
      Connection connection, BackfillTask task, Held held, Pace pace, long limit)
      throws SQLException {
    Chunk chunk = held.chunk();
    if (!ctx.chunks().hold(connection, task.row(), task.name(), chunk)) {
      throw new ClaimLostException();
    }
    if (!ctx.reader().running(connection, task.row(), ctx.server())) {
      throw new Lease.PausedException();
    }
    int rows = chunk.batchRows() * (held.verifying() ? BackfillWorker.VERIFY_FACTOR : 1);
    ScanReads.Bound bound =
        reads.bound(connection, task.scan(), chunk.from(), chunk.to(), rows).orElse(null);
    Left left;
    if (bound == null) {
      left = new Left(chunk.ended(), null, List.of());
    } else {
      // What is left behind its last key, if anything, belongs to the chunk as well.
      List<String> upTo = bound.rows() < rows ? chunk.to() : bound.key();
      left =
          held.verifying()
              ? verify(connection, task, held, pace, bound.rows(), upTo)
              : change(connection, task, held, pace, bound.rows(), upTo, limit);
    }
    if (!ctx.chunks().save(connection, task.row(), task.name(), left.chunk(), ttl())) {
      throw new ClaimLostException();
    }
    return left;
  }

  private Left verify(
      Connection connection, BackfillTask task, Held held, Pace pace, long rows, List<String> upTo)
      throws SQLException {
    Chunk chunk = held.chunk();
    long start = System.nanoTime();
    reads.limit(connection, 0, budget());
    long pending = reads.countPending(connection, task.scan(), chunk.from(), upTo);
    int next =
        held.next(
            rows / BackfillWorker.VERIFY_FACTOR, DdlRunner.millisSince(start), pace, budget());
    return new Left(chunk.moved(upTo, 0, rows, pending, next), upTo, List.of());
  }

  private Left change(
      Connection connection,
      BackfillTask task,
      Held held,
      Pace pace,
      long rows,
      List<String> upTo,
      long limit)
      throws SQLException {
    Chunk chunk = held.chunk();
    Batch batch = new Batch(task, chunk, upTo, limit, held.checks());
    long start = System.nanoTime();
    Changed changed = batches.change(connection, batch, way(batch.backfill(), held));
    long millis = DdlRunner.millisSince(start);
    int next = held.next(rows, millis, pace, budget());
    if (pace.maxWaiting() != null) {
      int waiting = ctx.dialect().load().sessionsWaiting(connection);
      held.stretch(Waiters.stretch(waiting, pace));
      if (Waiters.over(waiting, pace)) {
        next = BatchSize.half(Math.min(next, chunk.batchRows()));
      }
    }
    if (limit == 0 && millis > budget()) {
      noteSlowRow(connection, task, chunk, upTo, millis);
    }
    return changed.skipped().isEmpty()
        ? new Left(chunk.moved(upTo, changed.rows(), rows, 0, next), upTo, List.of())
        : new Left(chunk.changed(changed.rows()), upTo, changed.skipped());
  }

  private static Way way(BackfillStep backfill, Held held) {
    if (allOrNothing(backfill) && held.around > 0) {
      // All or nothing: who is in the way is found by halving, and then waited for.
      return held.chunk().batchRows() == 1 ? Way.WAITING : Way.AT_ONCE;
    }
    return held.around > 0 ? Way.AROUND_LOCKS : BatchRunner.usual(backfill);
  }

  /**
   * Whether rows that others have locked can't be left out: of work that can't be repeated; or
   * because they are rows of another table, which skipping can't reach.
   */
  private static boolean allOrNothing(BackfillStep backfill) {
    return backfill.repeat() instanceof Repeat.OncePerKey
        || backfill.change() instanceof RowChange.Copy;
  }

  /** Once for a backfill: where one row is slow, most are. */
  private void noteSlowRow(
      Connection connection, BackfillTask task, Chunk chunk, List<String> key, long millis)
      throws SQLException {
    if (ctx.events().has(connection, task.row(), SLOW_ROW, task.name())) {
      return;
    }
    ctx.events()
        .append(
            connection,
            task.row(),
            new Event(
                SLOW_ROW,
                task.phase(),
                task.name(),
                null,
                millis,
                null,
                "OVER_BUDGET",
                "row with key "
                    + key
                    + " of "
                    + task.scan().table()
                    + " alone took "
                    + millis
                    + " ms, longer than the lock budget of "
                    + budget()
                    + " ms; who changes such a row meanwhile waits for that long. Other such rows"
                    + " are not noted",
                chunk.token()));
  }

  /** Rows that others have locked are tried again, and at last waited for one by one. */
  private @Nullable Result others(BackfillTask task, Held held, Left left) throws SQLException {
    BackfillStep backfill = task.backfill();
    List<String> upTo = left.upTo();
    if (backfill == null || upTo == null) {
      return null;
    }
    Result poisoned = rowStop.poisoned(task, held, backfill, upTo);
    if (poisoned != null) {
      return poisoned;
    }
    held.around = AROUND_BATCHES;
    held.attempts++;
    if (held.attempts < SKIPPED_TRIES) {
      shared.stop().await(20L * held.attempts * MILLIS);
      return null;
    }
    held.attempts = 0;
    for (List<String> key : left.skipped()) {
      try {
        Chunk after =
            reads.alone(
                connection -> {
                  Chunk chunk = held.chunk();
                  if (!ctx.chunks().hold(connection, task.row(), task.name(), chunk)) {
                    throw new ClaimLostException();
                  }
                  long rows = batches.changeOne(connection, task, chunk, key);
                  Chunk changed = chunk.changed(rows);
                  if (!ctx.chunks().save(connection, task.row(), task.name(), changed, ttl())) {
                    throw new ClaimLostException();
                  }
                  return changed;
                });
        held.chunk(after);
      } catch (BatchRunner.FunctionException e) {
        return rowStop.bad(task, held, key, String.valueOf(e.getMessage()));
      } catch (SQLException e) {
        SqlErrorKind kind = ctx.dialect().classify(e);
        if (kind == SqlErrorKind.LOCK_TIMEOUT || kind == SqlErrorKind.DEADLOCK) {
          return lockedByOthers(task, key);
        }
        if (kind == SqlErrorKind.DATA) {
          return rowStop.bad(task, held, key, RowStop.said(e));
        }
        throw e;
      }
    }
    return null;
  }

  private static Result lockedByOthers(BackfillTask task, @Nullable List<String> key) {
    return Result.held(
        Wait.Kind.LOCK,
        (key == null ? "a row" : "row with key " + key)
            + " of "
            + task.scan().table()
            + " has been locked by somebody else for longer than the lock budget");
  }

  private @Nullable Result failed(
      BackfillTask task, Held held, SQLException e, long limit, long millis) throws SQLException {
    int rows = held.chunk().batchRows();
    switch (ctx.dialect().classify(e)) {
      case CANCELLED -> {
        if (limit == 0 || millis < limit) {
          return Result.held(Wait.Kind.LOCK, "a batch was cancelled: " + e.getMessage());
        }
        return tooSlow(held);
      }
      case LOCK_TIMEOUT -> {
        BackfillStep backfill = task.backfill();
        boolean allOrNothing = backfill != null && allOrNothing(backfill);
        boolean before = held.around > 0;
        held.around = AROUND_BATCHES;
        if (allOrNothing && rows > 1) {
          held.careful = Math.max(held.careful, rows);
          held.chunk(held.chunk().batch(BatchSize.half(rows)));
          return null;
        }
        return before ? lockedByOthers(task, null) : null;
      }
      case DEADLOCK -> {
        held.deadlocks++;
        if (held.deadlocks > DEADLOCK_TRIES) {
          return Result.held(Wait.Kind.LOCK, "batches fail again and again: " + RowStop.said(e));
        }
        held.around = AROUND_BATCHES;
        shared.stop().await(ThreadLocalRandom.current().nextLong(20L * held.deadlocks * MILLIS));
        return null;
      }
      case DATA -> {
        BackfillStep backfill = task.backfill();
        boolean ledger = backfill != null && backfill.repeat() instanceof Repeat.OncePerLedger;
        held.conflicts++;
        if (ledger && held.conflicts <= LEDGER_TRIES) {
          // A row that was done has just got another key: the next look finds that in the ledger.
          return null;
        }
        return badRow(task, held, RowStop.said(e));
      }
      default -> throw e;
    }
  }

  /** Half as many rows; one alone is let through. */
  private static @Nullable Result tooSlow(Held held) {
    int rows = held.chunk().batchRows();
    held.unlimited = rows == 1;
    held.chunk(held.chunk().batch(BatchSize.half(rows)));
    return null;
  }

  /** Goes back to the same place with half as many rows, until the one is found. */
  private @Nullable Result badRow(BackfillTask task, Held held, String said) throws SQLException {
    int rows = held.chunk().batchRows();
    if (rows == 1) {
      return rowStop.bad(task, held, null, said);
    }
    held.careful = Math.max(held.careful, rows);
    held.chunk(held.chunk().batch(BatchSize.half(rows)));
    return null;
  }
}
