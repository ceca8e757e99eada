package dev.zerodowntime.orchestrator.postgres.crash;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** What came of all cuts. Thread-safe. */
final class Tally {

  private static final int SHOWN = 15;

  private final Map<String, Integer> cuts = new TreeMap<>();
  private final List<String> problems = new ArrayList<>();
  private int statements;
  private int lost;
  private int stuck;
  private int twice;
  private int other;
  private int unsteady;

  /** What a problem counts as. */
  enum Kind {
    LOST,
    STUCK,
    TWICE,
    /** The harness itself. */
    OTHER
  }

  synchronized void cut(String subject) {
    cuts.merge(subject, 1, Integer::sum);
  }

  /** A statement that only some runs send, such as a note of how long somebody has been silent. */
  synchronized void unsteady() {
    unsteady++;
  }

  synchronized void trace(int points) {
    statements += points;
  }

  synchronized void problem(Kind kind, String what) {
    switch (kind) {
      case LOST -> lost++;
      case STUCK -> stuck++;
      case TWICE -> twice++;
      case OTHER -> other++;
    }
    problems.add(kind + " " + what);
    if (problems.size() <= SHOWN) {
      System.out.println("crash: " + kind + " " + what);
    }
  }

  synchronized int cuts() {
    return cuts.values().stream().mapToInt(Integer::intValue).sum();
  }

  synchronized int cuts(String subject) {
    return cuts.getOrDefault(subject, 0);
  }

  synchronized List<String> problems() {
    return problems.stream().limit(SHOWN).toList();
  }

  /** The line that everybody reads. */
  synchronized String summary() {
    return "crash: "
        + cuts()
        + " cuts, "
        + lost
        + " lost, "
        + stuck
        + " stuck, "
        + twice
        + " twice"
        + (other == 0 ? "" : ", " + other + " NOT MADE");
  }

  synchronized String details() {
    return "  of "
        + statements
        + " statements, of which "
        + unsteady
        + " came by the clock; "
        + cuts.entrySet().stream()
            .map(each -> each.getKey() + ": " + each.getValue())
            .collect(Collectors.joining(", "));
  }
}
