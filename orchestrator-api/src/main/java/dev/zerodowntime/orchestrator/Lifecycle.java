package dev.zerodowntime.orchestrator;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An operation's phases, stages and spans, and which way it can move between them. Plain data: kept
 * with each migration, so that a build that does not know the operation's class is judged by it.
 *
 * @param operation the operation's name, such as {@code RenameColumn}
 * @param phases every phase, by position
 * @param stages every code stage with its span, oldest code first; both ends only grow
 * @param usable the phase from which newly written code finds what it needs; a migration declared
 *     {@code after} this one waits for it
 * @param settled the phase from which another migration may take over the same column
 * @param purge the phase that physically drops something, after which there is no way back; -1 if
 *     the operation has none
 * @param closed the phase that can't be left downwards once it was entered, although it drops
 *     nothing; -1 if the operation has none
 */
public record Lifecycle(
    String operation,
    List<Phase> phases,
    List<StageSpan> stages,
    int usable,
    int settled,
    int purge,
    int closed) {

  /** Checks the table: positions in order, spans within the phases, both ends growing. */
  public Lifecycle {
    phases = List.copyOf(phases);
    stages = List.copyOf(stages);
    if (phases.size() < 2 || stages.isEmpty()) {
      throw new IllegalArgumentException(operation + " needs two phases and one stage at least");
    }
    for (int i = 0; i < phases.size(); i++) {
      if (phases.get(i).position() != i) {
        throw new IllegalArgumentException(operation + ": phase out of place: " + phases.get(i));
      }
    }
    int last = phases.size() - 1;
    Span before = stages.get(0).span();
    for (StageSpan stage : stages) {
      Span span = stage.span();
      if (span.high() > last || span.low() < before.low() || span.high() < before.high()) {
        throw new IllegalArgumentException(
            operation
                + ": both ends of a span must grow from stage to stage and stay within phase "
                + last
                + ": "
                + stages);
      }
      before = span;
    }
    if (before.high() != last) {
      throw new IllegalArgumentException(
          operation + ": the newest stage must be able to run against the last phase: " + stages);
    }
  }

  /**
   * A lifecycle whose phases are numbered in the order given.
   *
   * @param operation the operation's name
   * @param phases the phases' names
   * @param stages the stages with their spans
   * @param usable the phase from which new code finds what it needs
   * @param settled the phase from which another migration may take the column
   * @param purge the irreversible phase, or -1
   * @return the lifecycle
   */
  public static Lifecycle of(
      String operation,
      List<String> phases,
      List<StageSpan> stages,
      int usable,
      int settled,
      int purge) {
    List<Phase> numbered = new ArrayList<>();
    for (String name : phases) {
      numbered.add(new Phase(numbered.size(), name));
    }
    return new Lifecycle(operation, numbered, stages, usable, settled, purge, -1);
  }

  /**
   * The same lifecycle, with a phase that can't be left downwards: once it was entered, the
   * migration goes on to its end.
   *
   * @param phase the phase
   * @return a copy
   */
  public Lifecycle closedFrom(int phase) {
    return new Lifecycle(operation, phases, stages, usable, settled, purge, phase);
  }

  /**
   * The same phases with other spans, as resolved against a database.
   *
   * @param resolved the stages with their spans
   * @return a copy
   */
  public Lifecycle withStages(List<StageSpan> resolved) {
    return new Lifecycle(operation, phases, resolved, usable, settled, purge, closed);
  }

  /**
   * The last phase's position.
   *
   * @return the position at which the migration is done
   */
  public int last() {
    return phases.size() - 1;
  }

  /**
   * Every movement this operation knows, in both directions.
   *
   * @return the declared table of transitions
   */
  public List<Transition> transitions() {
    List<Transition> table = new ArrayList<>();
    for (int i = 0; i < last(); i++) {
      table.add(new Transition(i, i + 1, Direction.UP));
      if (i + 1 != purge && i + 1 != closed) {
        table.add(new Transition(i + 1, i, Direction.DOWN));
      }
    }
    return List.copyOf(table);
  }

  /**
   * Looks a movement up in the table.
   *
   * @param from the phase it starts in
   * @param to the phase it leads to
   * @return the transition
   * @throws IllegalTransitionException if the table doesn't have it
   */
  public Transition transition(int from, int to) {
    for (Transition each : transitions()) {
      if (each.from() == from && each.to() == to) {
        return each;
      }
    }
    throw new IllegalTransitionException(operation, name(from), name(to));
  }

  /**
   * Whether the whole way from one phase to another is open.
   *
   * @param from the phase it starts in
   * @param to the phase it leads to
   * @return false where an irreversible phase lies in between
   */
  public boolean reachable(int from, int to) {
    return to >= from
        ? to <= last()
        : to >= 0 && (purge < 0 || from < purge) && (closed < 0 || from < closed || to >= closed);
  }

  /**
   * A phase's name, for messages.
   *
   * @param position the phase's position
   * @return its name, or the bare number where there is no such phase
   */
  public String name(int position) {
    return position >= 0 && position < phases.size()
        ? phases.get(position).name()
        : "phase " + position;
  }

  /**
   * A phase by its name.
   *
   * @param name the phase's name, in any case
   * @return its position
   * @throws DeclarationException if the operation has no such phase
   */
  public int position(String name) {
    for (Phase phase : phases) {
      if (phase.name().equalsIgnoreCase(name)) {
        return phase.position();
      }
    }
    throw new DeclarationException(
        ErrorCode.UNKNOWN_PHASE,
        operation + " has no phase " + name + "; its phases are " + phases,
        "Name one of them.");
  }

  /**
   * A stage by its name.
   *
   * @param stage the stage's name
   * @return its span
   * @throws DeclarationException if the operation has no such stage
   */
  public Span span(String stage) {
    for (StageSpan each : stages) {
      if (each.stage().equals(stage)) {
        return each.span();
      }
    }
    throw new DeclarationException(
        ErrorCode.UNKNOWN_STAGE,
        operation + " has no code stage " + stage + "; its stages are " + stages,
        "Declare one of them, or use the version of the library that wrote this migration.");
  }

  /**
   * The stage of code that knows nothing of the migration.
   *
   * @return the oldest stage
   */
  public StageSpan oldest() {
    return stages.get(0);
  }

  /**
   * The stage of code that has left the old shape behind.
   *
   * @return the newest stage
   */
  public StageSpan newest() {
    return stages.get(stages.size() - 1);
  }

  /**
   * As data, for the control tables and release manifests.
   *
   * @return the fields by name
   */
  public Map<String, Object> toMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("operation", operation);
    map.put("phases", phases.stream().map(Phase::name).toList());
    List<Object> spans = new ArrayList<>();
    for (StageSpan stage : stages) {
      Map<String, Object> each = new LinkedHashMap<>();
      each.put("stage", stage.stage());
      each.put("low", (long) stage.span().low());
      each.put("high", (long) stage.span().high());
      spans.add(each);
    }
    map.put("stages", spans);
    map.put("usable", (long) usable);
    map.put("settled", (long) settled);
    map.put("purge", (long) purge);
    if (closed >= 0) {
      map.put("closed", (long) closed);
    }
    return map;
  }

  /**
   * From data in the control tables or in a release manifest.
   *
   * @param map the fields by name
   * @return the lifecycle
   * @throws RuntimeException if the data is not a lifecycle
   */
  public static Lifecycle fromMap(Map<String, Object> map) {
    List<String> phases = new ArrayList<>();
    ((List<?>) required(map, "phases")).forEach(each -> phases.add((String) each));
    List<StageSpan> stages = new ArrayList<>();
    for (Object each : (List<?>) required(map, "stages")) {
      @SuppressWarnings("unchecked")
      Map<String, Object> stage = (Map<String, Object>) each;
      stages.add(
          new StageSpan(
              (String) required(stage, "stage"),
              new Span(number(stage, "low"), number(stage, "high"))));
    }
    Lifecycle open =
        of(
            (String) required(map, "operation"),
            phases,
            stages,
            number(map, "usable"),
            number(map, "settled"),
            number(map, "purge"));
    return map.containsKey("closed") ? open.closedFrom(number(map, "closed")) : open;
  }

  private static Object required(Map<String, Object> map, String key) {
    Object value = map.get(key);
    if (value == null) {
      throw new IllegalArgumentException("field " + key + " is missing");
    }
    return value;
  }

  private static int number(Map<String, Object> map, String key) {
    return ((Number) required(map, key)).intValue();
  }
}
