package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.Readiness;
import dev.zerodowntime.orchestrator.Readiness.Missing;
import dev.zerodowntime.orchestrator.Readiness.Verdict;
import dev.zerodowntime.orchestrator.ReleaseManifest;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.RolloutCheck;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.CreateTable;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumnInCode;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.testing.Threads;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What a pipeline asks before it starts a release. */
class AwaitTest extends FleetFixture {

  /** Nothing that returns at once comes near it. */
  private static final Duration LONG = Duration.ofDays(1);

  private ReleaseManifest manifest(String release, DropColumn.Code... stages) {
    return member(release, stages).build().manifest();
  }

  private static Missing missing(Readiness readiness) {
    assertThat(readiness.mayStart()).as("%s", readiness).isFalse();
    assertThat(readiness.missing()).hasSize(1);
    return readiness.missing().get(0);
  }

  private static Readiness finished(CompletableFuture<Readiness> waiting) throws Exception {
    return waiting.get(60, TimeUnit.SECONDS);
  }

  @Test
  void aReleaseThatSuitsTheSchemaIsReadyAtOnceAndNobodyIsRegistered() {
    try (Orchestrator one = joined(member("1", DropColumn.Code.USES));
        Orchestrator job = job().build()) {
      Readiness readiness = job.await(manifest("2", DropColumn.Code.NOT_READING), LONG);
      assertThat(readiness.verdict()).isEqualTo(Verdict.READY);
      assertThat(readiness.mayStart()).isTrue();
      assertThat(readiness.missing()).isEmpty();
      assertThat(readiness.expected()).isEqualTo(Duration.ZERO);
      assertThat(readiness).hasToString("billing 2 may start");
      assertThat(one.fit()).isTrue();
    }
    assertThat(count("member")).isEqualTo(1);
    assertThat(count("release")).isEqualTo(1);
  }

  @Test
  void aJobDrivesToThePhaseThatIsNeeded() {
    try (Orchestrator one = joined(member("1", DropColumn.Code.NOT_READING).role(Role.MEMBER));
        Orchestrator job = job().build()) {
      assertThat(of(job.status()).phase()).isEqualTo("NOT_STARTED");
      ReleaseManifest next = manifest("2", DropColumn.Code.UNUSED);
      assertThat(job.await(next, LONG).verdict()).isEqualTo(Verdict.READY);
      assertThat(of(job.status()).phase()).isEqualTo("RELAX");
      assertThat(one.fit()).isTrue();
    }
  }

  @Test
  void aMemberOnlyLooksOnAndSeesAnotherGetThere() throws Exception {
    try (Orchestrator one = joined(member("1", DropColumn.Code.NOT_READING).role(Role.MEMBER));
        Orchestrator onlooker = member("onlooker").role(Role.MEMBER).build();
        Orchestrator job = job().build()) {
      ReleaseManifest next = manifest("2", DropColumn.Code.UNUSED);
      Missing missing = missing(onlooker.await(next, Duration.ZERO));
      assertThat(missing.phase()).isEqualTo("NOT_STARTED");
      assertThat(missing.stage()).isEqualTo("UNUSED");
      assertThat(missing.needs()).isEqualTo("RELAX");
      assertThat(of(onlooker.status()).phase()).isEqualTo("NOT_STARTED");
      CompletableFuture<Readiness> waiting =
          CompletableFuture.supplyAsync(() -> onlooker.await(next, LONG), Threads.ONE_EACH);
      assertThat(driven(job)).isEqualTo("RELAX");
      assertThat(finished(waiting).verdict()).isEqualTo(Verdict.READY);
      assertThat(one.fit()).isTrue();
    }
  }

