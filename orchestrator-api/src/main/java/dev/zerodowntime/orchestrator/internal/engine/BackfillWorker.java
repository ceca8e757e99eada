package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Pace;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.internal.control.BackfillRow;
import dev.zerodowntime.orchestrator.internal.control.Chunk;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * Works on backfills: claims a chunk, walks through it batch by batch, claims the next. Any thread
 * of any process can be one, without the lease; what keeps them apart is the claim, whose token is
 * checked in every batch's transaction. Used by one thread at a time.
 */
final class BackfillWorker {

  /** A verification only reads, so its batches may be larger than those that lock. */
  static final int VERIFY_FACTOR = 10;

  private static final int CLAIM_TRIES = 40;
  private static final long CLAIM_NANOS = 1_000_000;

  private final EngineContext ctx;
  private final BackfillShared shared;
  private final ScanReads reads;
  private final ChunkClaims claims;
  private final BatchAttempt attempt;

  /** By {@link System#nanoTime()}, when a backfill's next batch may start here. */
  private final Map<String, Long> notBefore = new HashMap<>();

  BackfillWorker(EngineContext ctx, BackfillShared shared, String name) {
    this.ctx = ctx;
    this.shared = shared;
    this.reads = new ScanReads(ctx);
    this.claims = new ChunkClaims(ctx, reads, ctx.member() + " " + name);
    this.attempt = new BatchAttempt(ctx, reads, shared);
  }

  /**
   * What came of working for a while.
   *
   * @param kind what
   * @param waiting what it waits for, where it does
   */
  record Result(Kind kind, @Nullable Wait waiting) {
    enum Kind {
      /** The time is over, and there is more to do. */
      MORE,
      /** Others do what there is to do. */
      IDLE,
      /** Not now. */
      HELD,
      /** All chunks of this walk are done. */
      END,
      /** It is over, stopped, or gone. */
      OVER
    }

    static Result of(Kind kind) {
      return new Result(kind, null);
    }

    static Result held(Wait.Kind kind, String what) {
      return new Result(Kind.HELD, Wait.of(kind, what));
    }
  }

