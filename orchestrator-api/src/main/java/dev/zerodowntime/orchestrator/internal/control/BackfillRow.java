package dev.zerodowntime.orchestrator.internal.control;

import dev.zerodowntime.orchestrator.BackfillProgress;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Pace;
import java.time.Instant;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A backfill, or a verification, as the control tables hold it: the cursor that its chunks are
 * claimed from, and the figures of the chunks that are done. Times are milliseconds of the
 * database's clock.
 *
 * @param step the step
 * @param verifying whether rows are only looked at
 * @param done whether it has ended
 * @param sweep which walk over the table this is
 * @param cursor the key up to which chunks were claimed, or null at the start
 * @param end the key at which this walk ends, or null for an empty table
 * @param rowsDone rows changed, in chunks that are done
 * @param rowsSeen rows walked over in this walk, in chunks that are done
 * @param rowsTotal estimated rows of the table, negative if unknown
 * @param leftOver rows found pending by this verification, in chunks that are done
 * @param batchRows rows per batch, lately
 * @param chunks how many chunks were claimed, in all walks
 * @param rate rows walked over per second, lately; negative if unknown
 * @param rateAt when a chunk was last done
 * @param overrides what people have set
 * @param paused whether a person has paused it
 * @param waiting what it waits for, if anything
 * @param error why it stopped, if it did
 * @param startedAt when it began
 * @param now when this was read
 */
public record BackfillRow(
    String step,
    boolean verifying,
    boolean done,
    int sweep,
    @Nullable List<String> cursor,
    @Nullable List<String> end,
    long rowsDone,
    long rowsSeen,
    long rowsTotal,
    long leftOver,
    int batchRows,
    long chunks,
    double rate,
    long rateAt,
    PaceOverrides overrides,
    boolean paused,
    @Nullable String waiting,
    @Nullable String error,
    long startedAt,
    long now) {

  /** How much the newest chunk counts in the rate. */
  private static final double NEWEST = 0.3;

  /** With a chunk that is done. */
  public BackfillRow counted(Chunk chunk) {
    return with(
        cursor,
        rowsDone + chunk.rowsDone(),
        rowsSeen + chunk.rowsSeen(),
        leftOver + chunk.leftOver(),
        chunk.batchRows(),
        chunks,
        rate);
  }

  /** With a chunk that was claimed from it. */
  public BackfillRow handedOut(Chunk chunk) {
    return with(
        chunk.to(),
        rowsDone,
        rowsSeen,
        leftOver,
        batchRows,
        Math.max(chunks, chunk.number()),
        rate);
  }

  private BackfillRow with(
      @Nullable List<String> newCursor,
      long newDone,
      long newSeen,
      long newLeft,
      int newBatch,
      long newChunks,
      double newRate) {
    return new BackfillRow(
        step, verifying, done, sweep, newCursor, end, newDone, newSeen, rowsTotal, newLeft,
        newBatch, newChunks, newRate, rateAt, overrides, paused, waiting, error, startedAt, now);
  }

  /** With the rate that follows from what was counted since before. */
  public BackfillRow rated(BackfillRow before) {
    return with(
        cursor,
        rowsDone,
        rowsSeen,
        leftOver,
        batchRows,
        chunks,
        rateWith(rowsSeen - before.rowsSeen));
  }

  /** The rate when so many rows more are done. */
  private double rateWith(long rows) {
    double millis = Math.max(1, now - rateAt);
    double newest = 1_000.0 * rows / millis;
    return rate < 0 ? newest : rate * (1 - NEWEST) + newest * NEWEST;
  }

  /** Whether a chunk of this walk may be claimed now, as far as this row says. */
  public boolean open() {
    return !done && error == null;
  }

  /**
   * For people and programs.
   *
   * @param row the migration
   * @param claimed the chunks that are not counted in this row yet
   */
  public BackfillProgress progress(MigrationRow row, List<Chunk> claimed) {
    long changed = rowsDone;
    long seen = rowsSeen;
    long left = leftOver;
    int workers = 0;
    for (Chunk each : claimed) {
      changed += each.rowsDone();
      seen += each.rowsSeen();
      left += each.leftOver();
      workers += each.live() ? 1 : 0;
    }
    Pace pace;
    boolean failed = row.status() == MigrationStatus.FAILED && !done;
    String problem = error == null && failed ? row.lastError() : error;
    try {
      pace = overrides.over(row.policy().pace());
    } catch (IllegalArgumentException e) {
      pace = row.policy().pace();
      problem = problem == null ? e.getMessage() : problem;
    }
    BackfillProgress.State state =
        done
            ? BackfillProgress.State.DONE
            : error != null || failed
                ? BackfillProgress.State.STOPPED
                : verifying ? BackfillProgress.State.VERIFYING : BackfillProgress.State.RUNNING;
    return new BackfillProgress(
        row.id(),
        row.schema(),
        step,
        state,
        sweep,
        changed,
        seen,
        rowsTotal < 0 ? OptionalLong.empty() : OptionalLong.of(rowsTotal),
        left,
        rate < 0 ? OptionalDouble.empty() : OptionalDouble.of(rate),
        workers,
        batchRows,
        pace,
        paused,
        waiting,
        problem,
        Instant.ofEpochMilli(startedAt));
  }
}
