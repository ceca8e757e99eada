package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.FleetStatus;
import dev.zerodowntime.orchestrator.MigrationPlan;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.ReleaseManifest;
import dev.zerodowntime.orchestrator.RolloutCheck;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumnInCode;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What people read: plans, status, reports, manifests. */
class ReportsTest extends FleetFixture {

  @Test
  void aDatabaseThatDoesNotKnowUsYetHasAStatusToo() {
    try (TestDatabase fresh = TestDatabase.create("fresh");
        Orchestrator member = Members.member(fresh.dataSource(), "1").build()) {
      assertThat(member.status().environment()).contains("not installed yet");
      assertThat(
              fresh.queryLong("SELECT count(*) FROM pg_namespace WHERE nspname = 'orchestrator'"))
          .isZero();
    }
  }

  /** Renames that wait for their turn have no facts yet; nothing may need them. */
  @Test
  void migrationsOfOneTableWaitForEachOther() {
    database.execute("CREATE TABLE t (id bigint PRIMARY KEY, a text, b text, c text)");
    AddColumn add =
        AddColumn.of("billing/n")
            .table("t")
            .column("n", "text")
            .notNull()
            .fillWithSql("'x'")
            .build();
    RenameColumn one = RenameColumn.of("billing/r1").table("t").from("a").to("a2").build();
    RenameColumn two = RenameColumn.of("billing/r2").table("t").from("b").to("b2").build();
    RenameColumnInCode three =
        RenameColumnInCode.of("billing/r3").table("t").from("c").to("c2").after(two).build();
    try (Orchestrator member =
        member("1")
            .thisBuild(add, AddColumn.Code.UNAWARE)
            .thisBuild(one, RenameColumn.Code.USES_OLD_NAME)
            .thisBuild(two, RenameColumn.Code.USES_OLD_NAME)
            .thisBuild(three, RenameColumnInCode.Code.OLD)
            .build()) {
      member.pauseAll("to look first");
      AdvanceReport report = member.advance();
      assertThat(waits(report.migration("billing/r3").orElseThrow(), Wait.Kind.ORDER))
          .contains("billing/r2 goes first");
      assertThat(member.status().migrations()).hasSize(4);
      member.resumeAll();
      AdvanceReport driven = member.drive();
      assertThat(driven.migration("billing/n").orElseThrow().phase()).isEqualTo("ENFORCE");
      assertThat(driven.migration("billing/r1").orElseThrow().phase()).isEqualTo("ENFORCE");
      assertThat(driven.migration("billing/r2").orElseThrow().phase()).isEqualTo("ENFORCE");
      assertThat(driven.migration("billing/r3").orElseThrow().phase()).isEqualTo("EXPAND");
    }
  }

  private static final AddColumn SIZE =
      AddColumn.of("billing/size")
          .table("users")
          .column("size", "int")
          .notNull()
          .fillWithSql("length(zip)")
          .build();

  @Test
  void aPlanShowsSpansSqlLocksAndTheWayBackAndTouchesNothing() {
    try (TestDatabase fresh = TestDatabase.create("plan")) {
      fresh.execute(
          "CREATE TABLE users (id bigint PRIMARY KEY, zip text NOT NULL)",
          "INSERT INTO users SELECT i, 'z' FROM generate_series(1, 500) i",
          "ANALYZE users");
      try (Orchestrator member =
          Members.member(fresh.dataSource(), "1")
              .thisBuild(SIZE, AddColumn.Code.WRITES)
              .thisBuild(DROP, DropColumn.Code.USES)
              .build()) {
        List<List<Object>> before = Untouched.of(fresh);
        List<MigrationPlan> plans = member.plan();
        assertThat(Untouched.of(fresh)).isEqualTo(before);
        assertThat(
                fresh.queryLong("SELECT count(*) FROM pg_namespace WHERE nspname = 'orchestrator'"))
            .isZero();
        assertThat(plans).extracting(MigrationPlan::id).containsExactly(SIZE.id(), ID);
        assertThat(plans.get(0).rows()).isEqualTo(500);
        assertThat(plans.get(0).toString())
            .contains("UNAWARE", "[0,3]", "WRITES", "[1,3]", "READS", "[3,4]")
            .contains("EXPAND", "ADD COLUMN \"size\" int", "ACCESS EXCLUSIVE", "about 500 rows")
            .contains(
                "BACKFILL",
                "length(zip)",
                "ENFORCE",
                "NOT NULL",
                "way back",
                "RENAME COLUMN \"size\"");
        assertThat(plans.get(1).toString())
            .contains(
                "USES",
                "[0,0]",
                "RELAX",
                "DROP NOT NULL",
                "PURGE",
                "DROP COLUMN",
                "way back: none");
      }
    }
  }

