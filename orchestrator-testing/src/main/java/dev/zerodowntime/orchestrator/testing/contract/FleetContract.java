package dev.zerodowntime.orchestrator.testing.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.zerodowntime.orchestrator.BackupGate;
import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.OrchestratorException;
import dev.zerodowntime.orchestrator.Readiness;
import dev.zerodowntime.orchestrator.ReleaseManifest;
import dev.zerodowntime.orchestrator.ReleaseTooOldException;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.RolloutCheck;
import dev.zerodowntime.orchestrator.SchemaNotReadyException;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.testing.crash.Dump;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What the control tables are for: who is counted, who drives, and what people say. The migration
 * is the removal of a column that rejects rows without it: every stage excludes some phase.
 */
public abstract class FleetContract extends Contract {

  private static final String ID = "billing/drop-zip";
  private static final String ADD = "billing/add-region";
  private static final int MANY = 4;

  private Ground ground;

  private List<String> tables() {
    String text = product().sql().text();
    return List.of(
        "CREATE TABLE users (id bigint PRIMARY KEY, zip " + text + " NOT NULL)",
        "INSERT INTO users VALUES (1, '1')",
        "CREATE TABLE orders (id bigint PRIMARY KEY)");
  }

  @BeforeEach
  final void create() throws Exception {
    ground = ground("fleet", Environment.PRODUCTION, tables());
  }

  @AfterEach
  final void forget() throws Exception {
    ground.close();
    drop(ground);
  }

  /** USES [0,0], NOT_READING [0,1], UNUSED [1,3]. */
  private static DropColumn drop(Duration retention) {
    return DropColumn.of(ID)
        .table("users")
        .column("zip")
        .retention(retention)
        .fillBackWithSql("''")
        .build();
  }

  private static final DropColumn DROP = drop(Duration.ofDays(7));

  private OrchestratorBuilder member(String release, DropColumn.Code stage) {
    return ground.member(release).thisBuild(DROP, stage);
  }

  private static Orchestrator joined(OrchestratorBuilder builder) {
    Orchestrator member = builder.build();
    assertThat(member.advance().admitted()).isTrue();
    return member;
  }

  /** The migration is declared, and nobody is left who is counted. */
  private void nobodyIsLeft(DropColumn declared) {
    joined(ground.member("0").thisBuild(declared, DropColumn.Code.USES)).close();
  }

  private static String driven(Orchestrator process) {
    return process.drive().migration(ID).orElseThrow().phase();
  }

  private static String waits(Orchestrator process, String id, Wait.Kind kind) {
    return process.drive().migration(id).orElseThrow().waits().stream()
        .filter(each -> each.kind() == kind)
        .map(Wait::toString)
        .collect(Collectors.joining("\n"));
  }

  /** Must be refused with that code, say all of that and a remedy, and change nothing. */
  private OrchestratorException refused(ErrorCode code, ThrowingCallable call, String... says)
      throws Exception {
    List<String> before = everything();
    Throwable thrown = catchThrowable(call);
    assertThat(thrown).isInstanceOf(OrchestratorException.class);
    OrchestratorException refusal = (OrchestratorException) thrown;
    assertThat(refusal.code()).as(refusal.getMessage()).isEqualTo(code);
    assertThat(refusal).hasMessageContainingAll(says);
    assertThat(refusal.remedy()).isNotBlank();
    assertThat(everything()).isEqualTo(before);
    return refusal;
  }

  private List<String> everything() throws Exception {
    List<String> all = new ArrayList<>(ground.dump(Dump.Part.CATALOG));
    all.addAll(ground.content(ground.columns(List.of("users", "orders"))));
    all.addAll(
        ground.rows(
            "SELECT application, label FROM "
                + ground.control("pinned_member")
                + " ORDER BY 1, 2"));
    all.addAll(
        ground.rows(
            "SELECT id, operation, reached FROM "
                + ground.control("migration")
                + " WHERE reached > 0"));
    return all;
  }

