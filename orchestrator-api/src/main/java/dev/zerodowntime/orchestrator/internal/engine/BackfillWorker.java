package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Pace;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.internal.control.BackfillRow;
import dev.zerodowntime.orchestrator.internal.control.Chunk;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.sql.SQLException;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
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

  /** {@link System#nanoTime()} can't compare what is further apart than centuries. */
  private static final double MOST_PAUSE_NANOS = 1e18;

  private final EngineContext ctx;
  private final BackfillShared shared;
  private final ScanReads reads;
  private final ChunkClaims claims;
  private final BatchAttempt attempt;

  /** When a backfill's last batch ended here, and how much longer than usual it rests since. */
  private final Map<String, Rest> resting = new HashMap<>();

  /** What bounds a backfill's last batch here was sized within. */
  private final Map<String, Pace> bounds = new HashMap<>();

  /**
   * Claims that are kept from turn to turn: whoever has one also keeps to the pause, which a claim
   * that goes round all workers of a fleet would not.
   */
  private final Map<String, Kept> kept = new HashMap<>();

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

  private record Kept(BackfillTask task, Held held) {}

  /**
   * A pause between two batches.
   *
   * @param since by {@link System#nanoTime()}
   * @param stretch how much longer than usual it is
   */
  private record Rest(long since, double stretch) {
    /** When it is over, for a pace that may have changed meanwhile. */
    long until(Pace pace) {
      return since + (long) Math.min(MOST_PAUSE_NANOS, pace.pause().toMillis() * 1e6 * stretch);
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
   * Works until a time, or until there is nothing to do. A claim is only kept where there is more
   * to do: the next call goes on with it, or {@link #letGo} gives it back.
   *
   * @param task what to work on
   * @param deadline by {@link System#nanoTime()}; a batch that has begun is ended
   */
  Result work(BackfillTask task, long deadline) throws SQLException {
    Kept before = kept.remove(task.key());
    Held held = before == null ? null : before.held();
    boolean keep = false;
    try {
      while (true) {
        if (shared.stop().asked()) {
          return Result.of(Result.Kind.MORE);
        }
        BackfillRow row = read(task);
        if (row == null || !row.open()) {
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
        Throttle.Verdict verdict =
            shared.alone().is(task.row())
                ? Throttle.Verdict.GO
                : shared.throttle().ask(pace, Instant.ofEpochMilli(row.now()));
        if (!verdict.go()) {
          return waits(task, row, Wait.Kind.LOAD, Objects.requireNonNullElse(verdict.reason(), ""));
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
          // It may have been free only because another worker gave it back, having read what this
          // one has not read yet: a pause, a window that is closed.
          continue;
        }
        if (overstaffed(task, held, pace)) {
          return Result.of(Result.Kind.IDLE);
        }
        if (resting.containsKey(task.key())) {
          if (!awaitTurn(task, pace, deadline)) {
            keep = refresh(task, held);
            return Result.of(Result.Kind.MORE);
          }
          // Much may have been said meanwhile.
          continue;
        }
        if (row.waiting() != null) {
          waitsForNothing(task);
        }
        held.follow(pace, Objects.requireNonNullElse(bounds.put(task.key(), pace), pace));
        Result result = attempt.batch(task, held, pace);
        if (result != null) {
          Wait why = result.waiting();
          return why == null ? result : waits(task, row, why.kind(), why.what());
        }
        shared.reports().moved(task);
        if (held.walked) {
          rest(task, held, pace, verdict.stretch());
        }
        if (held.chunk().done()) {
          held = null;
        }
        // What was learnt about the place where it is stays with the claim.
        if (System.nanoTime() - deadline >= 0) {
          keep = true;
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
      if (keep && held != null && !shared.stop().asked()) {
        kept.put(task.key(), new Kept(task, held));
      } else {
        giveBack(task, held);
      }
    }
  }

  /** Gives back what is kept: there is no next turn. */
  void letGo() {
    letGo(Set.of());
  }

  /** Gives back what is kept of others than these. */
  void letGo(Set<String> others) {
    List<Kept> all =
        kept.values().stream().filter(each -> !others.contains(each.task().key())).toList();
    kept.keySet().retainAll(others);
    all.forEach(each -> giveBack(each.task(), each.held()));
  }

  /** Keeps a claim through a pause that is longer than the claim lasts. */
  private boolean refresh(BackfillTask task, Held held) throws SQLException {
    if (shared.stop().asked()) {
      return false;
    }
    long ttl = ctx.timing().lease().toMillis();
    boolean mine =
        reads.alone(c -> ctx.chunks().save(c, task.row(), task.name(), held.chunk(), ttl));
    if (!mine) {
      throw new ClaimLostException();
    }
    return true;
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
  private boolean awaitTurn(BackfillTask task, Pace pace, long deadline) {
    Rest rest = Objects.requireNonNull(resting.get(task.key()));
    long until = rest.until(pace);
    if (until - deadline > ctx.timing().tick().toNanos()) {
      shared.stop().await(Math.max(0, deadline - System.nanoTime()));
      return false;
    }
    shared.stop().await(Math.max(0, until - System.nanoTime()));
    resting.remove(task.key());
    return !shared.stop().asked();
  }

  private void rest(BackfillTask task, Held held, Pace pace, double stretch) {
    if (held.verifying() || pace.pause().isZero()) {
      // A verification locks nothing; what it costs others is what is watched.
      return;
    }
    resting.put(task.key(), new Rest(System.nanoTime(), Math.max(stretch, held.takeStretch())));
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

  /** Not in the batch's transaction: it would lock the backfill's row after a chunk's. */
  private void waitsForNothing(BackfillTask task) throws SQLException {
    Db.autoCommit(
        ctx.ddlDataSource(),
        c -> {
          ctx.backfills().waits(c, task.row(), task.name(), null);
          return true;
        });
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

    /** Keeps to the bounds; those that a person has changed since the last batch hold at once. */
    void follow(Pace pace, Pace before) {
      int rows = Math.min(chunk.batchRows(), pace.maxRows());
      boolean changed = pace.minRows() != before.minRows() || pace.maxRows() != before.maxRows();
      chunk = chunk.batch(changed ? Math.max(rows, pace.minRows()) : rows);
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