  @Test
  void thePlanIsWhatIsDone() {
    try (Orchestrator member = joined(member("1").thisBuild(SIZE, AddColumn.Code.UNAWARE))) {
      String plan = member.plan().get(0).toString().replaceAll("\\s+", " ");
      member.drive();
      for (List<Object> row :
          database.rows(
              "SELECT statement FROM orchestrator.event WHERE kind = 'STEP' AND outcome = 'APPLIED'"
                  + " AND statement IS NOT NULL")) {
        for (String statement : row.get(0).toString().split(";\n(?=[A-Z])")) {
          assertThat(plan).contains(statement.strip().replaceAll("\\s+", " "));
        }
      }
      assertThat(
              database.queryLong(
                  "SELECT count(*) FROM orchestrator.event WHERE outcome = 'APPLIED'"))
          .isGreaterThan(4);
    }
  }

  @Test
  void theStatusShowsWhoAndWhereAndWhy() {
    joined(member("0")).close();
    try (Orchestrator member =
        joined(
            member("1", DropColumn.Code.NOT_READING)
                .timing(t -> Members.patient(t).horizon(Duration.ofHours(1))))) {
      member.pin("shop", "a report");
      member.pauseAll("lunch");
      List<List<Object>> before = Untouched.of(database);
      FleetStatus status = member.status();
      assertThat(Untouched.of(database)).isEqualTo(before);
      assertThat(status.environment()).isEqualTo("PRODUCTION");
      assertThat(status.members())
          .anyMatch(each -> each.contains("billing 1") && each.contains("NOT_READING"));
      assertThat(status.toString())
          .contains(
              "PAUSED: lunch", "pinned: shop: a report", "member: billing 1", ID, "NOT_STARTED");
    }
  }

  @Test
  void aReportSaysWhatTheAuthorDoesNext() {
    try (Orchestrator member = joined(member("1", DropColumn.Code.USES))) {
      AdvanceReport report = member.drive();
      assertThat(of(report).next()).contains("release code that is at NOT_READING", "RELAX");
      assertThat(report.toString())
          .contains(
              "billing 1",
              ID,
              "NOT_STARTED",
              "1 member of billing 1 at USES",
              "next: release code");
    }
    try (Orchestrator next = joined(member("2", DropColumn.Code.UNUSED))) {
      AdvanceReport report = next.drive();
      assertThat(of(report).stage()).isEqualTo("UNUSED");
      assertThat(report.toString()).contains("CONTRACT").doesNotContain("release code");
    }
  }

  @Test
  void whatWasDoneIsReportedOnce() {
    nobodyIsLeft();
    try (Orchestrator job = job().build()) {
      assertThat(of(job.drive()).done()).containsExactly("reached RELAX", "reached CONTRACT");
      assertThat(of(job.drive()).done()).isEmpty();
    }
  }

  private ReleaseManifest manifest(String release, RenameColumnInCode.Code... stages) {
    RenameColumnInCode rename =
        RenameColumnInCode.of("billing/rename").table("users").from("zip").to("postcode").build();
    return member(release).thisBuild(rename, stages).build().manifest();
  }

  @Test
  void aManifestNeedsNoDatabaseAndSurvivesJson() {
    ReleaseManifest manifest = manifest("7", RenameColumnInCode.Code.DUAL_WRITE);
    assertThat(manifest.release()).isEqualTo("7");
    assertThat(ReleaseManifest.fromJson(manifest.toJson())).isEqualTo(manifest);
    assertThatThrownBy(() -> ReleaseManifest.fromJson("{\"application\":\"x\"}"))
        .isInstanceOf(DeclarationException.class)
        .hasMessageContainingAll("not a release manifest", "toJson()");
  }

  @Test
  void aRollOutThatCanNotWorkIsFoundBeforeIt() {
    RolloutCheck bad =
        RolloutCheck.of(
            manifest("1", RenameColumnInCode.Code.OLD), manifest("2", RenameColumnInCode.Code.NEW));
    assertThat(bad.ok()).isFalse();
    assertThat(bad.problems())
        .singleElement()
        .asString()
        .contains("billing/rename", "release 1", "release 2", "OLD", "NEW", "no phase suits both");
    RolloutCheck good =
        RolloutCheck.of(
            manifest("1", RenameColumnInCode.Code.OLD),
            manifest("2", RenameColumnInCode.Code.DUAL_WRITE),
            manifest("3", RenameColumnInCode.Code.READS_NEW),
            manifest("4", RenameColumnInCode.Code.NEW));
    assertThat(good.problems()).isEmpty();
  }
}
