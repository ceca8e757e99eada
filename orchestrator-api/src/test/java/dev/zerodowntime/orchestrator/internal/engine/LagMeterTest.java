package dev.zerodowntime.orchestrator.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Comparator;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Positions are plain numbers here: what they look like is the dialect's affair. */
class LagMeterTest {

  private final AtomicLong clock = new AtomicLong(Long.MAX_VALUE - 5);
  private final LagMeter meter =
      new LagMeter(Comparator.comparingLong(Long::parseLong), clock::get);

  /** It also goes over the end of a long, as System.nanoTime may. */
  private void pass(Duration time) {
    clock.addAndGet(time.toNanos());
  }

  private void markAfter(int seconds, long position) {
    pass(Duration.ofSeconds(seconds));
    meter.mark(Long.toString(position));
  }

  private Duration behind(long position) {
    return meter.behind(Long.toString(position));
  }

  @Test
  void nothingIsKnownWithoutMarkers() {
    assertThat(behind(0)).isZero();
  }

  @Test
  void theAgeOfTheFirstMarkerThatIsNotReplayed() {
    markAfter(0, 100);
    markAfter(1, 200);
    markAfter(1, 300);
    pass(Duration.ofSeconds(1));
    assertThat(behind(300)).isZero();
    assertThat(behind(301)).isZero();
    assertThat(behind(299)).isEqualTo(Duration.ofSeconds(1));
    assertThat(behind(200)).isEqualTo(Duration.ofSeconds(1));
    assertThat(behind(199)).isEqualTo(Duration.ofSeconds(2));
    assertThat(behind(0)).isEqualTo(Duration.ofSeconds(3));
  }

  @Test
  void whoStandsStillFallsBehind() {
    markAfter(0, 100);
    assertThat(behind(99)).isZero();
    pass(Duration.ofMillis(1_500));
    assertThat(behind(99)).isEqualTo(Duration.ofMillis(1_500));
  }

  @Test
  void anIdlePrimaryIsWhereItWasSinceItCameThere() {
    markAfter(0, 100);
    markAfter(5, 100);
    markAfter(5, 100);
    assertThat(meter.size()).isEqualTo(1);
    assertThat(behind(99)).isEqualTo(Duration.ofSeconds(10));
    assertThat(behind(100)).isZero();
  }

  @Test
  void aReplicaThatComesBackIsKnown() {
    markAfter(0, 100);
    markAfter(60, 200);
    assertThat(behind(200)).isZero();
    pass(Duration.ofSeconds(1));
    assertThat(behind(50)).isEqualTo(Duration.ofSeconds(61));
  }

  /** A promoted standby begins before the end of what the old primary wrote. */
  @Test
  void anotherPrimaryBeginsAnew() {
    markAfter(0, 100);
    markAfter(1, 500);
    markAfter(60, 300);
    assertThat(meter.size()).isEqualTo(1);
    assertThat(behind(300)).isZero();
    pass(Duration.ofSeconds(2));
    assertThat(behind(299)).isEqualTo(Duration.ofSeconds(2));
  }

  /** However far a replica is behind, a limit of any length can be told from it. */
  @Test
  void memoryIsBoundedAndThePastIsNotForgotten() {
    int seconds = 100_000;
    for (int i = 1; i <= seconds; i++) {
      markAfter(1, i);
    }
    assertThat(meter.size()).isLessThanOrEqualTo(1_024);
    for (int lag : new int[] {1, 10, 60}) {
      assertThat(behind(seconds - lag)).as("%d s", lag).isEqualTo(Duration.ofSeconds(lag - 1));
    }
    for (int lag : new int[] {300, 1_000, 10_000, 90_000}) {
      assertThat(behind(seconds - lag))
          .as("%d s", lag)
          .isBetween(Duration.ofSeconds(lag * 97 / 100), Duration.ofSeconds(lag));
    }
  }
}
