package dev.zerodowntime.samples.rollingdeploy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/** Counts every request, as the client sees it. Thread-safe. */
final class Proof {

  private static final int SHOWN = 100;

  private final LongAdder requests = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final AtomicLong slowestNanos = new AtomicLong();
  private final Map<Release, LongAdder> answered = new ConcurrentHashMap<>();
  private final List<String> failures = new ArrayList<>();

  void requested(long nanos) {
    requests.increment();
    slowestNanos.accumulateAndGet(nanos, Math::max);
  }

  void answered(Release release) {
    answered.computeIfAbsent(release, each -> new LongAdder()).increment();
  }

  /** Counts an error, and as well an answer that is wrong. */
  void failed(String what) {
    failed.increment();
    synchronized (failures) {
      if (failures.size() < SHOWN) {
        failures.add(what);
      }
    }
  }

  /** How many requests a release has answered. */
  long answeredBy(Release release) {
    LongAdder count = answered.get(release);
    return count == null ? 0 : count.sum();
  }

  long requests() {
    return requests.sum();
  }

  long failed() {
    return failed.sum();
  }

  long slowestMillis() {
    return slowestNanos.get() / 1_000_000;
  }

  /** The first few. */
  List<String> failures() {
    synchronized (failures) {
      return List.copyOf(failures);
    }
  }
}
