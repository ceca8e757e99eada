package dev.zerodowntime.benchmarks;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** Small helpers around threads. */
final class Threads {

  private Threads() {}

  /** A daemon, so that a benchmark that fails ends. */
  static Thread start(Runnable task) {
    Thread thread = new Thread(task, "benchmark");
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  /** Leaves an interruption to whoever waits next. */
  static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  static void sleep(Duration time) {
    sleepUntil(System.nanoTime() + time.toNanos());
  }

  /** By {@link System#nanoTime()}; returns early when interrupted. */
  static void sleepUntil(long nanos) {
    long left;
    while ((left = nanos - System.nanoTime()) > 0 && !Thread.currentThread().isInterrupted()) {
      LockSupport.parkNanos(left);
    }
  }
}
