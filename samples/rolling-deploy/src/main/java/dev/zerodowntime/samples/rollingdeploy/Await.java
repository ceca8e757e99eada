package dev.zerodowntime.samples.rollingdeploy;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Waits for a condition, never for a time. */
final class Await {

  private static final int POLL_MILLIS = 50;

  private Await() {}

  /**
   * Waits.
   *
   * @param what is waited for, for the message
   * @param limit after which nobody should have to wait any longer, however slow the machine
   * @param condition what must become true
   */
  static void until(String what, Duration limit, BooleanSupplier condition)
      throws InterruptedException {
    long start = System.nanoTime();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - start > limit.toNanos()) {
        throw new IllegalStateException("still waiting after " + limit.toSeconds() + " s: " + what);
      }
      Thread.sleep(POLL_MILLIS);
    }
  }
}
