package dev.zerodowntime.samples.quickstart;

import java.util.Locale;

/** Plain lines, each with the time: readable on a terminal, and the next day in a log. */
final class Console {

  private static final int WIDTH = 120;
  private static final String INDENT = " ".repeat(20);

  private final long start = System.nanoTime();
  private final long limitNanos;

  Console(int seconds) {
    this.limitNanos = seconds * 1_000_000_000L;
  }

  /** One line; what doesn't fit continues below, indented. */
  synchronized void say(String text, Object... arguments) {
    String line = arguments.length == 0 ? text : String.format(Locale.ROOT, text, arguments);
    System.out.printf(Locale.ROOT, "%6.1f s  %s%n", seconds(), wrapped(line));
    System.out.flush();
  }

  private static String wrapped(String line) {
    StringBuilder text = new StringBuilder();
    String rest = line;
    while (rest.length() > WIDTH) {
      int end = rest.lastIndexOf(' ', WIDTH);
      if (end <= INDENT.length()) {
        break;
      }
      text.append(rest, 0, end).append(System.lineSeparator());
      rest = INDENT + rest.substring(end + 1);
    }
    return text.append(rest).toString();
  }

  /** A line with room above it. */
  synchronized void headline(String text, Object... arguments) {
    System.out.println();
    say(text, arguments);
  }

  double seconds() {
    return (System.nanoTime() - start) / 1e9;
  }

  /** Nobody should wait for ever for a demonstration. */
  void requireTime(String doing) {
    if (System.nanoTime() - start > limitNanos) {
      throw new IllegalStateException(
          "still " + doing + " after " + limitNanos / 1_000_000_000L + " s (quickstart.seconds)");
    }
  }
}
