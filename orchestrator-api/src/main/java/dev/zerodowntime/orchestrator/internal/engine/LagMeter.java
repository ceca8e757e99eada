package dev.zerodowntime.orchestrator.internal.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * Turns positions in the primary's log into time: it notes when the primary was where, and how old
 * the first of these markers is that a replica has not replayed is how far it is behind. No
 * server's clock is asked, and no column that only some may read.
 *
 * <p>What it says is never more than the truth. A replica that was behind when the first marker was
 * noted is behind by more, which nobody can know; it is caught up with as time goes on.
 *
 * <p>Thread-safe.
 */
final class LagMeter {

  /** Enough to tell lags of a day to a few percent. */
  private static final int MOST_MARKERS = 1_024;

  private final Comparator<String> order;
  private final LongSupplier nanoTime;

  /** In the order of time and of positions, which only grow. */
  private final List<Marker> markers = new ArrayList<>();

  private record Marker(String position, long nanos) {}

  /**
   * A meter without markers.
   *
   * @param order of positions
   * @param nanoTime a clock that only goes forward
   */
  LagMeter(Comparator<String> order, LongSupplier nanoTime) {
    this.order = order;
    this.nanoTime = nanoTime;
  }

  /** Notes where the primary is; called right after it was asked. */
  synchronized void mark(String position) {
    long now = nanoTime.getAsLong();
    if (!markers.isEmpty()) {
      int step = order.compare(position, markers.get(markers.size() - 1).position());
      if (step == 0) {
        // What lies before it has been there since it was first seen.
        return;
      }
      if (step < 0) {
        // Another server has taken over, and some of the old one's log never was: no one will ever
        // replay it.
        markers.clear();
      }
    }
    if (markers.size() == MOST_MARKERS) {
      thin(now);
    }
    markers.add(new Marker(position, now));
  }

  /**
   * How far a replica is behind; called right after it was asked.
   *
   * <p>Markers that all have replayed are kept, for a replica that isn't connected now and comes
   * back.
   *
   * @param replayed its position
   * @return to the millisecond; zero if it has replayed every marker
   */
  synchronized Duration behind(String replayed) {
    int low = 0;
    int high = markers.size();
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (order.compare(markers.get(middle).position(), replayed) <= 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low == markers.size()
        ? Duration.ZERO
        : Duration.ofMillis((nanoTime.getAsLong() - markers.get(low).nanos()) / 1_000_000);
  }

  /** How many markers are kept. */
  synchronized int size() {
    return markers.size();
  }

  /**
   * Drops the marker that is missed least: the one between whose neighbours the least time lies,
   * for its age. So the first is kept, the last minutes stay whole, and what a gap can make wrong
   * is small beside the lag itself.
   */
  private void thin(long now) {
    int least = 1;
    double leastGap = Double.MAX_VALUE;
    for (int i = 1; i < markers.size() - 1; i++) {
      double age = Math.max(1, now - markers.get(i).nanos());
      double gap = (markers.get(i + 1).nanos() - markers.get(i - 1).nanos()) / age;
      if (gap < leastGap) {
        leastGap = gap;
        least = i;
      }
    }
    markers.remove(least);
  }
}