  @Test
  void itWaitsForAnOldMemberUntilThatLeaves() throws Exception {
    Orchestrator old = joined(member("1", DropColumn.Code.USES));
    try (Orchestrator job = job().build()) {
      ReleaseManifest next = manifest("2", DropColumn.Code.UNUSED);
      Readiness readiness = job.await(next, Duration.ofMillis(200));
      assertThat(readiness.verdict()).isEqualTo(Verdict.NOT_YET);
      assertThat(readiness.expected()).isNull();
      Missing missing = missing(readiness);
      assertThat(missing.needsPerson()).isFalse();
      assertThat(missing.next()).contains("release code that is at NOT_READING");
      assertThat(missing.waits())
          .singleElement()
          .satisfies(wait -> assertThat(wait.kind()).isEqualTo(Wait.Kind.FLEET))
          .satisfies(wait -> assertThat(wait.since()).isNotNull())
          .extracting(Wait::what)
          .asString()
          .contains("1 member of billing 1 at USES");
      assertThat(readiness.toString())
          .contains("billing 2 can't start yet", "UNUSED needs RELAX", "waits: FLEET", "next:");
      CompletableFuture<Readiness> waiting =
          CompletableFuture.supplyAsync(() -> job.await(next, LONG), Threads.ONE_EACH);
      old.close();
      assertThat(finished(waiting).verdict()).isEqualTo(Verdict.READY);
    } finally {
      old.close();
    }
  }

  @Test
  void aReleaseThatTheSchemaHasLeftBehindIsSaidAtOnce() {
    try (Orchestrator two = joined(member("2", DropColumn.Code.UNUSED));
        Orchestrator job = job().build()) {
      assertThat(driven(job)).isEqualTo("CONTRACT");
      Readiness readiness = job.await(manifest("1", DropColumn.Code.USES), LONG);
      assertThat(readiness.verdict()).isEqualTo(Verdict.LEFT_BEHIND);
      assertThat(missing(readiness).waits())
          .extracting(Wait::what)
          .containsExactly("1 member of billing 2 at UNUSED is in the way of going back");
      assertThat(missing(readiness).next()).contains("roll forward", "UNUSED", "or stop");
      // What is left out counts as the oldest code there is.
      assertThat(missing(job.await(manifest3(), LONG)).next()).contains("finished(\"" + ID + "\")");
      assertThat(two.fit()).isTrue();
    }
  }

  private ReleaseManifest manifest3() {
    return member("3").build().manifest();
  }

  @Test
  void aReleaseForWhichTheSchemaGoesBackMayStart() {
    try (Orchestrator two = joined(member("2", DropColumn.Code.NOT_READING));
        Orchestrator job = job().build()) {
      assertThat(driven(job)).isEqualTo("RELAX");
      Readiness readiness = job.await(manifest("1", DropColumn.Code.USES), LONG);
      assertThat(readiness.verdict()).isEqualTo(Verdict.REOPENS);
      assertThat(readiness.mayStart()).isTrue();
      assertThat(readiness.missing()).singleElement().asString().contains("start it");
      assertThat(of(job.status()).phase()).isEqualTo("RELAX");
      joined(member("1", DropColumn.Code.USES)).close();
      assertThat(two.fit()).isTrue();
    }
  }

  @Test
  void anApprovalThatIsMissingIsSaid() {
    DropColumn asked =
        DropColumn.of(ID)
            .table("users")
            .column("zip")
            .fillBackWithSql("''")
            .approvalBefore("RELAX")
            .build();
    try (Orchestrator one = joined(member("1").thisBuild(asked, DropColumn.Code.NOT_READING));
        Orchestrator job = job().build()) {
      ReleaseManifest next =
          member("2").thisBuild(asked, DropColumn.Code.UNUSED).build().manifest();
      Readiness readiness = job.await(next, Duration.ZERO);
      assertThat(missing(readiness).needsPerson()).isTrue();
      assertThat(readiness.expected()).isNull();
      assertThat(readiness.toString())
          .contains("APPROVAL: approve(\"" + ID + "\", \"RELAX\")", "somebody does something");
      job.approve(ID, "RELAX");
      assertThat(job.await(next, LONG).verdict()).isEqualTo(Verdict.READY);
      assertThat(one.fit()).isTrue();
    }
  }

