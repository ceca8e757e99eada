package dev.zerodowntime.orchestrator.testing.rolling;

import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Counts what the load met, and lets the test wait for the load instead of for the clock. */
public final class Tally {

  private static final int MOST_DETAILS = 20;
  private static final long QUERIES_BETWEEN_LOOKS = 40;
  private static final Duration PATIENCE = Duration.ofMinutes(10);

  private final AtomicLong queries = new AtomicLong();
  private final AtomicLong failed = new AtomicLong();
  private final AtomicLong differing = new AtomicLong();
  private final AtomicLong retried = new AtomicLong();
  private final AtomicLong upsertsRetried = new AtomicLong();
  private final AtomicLong slowest = new AtomicLong();
  private final Queue<String> details = new ConcurrentLinkedQueue<>();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition counted = lock.newCondition();

  public long queries() {
    return queries.get();
  }

  public long failed() {
    return failed.get();
  }

  public long differing() {
    return differing.get();
  }

  /** Transactions that the server ended as deadlocks, and that were tried again. */
  public long deadlocksRetried() {
    return retried.get();
  }

  void retry() {
    retried.incrementAndGet();
  }

  /** The same of statements on rows that everybody upserts: those end each other, DDL or not. */
  public long upsertsRetried() {
    return upsertsRetried.get();
  }

  void retryUpsert() {
    upsertsRetried.incrementAndGet();
  }

  public long slowestMillis() {
    return TimeUnit.NANOSECONDS.toMillis(slowest.get());
  }

  public List<String> details() {
    return List.copyOf(details);
  }

  void query(long nanos) {
    slowest.accumulateAndGet(nanos, Math::max);
    if (queries.incrementAndGet() % QUERIES_BETWEEN_LOOKS == 0) {
      lock.lock();
      try {
        counted.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }

  void fail(String detail) {
    // Noted first: who sees the count may ask for the detail at once.
    note("failed: " + detail);
    failed.incrementAndGet();
  }

  void differ(String detail) {
    note("differs: " + detail);
    differing.incrementAndGet();
  }

  private void note(String detail) {
    if (details.size() < MOST_DETAILS) {
      details.add(detail);
    }
  }

  /** Waits for a condition while the load goes on; it is looked at whenever the load has moved. */
  void until(BooleanSupplier condition, Supplier<String> otherwise) {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      long goal = queries.get() + QUERIES_BETWEEN_LOOKS;
      while (queries.get() < goal) {
        if (System.nanoTime() - deadline >= 0) {
          throw new AssertionError(otherwise.get() + "\n" + String.join("\n", details));
        }
        awaitSignal();
      }
    }
  }

  private void awaitSignal() {
    lock.lock();
    try {
      // Only a bound for a load that stands still: the signal is what is waited for.
      counted.await(100, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    } finally {
      lock.unlock();
    }
  }
}
