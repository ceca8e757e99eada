package dev.zerodowntime.orchestrator.internal.engine;

import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One daemon thread that heartbeats, and drives when gates open. Backfills run in slices and online
 * builds on a thread of their own, so a heartbeat is never late because of them.
 */
final class Background implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Background.class);
  private static final long CLOSE_MILLIS = 5_000;

  private final EngineContext ctx;
  private final Driver driver;
  private final Membership membership;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition wakeUp = lock.newCondition();
  private @Nullable Thread thread;
  private boolean closed;

  Background(EngineContext ctx, Driver driver, Membership membership) {
    this.ctx = ctx;
    this.driver = driver;
    this.membership = membership;
  }

  /** Starts the thread unless it runs. */
  void start() {
    lock.lock();
    try {
      if (thread == null && !closed) {
        Thread fresh = new Thread(this::run, "orchestrator " + ctx.application());
        fresh.setDaemon(true);
        fresh.start();
        thread = fresh;
      }
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    long nextBeat = System.nanoTime();
    long nextPass = System.nanoTime();
    long idle = ctx.timing().heartbeat().toNanos();
    boolean reachable = true;
    while (!isClosed()) {
      try {
        if (System.nanoTime() - nextBeat >= 0) {
          membership.heartbeat();
          nextBeat = System.nanoTime() + ctx.timing().heartbeat().toNanos();
        }
        if (ctx.role().drives() && System.nanoTime() - nextPass >= 0) {
          long slice = System.nanoTime() + ctx.timing().tick().toNanos();
          Driver.Pass pass = driver.pass(true, slice);
          boolean something = !pass.waits().values().stream().allMatch(Background::settled);
          long pause =
              pass.busy()
                  ? 0
                  : something || pass.running() || pass.soon() || !pass.leading()
                      ? ctx.timing().tick().toNanos()
                      : Math.max(ctx.timing().tick().toNanos(), idle / 4);
          nextPass = System.nanoTime() + pause;
        }
        if (!reachable) {
          LOG.info("the database answers again");
          reachable = true;
        }
      } catch (SQLException | RuntimeException e) {
        if (isClosed()) {
          return;
        }
        if (reachable) {
          LOG.warn("the background driver will go on trying: {}", e.toString());
        } else {
          LOG.debug("still failing", e);
        }
        reachable = false;
        nextPass = System.nanoTime() + ctx.timing().tick().toNanos();
        nextBeat = Math.min(nextBeat, nextPass);
      }
      await(Math.min(nextBeat, ctx.role().drives() ? nextPass : nextBeat) - System.nanoTime());
    }
  }

  private static boolean settled(java.util.List<dev.zerodowntime.orchestrator.Wait> waits) {
    return waits.size() == 1 && waits.get(0).what().equals("done");
  }

  private void await(long nanos) {
    if (nanos <= 0) {
      return;
    }
    lock.lock();
    try {
      if (!closed) {
        // A spurious or early wake-up only means one look more.
        wakeUp.await(nanos, TimeUnit.NANOSECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      closed = true;
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
