package dev.zerodowntime.orchestrator.operation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Policy;
import dev.zerodowntime.orchestrator.internal.json.Json;
import dev.zerodowntime.orchestrator.spi.OperationType;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A plan's shape, and what is stored of it. */
class PhasePlanTest {

  enum Code implements CodeStage {
    OLD,
    BOTH,
    NEW
  }

  enum Twins implements CodeStage {
    OLD
  }

  private static PhasePlan.Builder<Code> phases() {
    return PhasePlan.of("tests/plan", Code.class)
        .table("users")
        .phase(
            "EXPAND",
            p ->
                p.ddl("add a", "ALTER TABLE users ADD a int")
                    .probe("SELECT true")
                    .undo("ALTER TABLE users DROP a")
                    .locks("ACCESS EXCLUSIVE", "users")
                    .online("index", "CREATE INDEX CONCURRENTLY i ON users (a)")
                    .probe("SELECT true")
                    .undo("DROP INDEX CONCURRENTLY i"))
        .phase(
            "BACKFILL",
            p ->
                p.backfill("fill", b -> b.set("a", "1"))
                    .java("tell", c -> {})
                    .undo(c -> {})
                    .java("note", c -> {})
                    .undoNothing()
                    .verify("all", "a IS NULL"))
        .phase("END", p -> p.closed("because"));
  }

  private static PhasePlan<Code> whole() {
    return phases()
        .stage(Code.OLD, "NOT_STARTED", "EXPAND")
        .stage(Code.BOTH, "EXPAND", "BACKFILL")
        .stage(Code.NEW, "BACKFILL", "END")
        .build();
  }

  private static PhasePlan<?> restored(PhasePlan<?> plan, @Nullable Migration<?> declared) {
    Map<String, Object> fields = Json.readObject(Json.write(plan.canonical()));
    return PhasePlan.TYPE
        .restore()
        .apply(
            new OperationType.Stored(
                plan.id(), "public", List.of(), Policy.DEFAULT, fields, declared));
  }

  @Test
  void theRowHoldsAllButJava() {
    PhasePlan<Code> plan = whole();
    PhasePlan<?> foreign = restored(plan, null);
    assertThat(foreign.canonical()).isEqualTo(plan.canonical());
    assertThat(foreign.lifecycle()).isEqualTo(plan.lifecycle());
    PlanStep.Java tell = (PlanStep.Java) foreign.phase(2).steps().get(1);
    assertThat(tell.up()).isNull();
    assertThat(tell.undone()).isTrue();
    PhasePlan<?> own = restored(plan, plan);
    assertThat(own.phase(2).steps()).element(1).isEqualTo(plan.phase(2).steps().get(1));
    assertThat(((PlanStep.Java) own.phase(2).steps().get(1)).up()).isNotNull();
    assertThat(own.canonical()).isEqualTo(plan.canonical());
  }

  /** A newer library may know more rules than the one that a plan was begun with. */
  @Test
  void whatIsStoredIsNotHeldToTheRulesAgain() {
    PhasePlan<Code> plan = whole();
    String json = Json.write(plan.canonical()).replace("ADD a int", "RENAME TO b");
    Map<String, Object> fields = Json.readObject(json);
    assertThat(
            PhasePlan.TYPE
                .restore()
                .apply(
                    new OperationType.Stored(
                        plan.id(), "public", List.of(), Policy.DEFAULT, fields, null))
                .phase(1)
                .steps()
                .toString())
        .contains("RENAME TO b");
  }

  @Test
  void theLifecycleIsTheAuthors() {
    assertThat(whole().lifecycle().phases().toString())
        .isEqualTo("[0 NOT_STARTED, 1 EXPAND, 2 BACKFILL, 3 END]");
    assertThat(whole().lifecycle().stages().toString())
        .isEqualTo("[OLD [0,1], BOTH [1,2], NEW [2,3]]");
    assertThat(whole().lifecycle().usable()).isEqualTo(2);
    assertThat(whole().lifecycle().reachable(3, 2)).isFalse();
    assertThat(whole().lifecycle().reachable(2, 0)).isTrue();
    assertThat(whole().columns()).containsExactly(Migration.WHOLE_TABLE);
    assertThat(PhasePlan.refTo("tests/plan", Code.class).id()).isEqualTo("tests/plan");
  }

  private static void refused(UnaryOperator<PhasePlan.Builder<Code>> how, String... parts) {
    assertThatThrownBy(
            () -> how.apply(PhasePlan.of("tests/plan", Code.class).table("users")).build())
        .isInstanceOf(DeclarationException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains("tests/plan").contains(parts));
  }

  private static UnaryOperator<PhasePlan.Builder<Code>> phase(
      java.util.function.Consumer<PlanPhase.Builder> steps) {
    return b ->
        b.phase("A", steps)
            .stage(Code.OLD, "NOT_STARTED", "A")
            .stage(Code.BOTH, "A", "A")
            .stage(Code.NEW, "A", "A");
  }

