package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Probe;
import dev.zerodowntime.orchestrator.spi.Step;
import java.util.List;

/** Constraints are added without looking at the rows, and validated while the table is in use. */
final class ConstraintSteps {

  private ConstraintSteps() {}

  /**
   * From then on new and changed rows must satisfy it.
   *
   * @param step the step's name
   * @param summary what it does
   * @param mode the lock it takes
   * @param tables what it locks, the constraint's own table first
   * @param name the constraint's name, unquoted
   * @param definition what follows the name
   */
  static Step add(
      String step,
      String summary,
      LockMode mode,
      List<String> tables,
      String name,
      String definition) {
    String table = tables.get(0);
    return new DdlStep(
        step,
        summary,
        lock(mode, tables),
        tables,
        List.of("ALTER TABLE " + table + " ADD CONSTRAINT " + Sql.quote(name) + " " + definition),
        Probes.all(Probes.constraint(table, name)),
        false);
  }

  /** It is gone, and the tables it was between are free of each other. */
  static Step drop(String step, String summary, List<String> tables, String name) {
    String table = tables.get(0);
    return new DdlStep(
        step,
        summary,
        lock(LockMode.ACCESS_EXCLUSIVE, tables),
        tables,
        List.of("ALTER TABLE " + table + " DROP CONSTRAINT IF EXISTS " + Sql.quote(name)),
        Probes.all(Probes.not(Probes.constraint(table, name))),
        false);
  }

  /** Tells people that there is nothing to do, and why. */
  static Step nothing(String step, String why, String table) {
    return new DdlStep(
        step, why, "none", List.of(table), List.of(), new Probe("SELECT true"), false);
  }

  private static String lock(LockMode mode, List<String> tables) {
    return mode.name().replace('_', ' ')
        + " on "
        + String.join(" and ", tables)
        + ", within the lock budget";
  }
}
