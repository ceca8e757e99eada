package dev.zerodowntime.orchestrator.internal.engine;

/**
 * What all workers of one process share.
 *
 * @param stop tells them to stop
 * @param throttle says whether the next batch may start
 * @param alone says which migration need not ask
 * @param reports says how they get on
 * @param wakeUp is run when a backfill has begun here
 */
record BackfillShared(
    Stop stop, Throttle throttle, Alone alone, BackfillReports reports, Runnable wakeUp) {

  /** There is something to do. */
  void begun() {
    wakeUp.run();
  }
}
