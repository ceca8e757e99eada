package dev.zerodowntime.samples.quickstart;

import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/** Counts every query of the load, as the application sees it. Thread-safe. */
final class Proof {

  private static final int SHOWN = 5;

  private final LongAdder queries = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final LongAdder retried = new LongAdder();
  private final AtomicLong slowest = new AtomicLong();
  private final Map<String, String> shown = new LinkedHashMap<>();

  /** A statement or a commit. */
  interface Query<T> {
    T run() throws SQLException;
  }

  /** Runs a query and takes its time, whatever comes of it. */
  <T> T timed(Query<T> query) throws SQLException {
    long start = System.nanoTime();
    try {
      return query.run();
    } finally {
      queries.increment();
      slowest.accumulateAndGet(System.nanoTime() - start, Math::max);
    }
  }

  /** Counts a failure; nothing is retried, so that none can hide. */
  void failed(String where, SQLException error) {
    failed.increment();
    String message = String.valueOf(error.getMessage()).replaceAll("\\s+", " ");
    synchronized (shown) {
      if (shown.size() < SHOWN) {
        shown.putIfAbsent(message, where);
      }
    }
  }

  /** Counts a transaction that the database wants to be tried again. */
  void retried() {
    retried.increment();
  }

  long queries() {
    return queries.sum();
  }

  long failed() {
    return failed.sum();
  }

  long slowestMillis() {
    return slowest.get() / 1_000_000;
  }

  /** The first few failures, each message once. */
  List<String> failures() {
    synchronized (shown) {
      return shown.entrySet().stream().map(each -> each.getValue() + ": " + each.getKey()).toList();
    }
  }

  /** The last line of the run. */
  String line(long rows, long differ) {
    return "proof: queries="
        + queries()
        + " failed="
        + failed()
        + (Product.current() == Product.MYSQL ? " deadlocks_retried=" + retried.sum() : "")
        + " slowest_ms="
        + slowestMillis()
        + " rows="
        + rows
        + " differ="
        + differ;
  }
}
