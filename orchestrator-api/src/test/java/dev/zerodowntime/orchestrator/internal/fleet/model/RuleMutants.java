package dev.zerodowntime.orchestrator.internal.fleet.model;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.State;
import dev.zerodowntime.orchestrator.internal.fleet.Counted;
import dev.zerodowntime.orchestrator.internal.fleet.Counted.Kind;
import dev.zerodowntime.orchestrator.internal.fleet.Fleet;
import dev.zerodowntime.orchestrator.internal.fleet.FleetRules;
import dev.zerodowntime.orchestrator.internal.fleet.Objection;
import dev.zerodowntime.orchestrator.internal.fleet.StageChoice;
import java.util.List;
import java.util.function.BiPredicate;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/** The fleet rules, each broken in turn, by what is wrong with them. */
final class RuleMutants {

  private RuleMutants() {}

  static void add(Mutants mutants) {
    fits(mutants);
    objections(mutants);
    choices(mutants);
  }

  private static void fits(Mutants mutants) {
    mutants.add(
        Scenarios.PEOPLE,
        "fits: the phase reached is ignored",
        fitting((span, s) -> span.low() <= s.entering() && s.entering() <= span.high()));
    mutants.add(
        Scenarios.PEOPLE,
        "fits: the phase being entered is ignored",
        fitting((span, s) -> span.low() <= s.reached() && s.reached() <= span.high()));
    mutants.add(
        Scenarios.PEOPLE,
        "fits: the lower end is ignored",
        fitting((span, s) -> s.upper() <= span.high()));
    mutants.add(
        Scenarios.SMALL,
        "fits: the upper end is ignored",
        fitting((span, s) -> span.low() <= s.lower()));
    mutants.add(
        Scenarios.SMALL,
        "fits: the upper end is exclusive",
        fitting((span, s) -> span.low() <= s.lower() && s.upper() < span.high()));
  }

  private static FleetRules fitting(BiPredicate<Span, State> rule) {
    return new FleetRules() {
      @Override
      public boolean fits(Span span, State state) {
        return rule.test(span, state);
      }
    };
  }

  private static void objections(Mutants mutants) {
    mutants.add(
        Scenarios.PEOPLE,
        "objections: a pause is ignored",
        without(o -> is(o, Objection.Reason.PAUSED)));
    mutants.add(
        Scenarios.RESTORED,
        "objections: a new incarnation is ignored",
        without(o -> is(o, Objection.Reason.NEW_INCARNATION)));
    mutants.add(
        Scenarios.SMALL,
        "objections: an unknown application is ignored",
        without(o -> is(o, Objection.Reason.NO_APPLICATION)));
    mutants.add(
        Scenarios.DEVELOPMENT,
        "objections: live members are ignored",
        without(o -> is(o, Kind.LIVE)));
    mutants.add(
        Scenarios.DEVELOPMENT,
        "objections: pinned members are ignored",
        without(o -> is(o, Kind.PINNED)));
    mutants.add(
        Scenarios.SMALL, "objections: warm releases are ignored", without(o -> is(o, Kind.WARM)));
    mutants.add(
        Scenarios.SMALL,
        "objections: only the first counted is asked",
        new FleetRules() {
          @Override
          public List<Objection> objections(Fleet fleet, State pair) {
            List<Counted> all = fleet.counted();
            List<Counted> first = all.subList(0, Math.min(1, all.size()));
            boolean known = fleet.applicationKnown();
            return super.objections(new Fleet(first, known, fleet.paused(), fleet.held()), pair);
          }
        });
    mutants.add(
        Scenarios.SMALL,
        "holdsBack: never",
        new FleetRules() {
          @Override
          public boolean holdsBack(Span span, State pair) {
            return false;
          }
        });
    mutants.add(
        Scenarios.RENAMED,
        "holdsBack: a warm release objects to the way down as well",
        new FleetRules() {
          @Override
          public boolean holdsBack(Span span, State pair) {
            return !fits(span, pair);
          }
        });
  }

  private static boolean is(Objection objection, Objection.Reason reason) {
    return objection.reason() == reason;
  }

  private static boolean is(Objection objection, Kind kind) {
    Counted by = objection.by();
    return by != null && by.kind() == kind;
  }

  private static FleetRules without(Predicate<Objection> ignored) {
    return new FleetRules() {
      @Override
      public List<Objection> objections(Fleet fleet, State pair) {
        return super.objections(fleet, pair).stream().filter(ignored.negate()).toList();
      }
    };
  }

  private static void choices(Mutants mutants) {
    mutants.add(
        Scenarios.PEOPLE,
        "choose: the highest stage, whether it fits or not",
        new FleetRules() {
          @Override
          public StageChoice choose(List<Span> declared, State state) {
            return StageChoice.admitted(declared.size() - 1);
          }
        });
    mutants.add(
        Scenarios.PEOPLE,
        "choose: the lowest stage, whether it fits or not",
        new FleetRules() {
          @Override
          public StageChoice choose(List<Span> declared, State state) {
            return StageChoice.admitted(0);
          }
        });
    mutants.add(
        Scenarios.SMALL,
        "choose: nobody asks to go down",
        refusing(choice -> StageChoice.needsPhase(choice.phase(), Direction.UP)));
    mutants.add(
        Scenarios.SMALL,
        "choose: asks for one phase too many",
        refusing(choice -> StageChoice.needsPhase(choice.phase() + 1, choice.direction())));
  }

  private static FleetRules refusing(UnaryOperator<StageChoice> change) {
    return new FleetRules() {
      @Override
      public StageChoice choose(List<Span> declared, State state) {
        StageChoice choice = super.choose(declared, state);
        return choice.admitted() ? choice : change.apply(choice);
      }
    };
  }
}
