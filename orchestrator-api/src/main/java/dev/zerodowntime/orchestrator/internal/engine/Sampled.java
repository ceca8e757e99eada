package dev.zerodowntime.orchestrator.internal.engine;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Something that is read at most once a second, however many threads ask, and by none of them: a
 * server that doesn't answer holds up a thread of its own, and whoever asks goes on with the last
 * value, or without one. Thread-safe.
 *
 * @param <T> what is read
 */
final class Sampled<T> {

  private static final long FRESH_NANOS = Duration.ofSeconds(1).toNanos();

  /** A value of that age says nothing: whoever reads it anew gets no answer. */
  private static final Duration STALE = Duration.ofSeconds(10);

  /** How long whoever asks waits for a reading; workers that are to stop are among them. */
  static final Duration PATIENCE = Duration.ofSeconds(1);

  private final String name;
  private final Supplier<T> source;
  private final LongSupplier nanoTime;
  private final Duration patience;
  private CompletableFuture<?> reading = CompletableFuture.completedFuture(null);
  private volatile @Nullable Sample<T> last;

  private record Sample<T>(T value, long nanos) {}

  /**
   * Nothing is read yet.
   *
   * @param name what is read; names the thread
   * @param source throws nothing: a failure is a value too
   * @param nanoTime a clock that only goes forward
   * @param patience how long whoever asks waits for a reading, on everybody's clock
   */
  Sampled(String name, Supplier<T> source, LongSupplier nanoTime, Duration patience) {
    this.name = name;
    this.source = source;
    this.nanoTime = nanoTime;
    this.patience = patience;
  }

  /**
   * The present value.
   *
   * @return null if there has been no answer for too long
   */
  @Nullable T get() {
    Sample<T> sample = last;
    if (sample != null && age(sample) < FRESH_NANOS) {
      return sample.value();
    }
    CompletableFuture<?> mine = begin();
    if (mine != null) {
      await(mine);
    } else if (sample == null) {
      // There is nothing else to go by.
      await(reading());
    }
    sample = last;
    return sample != null && age(sample) < STALE.toNanos() ? sample.value() : null;
  }

  /** Another reading, unless one goes on or has just ended. */
  private synchronized @Nullable CompletableFuture<?> begin() {
    // In this order: a reading that ends in between would be followed by another at once.
    if (!reading.isDone()) {
      return null;
    }
    Sample<T> sample = last;
    if (sample != null && age(sample) < FRESH_NANOS) {
      return null;
    }
    reading = CompletableFuture.runAsync(this::read, this::inThread);
    return reading;
  }

  private synchronized CompletableFuture<?> reading() {
    return reading;
  }

  private void read() {
    T value = source.get();
    // From its end on: what takes longer than a second must not be read all the time.
    last = new Sample<>(value, nanoTime.getAsLong());
  }

  /** At most one a second; one that was kept would outlive the work it is for. */
  private void inThread(Runnable task) {
    Thread thread = new Thread(task, "orchestrator " + name);
    thread.setDaemon(true);
    thread.start();
  }

  private void await(CompletableFuture<?> reading) {
    try {
      reading.get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (TimeoutException | ExecutionException e) {
      // The last value counts, as long as it is not too old.
    }
  }

  private long age(Sample<T> sample) {
    return nanoTime.getAsLong() - sample.nanos();
  }
}
