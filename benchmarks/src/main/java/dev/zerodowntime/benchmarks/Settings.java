package dev.zerodowntime.benchmarks;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;

/**
 * What to run, and for how long. What is not given, or empty, has its default.
 *
 * @param sizes {@code benchmark.sizes}: rows of the tables, ascending
 * @param repeats {@code benchmark.repeats}: how often each size is measured; 0: more often the
 *     smaller it is, for a short run says little
 * @param time {@code benchmark.seconds}: how long whatever has no end of its own is measured
 * @param rate {@code benchmark.rate}: the load's transactions per second
 * @param loadRows {@code benchmark.load.rows}: rows of the table that the load works on
 * @param durable {@code benchmark.fsync}: whether the server writes to the disk; off only to see
 *     whether all of this runs
 */
record Settings(
    List<Long> sizes, int repeats, Duration time, int rate, long loadRows, boolean durable) {

  private static final List<Long> SIZES = List.of(10_000L, 100_000L, 1_000_000L, 10_000_000L);

  static Settings of(Properties properties) {
    String sizes = properties.getProperty("benchmark.sizes", "").trim();
    return new Settings(
        sizes.isEmpty()
            ? SIZES
            : Arrays.stream(sizes.split(",")).map(each -> positive(each.trim())).sorted().toList(),
        (int) number(properties, "benchmark.repeats", 0),
        Duration.ofSeconds(number(properties, "benchmark.seconds", 20)),
        (int) number(properties, "benchmark.rate", 500),
        number(properties, "benchmark.load.rows", 1_000_000),
        !properties.getProperty("benchmark.fsync", "on").equals("off"));
  }

  private static long number(Properties properties, String name, long otherwise) {
    String value = properties.getProperty(name, "").trim();
    return value.isEmpty() ? otherwise : positive(value);
  }

  private static long positive(String value) {
    long number = Long.parseLong(value.replace("_", ""));
    if (number <= 0) {
      throw new IllegalArgumentException("not a positive number: " + value);
    }
    return number;
  }

  /** How often a table of so many rows is measured; the median counts. */
  int repeats(long rows) {
    if (repeats > 0) {
      return repeats;
    }
    return rows <= 100_000 ? 5 : rows <= 1_000_000 ? 3 : 1;
  }
}
