package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Pace;

/** How many rows the next batch has. */
final class BatchSize {

  private BatchSize() {}

  /** The first batch of a walk whose rows are changed by Java: nobody knows how slow it is. */
  private static final int FIRST_COMPUTED = 10;

  /** The first batch of a backfill: a small one, which grows. */
  static int first(Pace pace, boolean computed) {
    return computed ? Math.min(FIRST_COMPUTED, pace.minRows()) : pace.minRows();
  }

  /**
   * What one batch says about the next: towards the target time, at most four times or half as
   * many: what is too slow is cancelled before it holds anybody up, so growing is cheap to try.
   *
   * @param rows how many it had
   * @param millis how long it took
   * @param pace the bounds and the target
   * @param budget the lock budget, in milliseconds; no batch should take more than half of it
   */
  static int next(int rows, long millis, Pace pace, long budget) {
    double target = Math.max(1, Math.min(pace.target().toMillis(), budget / 2));
    double factor = Math.max(0.5, Math.min(4, target / Math.max(1, millis)));
    long next = Math.max(1, Math.round(rows * factor));
    if (next < pace.minRows()) {
      // Below the least only where a batch was cut short; from there it may grow, not shrink.
      next = rows >= pace.minRows() ? pace.minRows() : Math.max(rows, next);
    }
    return (int) Math.min(pace.maxRows(), next);
  }

  /** Half as many, but never none. */
  static int half(int rows) {
    return Math.max(1, rows / 2);
  }
}
