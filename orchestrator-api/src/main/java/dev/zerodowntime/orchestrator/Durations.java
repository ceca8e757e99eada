package dev.zerodowntime.orchestrator;

import java.time.Duration;

/** Durations as people write them. */
final class Durations {

  private Durations() {}

  static String text(Duration duration) {
    long millis = duration.toMillis();
    if (millis < 1_000) {
      return millis + " ms";
    }
    if (millis < 120_000) {
      return millis / 1_000 + (millis < 10_000 ? "." + millis % 1_000 / 100 : "") + " s";
    }
    long minutes = millis / 60_000;
    if (minutes < 120) {
      return minutes + " min";
    }
    long hours = minutes / 60;
    return hours < 48
        ? hours + " h " + minutes % 60 + " min"
        : hours / 24 + " days " + hours % 24 + " h";
  }
}
