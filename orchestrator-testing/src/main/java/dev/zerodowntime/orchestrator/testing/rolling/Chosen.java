package dev.zerodowntime.orchestrator.testing.rolling;

import java.time.LocalDate;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Which scenarios are run. {@code -Drolling.full=true} takes all of them; else some of them, by
 * turns of a number of days, and {@code -Drolling.sample=n} repeats another day's. {@code
 * -Drolling.only=regex} takes those of that name, whatever the day. A run of none is an error.
 */
public final class Chosen {

  private final boolean full;
  private final int number;
  private final int day;
  private final int days;
  private final String only;

  /**
   * Chooses.
   *
   * @param full whether to take all
   * @param day of which the part is, if not
   * @param days after how many all of them have come up
   * @param only a pattern of names that comes instead of both; null if there is none
   */
  Chosen(boolean full, int day, int days, String only) {
    this.full = full;
    this.number = day;
    this.day = Math.floorMod(day, days);
    this.days = days;
    this.only = only;
  }

  /** As the properties say; by turns of so many days. */
  public static Chosen byProperties(int days) {
    return new Chosen(
        Boolean.getBoolean("rolling.full"),
        Integer.getInteger("rolling.sample", (int) LocalDate.now().toEpochDay()),
        days,
        System.getProperty("rolling.only"));
  }

  /** The number of the day, for whatever else takes turns. */
  public int day() {
    return Math.abs(number);
  }

  /** Whether a day's part is taken, rather than all, or those of a name. */
  public boolean byTurns() {
    return !full && only == null;
  }

  /** The names that are chosen of these. */
  public List<String> of(List<String> names) {
    List<String> chosen =
        IntStream.range(0, names.size())
            .filter(
                each -> only != null ? names.get(each).matches(only) : full || each % days == day)
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
        : "default run: scenarios of one day in "
            + days
            + " (rolling.sample="
            + day
            + "; -Drolling.full=true takes all)";
  }
}
