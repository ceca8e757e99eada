package dev.zerodowntime.orchestrator.spi;

import dev.zerodowntime.orchestrator.Direction;
import java.time.Duration;
import java.util.List;

/** Scripts that carry a migration on, or back, with the database's own client and nothing else. */
public interface ScriptSql {

  /**
   * Writes one. It stops at the first error and may be run again: whatever has happened is found in
   * the catalog and left out.
   *
   * @param script what is to be done
   * @return the text
   */
  String write(Script script);

  /**
   * A literal.
   *
   * @param text any text
   * @return it, quoted
   */
  String literal(String text);

  /**
   * Whether a step can be done without Java and without what only the engine knows.
   *
   * @param step a step
   * @return whether a script may hold it
   */
  boolean scriptable(Step step);

  /**
   * What is to be done.
   *
   * @param id the migration's id
   * @param notes what people must know first, line by line
   * @param begin statements that are run before anything else; may be run again
   * @param movements from phase to phase
   * @param end statements that are run last
   * @param afterwards movements that are shown as comments only
   * @param lockBudget how long blocking statements may wait, and run
   */
  record Script(
      String id,
      List<String> notes,
      List<String> begin,
      List<Movement> movements,
      List<String> end,
      List<Movement> afterwards,
      Duration lockBudget) {
    /** Copies the lists. */
    public Script {
      notes = List.copyOf(notes);
      begin = List.copyOf(begin);
      movements = List.copyOf(movements);
      end = List.copyOf(end);
      afterwards = List.copyOf(afterwards);
    }
  }

  /**
   * From one phase to its neighbour.
   *
   * @param from the phase's name
   * @param to the phase's name
   * @param direction which way
   * @param fitting the code that can run meanwhile, for people
   * @param ahead a query of one boolean: whether it is still to be made, wholly or in part
   * @param entering statements that note the beginning, in one transaction
   * @param steps in order
   * @param reached statements that note the end, in one transaction
   */
  record Movement(
      String from,
      String to,
      Direction direction,
      String fitting,
      String ahead,
      List<String> entering,
      List<Step> steps,
      List<String> reached) {
    /** Copies the lists. */
    public Movement {
      entering = List.copyOf(entering);
      steps = List.copyOf(steps);
      reached = List.copyOf(reached);
    }
  }
}
