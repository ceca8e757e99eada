package dev.zerodowntime.orchestrator.postgres.engine;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;

/** Stops the one thread that first executes a certain statement right after it, until it may go. */
final class Checkpoint implements Consumer<String> {

  private final Predicate<String> here;
  private final CountDownLatch arrived = new CountDownLatch(1);
  private final CountDownLatch open = new CountDownLatch(1);
  private boolean passed;

  Checkpoint(Predicate<String> here) {
    this.here = here;
  }

  @Override
  public void accept(String sql) {
    synchronized (this) {
      if (passed || !here.test(sql)) {
        return;
      }
      passed = true;
    }
    arrived.countDown();
    await(open);
  }

  void awaitArrival() {
    await(arrived);
  }

  void open() {
    open.countDown();
  }

  private static void await(CountDownLatch latch) {
    try {
      if (!latch.await(60, TimeUnit.SECONDS)) {
        throw new AssertionError("nobody came");
      }
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
