package dev.zerodowntime.orchestrator.internal.fleet.model;

import dev.zerodowntime.orchestrator.internal.fleet.FleetRules;
import dev.zerodowntime.orchestrator.internal.fleet.Observation;

/**
 * What is stored about something watched, in five bits: whether the counter still has the value
 * that was seen, who saw it, and for how many ticks it was seen standing still. Counters are only
 * ever compared for equality, so one bit is all that their values come to.
 */
final class Watch {

  /** The counter moved since it was last looked at, or nobody ever looked. */
  static final int UNSEEN = 0;

  /** Five bits. */
  static final int BITS = 5;

  private static final String SEEN = "seen";
  private static final String MOVED = "moved";
  private static final String NOBODY = "";

  private Watch() {}

  /** What was seen for as long as it takes. */
  static int settled(int expiry) {
    return 1 | 1 << 1 | expiry << 3;
  }

  /** What the driver stores after a look. */
  static int look(FleetRules rules, int watch, int driver, int sinceOwnLook, int expiry) {
    Observation now =
        rules.observe(
            observation(watch), SEEN, Scenario.DRIVERS[driver], sinceOwnLook, Scenario.GAP);
    int still = (int) Math.min(expiry, now.stillMillis());
    return (now.counter().equals(SEEN) ? 1 : 0)
        | (now.observer().equals(Scenario.DRIVERS[0]) ? 1 : 2) << 1
        | still << 3;
  }

  /** The watched counter moves. */
  static int moved(int watch) {
    return watch & ~1;
  }

  static boolean current(int watch) {
    return (watch & 1) != 0;
  }

  /** Whether a driver was the last to see the value that the counter has. */
  static boolean by(int watch, int driver) {
    return current(watch) && (watch >> 1 & 3) == driver + 1;
  }

  static int still(int watch) {
    return watch >> 3;
  }

  static Observation observation(int watch) {
    int observer = watch >> 1 & 3;
    return new Observation(
        current(watch) ? SEEN : MOVED,
        observer == 0 ? NOBODY : Scenario.DRIVERS[observer - 1],
        watch >> 3);
  }

  /** The same with the two drivers' names exchanged. */
  static int swapped(int watch) {
    int observer = watch >> 1 & 3;
    return observer == 0 ? watch : watch & ~6 | (3 - observer) << 1;
  }

  /**
   * Whether these rules count nothing but what the observer watched itself, of the value that the
   * counter still has, and within the longest gap. If so, worlds may be taken for the same that
   * differ only by what is out of date.
   */
  static boolean ownTimeOnly(FleetRules rules, int expiry) {
    for (int watch = 0; watch < 1 << BITS; watch++) {
      int observer = watch >> 1 & 3;
      if (observer == 3 || still(watch) > expiry) {
        continue;
      }
      boolean counts = current(watch) && observer == 1 && still(watch) < expiry;
      int from = current(watch) ? watch : UNSEEN;
      int never = look(rules, from, 0, World.NONE, expiry);
      for (int since = World.NONE; since <= Scenario.GAP + 1; since++) {
        boolean watched = counts && since >= 0 && since <= Scenario.GAP;
        if (!watched && look(rules, watch, 0, since, expiry) != never) {
          return false;
        }
      }
    }
    return true;
  }

  static String text(int watch) {
    if (watch == UNSEEN) {
      return "unseen";
    }
    Observation seen = observation(watch);
    return (current(watch) ? "" : "moved,") + seen.observer() + seen.stillMillis();
  }
}
