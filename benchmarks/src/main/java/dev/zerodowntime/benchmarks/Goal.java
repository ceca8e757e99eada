package dev.zerodowntime.benchmarks;

import java.util.Locale;
import java.util.OptionalDouble;

/**
 * Something that should be so.
 *
 * @param name what to call it
 * @param figure what was measured; empty where the sizes it is about were not run
 * @param limit what the figure is held against
 * @param atLeast whether the figure should be no less than the limit, or else no more
 * @param format how to print both
 */
record Goal(String name, OptionalDouble figure, double limit, boolean atLeast, String format) {

  static Goal factorAtLeast(String name, OptionalDouble figure, double limit) {
    return new Goal(name, figure, limit, true, "%.2fx");
  }

  static Goal factorAtMost(String name, OptionalDouble figure, double limit) {
    return new Goal(name, figure, limit, false, "%.2fx");
  }

  static Goal percentAtMost(String name, OptionalDouble figure, double limit) {
    return new Goal(name, figure, limit, false, "%.0f%%");
  }

  /** As it is printed. */
  String line() {
    String target = (atLeast ? ">= " : "<= ") + text(limit);
    if (figure.isEmpty()) {
      return "goal " + name + ": - (target " + target + ") not measured";
    }
    double value = figure.getAsDouble();
    boolean met = atLeast ? value >= limit : value <= limit;
    return "goal "
        + name
        + ": "
        + text(value)
        + " (target "
        + target
        + ") "
        + (met ? "met" : "missed");
  }

  private String text(double value) {
    return String.format(Locale.ROOT, format, value);
  }
}