  @Test
  void badStagesAreRefused() {
    refused(b -> b, "no phase");
    refused(b -> b.phase("A", p -> {}), "code stages are [OLD, BOTH, NEW]", "[]");
    refused(b -> phase(p -> {}).apply(b).stage(Code.NEW, "A", "A"), "[OLD, BOTH, NEW, NEW]");
    refused(
        b ->
            b.phase("A", p -> {})
                .stage(Code.BOTH, "NOT_STARTED", "A")
                .stage(Code.OLD, "A", "A")
                .stage(Code.NEW, "A", "A"),
        "[BOTH, OLD, NEW]");
    refused(
        b ->
            b.phase("A", p -> {})
                .stage(Code.OLD, "NOT_STARTED", "B")
                .stage(Code.BOTH, "A", "A")
                .stage(Code.NEW, "A", "A"),
        "a phase B",
        "[NOT_STARTED, A]");
    refused(
        b ->
            b.phase("A", p -> {})
                .stage(Code.OLD, "A", "NOT_STARTED")
                .stage(Code.BOTH, "A", "A")
                .stage(Code.NEW, "A", "A"),
        "down to NOT_STARTED");
    refused(
        b ->
            b.phase("A", p -> {})
                .stage(Code.OLD, "NOT_STARTED", "A")
                .stage(Code.BOTH, "NOT_STARTED", "NOT_STARTED")
                .stage(Code.NEW, "A", "A"),
        "BOTH [0,0]",
        "must grow");
    refused(
        b ->
            b.phase("A", p -> {})
                .stage(Code.OLD, "NOT_STARTED", "NOT_STARTED")
                .stage(Code.BOTH, "A", "A")
                .stage(Code.NEW, "A", "A"),
        "share no phase",
        "stage between");
    refused(
        b ->
            b.phase("A", p -> {})
                .stage(Code.OLD, "A", "A")
                .stage(Code.BOTH, "A", "A")
                .stage(Code.NEW, "A", "A"),
        "OLD",
        "can't run against NOT_STARTED");
    refused(
        b ->
            b.phase("A", p -> {})
                .phase("B", p -> {})
                .stage(Code.OLD, "NOT_STARTED", "A")
                .stage(Code.BOTH, "A", "A")
                .stage(Code.NEW, "A", "A"),
        "NEW",
        "the last phase, B");
  }

  @Test
  void badPhasesAndStepsAreRefused() {
    String add = "ALTER TABLE users ADD a int";
    String yes = "SELECT true";
    refused(b -> b.phase("a", p -> {}), "\"a\" is no name for a phase");
    refused(b -> b.phase("A", p -> {}).phase("A", p -> {}), "two phases called A");
    refused(b -> b.phase("NOT_STARTED", p -> {}), "two phases called NOT_STARTED");
    refused(b -> b.table(" "), "no table");
    refused(phase(p -> p.closed(" ")), "is empty");
    refused(
        b -> b.phase("A", p -> p.closed("x")).phase("B", p -> p.closed("y")),
        "more than one phase");
    refused(phase(p -> p.verify("*/ a", "true")), "no name for a step");
    refused(phase(p -> p.verify("a b", "true").verify("a-b", "true")), "two steps called \"a-b\"");
    refused(phase(p -> p.probe(yes)), "probe before any step");
    refused(phase(p -> p.verify("s", "true").undo("DROP TABLE a")), "step \"s\" takes no undo");
    refused(phase(p -> p.ddl("s", add).undoNothing()), "nothing tells whether step \"s\"");
    refused(phase(p -> p.ddl("s", add).probe(yes)), "no way back", ".undoNothing()", ".closed(");
    refused(phase(p -> p.java("s", c -> {})), "no way back");
    refused(phase(p -> p.ddl("s").probe(yes).undoNothing()), "has no statement");
    refused(phase(p -> p.ddl("s", "-- a").probe(yes).undoNothing()), "has no statement");
    refused(phase(p -> p.ddl("s", "SELECT 'a").probe(yes).undoNothing()), "can't be read", "end");
    refused(phase(p -> p.ddl("s", add).probe(add).undoNothing()), "not one SELECT");
    refused(phase(p -> p.ddl("s", add).probe(yes + ";" + yes).undoNothing()), "not one SELECT");
    refused(
        phase(p -> p.ddl("s", add).probe(yes).undoNothing().locks("EXCLUSIV", "users")),
        "a lock \"EXCLUSIV\"",
        "ACCESS EXCLUSIVE");
    refused(
        phase(p -> p.ddl("s", add).probe(yes).undoNothing().verify("v", "true")),
        "step \"v\" comes after DDL in phase A",
        "a phase of its own");
    refused(
        phase(p -> p.backfill("s", r -> r.set("a", "a + 1").oncePerKey())),
        "no way back",
        ".closed(");
    refused(phase(p -> p.backfill("s", r -> r)), "tests/plan.s", "changes nothing");
    refused(phase(p -> p.verify("s", " ")), "predicate of step \"s\" is empty");
    refused(
        phase(
            p ->
                p.online("s", "CREATE INDEX CONCURRENTLY i ON users (a); ANALYZE users")
                    .probe(yes)
                    .undoNothing()),
        "more than one statement");
    refused(
        phase(
            p ->
                p.ddl("s", add)
                    .probe(yes)
                    .undo("DROP INDEX CONCURRENTLY i", "ALTER TABLE users DROP a")),
        "more than one statement",
        "Split");
    assertThatThrownBy(
            () ->
                phase(p -> {})
                    .apply(PhasePlan.of("tests/plan", Code.class).table("users"))
                    .approvalBefore("B")
                    .build())
        .hasMessageContaining("no phase B");
    assertThatThrownBy(() -> PhasePlan.of("tests/plan", Twins.class).table("a").build())
        .hasMessageContaining("no phase");
  }
}
