package dev.zerodowntime.orchestrator.internal.fleet.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.zerodowntime.orchestrator.internal.fleet.FleetRules;
import dev.zerodowntime.orchestrator.internal.fleet.model.Mutants.Mutant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The fleet rules hold in every world that a small fleet can come to, and none of them is idle.
 * What is explored, and what that means, is said in the package's description.
 */
@Tag("model")
class FleetModelTest {

  private static final int FEWEST_STATES = 1_000_000;
  private static final int FEWEST_MUTANTS = 50;
  private static final int THREADS = 2;

  @Test
  void promiseHoldsInEveryStateAndEveryRuleIsNeeded() {
    assertTrue(
        Watch.ownTimeOnly(FleetRules.STANDARD, Scenario.LONGEST),
        "observe counts more than what the observer watched itself");
    long states = 0;
    List<String> violations = new ArrayList<>();
    for (Result<Scenario> each : explored(Scenarios.all(), FleetModelTest::explore)) {
      System.out.println("model: " + each.of() + ": " + each.states() + " states");
      states += each.states();
      if (each.broken() != null) {
        violations.add(each.of() + ": " + each.broken());
      }
    }
    assertEquals(List.of(), violations, () -> String.join("\n\n", violations));
    int killed = 0;
    List<String> survivors = new ArrayList<>();
    for (Result<Mutant> each : explored(Mutants.all(), FleetModelTest::hunt)) {
      if (each.broken() == null) {
        survivors.add(each.of().name() + " in " + each.of().scenario());
      } else {
        killed++;
      }
    }
    System.out.println(
        "model: "
            + states
            + " states, "
            + violations.size()
            + " violations, "
            + killed
            + " mutants killed");
    assertEquals(List.of(), survivors, "rules that nothing depends on");
    assertTrue(states >= FEWEST_STATES, "only " + states + " states were explored");
    assertTrue(killed >= FEWEST_MUTANTS, "only " + killed + " mutants were tried");
  }

  /** What came of an exploration; {@code broken} says what is wrong, with the way to it. */
  private record Result<T>(T of, int states, @Nullable String broken) {}

  private static Result<Scenario> explore(Scenario scenario) {
    Exploration done = new Exploration(scenario, FleetRules.STANDARD, Flaw.NONE).run();
    return new Result<>(scenario, done.size(), done.broken());
  }

  private static Result<Mutant> hunt(Mutant mutant) {
    Exploration done = new Exploration(mutant.scenario(), mutant.rules(), mutant.flaw()).run();
    return new Result<>(mutant, done.size(), done.broken());
  }

  private static <T> List<Result<T>> explored(List<T> all, Function<T, Result<T>> how) {
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    try {
      List<Future<Result<T>>> futures = new ArrayList<>();
      for (T each : all) {
        Callable<Result<T>> task = () -> how.apply(each);
        futures.add(threads.submit(task));
      }
      List<Result<T>> results = new ArrayList<>();
      for (Future<Result<T>> each : futures) {
        results.add(each.get());
      }
      return results;
    } catch (InterruptedException | ExecutionException e) {
      throw new AssertionError("an exploration failed", e);
    } finally {
      threads.shutdownNow();
    }
  }
}
