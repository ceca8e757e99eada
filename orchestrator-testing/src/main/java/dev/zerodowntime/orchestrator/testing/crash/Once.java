package dev.zerodowntime.orchestrator.testing.crash;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Reads a log of phases and steps, and finds what happened twice in one movement. Applied to every
 * log: equality with the undisturbed run alone would believe that run.
 */
public final class Once {

  private Once() {}

  /** What is wrong, or null. */
  public static String violation(List<String> log) {
    String entering = null;
    Set<String> steps = new HashSet<>();
    for (String line : log) {
      String[] words = line.split(" ");
      switch (words[0]) {
        case "PHASE" -> {
          String movement = words[2] + " " + words[words.length - 1];
          if (words[3].equals("ENTERING")) {
            if (entering != null) {
              return "entered while entering " + entering + ": " + line;
            }
            entering = movement;
            steps.clear();
          } else if (words[3].equals("REACHED")) {
            if (!movement.equals(entering)) {
              return "reached but not entered, or twice: " + line;
            }
            entering = null;
          }
        }
        case "STEP" -> {
          if (entering == null || !entering.startsWith(words[2] + " ")) {
            return "a step outside of its movement: " + line;
          }
          if (!steps.add(words[3])) {
            return "a step twice in one movement: " + line;
          }
        }
        case "FAILED" -> {
          return line;
        }
        default -> {
          // Declarations and backfills have no order among each other.
        }
      }
    }
    return entering == null ? null : "never reached: " + entering;
  }
}