  @Test
  void severalInstallAtOnce() throws Exception {
    try (Ground bare = bare(tables())) {
      CyclicBarrier together = new CyclicBarrier(MANY);
      ExecutorService threads = Executors.newFixedThreadPool(MANY);
      try {
        List<Future<Boolean>> all = new ArrayList<>();
        for (int i = 0; i < MANY; i++) {
          String release = "1." + i;
          Callable<Boolean> start =
              () -> {
                try (Orchestrator each = bare.member(release).build()) {
                  together.await();
                  return each.advance().admitted();
                }
              };
          all.add(threads.submit(start));
        }
        for (Future<Boolean> each : all) {
          assertThat(each.get()).isTrue();
        }
      } finally {
        threads.shutdownNow();
      }
      assertThat(bare.number("SELECT COUNT(*) FROM " + bare.control("control"))).isEqualTo(1);
      assertThat(bare.rows("SELECT application, label FROM " + bare.control("pinned_member")))
          .as("the builds before us, once")
          .containsExactly("billing|builds before us");
      drop(bare);
    }
  }

  @Test
  void nothingMovesWhileOldCodeRuns() {
    try (Orchestrator old = joined(member("1", DropColumn.Code.USES));
        Orchestrator job = ground.job().build()) {
      assertThat(driven(job)).isEqualTo("NOT_STARTED");
      assertThat(waits(job, ID, Wait.Kind.FLEET)).contains("billing 1", "USES");
      try (Orchestrator next = joined(member("2", DropColumn.Code.NOT_READING))) {
        assertThat(driven(job)).isEqualTo("NOT_STARTED");
        old.close();
        assertThat(driven(job)).isEqualTo("RELAX");
        assertThat(next.fit()).isTrue();
      }
    }
  }

  @Test
  void codeThatTheSchemaHasLeftBehindIsRefused() throws Exception {
    nobodyIsLeft(DROP);
    try (Orchestrator current = joined(member("2", DropColumn.Code.UNUSED));
        Orchestrator old = member("1", DropColumn.Code.USES).build()) {
      assertThat(driven(current)).isEqualTo("CONTRACT");
      assertThat(
              refused(
                  ErrorCode.RELEASE_TOO_OLD,
                  old::advance,
                  "Release 1 of billing",
                  ID,
                  "CONTRACT",
                  "1 member of billing 2 at UNUSED",
                  "Stop these first"))
          .isInstanceOf(ReleaseTooOldException.class);
      assertThat(old.fit()).isFalse();
      assertThat(current.fit()).isTrue();
    }
  }

  /** Its release comes back when nobody needs the new shape any more: the schema goes back, too. */
  @Test
  void aReleaseThatComesBackTakesTheSchemaBack() {
    nobodyIsLeft(DROP);
    try (Orchestrator current = joined(member("2", DropColumn.Code.UNUSED))) {
      assertThat(driven(current)).isEqualTo("CONTRACT");
    }
    try (Orchestrator old = joined(member("1", DropColumn.Code.USES))) {
      assertThat(Ground.of(old, ID).phase()).isEqualTo("NOT_STARTED");
      assertThat(old.fit()).isTrue();
    }
  }

  /** What a pipeline learns before it starts a release, and CI about the releases that count. */
  @Test
  void aPipelineWaitsUntilAReleaseMayStart() throws Exception {
    nobodyIsLeft(DROP);
    ReleaseManifest next = member("2", DropColumn.Code.UNUSED).build().manifest();
    Duration forever = Duration.ofDays(1);
    try (Orchestrator job = ground.job().build()) {
      try (Orchestrator old = joined(member("1", DropColumn.Code.USES))) {
        Readiness waits = job.await(next, Duration.ZERO);
        assertThat(waits.verdict()).isEqualTo(Readiness.Verdict.NOT_YET);
        assertThat(waits).asString().contains("UNUSED needs RELAX", "1 member of billing 1");
        assertThat(RolloutCheck.of(next, job.countedManifests()).problems())
            .singleElement()
            .asString()
            .contains(ID, "release 1 of billing", "NOT_READING");
        assertThat(old.fit()).isTrue();
      }
      assertThat(job.await(next, forever).verdict()).isEqualTo(Readiness.Verdict.READY);
      assertThat(job.countedManifests()).isEmpty();
      try (Orchestrator current = joined(member("2", DropColumn.Code.UNUSED))) {
        assertThat(driven(current)).isEqualTo("CONTRACT");
        ReleaseManifest before = member("1", DropColumn.Code.USES).build().manifest();
        assertThat(job.await(before, forever).verdict()).isEqualTo(Readiness.Verdict.LEFT_BEHIND);
        assertThat(current.fit()).isTrue();
      }
    }
  }

