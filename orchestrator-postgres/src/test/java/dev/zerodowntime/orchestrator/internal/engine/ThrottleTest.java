package dev.zerodowntime.orchestrator.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.zerodowntime.orchestrator.BackfillWindow;
import dev.zerodowntime.orchestrator.LoadSignal;
import dev.zerodowntime.orchestrator.Pace;
import dev.zerodowntime.orchestrator.postgres.PostgresDialect;
import dev.zerodowntime.orchestrator.postgres.engine.Eventually;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.postgresql.ds.PGSimpleDataSource;

/** Windows and signals; no database is asked, and none would answer. */
class ThrottleTest {

  private static final Instant NOON = Instant.parse("2026-11-25T12:00:00Z");
  private static final Pace PACE = Pace.DEFAULT.maxLag(null);

  private final AtomicLong clock = new AtomicLong();

  private static PGSimpleDataSource nobody() {
    PGSimpleDataSource nobody = new PGSimpleDataSource();
    nobody.setPortNumbers(new int[] {1});
    return nobody;
  }

  private Throttle throttle(LoadSignal... signals) {
    return new Throttle(
        nobody(),
        Map.of(),
        PostgresDialect.create(),
        List.of(signals),
        List.of(),
        clock::get,
        Sampled.PATIENCE);
  }

  private static LoadSignal queue(double limit, LoadSignal.Reading reading) {
    return new LoadSignal("queue depth", "jobs", limit, reading);
  }

  private Throttle.Verdict ask(double limit, LoadSignal.Reading reading) {
    return throttle(queue(limit, reading)).ask(PACE, NOON);
  }

  @Test
  void nothingToGiveWayTo() {
    assertThat(throttle().ask(PACE, NOON)).isEqualTo(new Throttle.Verdict(null, 1));
    assertThat(throttle().ask(Pace.DEFAULT.fullSpeed(), NOON).go()).isTrue();
  }

