package dev.zerodowntime.orchestrator.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class SampledTest {

  private final AtomicLong clock = new AtomicLong();
  private final AtomicInteger reads = new AtomicInteger();
  private final ExecutorService threads = Executors.newCachedThreadPool();

  @AfterEach
  void end() {
    threads.shutdownNow();
  }

  private void pass(Duration time) {
    clock.addAndGet(time.toNanos());
  }

  @Test
  void onceASecond() {
    Sampled<Integer> sampled =
        new Sampled<>("test", reads::incrementAndGet, clock::get, Sampled.PATIENCE);
    assertThat(sampled.get()).isEqualTo(1);
    pass(Duration.ofMillis(999));
    assertThat(sampled.get()).isEqualTo(1);
    pass(Duration.ofMillis(1));
    assertThat(sampled.get()).isEqualTo(2);
    assertThat(sampled.get()).isEqualTo(2);
  }

  @Test
  void manyThreadsReadOnce() throws Exception {
    Sampled<Integer> sampled =
        new Sampled<>("test", reads::incrementAndGet, clock::get, Sampled.PATIENCE);
    List<Future<Integer>> all = new ArrayList<>();
    for (int i = 0; i < 32; i++) {
      all.add(threads.submit(sampled::get));
    }
    for (Future<Integer> each : all) {
      assertThat(each.get()).isEqualTo(1);
    }
  }

  @Test
  void whileOneReadsTheOthersHaveTheLastUntilItIsTooOld() throws Exception {
    CountDownLatch reading = new CountDownLatch(1);
    CountDownLatch answer = new CountDownLatch(1);
    Sampled<Integer> sampled =
        new Sampled<>(
            "test",
            () -> {
              if (reads.incrementAndGet() == 2) {
                reading.countDown();
                try {
                  answer.await();
                } catch (InterruptedException e) {
                  throw new IllegalStateException(e);
                }
              }
              return reads.get();
            },
            clock::get,
            Sampled.PATIENCE);
    assertThat(sampled.get()).isEqualTo(1);
    pass(Duration.ofSeconds(1));
    Future<Integer> slow = threads.submit(sampled::get);
    reading.await();
    assertThat(sampled.get()).isEqualTo(1);
    pass(Duration.ofSeconds(8));
    assertThat(sampled.get()).isEqualTo(1);
    pass(Duration.ofSeconds(1));
    assertThat(sampled.get()).as("no answer for too long").isNull();
    assertThat(slow.get()).as("whoever has begun it doesn't wait for ever, either").isIn(1, null);
    assertThat(sampled.get()).isNull();
    assertThat(reads).as("one reading at a time").hasValue(2);
    answer.countDown();
    untilItIs(2, sampled);
  }

  private static void untilItIs(int value, Sampled<Integer> sampled) {
    while (!Integer.valueOf(value).equals(sampled.get())) {
      if (Thread.currentThread().isInterrupted()) {
        throw new IllegalStateException("it is not " + value + ", but " + sampled.get());
      }
      Thread.onSpinWait();
    }
  }

  /** A worker that is to end doesn't wait for another's reading. */
  @Test
  void whoIsInterruptedHasNoAnswer() throws Exception {
    CountDownLatch reading = new CountDownLatch(1);
    CountDownLatch answer = new CountDownLatch(1);
    Sampled<Integer> sampled =
        new Sampled<>(
            "test",
            () -> {
              reading.countDown();
              try {
                answer.await();
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
              return 1;
            },
            clock::get,
            Sampled.PATIENCE);
    Future<Integer> first = threads.submit(sampled::get);
    reading.await();
    Thread.currentThread().interrupt();
    assertThat(sampled.get()).isNull();
    assertThat(Thread.interrupted()).isTrue();
    answer.countDown();
    untilItIs(1, sampled);
    assertThat(first.get()).isIn(1, null);
  }

  @Test
  void aReadingThatThrowsIsNoAnswerAndIsTriedAgain() {
    Sampled<Integer> sampled =
        new Sampled<>(
            "test",
            () -> {
              if (reads.incrementAndGet() == 1) {
                throw new IllegalStateException("it says it never does");
              }
              return 7;
            },
            clock::get,
            Sampled.PATIENCE);
    assertThat(sampled.get()).isNull();
    assertThat(sampled.get()).isEqualTo(7);
  }
}
