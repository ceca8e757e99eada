package dev.zerodowntime.orchestrator.internal.fleet.model;

import java.util.List;

/**
 * What may happen in one run of a scenario.
 *
 * @param members how many members' lives may overlap, those included whose rows outlive them
 * @param crashes how many processes may crash
 * @param freezes how many processes may freeze
 * @param rollBacks how often the roll-out may go back by one release
 * @param stops how many processes of the wanted release may be closed, as when scaling down
 * @param restarts how many processes of another release may still be started
 * @param pins how often a person may pin builds at the oldest stage
 * @param commands how often a person may roll the migration back, until told to resume
 * @param pauses how often a person may pause everything
 * @param failover what may happen to the server, once
 * @param lostTicks for {@link Failover#RESTORE}: how old the backup may be
 * @param sessions whether the server can tell whose sessions are open
 * @param pinned whether "builds before us" are pinned at the oldest stage from the beginning
 * @param development whether there is neither soak time nor rollback horizon
 * @param detailed whether every heartbeat, look and statement is a step of its own
 * @param text the bounds as they were written
 */
record Bounds(
    int members,
    int crashes,
    int freezes,
    int rollBacks,
    int stops,
    int restarts,
    int pins,
    int commands,
    int pauses,
    Failover failover,
    int lostTicks,
    boolean sessions,
    boolean pinned,
    boolean development,
    boolean detailed,
    String text) {

  private static final List<String> NUMBERS =
      List.of(
          "members",
          "crashes",
          "freezes",
          "rollBacks",
          "stops",
          "restarts",
          "pins",
          "commands",
          "pauses",
          "lostTicks");
  private static final List<String> WORDS =
      List.of("sessions", "pinned", "development", "detailed");

  /** What may happen to the server. */
  enum Failover {
    /** Nothing. */
    NONE,
    /** It can't be reached for a while. */
    OUTAGE,
    /** It is restarted, or another server takes over, and nothing is lost. */
    RESTART,
    /** It comes back with everything as it was at an earlier moment. */
    RESTORE
  }

  /** From a text such as {@code "members 3, crashes 2, failover RESTART, pinned"}. */
  static Bounds of(String text) {
    int[] numbers = new int[NUMBERS.size()];
    boolean[] words = new boolean[WORDS.size()];
    Failover failover = Failover.NONE;
    for (String part : text.split(", *")) {
      String[] pair = part.split(" ");
      if (pair[0].equals("failover")) {
        failover = Failover.valueOf(pair[1]);
      } else if (pair.length == 2) {
        numbers[index(NUMBERS, pair[0])] = Integer.parseInt(pair[1]);
      } else {
        words[index(WORDS, pair[0])] = true;
      }
    }
    return new Bounds(
        numbers[0],
        numbers[1],
        numbers[2],
        numbers[3],
        numbers[4],
        numbers[5],
        numbers[6],
        numbers[7],
        numbers[8],
        failover,
        numbers[9],
        words[0],
        words[1],
        words[2],
        words[3],
        text);
  }

  private static int index(List<String> names, String name) {
    int index = names.indexOf(name);
    if (index < 0) {
      throw new IllegalArgumentException("no such bound: " + name);
    }
    return index;
  }

  @Override
  public String toString() {
    return text;
  }
}