  @Test
  void outsideTheWindowNothingElseIsAsked() {
    BackfillWindow night = BackfillWindow.daily("22:00", "05:30", ZoneId.of("Europe/Vienna"));
    List<String> asked = new ArrayList<>();
    Throttle throttle = throttle(queue(1, () -> asked.add("x") ? 0 : 0));
    assertThat(throttle.ask(Pace.DEFAULT.window(night), NOON).reason())
        .isEqualTo("outside its window 22:00-05:30 Europe/Vienna; opens at 2026-11-25T21:00:00Z");
    assertThat(asked).isEmpty();
    assertThat(throttle.ask(PACE.window(night), Instant.parse("2026-11-25T21:00:00Z")).go())
        .isTrue();
    assertThat(asked).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 100, 1", "50, 100, 1", "55, 100, 1.9", "75, 100, 5.5", "100, 100, 10",
    "-7, 100, 1", "0, 0, 1", "-5, -4, 1", "1e300, Infinity, 1", "-Infinity, 100, 1"
  })
  void pausesGetLongerFromHalfTheLimitOn(double value, double limit, double stretch) {
    Throttle.Verdict verdict = ask(limit, () -> value);
    assertThat(verdict.reason()).isNull();
    assertThat(verdict.stretch()).isCloseTo(stretch, within(1e-9));
  }

  @ParameterizedTest
  @CsvSource({
    "120, 100, 'is 120 jobs, limit 100 jobs'",
    "100.5, 100, 'is 100.5 jobs, limit 100 jobs'",
    "0.1, 0, 'is 0.1 jobs, limit 0 jobs'",
    "-3, -4, 'is -3 jobs, limit -4 jobs'",
    "Infinity, 100, 'is Infinity jobs, limit 100 jobs'",
    "NaN, 100, can't be read: it is no number"
  })
  void overTheLimit(double value, double limit, String said) {
    Throttle.Verdict verdict = ask(limit, () -> value);
    assertThat(verdict.go()).isFalse();
    assertThat(verdict.reason()).isEqualTo("load signal queue depth " + said);
    assertThat(verdict.stretch()).isEqualTo(10);
  }

  @Test
  void aReadingThatFailsHolds() {
    assertThat(
            ask(
                    1,
                    () -> {
                      throw new java.io.IOException("connection\n  refused");
                    })
                .reason())
        .isEqualTo("load signal queue depth can't be read: connection refused");
    assertThat(
            ask(
                    1,
                    () -> {
                      throw new IllegalStateException();
                    })
                .reason())
        .isEqualTo("load signal queue depth can't be read: java.lang.IllegalStateException");
    assertThat(
            ask(
                    1,
                    () -> {
                      throw new NoClassDefFoundError("a/B");
                    })
                .reason())
        .isEqualTo("load signal queue depth can't be read: a/B");
  }

  @Test
  void aReadingThatIsInterruptedHolds() {
    Throttle.Verdict verdict =
        ask(
            1,
            () -> {
              throw new InterruptedException();
            });
    assertThat(verdict.reason()).isEqualTo("load signal queue depth can't be read: interrupted");
  }

  /** A build may well be what the server measures. */
  @Test
  void whatTheServerSaysHoldsBatchesAndCancelsNothing() {
    LoadSignal running = new LoadSignal("running", "threads", 1, () -> 2);
    Throttle throttle =
        new Throttle(
            nobody(),
            Map.of(),
            PostgresDialect.create(),
            List.of(queue(1, () -> 3)),
            List.of(running),
            clock::get,
            Sampled.PATIENCE);
    assertThat(throttle.ask(PACE, NOON).reason())
        .isEqualTo(
            "load signal queue depth is 3 jobs, limit 1 jobs; also: load signal running is 2"
                + " threads, limit 1 threads");
    assertThat(throttle.over(null))
        .containsExactly("load signal queue depth is 3 jobs, limit 1 jobs");
  }

  /** A replica that has gone without a word, say. */
  @Test
  void whoAsksDoesNotWaitForASignalThatHangs() {
    CountDownLatch answer = new CountDownLatch(1);
    Throttle throttle =
        throttle(
            queue(
                1,
                () -> {
                  answer.await();
                  return 0;
                }));
    assertThat(throttle.ask(PACE, NOON).reason())
        .isEqualTo("a load signal can't be read: no answer yet");
    answer.countDown();
    while (!throttle.ask(PACE, NOON).go()) {
      Thread.onSpinWait();
    }
  }

  @Test
  void theLongestStretchAndAllReasons() {
    LoadSignal calm = new LoadSignal("p99", "ms", 100, () -> 55);
    LoadSignal busy = new LoadSignal("cpu", "%", 100, () -> 75);
    LoadSignal over = new LoadSignal("disk", "%", 80, () -> 90);
    assertThat(throttle(calm, busy, calm).ask(PACE, NOON).stretch()).isCloseTo(5.5, within(1e-9));
    assertThat(throttle(calm, over, queue(1, () -> 2)).ask(PACE, NOON).reason())
        .isEqualTo(
            "load signal disk is 90 %, limit 80 %; also: load signal queue depth is 2 jobs, limit 1"
                + " jobs");
  }

  @Test
  void signalsAreReadOnceASecondOneAfterTheOther() {
    List<String> read = new ArrayList<>();
    Throttle throttle =
        throttle(
            new LoadSignal("a", "", 1, () -> read.add("a") ? 0 : 0),
            new LoadSignal("b", "", 1, () -> read.add("b") ? 0 : 0));
    throttle.ask(PACE, NOON);
    throttle.ask(PACE.maxWaiting(1), NOON);
    assertThat(read).containsExactly("a", "b");
    clock.addAndGet(Duration.ofSeconds(1).toNanos());
    throttle.ask(PACE, NOON);
    assertThat(read).containsExactly("a", "b", "a", "b");
  }

  @Test
  void aDatabaseThatDoesNotAnswerHolds() throws Exception {
    Throttle throttle = throttle();
    // Whoever asks waits for a second at most, which a busy machine may take to be refused.
    Eventually.until(
        "it was refused",
        () -> !answer(throttle).contains("a server that was asked does not answer"));
    assertThat(answer(throttle))
        .startsWith("replication lag can't be read: the primary can't be asked: Connection to ")
        .endsWith("; mend that, or set max_lag_ms to -1");
  }

  private static String answer(Throttle throttle) {
    return String.valueOf(throttle.ask(Pace.DEFAULT, NOON).reason());
  }

  @Test
  void waitingSessions() {
    Pace pace = Pace.DEFAULT.maxWaiting(4);
    assertThat(Waiters.over(4, pace)).isFalse();
    assertThat(Waiters.over(5, pace)).isTrue();
    assertThat(Waiters.over(1_000, pace.maxWaiting(null))).isFalse();
    assertThat(Waiters.over(1, pace.maxWaiting(0))).isTrue();
    assertThat(Waiters.stretch(2, pace)).isEqualTo(1);
    assertThat(Waiters.stretch(3, pace)).isEqualTo(5.5);
    assertThat(Waiters.stretch(9, pace)).isEqualTo(10);
    assertThat(Waiters.stretch(9, pace.maxWaiting(null))).isEqualTo(1);
  }

  @Test
  void durationsForPeople() {
    assertThat(Reasons.duration(Duration.ofMillis(14_900))).isEqualTo("14 s");
    assertThat(Reasons.duration(Duration.ofSeconds(10))).isEqualTo("10 s");
    assertThat(Reasons.duration(Duration.ofMillis(2_500))).isEqualTo("2500 ms");
    assertThat(Reasons.duration(Duration.ofSeconds(2))).isEqualTo("2 s");
    assertThat(Reasons.duration(Duration.ZERO)).isEqualTo("0 ms");
  }
}