  @Test
  void aPinnedMemberIsEndedByAPersonAlone() {
    AddColumn add = AddColumn.of("billing/add").table("users").column("c", "text").build();
    try (Orchestrator one =
            joined(
                member("1")
                    .role(Role.MEMBER)
                    .thisBuild(DROP, DropColumn.Code.NOT_READING)
                    .thisBuild(add, AddColumn.Code.WRITES, AddColumn.Code.UNAWARE));
        Orchestrator job = job().build()) {
      job.pin("reports", "nightly");
      // It doesn't suit RELAX; and nobody knows whether EXPAND would break what it has prepared.
      assertThat(
              job.await(
                      member("2")
                          .thisBuild(DROP, DropColumn.Code.UNUSED)
                          .thisBuild(add, AddColumn.Code.WRITES)
                          .build()
                          .manifest(),
                      Duration.ZERO)
                  .missing())
          .hasSize(2)
          .allMatch(Missing::needsPerson)
          .extracting(each -> each.waits().get(0).kind())
          .containsExactly(Wait.Kind.FLEET, Wait.Kind.DRIVER);
      assertThat(one.fit()).isTrue();
    }
  }

  @Test
  void whatIsInTheWayOfLaterPhasesIsSaidToo() {
    RenameColumnInCode rename =
        RenameColumnInCode.of("billing/rename")
            .table("users")
            .from("zip")
            .to("postcode")
            .approvalBefore("verify")
            .build();
    try (Orchestrator one = joined(member("1").thisBuild(rename, RenameColumnInCode.Code.OLD));
        Orchestrator job = job().build()) {
      job.pauseAll("to look first");
      Readiness readiness =
          job.await(
              member("2").thisBuild(rename, RenameColumnInCode.Code.READS_NEW).build().manifest(),
              Duration.ZERO);
      Missing missing = missing(readiness);
      assertThat(missing.needs()).isEqualTo("ENFORCE");
      assertThat(missing.waits())
          .extracting(wait -> wait.kind())
          .containsExactly(Wait.Kind.PAUSED, Wait.Kind.FLEET, Wait.Kind.APPROVAL);
      assertThat(missing.waits().get(1).what())
          .contains("1 member of billing 1 at OLD", "can't run against BACKFILL");
      assertThat(one.fit()).isTrue();
    }
  }

  @Test
  void theTimeToExpectIsThatOfTheSlowestWait() {
    Duration hour = Duration.ofHours(1);
    joined(member("0", DropColumn.Code.USES)).close();
    try (Orchestrator one = joined(member("1", DropColumn.Code.NOT_READING).role(Role.MEMBER));
        Orchestrator job =
            job()
                .timing(timing -> Members.patient(timing).horizon(hour).soak(Duration.ofMinutes(1)))
                .build()) {
      // Release 1 has been live for long enough to supersede release 0, which stays warm.
      database.execute("UPDATE orchestrator.release SET proven_at = now() WHERE release = '1'");
      Readiness readiness = job.await(manifest("2", DropColumn.Code.UNUSED), Duration.ZERO);
      assertThat(missing(readiness).waits())
          .anyMatch(wait -> wait.what().contains("warm release billing 0"));
      assertThat(readiness.expected())
          .isGreaterThan(Duration.ofMinutes(1))
          .isLessThanOrEqualTo(hour);
      assertThat(readiness.toString()).contains("expected in");
      job.forgetRelease("billing", "0");
      readiness = job.await(manifest("2", DropColumn.Code.UNUSED), Duration.ZERO);
      assertThat(missing(readiness).waits())
          .extracting(wait -> wait.kind())
          .containsExactly(Wait.Kind.SOAK);
      assertThat(readiness.expected()).isPositive().isLessThanOrEqualTo(Duration.ofMinutes(1));
      assertThat(one.fit()).isTrue();
    }
  }

