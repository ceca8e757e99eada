package dev.zerodowntime.benchmarks;

import java.time.Duration;

/**
 * One way to fill the column, once.
 *
 * @param rows rows changed
 * @param writing how long it took to change them
 * @param whole the same with the verification that follows, where there is one
 */
record Run(long rows, Duration writing, Duration whole) {

  double rate() {
    return perSecond(writing);
  }

  double wholeRate() {
    return perSecond(whole);
  }

  private double perSecond(Duration time) {
    return rows / (Math.max(1, time.toNanos()) / 1e9);
  }
}