  @Test
  void codeThatComesTooEarlyIsNotAdmitted() throws Exception {
    AddColumn add =
        AddColumn.of(ADD).table("users").column("region", product().sql().text()).build();
    try (Orchestrator early =
        ground
            .member("1")
            .role(Role.MEMBER)
            .timing(timing -> Ground.quick(timing).startupBudget(Duration.ofMillis(50)))
            .thisBuild(add, AddColumn.Code.READS)
            .build()) {
      refused(ErrorCode.SCHEMA_NOT_READY, early::advance, "Release 1 of billing", "EXPAND", ADD);
      assertThat(catchThrowable(early::advance)).isInstanceOf(SchemaNotReadyException.class);
      assertThat(early.fit()).isFalse();
    }
    assertThat(ground.rows("SELECT id FROM " + ground.control("member"))).isEmpty();
  }

  /** The one that drives is put out by whoever has taken its place: it touches nothing more. */
  @Test
  void aStaleDriverChangesNothing() throws Exception {
    DropColumn now = drop(Duration.ZERO);
    nobodyIsLeft(now);
    String lease = ground.control("lease");
    List<String> asked = new ArrayList<>();
    BackupGate gate =
        (migration, drops) -> {
          asked.add(migration);
          try {
            ground.execute(
                "UPDATE "
                    + lease
                    + " SET token = 'another', holder = 'another', holder_name = 'another 1',"
                    + " expires_at = '2100-01-01 00:00:00'");
          } catch (java.sql.SQLException e) {
            throw new IllegalStateException(e);
          }
          return true;
        };
    try (Orchestrator stale = ground.job().backupGate(gate).build()) {
      stale.drive();
      List<String> catalog = ground.dump(Dump.Part.CATALOG);
      assertThat(asked).isNotEmpty();
      assertThat(Ground.of(stale, ID).phase()).isEqualTo("CONTRACT");
      assertThat(driven(stale)).isEqualTo("CONTRACT");
      assertThat(ground.dump(Dump.Part.CATALOG)).isEqualTo(catalog);
      assertThat(ground.rows("SELECT token FROM " + lease))
          .as("which it has no right to give back")
          .containsExactly("another");
    }
    ground.execute("UPDATE " + lease + " SET expires_at = '2000-01-01 00:00:00'");
    try (Orchestrator successor = ground.job().build()) {
      assertThat(driven(successor)).isEqualTo("PURGE");
    }
  }

  @Test
  void whatHasStartedCanNotBeDeclaredDifferently() throws Exception {
    String text = product().sql().text();
    AddColumn first = AddColumn.of(ADD).table("users").column("region", text).build();
    AddColumn other = AddColumn.of(ADD).table("users").column("region", "int").build();
    try (Orchestrator before =
        joined(ground.member("1").thisBuild(first, AddColumn.Code.UNAWARE))) {
      before.drive();
    }
    try (Orchestrator changed =
        ground.member("2").thisBuild(other, AddColumn.Code.UNAWARE).build()) {
      assertThat(
              refused(
                  ErrorCode.DECLARATION_CHANGED,
                  changed::advance,
                  ADD,
                  "type: the database has " + text + ", this build declares int",
                  "id of its own"))
          .isInstanceOf(DeclarationException.class);
    }
  }

