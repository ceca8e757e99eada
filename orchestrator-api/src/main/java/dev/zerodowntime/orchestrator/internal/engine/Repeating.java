package dev.zerodowntime.orchestrator.internal.engine;

import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A daemon thread that does something again and again until it is closed. Nothing that the work
 * throws ends it: a member whose thread died silently would be struck off while it serves.
 */
final class Repeating implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Repeating.class);
  private static final long CLOSE_MILLIS = 5_000;

  private final String name;
  private final Work work;
  private final long afterFailureNanos;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition wakeUp = lock.newCondition();
  private @Nullable Thread thread;
  private boolean closed;

  /** What is done. */
  @FunctionalInterface
  interface Work {
    /**
     * Does it once.
     *
     * @return nanoseconds until the next time
     * @throws SQLException if the database objects
     */
    long once() throws SQLException;
  }

  /**
   * Prepares a thread.
   *
   * @param name the thread's name
   * @param work what it does
   * @param afterFailureNanos the pause after a failure
   */
  Repeating(String name, Work work, long afterFailureNanos) {
    this.name = name;
    this.work = work;
    this.afterFailureNanos = afterFailureNanos;
  }

  /** Starts the thread unless it runs. */
  void start() {
    lock.lock();
    try {
      if (thread == null && !closed) {
        Thread fresh = new Thread(this::run, name);
        fresh.setDaemon(true);
        fresh.start();
        thread = fresh;
      }
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    boolean failing = false;
    while (!isClosed()) {
      long pause;
      // Left behind by somebody else's code that was called here; nobody interrupts this thread.
      boolean interrupted = Thread.interrupted();
      if (interrupted) {
        LOG.debug("{}: an interrupt was left behind", name);
      }
      try {
        pause = work.once();
        if (failing) {
          LOG.info("{}: it works again", name);
          failing = false;
        }
      } catch (SQLException | RuntimeException | Error e) {
        if (isClosed()) {
          return;
        }
        if (!failing) {
          LOG.warn("{} will go on trying: {}", name, e.toString());
        }
        LOG.debug("{}", name, e);
        failing = true;
        pause = afterFailureNanos;
      }
      await(pause);
    }
  }

  private void await(long nanos) {
    if (nanos <= 0) {
      return;
    }
    lock.lock();
    try {
      if (!closed) {
        // A spurious or early wake-up only means once more.
        wakeUp.await(nanos, TimeUnit.NANOSECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      closed = true;
    } finally {
      lock.unlock();
    }
  }

  /** Does not wait for the end of the present pause. */
  void wake() {
    lock.lock();
    try {
      wakeUp.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private boolean isClosed() {
    lock.lock();
    try {
      return closed;
    } finally {
      lock.unlock();
    }
  }

  /** Ends the thread, and waits a moment for it. */
  @Override
  public void close() {
    Thread running;
    lock.lock();
    try {
      closed = true;
      wakeUp.signalAll();
      running = thread;
    } finally {
      lock.unlock();
    }
    if (running != null && running != Thread.currentThread()) {
      try {
        running.join(CLOSE_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
