package dev.zerodowntime.orchestrator.internal.fleet.model;

import java.util.List;

/**
 * What may happen in one run of a scenario.
 *
 * @param slots how many members' lives may overlap, those included whose rows outlive them
 * @param crashes how many processes may crash
 * @param freezes how many processes may freeze
 * @param rollBacks how often the roll-out may go back by one release
 * @param stops how many processes of the wanted release may be closed, as when scaling down
 * @param restarts how many processes of another release may still be started
 * @param failover what may happen to the server, once
 * @param lostTicks for {@link Failover#RESTORE}: how old the backup may be
 * @param sessions whether the server can tell whose sessions are open
 * @param detailed whether every heartbeat, look and statement is a step of its own
 * @param pinned whether "builds before us" are pinned at the oldest stage until they are adopted
 * @param commands how often a person may roll the migration back, until told to resume
 * @param pauses how often a person may pause everything
 */
record Bounds(
    int slots,
    int crashes,
    int freezes,
    int rollBacks,
    int stops,
    int restarts,
    Failover failover,
    int lostTicks,
    boolean sessions,
    boolean detailed,
    boolean pinned,
    int commands,
    int pauses) {

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

  /** From a text such as {@code "slots 3, crashes 2, failover RESTART, pinned"}. */
  static Bounds of(String text) {
    int[] numbers = new int[NAMES.size()];
    Failover failover = Failover.NONE;
    boolean sessions = false;
    boolean detailed = false;
    boolean pinned = false;
    for (String part : text.split(", *")) {
      String[] words = part.split(" ");
      switch (words[0]) {
        case "failover" -> failover = Failover.valueOf(words[1]);
        case "sessions" -> sessions = true;
        case "detailed" -> detailed = true;
        case "pinned" -> pinned = true;
        default -> numbers[NAMES.indexOf(words[0])] = Integer.parseInt(words[1]);
      }
    }
    return new Bounds(
        numbers[0],
        numbers[1],
        numbers[2],
        numbers[3],
        numbers[4],
        numbers[5],
        failover,
        numbers[6],
        sessions,
        detailed,
        pinned,
        numbers[7],
        numbers[8]);
  }

  private static final List<String> NAMES =
      List.of(
          "slots",
          "crashes",
          "freezes",
          "rollBacks",
          "stops",
          "restarts",
          "lostTicks",
          "commands",
          "pauses");
}
