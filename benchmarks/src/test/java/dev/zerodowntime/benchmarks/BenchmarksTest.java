package dev.zerodowntime.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.OptionalDouble;
import java.util.Properties;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** That every benchmark runs and prints what it should; never what its figures are. */
@Timeout(120)
class BenchmarksTest {

  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

  private int run(String... settings) {
    Properties properties = new Properties();
    for (int i = 0; i < settings.length; i += 2) {
      properties.setProperty(settings[i], settings[i + 1]);
    }
    return Benchmarks.run(properties, new PrintStream(printed, true, StandardCharsets.UTF_8));
  }

  private String output() {
    return printed.toString(StandardCharsets.UTF_8);
  }

  @Test
  void backfillPrintsEveryFigureAndEveryGoal() {
    int status =
        run(
            "benchmark", "backfill",
            "benchmark.sizes", "2000",
            "benchmark.repeats", "1",
            "benchmark.seconds", "1",
            "benchmark.rate", "100",
            "benchmark.load.rows", "2000",
            // Only whether it runs: whoever waits for a build doesn't wait for its disk.
            "benchmark.fsync", "off");

    assertThat(output()).doesNotContain("could not be carried out").contains("fsync = off");
    assertThat(status).isZero();
    assertThat(output()).containsPattern("(?m)^rows/s at a table of +2,000 rows$");
    Stream.of(Throughput.Figure.values())
        .forEach(
            each -> assertThat(output()).containsPattern("(?m)^" + each.text() + " +[\\d,]+$"));
    Stream.of(Throughput.Ratio.values())
        .map(each -> each.text().replace("(", "\\(").replace(")", "\\)"))
        .forEach(each -> assertThat(output()).containsPattern("(?m)^" + each + " +[\\d.]+x$"));
    assertThat(output()).containsPattern("(?m)^peak heap of ours, MiB +[\\d.]+$");
    Stream.of(
            "alone",
            "during ours, default pace",
            "during computing alone",
            "during the single UPDATE")
        .forEach(
            each ->
                assertThat(output())
                    .containsPattern(
                        "(?m)^" + each + ".* +[\\d,.]+ +[\\d,.]+ +[\\d,.]+ +[\\d,.]+"));
    Stream.of("full-speed-2-workers", "flat", "sync-triggers", "default-pace-p99", "heap")
        .forEach(
            each ->
                assertThat(output())
                    .as("of other sizes")
                    .containsPattern("(?m)^goal " + each + ": - \\(target .*\\) not measured$"));
  }

  @Test
  void goalSaysWhatWasMeasuredAndWhetherItWasMet() {
    assertThat(Goal.factorAtLeast("a", OptionalDouble.of(2.345), 2).line())
        .isEqualTo("goal a: 2.35x (target >= 2.00x) met");
    assertThat(Goal.factorAtMost("b", OptionalDouble.of(1.26), 1.25).line())
        .isEqualTo("goal b: 1.26x (target <= 1.25x) missed");
    assertThat(Goal.percentAtMost("c", OptionalDouble.of(20), 20).line())
        .isEqualTo("goal c: 20% (target <= 20%) met");
  }

  @Test
  void unknownNameIsAnsweredWithTheKnownOnes() {
    assertThat(run("benchmark", "speed")).isEqualTo(2);
    assertThat(output()).contains("speed").contains("backfill");
  }

  @Test
  void percentilesAreExact() {
    Latencies latencies = new Latencies();
    for (int i = 2000; i > 0; i--) {
      latencies.add(i, i * 1_000_000L);
    }
    assertThat(latencies.percentile(50)).isEqualTo(1000);
    assertThat(latencies.percentile(99)).isEqualTo(1980);
    assertThat(latencies.max()).isEqualTo(2000);
  }
}
