package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Pace;

/** What sessions that wait for a batch's locks mean for the next one. */
final class Waiters {

  private Waiters() {}

  /**
   * Whether the next batch has to be smaller and later.
   *
   * @param count how many waited when the batch was about to commit
   * @param pace which has the limit, if any
   */
  static boolean over(int count, Pace pace) {
    Integer limit = pace.maxWaiting();
    return limit != null && count > limit;
  }

  /**
   * How much longer than usual the pause is: 1 up to half the limit, 10 from the limit on.
   *
   * @param count how many waited when the batch was about to commit
   * @param pace which has the limit, if any
   */
  static double stretch(int count, Pace pace) {
    Integer limit = pace.maxWaiting();
    return limit == null ? 1 : Throttle.stretch(count, limit);
  }
}
