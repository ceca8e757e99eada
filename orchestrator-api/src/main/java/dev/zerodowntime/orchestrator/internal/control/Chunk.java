package dev.zerodowntime.orchestrator.internal.control;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A range of keys that one worker has claimed: it walks from one end to the other, batch by batch.
 *
 * @param number its number within its backfill
 * @param from the key up to which it is done, or null at the table's start
 * @param to the key at which it ends
 * @param token what the claim is known by; null if nobody has it
 * @param worker who has it
 * @param live whether the claim is not over
 * @param done whether it is done, and only not counted yet
 * @param rowsDone rows changed
 * @param rowsSeen rows walked over
 * @param leftOver rows found pending by a verification
 * @param batchRows rows per batch, lately
 */
public record Chunk(
    long number,
    @Nullable List<String> from,
    List<String> to,
    @Nullable String token,
    @Nullable String worker,
    boolean live,
    boolean done,
    long rowsDone,
    long rowsSeen,
    long leftOver,
    int batchRows) {

  /** Walked on to a key. */
  public Chunk moved(List<String> key, long changed, long seen, long left, int nextBatch) {
    return new Chunk(
        number,
        key,
        to,
        token,
        worker,
        live,
        key.equals(to),
        rowsDone + changed,
        rowsSeen + seen,
        leftOver + left,
        nextBatch);
  }

  /** Rows changed without getting on. */
  public Chunk changed(long rows) {
    return new Chunk(
        number,
        from,
        to,
        token,
        worker,
        live,
        done,
        rowsDone + rows,
        rowsSeen,
        leftOver,
        batchRows);
  }

  /** With other batches from here on. */
  public Chunk batch(int rows) {
    return new Chunk(
        number, from, to, token, worker, live, done, rowsDone, rowsSeen, leftOver, rows);
  }

  /** Claimed by a worker, and alive. */
  public Chunk claimed(String newToken, String newWorker) {
    return new Chunk(
        number, from, to, newToken, newWorker, true, done, rowsDone, rowsSeen, leftOver, batchRows);
  }

  /** Nothing of it is left: its last rows were deleted meanwhile. */
  public Chunk ended() {
    return moved(to, 0, 0, 0, batchRows);
  }
}