  /** The claim was taken over, or the backfill is over: whatever was being done is undone. */
  static final class ClaimLostException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ClaimLostException() {
      super("the claim was taken over", null, false, false);
    }
  }

  /**
   * Works until a time, or until there is nothing to do. A claim that is left is given back.
   *
   * @param task what to work on
   * @param deadline by {@link System#nanoTime()}; a batch that has begun is ended
   */
  Result work(BackfillTask task, long deadline) throws SQLException {
    Held held = null;
    try {
      while (true) {
        if (shared.stop().asked()) {
          return Result.of(Result.Kind.MORE);
        }
        BackfillRow row = read(task);
        if (row == null || !row.open()) {
          held = null;
          return Result.of(Result.Kind.OVER);
        }
        Pace pace;
        try {
          pace = row.overrides().over(task.row().policy().pace());
        } catch (IllegalArgumentException e) {
          return waits(task, row, Wait.Kind.PAUSED, String.valueOf(e.getMessage()));
        }
        if (row.paused()) {
          return waits(task, row, Wait.Kind.PAUSED, "a person has paused this backfill");
        }
        Throttle.Verdict verdict = shared.throttle().ask(pace, Instant.ofEpochMilli(row.now()));
        if (!verdict.go()) {
          return waits(task, row, Wait.Kind.LOAD, Objects.requireNonNullElse(verdict.reason(), ""));
        }
        if (!awaitTurn(task, deadline)) {
          return Result.of(Result.Kind.MORE);
        }
        if (held == null) {
          ChunkClaims.Claim claim = claim(task);
          Chunk chunk = claim.chunk();
          if (chunk == null) {
            return Result.of(
                switch (claim.kind()) {
                  case END -> Result.Kind.END;
                  case GONE -> Result.Kind.OVER;
                  default -> Result.Kind.IDLE;
                });
          }
          held = new Held(chunk, row, pace);
        } else if (overstaffed(task, held, pace)) {
          return Result.of(Result.Kind.IDLE);
        }
        Result result = attempt.batch(task, held, row, pace);
        if (result != null) {
          return result;
        }
        shared.reports().moved(task);
        if (!held.walked) {
          // Another try at the same place, in the light of what was learnt, before anything else.
          continue;
        }
        rest(task, held, pace, verdict.stretch());
        if (held.chunk().done()) {
          held = null;
        }
        if (System.nanoTime() - deadline >= 0) {
          return Result.of(Result.Kind.MORE);
        }
      }
    } catch (ClaimLostException e) {
      held = null;
      return Result.of(Result.Kind.MORE);
    } catch (Lease.PausedException e) {
      return Result.held(Wait.Kind.PAUSED, "paused");
    } catch (SQLException e) {
      if (ctx.dialect().classify(e) == SqlErrorKind.CONNECTION_LOST) {
        // Nobody knows whether the batch was committed: its claim is left to be taken over as the
        // database has it.
        held = null;
      }
      throw e;
    } finally {
      giveBack(task, held);
    }
  }

  private @Nullable BackfillRow read(BackfillTask task) throws SQLException {
    return Db.autoCommit(ctx.ddlDataSource(), c -> ctx.backfills().read(c, task.row(), task.name()))
        .orElse(null);
  }

  private ChunkClaims.Claim claim(BackfillTask task) throws SQLException {
    ChunkClaims.Claim claim = claims.claim(task);
    for (int i = 1; claim.kind() == ChunkClaims.Kind.BUSY && i < CLAIM_TRIES; i++) {
      shared.stop().await(ThreadLocalRandom.current().nextLong(CLAIM_NANOS * i));
      claim = claims.claim(task);
    }
    return claim;
  }

  /** Whether there are more workers than there should be by now, and this one is to go. */
  private boolean overstaffed(BackfillTask task, Held held, Pace pace) throws SQLException {
    int before = held.staff;
    held.staff = pace.workers();
    if (pace.workers() >= before) {
      return false;
    }
    List<Chunk> chunks =
        Db.autoCommit(ctx.ddlDataSource(), c -> ctx.chunks().read(c, task.row(), task.name()));
    long mine = held.chunk().number();
    return chunks.stream().filter(each -> each.live() && each.number() < mine).count()
        >= pace.workers();
  }

  /** Waits for the end of the pause; false if that is not within this turn. */
  private boolean awaitTurn(BackfillTask task, long deadline) {
    Long until = notBefore.remove(task.key());
    if (until == null) {
      return !shared.stop().asked();
    }
    if (until - deadline > ctx.timing().tick().toNanos()) {
      notBefore.put(task.key(), until);
      shared.stop().await(Math.max(0, deadline - System.nanoTime()));
      return false;
    }
    shared.stop().await(Math.max(0, until - System.nanoTime()));
    return !shared.stop().asked();
  }

  private void rest(BackfillTask task, Held held, Pace pace, double stretch) {
    if (held.verifying()) {
      // It locks nothing; what it costs others is what is watched.
      return;
    }
    Duration pause = pace.pause();
    double factor = Math.max(stretch, held.takeStretch());
    notBefore.put(task.key(), System.nanoTime() + (long) (pause.toNanos() * factor));
  }

  /** Says in the backfill's row what it waits for, once. */
  private Result waits(BackfillTask task, BackfillRow row, Wait.Kind kind, String what)
      throws SQLException {
    if (!what.equals(row.waiting())) {
      Db.autoCommit(
          ctx.ddlDataSource(),
          c -> {
            ctx.backfills().waits(c, task.row(), task.name(), what);
            return true;
          });
      shared.reports().moved(task);
    }
    return Result.held(kind, what);
  }

  private void giveBack(BackfillTask task, @Nullable Held held) {
    if (held == null || held.chunk().done()) {
      return;
    }
    try {
      reads.alone(c -> ctx.chunks().release(c, task.row(), task.name(), held.chunk()));
    } catch (SQLException e) {
      // It expires; until then this worker alone may go on with it.
    }
  }

  /** A chunk that this worker has claimed, and what it has learnt in it. */
  static final class Held {
    private Chunk chunk;
    private final boolean verifying;
    private final int sweep;
    private final boolean first;
    private double stretch = 1;
    private Pace bounds;

    /** So many rows are walked over before batches grow again: one of them is bad. */
    long careful;

    /** So many batches go around locks. */
    int around;

    /** A batch of one row took longer than it may; it is let through. */
    boolean unlimited;

    /** Whether the last try got on. */
    boolean walked;

    int conflicts;
    int attempts;
    int deadlocks;

    /** How many workers there were to be when this was last looked at. */
    int staff;

    Held(Chunk chunk, BackfillRow row, Pace pace) {
      this.staff = pace.workers();
      this.bounds = pace;
      this.chunk = chunk;
      this.verifying = row.verifying();
      this.sweep = row.sweep();
      this.first = chunk.number() == 1 && chunk.from() == null;
    }

    Chunk chunk() {
      return chunk;
    }

    void chunk(Chunk now) {
      chunk = now;
    }

    boolean verifying() {
      return verifying;
    }

    /** Keeps to the bounds; those that a person has changed since hold at once. */
    void follow(Pace pace) {
      int rows = Math.min(chunk.batchRows(), pace.maxRows());
      boolean changed = pace.minRows() != bounds.minRows() || pace.maxRows() != bounds.maxRows();
      chunk = chunk.batch(changed ? Math.max(rows, pace.minRows()) : rows);
      bounds = pace;
    }

    /** The size of the next batch. */
    int next(long rows, long millis, Pace pace, long budget) {
      int batch = chunk.batchRows();
      if (careful > 0 || rows < batch) {
        // Nothing can be learnt from it.
        return batch;
      }
      return BatchSize.next(batch, millis, pace, budget);
    }

    /** Whether to make sure that changed rows are not pending any more. */
    boolean checks() {
      return sweep > 1 || (first && chunk.from() == null);
    }

    void stretch(double factor) {
      stretch = Math.max(stretch, factor);
    }

    double takeStretch() {
      double taken = stretch;
      stretch = 1;
      return taken;
    }
  }
}