  @Test
  void whatNobodyHasDeclaredIsSaidAtOnceUnlessTheJobDeclaresIt() {
    CreateTable invoices = invoices();
    joined(member("1")).close();
    ReleaseManifest next =
        member("2").thisBuild(invoices, CreateTable.Code.NEEDS).build().manifest();
    try (Orchestrator job = job().build()) {
      Readiness readiness = job.await(next, LONG);
      assertThat(readiness.verdict()).isEqualTo(Verdict.NOT_DECLARED);
      assertThat(missing(readiness).toString())
          .contains("billing/invoices is not known in this database; NEEDS needs DONE", "UNAWARE");
      // One that needs no phase of it is ready: its own start declares it.
      assertThat(
              job.await(
                      member("2").thisBuild(invoices, CreateTable.Code.UNAWARE).build().manifest(),
                      LONG)
                  .verdict())
          .isEqualTo(Verdict.READY);
      assertThat(
              job.await(
                      member("2")
                          .thisBuild(
                              Migration.ref("crm/other", DropColumn.class), DropColumn.Code.USES)
                          .build()
                          .manifest(),
                      LONG)
                  .verdict())
          .isEqualTo(Verdict.NOT_DECLARED);
    }
    try (Orchestrator job = job().thisBuild(invoices, CreateTable.Code.NEEDS).build()) {
      assertThat(job.await(next, LONG).verdict()).isEqualTo(Verdict.READY);
    }
  }

  private static CreateTable invoices() {
    return CreateTable.of("billing/invoices").table("invoices").column("id", "bigint").build();
  }

  /** Where no application is known, nothing is entered; and none starts before this one. */
  @Test
  void theVeryFirstReleaseGetsItsPhase() {
    try (TestDatabase fresh = TestDatabase.create("fresh")) {
      OrchestratorBuilder first =
          Members.driver(fresh.dataSource()).thisBuild(invoices(), CreateTable.Code.NEEDS);
      try (Orchestrator job = first.build()) {
        assertThat(job.countedManifests()).isEmpty();
        assertThat(job.await(job.manifest(), Duration.ofMinutes(1)).verdict())
            .isEqualTo(Verdict.READY);
      }
      assertThat(fresh.queryLong("SELECT count(*) FROM invoices")).isZero();
    }
  }

  @Test
  void aReleaseStringThatMeansOtherStagesIsRefused() {
    joined(member("1", DropColumn.Code.USES)).close();
    try (Orchestrator job = job().build()) {
      ReleaseManifest other = manifest("1", DropColumn.Code.NOT_READING);
      assertThatThrownBy(() -> job.await(other, LONG))
          .isInstanceOf(DeclarationException.class)
          .hasMessageContainingAll("Release 1 of billing", "USES", "NOT_READING", ID);
      assertThatThrownBy(() -> job.await(other, Duration.ofMillis(-1)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("patience");
    }
  }

  @Test
  void everybodyWhoIsCountedCanBeCheckedInCi() {
    Duration hour = Duration.ofHours(1);
    joined(member("0", DropColumn.Code.USES)).close();
    try (Orchestrator one =
            joined(
                member("1", DropColumn.Code.USES, DropColumn.Code.NOT_READING)
                    .role(Role.MEMBER)
                    .finished("billing/older")
                    .touches("users"));
        Orchestrator job = job().timing(timing -> Members.patient(timing).horizon(hour)).build()) {
      job.pin("reports", "nightly");
      List<ReleaseManifest> counted = job.countedManifests();
      assertThat(ReleaseManifest.listFromJson(ReleaseManifest.toJson(counted))).isEqualTo(counted);
      assertThat(counted)
          .extracting(each -> each.application() + " " + each.release() + " " + each.warm())
          .containsExactly("billing 0 true", "billing 1 false", "reports nightly false");
      ReleaseManifest live = counted.get(1);
      assertThat(live.finished()).containsExactly("billing/older");
      assertThat(live.touches()).containsExactly("users");
      assertThat(live.declarations().get(ID).stages()).containsExactly("USES", "NOT_READING");
      assertThat(live.declarations().get(ID).table()).isEqualTo("users");
      RolloutCheck check = RolloutCheck.of(manifest("2", DropColumn.Code.UNUSED), counted);
      assertThat(check.problems()).hasSize(2);
      assertThat(check.problems().get(0)).contains("warm release 0 of billing", "NOT_READING");
      assertThat(check.problems().get(1)).contains("release nightly of reports");
      job.unpin("reports", "nightly");
      job.forgetRelease("billing", "0");
      assertThat(
              RolloutCheck.of(manifest("2", DropColumn.Code.UNUSED), job.countedManifests())
                  .problems())
          .isEmpty();
      assertThat(one.fit()).isTrue();
    }
  }
}
