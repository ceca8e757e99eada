package dev.zerodowntime.orchestrator.postgres.rolling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.postgres.rolling.Scenario.Harm;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Rolling deploys under load, up to the last phase and back: no query fails, and no row differs
 * from what was written last. {@link Chosen} says which scenarios; {@code -Drolling.long=true}
 * serves longer in every situation.
 */
@PostgresTest
@Tag("rolling")
class RollingTest {

  /** In every run many times more; fewer would mean that hardly anything was tried. */
  private static final long FLOOR = 5_000;

  private static long queries;
  private static long failed;

  /** Scenarios whose backfills several pods may work on, and backfills that several worked on. */
  private static int sharing;

  private static long shared;

  private static final Map<String, Scenario<?>> CHOSEN = choose();

  private static Map<String, Scenario<?>> choose() {
    Map<String, Scenario<?>> scenarios = new LinkedHashMap<>();
    Scenarios.all().forEach(each -> scenarios.put(each.name(), each));
    Chosen chosen = Chosen.byProperties();
    List<String> names = chosen.of(List.copyOf(scenarios.keySet()));
    System.out.printf("rolling, %s: %s%n", chosen, names);
    scenarios.keySet().retainAll(names);
    return scenarios;
  }

  static Stream<Named<Scenario<?>>> operations() {
    return CHOSEN.values().stream().map(each -> Named.of(each.name(), each));
  }

  /** Without a gate, code breaks that is older than the schema. */
  static Stream<Named<Scenario<?>>> holdingBackSchema() {
    return operations().filter(each -> each.getPayload().harms().contains(Harm.OF_OLD_CODE));
  }

  /** Without a gate, code breaks that needs a newer schema. */
  static Stream<Named<Scenario<?>>> holdingBackCode() {
    return operations().filter(each -> each.getPayload().harms().contains(Harm.OF_NEW_CODE));
  }

  @ParameterizedTest
  @MethodSource("operations")
  <C extends Enum<C> & CodeStage> void nothingFailsAndNothingDiffers(Scenario<C> scenario) {
    try (Rollout<C> rollout = new Rollout<>(scenario)) {
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
      summarize(scenario, rollout);
    }
  }

  private static void summarize(Scenario<?> scenario, Rollout<?> rollout) {
    Tally tally = rollout.tally();
    Journal journal = rollout.journal();
    queries += tally.queries();
    failed += tally.failed();
    System.out.printf(
        "rolling %s: %d queries, %d failed, %d differ, slowest %d ms; up %s, down %s;"
            + " while two releases served: up %s, down %s; %d backfills shared by pods; %s%n",
        scenario.name(),
        tally.queries(),
        tally.failed(),
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
  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("holdingBackSchema")
  <C extends Enum<C> & CodeStage> void schemaAheadOfCodeFails(Scenario<C> scenario) {
    try (Rollout<C> rollout = new Rollout<>(scenario)) {
      rollout.startAll(0);
      for (int release = 1; release <= scenario.early(); release++) {
        rollout.replaceBy(release);
      }
      rollout.serve();
      assertThat(rollout.tally().details()).isEmpty();
      Gate.disable(rollout.database());
      rollout.confirmBackup();
      rollout.startDriver();
      print(scenario, "schema ahead of code, no gate", rollout.untilHarm());
    }
  }

  /** Without the gate, code is let in that the schema is not ready for. */
  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("holdingBackCode")
  <C extends Enum<C> & CodeStage> void codeAheadOfSchemaFails(Scenario<C> scenario) {
    try (Rollout<C> rollout = new Rollout<>(scenario)) {
      Gate.disable(rollout.database());
      rollout.startAll(0);
      rollout.pauseAll();
      rollout.serve();
      assertThat(rollout.tally().details()).isEmpty();
      rollout.start(scenario.last());
      print(scenario, "code ahead of schema, no gate", rollout.untilHarm());
    }
  }

  /** Proves that the load has statements prepared on the server, in transactions. */
  @Test
  void warmStatementsFailWithoutAutosave() {
    Scenario<AddColumn.Code> scenario = Scenarios.addColumn();
    try (Rollout<AddColumn.Code> rollout = new Rollout<>(scenario)) {
      rollout.withoutAutosave();
      rollout.startAll(0);
      rollout.serve();
      assertThat(rollout.tally().details()).isEmpty();
      rollout.startDriver();
      String harm = rollout.untilHarm();
      print(scenario, "no autosave", harm);
      assertThat(harm).contains("0A000");
    }
  }

  /** Proves that upserts of the same row meet: a second index that isn't deferrable shows it. */
  @Test
  void upsertsFailOnSecondPlainUniqueIndex() {
    Scenario<RenameColumn.Code> scenario = Scenarios.renameUniqueColumn();
    try (Rollout<RenameColumn.Code> rollout = new Rollout<>(scenario)) {
      rollout.database().execute("CREATE UNIQUE INDEX twin ON accounts (lower(name))");
      rollout.startAll(0);
      String harm = rollout.untilHarm();
      print(scenario, "plain twin index", harm);
      assertThat(harm).contains("23505");
    }
  }

  private static void print(Scenario<?> scenario, String how, String harm) {
    System.out.printf("rolling %s, %s: %s%n", scenario.name(), how, harm.split("\n", 2)[0]);
  }

  @AfterAll
  static void summary() {
    System.out.printf(
        "rolling: %d queries, %d failed, %d backfills shared%n", queries, failed, shared);
    // Who gets hold of a chunk is left to chance: over all of them it must have happened.
    if (sharing > 2) {
      assertThat(shared).isPositive();
    }
  }
}
