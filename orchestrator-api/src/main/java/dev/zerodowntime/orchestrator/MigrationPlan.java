package dev.zerodowntime.orchestrator;

import java.util.List;

/**
 * What carrying out a migration would do, phase by phase, and the way back from each.
 *
 * @param id the migration's id
 * @param schema the target schema
 * @param lifecycle phases, stages and spans, resolved against the database
 * @param rows estimated rows of the table, negative if unknown
 * @param shortcuts work that isn't needed here, and why
 * @param advice what the author may want to know before deciding for it, each a sentence
 * @param phases the phases after the first, in order
 */
public record MigrationPlan(
    String id,
    String schema,
    Lifecycle lifecycle,
    long rows,
    List<Shortcut> shortcuts,
    List<String> advice,
    List<PhasePlan> phases) {

  /** Copies the lists. */
  public MigrationPlan {
    shortcuts = List.copyOf(shortcuts);
    advice = List.copyOf(advice);
    phases = List.copyOf(phases);
  }

  /**
   * One phase.
   *
   * @param phase the phase
   * @param up the steps that lead to it
   * @param down the steps that lead back out of it; empty if there is nothing to undo
   * @param reversible whether there is a way back at all
   */
  public record PhasePlan(
      Phase phase, List<PlannedStep> up, List<PlannedStep> down, boolean reversible) {

    /** Copies the lists. */
    public PhasePlan {
      up = List.copyOf(up);
      down = List.copyOf(down);
    }
  }

  /**
   * One step.
   *
   * @param name its name
   * @param summary what it does and why
   * @param lock which lock it takes
   * @param sql what it executes
   */
  public record PlannedStep(String name, String summary, String lock, List<String> sql) {

    /** Copies the list. */
    public PlannedStep {
      sql = List.copyOf(sql);
    }
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    text.append(id)
        .append(" [")
        .append(lifecycle.operation())
        .append("] in schema ")
        .append(schema);
    text.append(rows < 0 ? "" : ", about " + rows + " rows");
    text.append("\n  code stages: ").append(lifecycle.stages());
    for (Shortcut each : shortcuts) {
      text.append("\n  shortcut: ").append(each);
    }
    for (String each : advice) {
      text.append("\n  advice: ").append(each);
    }
    for (PhasePlan each : phases) {
      text.append("\n  ").append(each.phase());
      if (each.up().isEmpty()) {
        text.append(": nothing to do");
      }
      append(text, each.up());
      text.append("\n    way back: ");
      if (!each.reversible()) {
        text.append("none");
      } else if (each.down().isEmpty()) {
        text.append("nothing to do");
      }
      append(text, each.down());
    }
    return text.toString();
  }

  private static void append(StringBuilder text, List<PlannedStep> steps) {
    for (PlannedStep step : steps) {
      text.append("\n    - ").append(step.summary()).append(" (").append(step.lock()).append(')');
      for (String sql : step.sql()) {
        text.append("\n        ").append(sql.strip().replace("\n", "\n        ")).append(';');
      }
    }
  }
}
