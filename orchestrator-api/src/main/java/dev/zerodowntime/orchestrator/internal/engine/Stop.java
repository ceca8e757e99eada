package dev.zerodowntime.orchestrator.internal.engine;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Tells everything that works on backfills in this process to stop at the next batch. */
final class Stop {

  private final CountDownLatch latch = new CountDownLatch(1);

  void now() {
    latch.countDown();
  }

  boolean asked() {
    return latch.getCount() == 0 || Thread.currentThread().isInterrupted();
  }

  /** Waits, unless it is to stop. */
  void await(long nanos) {
    try {
      // Over when it is to stop, or after that time: both go on.
      boolean stopped = latch.await(nanos, TimeUnit.NANOSECONDS);
      if (stopped) {
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