  @Test
  void whatHasNotStartedMayBeDeclaredDifferently() throws Exception {
    AddColumn first =
        AddColumn.of(ADD).table("users").column("region", product().sql().text()).build();
    AddColumn other = AddColumn.of(ADD).table("users").column("other", "int").build();
    try (Orchestrator before =
        ground.member("1").thisBuild(first, AddColumn.Code.UNAWARE).build()) {
      before.pauseAll("to keep it from starting");
      before.advance();
      try (Orchestrator changed =
          joined(ground.member("2").thisBuild(other, AddColumn.Code.UNAWARE))) {
        changed.resumeAll();
        changed.drive();
      }
    }
    assertThat(ground.columns(List.of("users")).get("users"))
        .contains(product().sql().quoted("other"))
        .doesNotContain(product().sql().quoted("region"));
    assertThat(
            ground.number(
                "SELECT COUNT(*) FROM " + ground.control("event") + " WHERE kind = 'REDECLARED'"))
        .isEqualTo(1);
  }

  @Test
  void aReleaseStringStandsForOneSetOfStages() throws Exception {
    joined(member("1", DropColumn.Code.USES)).close();
    try (Orchestrator other = member("1", DropColumn.Code.UNUSED).build()) {
      refused(
          ErrorCode.RELEASE_CHANGED,
          other::advance,
          "Release 1 of billing",
          ID,
          "USES",
          "UNUSED",
          "release string of its own");
    }
  }

  @Test
  void twoUnfinishedMigrationsOnOneColumnAreRefused() throws Exception {
    DropColumn again = DropColumn.of("billing/again").table("users").column("zip").build();
    try (Orchestrator both =
        member("1", DropColumn.Code.USES).thisBuild(again, DropColumn.Code.USES).build()) {
      refused(ErrorCode.CONFLICTING_MIGRATIONS, both::advance, ID, "billing/again", "zip");
    }
  }

  @Test
  void anApprovalCountsOnceForItsMovement() throws Exception {
    DropColumn gated =
        DropColumn.of(ID)
            .table("users")
            .column("zip")
            .fillBackWithSql("''")
            .approvalBefore("CONTRACT")
            .build();
    nobodyIsLeft(gated);
    String unspent =
        "SELECT COUNT(*) FROM " + ground.control("approval") + " WHERE spent_at IS NULL";
    try (Orchestrator job = ground.job().build()) {
      for (int i = 0; i < 2; i++) {
        assertThat(driven(job)).isEqualTo("RELAX");
        assertThat(waits(job, ID, Wait.Kind.APPROVAL))
            .contains("approve(\"" + ID + "\", \"CONTRACT\")");
        job.approve(ID, "CONTRACT");
        assertThat(ground.number(unspent)).isEqualTo(1);
        assertThat(driven(job)).isEqualTo("CONTRACT");
        assertThat(ground.number(unspent)).isZero();
        job.rollback(ID, "RELAX");
        assertThat(driven(job)).isEqualTo("RELAX");
        job.resume(ID);
      }
    }
  }

  /** What was approved is that SQL, and no other. */
  @Test
  void anApprovalIsOfOneSql() throws Exception {
    AddColumn one =
        AddColumn.of(ADD).table("users").column("a", "int").approvalBefore("EXPAND").build();
    AddColumn other =
        AddColumn.of(ADD).table("users").column("a", "bigint").approvalBefore("EXPAND").build();
    try (Orchestrator first = joined(ground.member("1").thisBuild(one, AddColumn.Code.UNAWARE))) {
      first.pauseAll("to approve first");
      first.approve(ADD, "EXPAND");
      try (Orchestrator second =
          joined(ground.member("2").thisBuild(other, AddColumn.Code.UNAWARE))) {
        second.resumeAll();
        assertThat(second.drive().migration(ADD).orElseThrow().phase()).isEqualTo("NOT_STARTED");
        second.approve(ADD, "EXPAND");
        assertThat(second.drive().migration(ADD).orElseThrow().phase()).isNotEqualTo("NOT_STARTED");
      }
    }
  }

