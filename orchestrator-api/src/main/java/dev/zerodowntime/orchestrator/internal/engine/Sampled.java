package dev.zerodowntime.orchestrator.internal.engine;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Something that is read at most once a second, however many threads ask: one reads it, the others
 * have the last value meanwhile. Thread-safe.
 *
 * @param <T> what is read
 */
final class Sampled<T> {

  private static final long FRESH_NANOS = Duration.ofSeconds(1).toNanos();

  /** A value of that age says nothing: whoever reads it anew gets no answer. */
  private static final Duration STALE = Duration.ofSeconds(10);

  private final Supplier<T> source;
  private final LongSupplier nanoTime;
  private final ReentrantLock reading = new ReentrantLock();
  private volatile @Nullable Sample<T> last;

  private record Sample<T>(T value, long nanos) {}

  /**
   * Nothing is read yet.
   *
   * @param source throws nothing: a failure is a value too
   * @param nanoTime a clock that only goes forward
   */
  Sampled(Supplier<T> source, LongSupplier nanoTime) {
    this.source = source;
    this.nanoTime = nanoTime;
  }

  /**
   * The present value.
   *
   * @return null if another thread has been reading it for long, without an answer yet
   */
  @Nullable T get() {
    Sample<T> sample = last;
    if (sample != null && age(sample) < FRESH_NANOS) {
      return sample.value();
    }
    if (!mayRead(sample == null)) {
      sample = last;
      return sample != null && age(sample) < STALE.toNanos() ? sample.value() : null;
    }
    try {
      sample = last;
      if (sample != null && age(sample) < FRESH_NANOS) {
        return sample.value();
      }
      T value = source.get();
      // From its end on: what takes longer than a second must not be read all the time.
      last = new Sample<>(value, nanoTime.getAsLong());
      return value;
    } finally {
      reading.unlock();
    }
  }

  /** Only the very first reading is waited for: there is nothing else to go by. */
  private boolean mayRead(boolean first) {
    if (!first) {
      return reading.tryLock();
    }
    try {
      return reading.tryLock(STALE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private long age(Sample<T> sample) {
    return nanoTime.getAsLong() - sample.nanos();
  }
}
