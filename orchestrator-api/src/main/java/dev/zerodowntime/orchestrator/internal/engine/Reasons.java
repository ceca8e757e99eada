package dev.zerodowntime.orchestrator.internal.engine;

import java.math.BigDecimal;
import java.math.MathContext;
import java.time.Duration;

/** Puts into words why a backfill waits. */
final class Reasons {

  private static final int SIGNIFICANT = 6;

  private Reasons() {}

  /** What went wrong, in one line; its kind, if it says nothing itself. */
  static String of(Throwable e) {
    String message = e.getMessage();
    return message == null || message.isBlank()
        ? e.getClass().getName()
        : message.strip().replaceAll("\\s*\\R\\s*", " ");
  }

  static String duration(Duration duration) {
    long millis = duration.toMillis();
    return millis < 1_000 || millis < 10_000 && millis % 1_000 != 0
        ? millis + " ms"
        : millis / 1_000 + " s";
  }

  /** Without the .0 that a double has, and without digits that say nothing. */
  static String number(double value) {
    return Double.isInfinite(value)
        ? Double.toString(value)
        : new BigDecimal(value, new MathContext(SIGNIFICANT)).stripTrailingZeros().toPlainString();
  }
}