  @Test
  void aPinHoldsUntilSomebodyEndsIt() throws Exception {
    nobodyIsLeft(DROP);
    try (Orchestrator job = ground.job().build()) {
      job.pin("billing", "a report");
      assertThat(driven(job)).isEqualTo("NOT_STARTED");
      assertThat(waits(job, ID, Wait.Kind.FLEET)).contains("\"a report\" of billing at USES");
      refused(
          ErrorCode.INVALID_DECLARATION,
          () -> job.unpin("billing", "a rapport"),
          "\"a rapport\" of billing",
          "\"a report\" of billing");
      job.unpin("billing", "a report");
      assertThat(driven(job)).isEqualTo("CONTRACT");
      refused(
          ErrorCode.APPLICATION_NOT_FIT,
          () -> job.pin("billing", "too late"),
          "\"too late\" of billing",
          ID,
          "CONTRACT",
          "rollback(\"" + ID + "\", \"NOT_STARTED\")");
    }
  }

  @Test
  void adoptionIsOfAnApplicationThatIsKnown() throws Exception {
    try (Orchestrator member = joined(member("1", DropColumn.Code.USES))) {
      ground.execute(
          "INSERT INTO "
              + ground.control("pinned_member")
              + " (application, label) VALUES ('billing', 'builds before us')");
      refused(
          ErrorCode.INVALID_DECLARATION,
          () -> member.adopted("biling"),
          "No application biling is known",
          "billing");
      member.adopted("billing");
      assertThat(ground.rows("SELECT label FROM " + ground.control("pinned_member"))).isEmpty();
    }
  }

  @Test
  void aPauseStopsAndAWordResumes() {
    nobodyIsLeft(DROP);
    try (Orchestrator job = ground.job().build()) {
      job.pauseAll("incident 7");
      assertThat(driven(job)).isEqualTo("NOT_STARTED");
      assertThat(waits(job, ID, Wait.Kind.PAUSED)).contains("incident 7");
      job.resumeAll();
      job.pause(ID);
      assertThat(driven(job)).isEqualTo("NOT_STARTED");
      assertThat(Ground.of(job, ID).status()).isEqualTo(MigrationStatus.PAUSED);
      job.resume(ID);
      assertThat(driven(job)).isEqualTo("CONTRACT");
    }
  }

  @Test
  void whatIsAbandonedStaysAsItIs() throws Exception {
    nobodyIsLeft(drop(Duration.ZERO));
    try (Orchestrator job = ground.job().backupGate((migration, drops) -> false).build()) {
      assertThat(driven(job)).isEqualTo("CONTRACT");
      List<String> catalog = ground.dump(Dump.Part.CATALOG);
      assertThat(job.abandon(ID).toString()).contains("DROP COLUMN");
      try (Orchestrator other = ground.job().build()) {
        MigrationReport report = other.drive().migration(ID).orElseThrow();
        assertThat(report.status()).isEqualTo(MigrationStatus.ABANDONED);
        assertThat(ground.dump(Dump.Part.CATALOG)).isEqualTo(catalog);
        other.resume(ID);
        assertThat(driven(other)).isEqualTo("PURGE");
      }
    }
  }

  @Test
  void afterThePurgeThereIsNoWayBack() throws Exception {
    nobodyIsLeft(drop(Duration.ZERO));
    try (Orchestrator job = ground.job().build()) {
      assertThat(driven(job)).isEqualTo("PURGE");
      refused(ErrorCode.ILLEGAL_TRANSITION, () -> job.rollback(ID), ID, "PURGE");
    }
  }

  @Test
  void aPurgeWaitsForTheBackup() {
    nobodyIsLeft(drop(Duration.ZERO));
    try (Orchestrator job = ground.job().backupGate(null).build()) {
      assertThat(driven(job)).isEqualTo("CONTRACT");
      assertThat(waits(job, ID, Wait.Kind.BACKUP)).contains("approve(\"" + ID + "\", \"PURGE\")");
      job.approve(ID, "PURGE");
      assertThat(driven(job)).isEqualTo("PURGE");
    }
  }
}
