package dev.zerodowntime.benchmarks;

import java.lang.management.ManagementFactory;
import java.time.Duration;

/**
 * The peak of what this JVM's heap holds, garbage left out: collects again and again, and looks at
 * what is left. That slows down whatever runs meanwhile, so it isn't measured by time, too.
 */
final class HeapWatch implements AutoCloseable {

  private static final Duration BETWEEN = Duration.ofMillis(100);

  private final Thread thread;
  private volatile boolean stopped;
  private volatile long peak;

  private HeapWatch() {
    thread = Threads.start(this::watch);
  }

  static HeapWatch start() {
    return new HeapWatch();
  }

  private void watch() {
    while (!stopped) {
      look();
      Threads.sleep(BETWEEN);
    }
  }

  private synchronized void look() {
    System.gc();
    peak = Math.max(peak, ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
  }

  /** Bytes. Looks once more, so that a short run has been looked at, too. */
  long peak() {
    look();
    return peak;
  }

  @Override
  public void close() {
    stopped = true;
    Threads.join(thread);
  }
}
