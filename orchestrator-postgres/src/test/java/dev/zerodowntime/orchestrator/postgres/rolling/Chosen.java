package dev.zerodowntime.orchestrator.postgres.rolling;

import java.time.LocalDate;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Which scenarios are run. {@code -Drolling.full=true} takes all of them; else a seventh, in turn,
 * so that each comes up within a week, and {@code -Drolling.sample=n} repeats another day's. {@code
 * -Drolling.only=regex} takes those of that name, whatever the day. A run of none is an error.
 */
final class Chosen {

  private static final int DAYS = 7;

  private final boolean full;
  private final int day;
  private final String only;

  /**
   * Chooses.
   *
   * @param full whether to take all
   * @param day of which the part is, if not
   * @param only a pattern of names that comes instead of both; null if there is none
   */
  Chosen(boolean full, int day, String only) {
    this.full = full;
    this.day = Math.floorMod(day, DAYS);
    this.only = only;
  }

  static Chosen byProperties() {
    return new Chosen(
        Boolean.getBoolean("rolling.full"),
        Integer.getInteger("rolling.sample", (int) LocalDate.now().toEpochDay()),
        System.getProperty("rolling.only"));
  }

  /** The names that are chosen of these. */
  List<String> of(List<String> names) {
    List<String> chosen =
        IntStream.range(0, names.size())
            .filter(
                each -> only != null ? names.get(each).matches(only) : full || each % DAYS == day)
            .mapToObj(names::get)
            .toList();
    if (chosen.isEmpty()) {
      throw new IllegalArgumentException(this + " takes none of " + names);
    }
    return chosen;
  }

  @Override
  public String toString() {
    if (only != null) {
      return "rolling.only=" + only;
    }
    return full
        ? "full run: every scenario"
        : "default run: a seventh of the scenarios (rolling.sample="
            + day
            + "; -Drolling.full=true takes all)";
  }
}
