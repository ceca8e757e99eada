package dev.zerodowntime.orchestrator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumnInCode;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RolloutCheckTest {

  private static final RenameColumn RENAME =
      RenameColumn.of("billing/rename").table("users").from("name").to("full_name").build();
  private static final RenameColumnInCode IN_CODE =
      RenameColumnInCode.of("billing/in-code").table("users").from("zip").to("postcode").build();
  private static final DropColumn DROP =
      DropColumn.of("billing/drop").table("users").column("fax").build();

  private static OrchestratorBuilder build(String application, String release) {
    return Orchestrator.builder(new NoDataSource()).application(application).release(release);
  }

  private static ReleaseManifest release(String name, RenameColumn.Code... stages) {
    OrchestratorBuilder builder = build("billing", name);
    return (stages.length == 0 ? builder : builder.thisBuild(RENAME, stages)).build().manifest();
  }

  private static ReleaseManifest inCode(String name, RenameColumnInCode.Code... stages) {
    return build("billing", name).thisBuild(IN_CODE, stages).build().manifest();
  }

  private static ReleaseManifest reports(String release) {
    return build("reports", release).build().manifest();
  }

  private static ReleaseManifest warm(ReleaseManifest manifest) {
    return new ReleaseManifest(
        manifest.application(),
        manifest.release(),
        manifest.declarations(),
        manifest.finished(),
        manifest.touches(),
        true);
  }

  private static String problem(RolloutCheck check) {
    assertThat(check.ok()).isFalse();
    assertThat(check.problems()).hasSize(1);
    return check.problems().get(0);
  }

  @Test
  void oldThenNewCanRollOut() {
    RolloutCheck check =
        RolloutCheck.of(
            release("1"),
            release("2", RenameColumn.Code.USES_OLD_NAME),
            release("3", RenameColumn.Code.USES_NEW_NAME),
            release("4", RenameColumn.Code.UPSERTS_NEW_NAME));

    assertThat(check.problems()).isEmpty();
    assertThat(check.ok()).isTrue();
  }

  @Test
  void aReleaseThatSkipsAStageIsFoundWithoutADatabase() {
    assertThat(
            problem(
                RolloutCheck.of(release("1"), release("2", RenameColumn.Code.UPSERTS_NEW_NAME))))
        .isEqualTo(
            "billing/rename: release 1 of billing does not declare it, so its code counts as"
                + " USES_OLD_NAME [0,4] and release 2 of billing is at [UPSERTS_NEW_NAME [5,6]];"
                + " no phase suits both. Put a release in between whose code is at"
                + " USES_NEW_NAME.");
  }

  @Test
  void theWayMayTakeSeveralReleases() {
    assertThat(
            problem(
                RolloutCheck.of(
                    inCode("1", RenameColumnInCode.Code.OLD),
                    inCode("2", RenameColumnInCode.Code.NEW))))
        .endsWith("Put releases in between whose code is at DUAL_WRITE, then at READS_NEW.");
  }

  @Test
  void aBuildThatCanDoEitherBridgesTheGap() {
    assertThat(
            RolloutCheck.of(
                    release("1"),
                    release(
                        "2", RenameColumn.Code.USES_NEW_NAME, RenameColumn.Code.UPSERTS_NEW_NAME))
                .ok())
        .isTrue();
  }

  @Test
  void aBuildThatForgetsTheMigrationIsAtItsOldestStage() {
    ReleaseManifest before = release("1", RenameColumn.Code.UPSERTS_NEW_NAME);
    assertThat(problem(RolloutCheck.of(before, release("2"))))
        .contains("release 2 of billing does not declare it, so its code counts as USES_OLD_NAME")
        .contains("Declare it", "finished(\"billing/rename\")");
    assertThat(
            RolloutCheck.of(
                    before, build("billing", "2").finished("billing/rename").build().manifest())
                .problems())
        .isEmpty();
  }

  @Test
  void whatIsNamedAsFinishedTooEarlyIsFound() {
    assertThat(
            problem(
                RolloutCheck.of(
                    release("1", RenameColumn.Code.USES_OLD_NAME),
                    build("billing", "2").finished("billing/rename").build().manifest())))
        .contains("release 2 of billing names it as finished, which is UPSERTS_NEW_NAME [5,6]")
        .contains("Put a release in between whose code is at USES_NEW_NAME");
  }

  @Test
  void whatABuildDoesNotTouchIsNoConcernOfIt() {
    OrchestratorBuilder orders = build("billing", "2").touches("orders");
    ReleaseManifest before = release("1", RenameColumn.Code.UPSERTS_NEW_NAME);
    assertThat(RolloutCheck.of(before, orders.build().manifest()).problems()).isEmpty();
    assertThat(RolloutCheck.of(before, orders.touches("users").build().manifest()).ok()).isFalse();
    // And the other way round.
    assertThat(
            RolloutCheck.of(
                    build("reports", "1").touches("orders").build().manifest(),
                    release("2", RenameColumn.Code.UPSERTS_NEW_NAME))
                .problems())
        .isEmpty();
  }

  @Test
  void theLatestReleaseOfEveryApplicationCounts() {
    ReleaseManifest last = release("4", RenameColumn.Code.UPSERTS_NEW_NAME);
    assertThat(
            problem(
                RolloutCheck.of(
                    reports("1"),
                    release("2", RenameColumn.Code.USES_OLD_NAME),
                    release("3", RenameColumn.Code.USES_NEW_NAME),
                    last)))
        .contains("release 1 of reports does not declare it", "release 4 of billing")
        .contains("First release code of reports that is at USES_NEW_NAME")
        .contains("if reports does not use users", "touches(...)");
    assertThat(problem(RolloutCheck.of(last, reports("1"))))
        .contains("Declare it with the stage that the code of release 1 of reports is at")
        .contains("if reports does not use users");
  }

  @Test
  void aReleaseIsCheckedAgainstAllThatAreStillCounted() {
    ReleaseManifest old = inCode("1", RenameColumnInCode.Code.OLD);
    ReleaseManifest between = inCode("2", RenameColumnInCode.Code.DUAL_WRITE);
    ReleaseManifest candidate = inCode("3", RenameColumnInCode.Code.READS_NEW);
    assertThat(RolloutCheck.of(old, between, candidate).ok()).isTrue();
    for (List<ReleaseManifest> counted : List.of(List.of(old, between), List.of(between, old))) {
      assertThat(problem(RolloutCheck.of(candidate, counted)))
          .contains("release 1 of billing", "release 3 of billing", "DUAL_WRITE");
    }
    assertThat(problem(RolloutCheck.of(candidate, List.of(between, warm(old)))))
        .contains("warm release 1", "forgetRelease(\"billing\", \"1\")");
  }

  @Test
  void aPairwiseFitIsNotEnough() {
    ReleaseManifest either = inCode("2", RenameColumnInCode.Code.OLD, RenameColumnInCode.Code.NEW);
    ReleaseManifest old = inCode("1", RenameColumnInCode.Code.OLD);
    ReleaseManifest dual = inCode("3", RenameColumnInCode.Code.READS_NEW);
    // OLD [0,1] or NEW [5,7]; OLD [0,1]; READS_NEW [4,5]: the last two share nothing.
    assertThat(RolloutCheck.of(dual, List.of(either)).ok()).isTrue();
    assertThat(RolloutCheck.of(old, List.of(either)).ok()).isTrue();
    assertThat(problem(RolloutCheck.of(either, List.of(old, dual))))
        .contains("no phase suits all of them", "release 1", "release 2", "release 3");
  }

  @Test
  void aWarmReleaseOnlyHoldsBack() {
    ReleaseManifest rolledBack = release("2", RenameColumn.Code.UPSERTS_NEW_NAME);
    ReleaseManifest mended = release("3", RenameColumn.Code.USES_OLD_NAME);
    assertThat(RolloutCheck.of(mended, List.of(rolledBack)).ok()).isFalse();
    assertThat(RolloutCheck.of(mended, List.of(warm(rolledBack))).problems()).isEmpty();
  }

  @Test
  void oneNameForTwoBuildsIsFound() {
    ReleaseManifest one = release("1", RenameColumn.Code.USES_OLD_NAME);
    ReleaseManifest other = release("1", RenameColumn.Code.USES_NEW_NAME);
    assertThat(problem(RolloutCheck.of(one, other)))
        .contains("release 1 of billing is the name of two builds", "USES_OLD_NAME")
        .contains("USES_NEW_NAME", "a release string of its own");
    assertThat(problem(RolloutCheck.of(other, List.of(one)))).contains("two builds");
    assertThat(RolloutCheck.of(one, one).ok()).isTrue();
  }

  @Test
  void anIdThatMeansSomethingElseIsFound() {
    AddColumn another = AddColumn.of(RENAME.id()).table("users").column("x", "text").build();
    assertThat(
            problem(
                RolloutCheck.of(
                    release("1", RenameColumn.Code.USES_OLD_NAME),
                    build("billing", "2")
                        .thisBuild(another, AddColumn.Code.UNAWARE)
                        .build()
                        .manifest())))
        .contains("billing/rename is not the same everywhere", "RenameColumn", "AddColumn")
        .contains("an id of its own");
  }

  @Test
  void anotherTeamsMigrationIsJudgedByItsOwnersPhases() {
    ReleaseManifest owner =
        build("billing", "1").thisBuild(DROP, DropColumn.Code.USES).build().manifest();
    ReleaseManifest reader = reference("1", DropColumn.Code.UNUSED);
    assertThat(problem(RolloutCheck.of(owner, reader))).contains("UNUSED [1,3]", "NOT_READING");
    assertThat(RolloutCheck.of(owner, reference("1", DropColumn.Code.NOT_READING)).problems())
        .isEmpty();
    // Without its owner's manifest there is nothing to go by.
    assertThat(problem(RolloutCheck.of(reference("0", DropColumn.Code.USES), reader)))
        .contains("billing/drop: release 0 of reports declares [USES]", "[UNUSED]")
        .contains("Add that of the application that declares the migration itself");
    assertThat(RolloutCheck.of(reference("0", DropColumn.Code.UNUSED), reader).problems())
        .isEmpty();
  }

  private static ReleaseManifest reference(String release, DropColumn.Code stage) {
    return build("reports", release)
        .thisBuild(Migration.ref(DROP.id(), DropColumn.class), stage)
        .build()
        .manifest();
  }

  @Test
  void buildsWithoutTheLibraryAreEndedByAPerson() {
    ReleaseManifest before =
        new ReleaseManifest("billing", "builds before us", Map.of(), List.of());
    assertThat(
            problem(
                RolloutCheck.of(release("1", RenameColumn.Code.UPSERTS_NEW_NAME), List.of(before))))
        .contains("adopted(\"billing\")");
  }

  @Test
  void nothingIsCheckedAgainstNothing() {
    assertThat(RolloutCheck.of(release("1", RenameColumn.Code.USES_OLD_NAME), Set.of()).ok())
        .isTrue();
    assertThat(RolloutCheck.of().ok()).isTrue();
  }
}
