package dev.zerodowntime.benchmarks;

import java.util.Arrays;

/** Every latency as it was, and when it was due: exact percentiles, of any stretch of time. */
final class Latencies {

  private long[] due = new long[1024];
  private long[] nanos = new long[1024];
  private int size;

  void add(long dueNanos, long latencyNanos) {
    if (size == nanos.length) {
      due = Arrays.copyOf(due, 2 * size);
      nanos = Arrays.copyOf(nanos, 2 * size);
    }
    due[size] = dueNanos;
    nanos[size++] = latencyNanos;
  }

  void addAll(Latencies other) {
    addAll(other, Long.MIN_VALUE, Long.MAX_VALUE);
  }

  void addAll(Latencies other, long from, long to) {
    for (int i = 0; i < other.size; i++) {
      if (other.due[i] >= from && other.due[i] < to) {
        add(other.due[i], other.nanos[i]);
      }
    }
  }

  int count() {
    return size;
  }

  /** The latency that so many of a hundred don't exceed, in milliseconds. */
  double percentile(double percent) {
    if (size == 0) {
      throw new IllegalStateException("nothing was measured");
    }
    long[] sorted = Arrays.copyOf(nanos, size);
    Arrays.sort(sorted);
    int rank = (int) Math.ceil(percent / 100 * size);
    return sorted[Math.max(1, rank) - 1] / 1e6;
  }

  double max() {
    return percentile(100);
  }
}
