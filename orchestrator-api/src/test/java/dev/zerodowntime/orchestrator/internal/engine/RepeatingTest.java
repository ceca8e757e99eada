package dev.zerodowntime.orchestrator.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class RepeatingTest {

  /** A member whose thread died silently would be struck off while it serves. */
  @Test
  void nothingThatIsThrownEndsIt() throws InterruptedException {
    AtomicInteger runs = new AtomicInteger();
    CountDownLatch fourth = new CountDownLatch(4);
    Repeating.Work work =
        () -> {
          fourth.countDown();
          switch (runs.getAndIncrement()) {
            case 0 -> throw new SQLException("gone");
            case 1 -> throw new IllegalStateException("wrong");
            case 2 -> throw new LinkageError("no such class");
            default -> {
              return TimeUnit.DAYS.toNanos(1);
            }
          }
        };
    try (Repeating repeating = new Repeating("test", work, 1)) {
      repeating.start();
      repeating.start();
      assertThat(fourth.await(30, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(runs).hasValue(4);
  }
}
