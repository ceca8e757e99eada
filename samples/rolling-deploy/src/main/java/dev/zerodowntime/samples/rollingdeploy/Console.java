package dev.zerodowntime.samples.rollingdeploy;

import java.util.Locale;

/** Plain lines, each with the time. */
final class Console {

  private final long start = System.nanoTime();

  synchronized void say(String text, Object... arguments) {
    double seconds = (System.nanoTime() - start) / 1e9;
    String line = String.format(Locale.ROOT, text, arguments);
    System.out.printf(Locale.ROOT, "%6.1f s  %s%n", seconds, line);
    System.out.flush();
  }
}
