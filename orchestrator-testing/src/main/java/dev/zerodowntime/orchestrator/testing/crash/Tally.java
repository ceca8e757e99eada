package dev.zerodowntime.orchestrator.testing.crash;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
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

  /** Texts of signs of life that were cut, and of those that once did not come. */
  private final Set<String> cutSigns = new TreeSet<>();

  private final Set<String> missedSigns = new TreeSet<>();

  /** What a problem counts as. */
  enum Kind {
    LOST,
    STUCK,
    TWICE,
    /** The harness itself. */
    OTHER
  }

  synchronized void cut(String subject, Point point) {
    cuts.merge(subject, 1, Integer::sum);
    if (point.effect() == Point.Effect.ALIVE) {
      cutSigns.add(point.sql());
    }
  }

  /** A statement that only some runs send, such as a note of how long somebody has been silent. */
  synchronized void unsteady(Point point) {
    unsteady++;
    if (point.effect() == Point.Effect.ALIVE) {
      missedSigns.add(point.sql());
    }
  }

  /** Cuts that were wanted and could not be made, for their statement came by the clock. */
  synchronized int unmade() {
    return unsteady;
  }

  /** Signs of life that no run was cut at, although some were to be. */
  synchronized Set<String> neverCut() {
    Set<String> never = new TreeSet<>(missedSigns);
    never.removeAll(cutSigns);
    return never;
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
