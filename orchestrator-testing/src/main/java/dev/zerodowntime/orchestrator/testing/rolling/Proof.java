package dev.zerodowntime.orchestrator.testing.rolling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.testing.rolling.Scenario.Harm;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;

/**
 * Rolling deploys under load, up to the last phase and back: no query fails, and no row differs
 * from what was written last. {@link Chosen} says which scenarios; {@code -Drolling.long=true}
 * serves longer in every situation. Used by one thread.
 */
public final class Proof {

  /** In every run many times more; fewer would mean that hardly anything was tried. */
  private static final long FLOOR = 5_000;

  private final String title;
  private final Product product;
  private final Map<String, Scenario<?>> chosen = new LinkedHashMap<>();
  private long queries;
  private long failed;
  private long retried;
  private long upsertsRetried;

  /** Scenarios whose backfills several pods may work on, and backfills that several worked on. */
  private int sharing;

  private long shared;

  /**
   * Chooses.
   *
   * @param title begins each line that is printed
   * @param product the database
   * @param scenarios of which some are chosen
   * @param choice which
   */
  public Proof(String title, Product product, List<Scenario<?>> scenarios, Chosen choice) {
    this.title = title;
    this.product = product;
    scenarios.forEach(each -> chosen.put(each.name(), each));
    List<String> names = choice.of(List.copyOf(chosen.keySet()));
    System.out.printf("%s, %s: %s%n", title, choice, names);
    chosen.keySet().retainAll(names);
  }

  /** Which one it is. */
  public String title() {
    return title;
  }

  /** What was chosen. */
  public Stream<Named<Scenario<?>>> operations() {
    return chosen.values().stream().map(each -> Named.of(each.name(), each));
  }

  /** Whose code can do with single queries. */
  public Stream<Named<Scenario<?>>> singleQueries() {
    return operations().filter(each -> each.getPayload().singleQueries());
  }

  /** Without a gate, code breaks that is older than the schema. */
  public Stream<Named<Scenario<?>>> holdingBackSchema() {
    return operations().filter(each -> each.getPayload().harms().contains(Harm.OF_OLD_CODE));
  }

  /** Without a gate, code breaks that needs a newer schema. */
  public Stream<Named<Scenario<?>>> holdingBackCode() {
    return operations().filter(each -> each.getPayload().harms().contains(Harm.OF_NEW_CODE));
  }

  /** Every release comes, goes, and comes again: no query fails, and no row differs. */
  public <C extends Enum<C> & CodeStage> void nothingFailsAndNothingDiffers(
      Scenario<C> scenario, Load load) {
    try (Rollout<C> rollout = new Rollout<>(product, scenario, load)) {
      rollout.startAll(0);
      rollout.settle();
      for (int release = 1; release <= scenario.last(); release++) {
        rollout.replaceBy(release);
      }
      rollout.rollBack();
      rollout.resume();
      for (int release = scenario.last() - 1; release >= 0; release--) {
        rollout.replaceBy(release);
      }
      rollout.rollBack();
      rollout.resume();
      rollout.confirmBackup();
      for (int release = 1; release <= scenario.last(); release++) {
        rollout.replaceBy(release);
      }
      summarize(scenario, rollout, load);
    }
  }

  private void summarize(Scenario<?> scenario, Rollout<?> rollout, Load load) {
    Tally tally = rollout.tally();
    Journal journal = rollout.journal();
    queries += tally.queries();
    failed += tally.failed();
    retried += tally.deadlocksRetried();
    upsertsRetried += tally.upsertsRetried();
    System.out.printf(
        "%s %s%s: %d queries, %d failed, %d deadlocks_retried (and %d upserts of one row),"
            + " %d differ, slowest %d ms; up %s, down %s; while two releases served: up %s, down %s; %d backfills shared by pods;"
            + " %s%n",
        title,
        scenario.name(),
        load == Load.SINGLE_QUERIES ? ", single queries" : "",
        tally.queries(),
        tally.failed(),
        tally.deadlocksRetried(),
        tally.upsertsRetried(),
        tally.differing(),
        tally.slowestMillis(),
        journal.passed("UP"),
        journal.passed("DOWN"),
        journal.passedMixed("UP"),
        journal.passedMixed("DOWN"),
        journal.shared(),
        rollout.times());
    assertThat(tally.details()).isEmpty();
    assertThat(tally.failed()).isZero();
    assertThat(tally.differing()).isZero();
    if (load == Load.SINGLE_QUERIES) {
      assertThat(tally.deadlocksRetried()).isZero();
    }
    assertThat(tally.queries()).isGreaterThan(FLOOR);
    if (scenario.migration().policy().pace().workers() > 1) {
      sharing++;
      shared += journal.shared();
    }
    assertThat(journal.passed("UP")).containsAll(journal.up());
    assertThat(journal.passed("DOWN")).containsAll(journal.down());
    assertThat(journal.passedMixed("UP").size() + journal.passedMixed("DOWN").size()).isPositive();
  }

  /** The gate holds while code of the old stage serves; without it, that code breaks. */
  public <C extends Enum<C> & CodeStage> void schemaAheadOfCodeFails(Scenario<C> scenario) {
    try (Rollout<C> rollout = new Rollout<>(product, scenario, Load.TRANSACTIONS)) {
      rollout.startAll(0);
      for (int release = 1; release <= scenario.early(); release++) {
        rollout.replaceBy(release);
      }
      rollout.serve();
      assertThat(rollout.tally().details()).isEmpty();
      rollout.database().disableGate();
      rollout.confirmBackup();
      rollout.startDriver();
      print(scenario, "schema ahead of code, no gate", rollout.untilHarm());
    }
  }

  /** Without the gate, code is let in that the schema is not ready for. */
  public <C extends Enum<C> & CodeStage> void codeAheadOfSchemaFails(Scenario<C> scenario) {
    try (Rollout<C> rollout = new Rollout<>(product, scenario, Load.TRANSACTIONS)) {
      rollout.database().disableGate();
      rollout.startAll(0);
      rollout.pauseAll();
      rollout.serve();
      assertThat(rollout.tally().details()).isEmpty();
      rollout.start(scenario.last());
      print(scenario, "code ahead of schema, no gate", rollout.untilHarm());
    }
  }

  /**
   * Drivers break that a changed row type breaks, and say otherwise: the load has statements
   * prepared on the server, in transactions.
   *
   * @return how they break
   */
  public <C extends Enum<C> & CodeStage> String unsafeDriversFail(Scenario<C> scenario) {
    try (Rollout<C> rollout = new Rollout<>(product, scenario, Load.TRANSACTIONS)) {
      rollout.withUnsafeDrivers();
      rollout.startAll(0);
      rollout.serve();
      assertThat(rollout.tally().details()).isEmpty();
      rollout.startDriver();
      String harm = rollout.untilHarm();
      print(scenario, "unsafe drivers", harm);
      return harm;
    }
  }

  /** Prints what went wrong, as it had to. */
  public void print(Scenario<?> scenario, String how, String harm) {
    System.out.printf("%s %s, %s: %s%n", title, scenario.name(), how, harm.split("\n", 2)[0]);
  }

  /** What came of it all; once, at the end. */
  public void summary() {
    System.out.printf(
        "%s: %d queries, %d failed, %d deadlocks_retried (and %d upserts of one row), %d backfills"
            + " shared%n",
        title, queries, failed, retried, upsertsRetried, shared);
    // Who gets hold of a chunk is left to chance: over all of them it must have happened.
    if (sharing > 2) {
      assertThat(shared).isPositive();
    }
  }
}
