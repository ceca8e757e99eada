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
    Sampled<Integer> sampled = new Sampled<>(reads::incrementAndGet, clock::get);
    assertThat(sampled.get()).isEqualTo(1);
    pass(Duration.ofMillis(999));
    assertThat(sampled.get()).isEqualTo(1);
    pass(Duration.ofMillis(1));
    assertThat(sampled.get()).isEqualTo(2);
    assertThat(sampled.get()).isEqualTo(2);
  }

  @Test
  void manyThreadsReadOnce() throws Exception {
    Sampled<Integer> sampled = new Sampled<>(reads::incrementAndGet, clock::get);
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
            clock::get);
    assertThat(sampled.get()).isEqualTo(1);
    pass(Duration.ofSeconds(1));
    Future<Integer> slow = threads.submit(sampled::get);
    reading.await();
    assertThat(sampled.get()).isEqualTo(1);
    pass(Duration.ofSeconds(8));
    assertThat(sampled.get()).isEqualTo(1);
    pass(Duration.ofSeconds(1));
    assertThat(sampled.get()).as("no answer for too long").isNull();
    answer.countDown();
    assertThat(slow.get()).isEqualTo(2);
    assertThat(sampled.get()).isEqualTo(2);
  }

  /** A worker that is to end doesn't wait for another's reading. */
  @Test
  void whoIsInterruptedHasNoAnswer() throws Exception {
    CountDownLatch reading = new CountDownLatch(1);
    CountDownLatch answer = new CountDownLatch(1);
    Sampled<Integer> sampled =
        new Sampled<>(
            () -> {
              reading.countDown();
              try {
                answer.await();
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
              return 1;
            },
            clock::get);
    Future<Integer> first = threads.submit(sampled::get);
    reading.await();
    Thread.currentThread().interrupt();
    assertThat(sampled.get()).isNull();
    assertThat(Thread.interrupted()).isTrue();
    answer.countDown();
    assertThat(first.get()).isEqualTo(1);
  }
}
