package dev.zerodowntime.orchestrator.internal.fleet.model;

import dev.zerodowntime.orchestrator.internal.fleet.FleetRules;
import java.util.ArrayList;
import java.util.List;

/**
 * Every rule, broken in turn: of the fleet rules one decision, or of the protocol one precaution.
 */
final class Mutants {

  private final List<Mutant> mutants = new ArrayList<>();

  /**
   * A broken rule.
   *
   * @param name what is wrong with it
   * @param rules the fleet rules
   * @param flaw the flaw of the protocol
   * @param scenario where it can be found
   */
  record Mutant(String name, FleetRules rules, Flaw flaw, Scenario scenario) {}

  private Mutants() {}

  static List<Mutant> all() {
    Mutants mutants = new Mutants();
    RuleMutants.add(mutants);
    TimeMutants.add(mutants);
    mutants.addFlaws();
    return List.copyOf(mutants.mutants);
  }

  /** Adds fleet rules of which one is broken. */
  void add(Scenario scenario, String name, FleetRules rules) {
    mutants.add(new Mutant(name, rules, Flaw.NONE, scenario));
  }

  private void addFlaws() {
    for (Flaw flaw : Flaw.values()) {
      if (flaw != Flaw.NONE) {
        mutants.add(
            new Mutant("protocol: " + flaw, FleetRules.STANDARD, flaw, Scenarios.against(flaw)));
      }
    }
  }
}
