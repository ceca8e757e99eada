package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Pace;
import dev.zerodowntime.orchestrator.internal.control.BackfillRow;
import dev.zerodowntime.orchestrator.internal.control.Chunk;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Claims chunks for one worker. The row of the backfill is locked meanwhile, and nobody waits for
 * that: whoever comes second tries again.
 */
final class ChunkClaims {

  /** So many batches make a chunk, if the table is large enough for all workers. */
  private static final int BATCHES = 10;

  /** Of what is left, so many chunks for each worker, so that all of them have something to do. */
  private static final int CHUNKS_EACH = 3;

  private final EngineContext ctx;
  private final ScanReads reads;
  private final String worker;

  ChunkClaims(EngineContext ctx, ScanReads reads, String worker) {
    this.ctx = ctx;
    this.reads = reads;
    this.worker = worker;
  }

  enum Kind {
    /** There is one. */
    CLAIMED,
    /** Somebody else is claiming just now. */
    BUSY,
    /** As many work on it as may, or others have what is left. */
    NONE,
    /** All of this walk is done. */
    END,
    /** There is nothing to work on any more. */
    GONE
  }

  record Claim(Kind kind, @Nullable Chunk chunk) {
    static Claim of(Kind kind) {
      return new Claim(kind, null);
    }
  }

  Claim claim(BackfillTask task) throws SQLException {
    return reads.alone(connection -> claim(connection, task));
  }

  private Claim claim(Connection connection, BackfillTask task) throws SQLException {
    BackfillRow found = ctx.backfills().lock(connection, task.row(), task.name()).orElse(null);
    if (found == null) {
      boolean there = ctx.backfills().read(connection, task.row(), task.name()).isPresent();
      return Claim.of(there ? Kind.BUSY : Kind.GONE);
    }
    if (!found.open() || found.paused()) {
      return Claim.of(found.open() ? Kind.NONE : Kind.GONE);
    }
    if (!ctx.reader().running(connection, task.row(), ctx.server())) {
      throw new Lease.PausedException();
    }
    BackfillRow row = found;
    List<Chunk> chunks = ctx.chunks().read(connection, task.row(), task.name());
    int busy = 0;
    int open = 0;
    for (Chunk each : chunks) {
      if (each.done()) {
        row = row.counted(each);
        ctx.chunks().delete(connection, task.row(), task.name(), each);
      } else {
        open++;
        busy += each.live() && !worker.equals(each.worker()) ? 1 : 0;
      }
    }
    if (row.rowsSeen() != found.rowsSeen()) {
      row = row.rated(found);
    }
    Pace pace;
    try {
      pace = row.overrides().over(task.row().policy().pace());
    } catch (IllegalArgumentException e) {
      // Somebody has just set it: the next look says so.
      ctx.backfills().claimed(connection, task.row(), found, row);
      return Claim.of(Kind.NONE);
    }
    Claim claim = Claim.of(Kind.NONE);
    if (busy < pace.workers()) {
      claim = takeOver(connection, task, chunks);
      if (claim.chunk() == null) {
        Optional<Chunk> fresh = fresh(connection, task, row, pace);
        if (fresh.isPresent()) {
          claim = new Claim(Kind.CLAIMED, fresh.get());
          row = row.handedOut(fresh.get());
        } else {
          claim = Claim.of(open == 0 ? Kind.END : Kind.NONE);
        }
      }
    }
    if (!row.equals(found)) {
      ctx.backfills().claimed(connection, task.row(), found, row);
    }
    return claim;
  }

  /** What others have left, and what this worker itself left when its connection broke. */
  private Claim takeOver(Connection connection, BackfillTask task, List<Chunk> chunks)
      throws SQLException {
    for (Chunk each : chunks) {
      boolean free = !each.live() || worker.equals(each.worker());
      if (each.done() || !free) {
        continue;
      }
      String token = UUID.randomUUID().toString();
      Optional<Chunk> taken =
          ctx.chunks().take(connection, task.row(), task.name(), each, token, worker, ttl());
      if (taken.isPresent()) {
        return new Claim(Kind.CLAIMED, taken.get());
      }
    }
    return Claim.of(Kind.NONE);
  }

  private Optional<Chunk> fresh(
      Connection connection, BackfillTask task, BackfillRow row, Pace pace) throws SQLException {
    int rows = chunkRows(row, pace);
    ScanReads.Bound bound =
        reads.bound(connection, task.scan(), row.cursor(), row.end(), rows).orElse(null);
    if (bound == null) {
      return Optional.empty();
    }
    List<String> end = row.end();
    Chunk chunk =
        new Chunk(
            row.chunks() + 1,
            row.cursor(),
            // The last one takes all that is left, whatever was deleted at its end.
            bound.rows() < rows && end != null ? end : bound.key(),
            UUID.randomUUID().toString(),
            worker,
            true,
            false,
            0,
            0,
            0,
            row.batchRows());
    ctx.chunks().insert(connection, task.row(), task.name(), chunk, ttl());
    return Optional.of(chunk);
  }

  static int chunkRows(BackfillRow row, Pace pace) {
    int batch = row.batchRows() * (row.verifying() ? BackfillWorker.VERIFY_FACTOR : 1);
    if (row.rowsTotal() <= 0) {
      return batch * BATCHES;
    }
    // The less is left, the smaller: nobody is to wait for the last one who has a large one.
    long left = row.rowsTotal() - row.rowsSeen();
    long share = left / ((long) pace.workers() * CHUNKS_EACH);
    return (int) Math.max(batch, Math.min((long) batch * BATCHES, share));
  }

  private long ttl() {
    return ctx.timing().lease().toMillis();
  }
}
