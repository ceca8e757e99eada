package dev.zerodowntime.orchestrator.postgres.engine;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Waits for a condition, never for a time: the deadline only ends a test that hangs. */
public final class Eventually {

  private static final Duration DEADLINE = Duration.ofSeconds(60);
  private static final long POLL_MILLIS = 20;

  private Eventually() {}

  public static void until(String what, BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + DEADLINE.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - end >= 0) {
        throw new AssertionError("still not: " + what);
      }
      Thread.sleep(POLL_MILLIS);
    }
  }
}
