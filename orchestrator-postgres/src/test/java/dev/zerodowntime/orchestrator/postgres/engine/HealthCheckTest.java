package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.HealthCheck;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Back by itself when the application isn't well after a phase. */
class HealthCheckTest extends FleetFixture {

  private static final Duration LONG = Duration.ofMinutes(1);

  private final AtomicReference<String> problem = new AtomicReference<>();
  private final List<String> asked = new CopyOnWriteArrayList<>();

  /** Known, with nobody left who is counted. */
  private void declared(UnaryOperator<DropColumn.Builder> change) {
    DropColumn drop =
        change
            .apply(DropColumn.of(ID).table("users").column("zip").retention(Duration.ZERO))
            .build();
    try (Orchestrator member =
        Members.member(database.dataSource(), "0")
            .timing(Members::patient)
            .thisBuild(drop, DropColumn.Code.USES)
            .build()) {
      assertThat(member.advance().admitted()).isTrue();
    }
  }

  private OrchestratorBuilder job(HealthCheck check) {
    return job()
        .healthCheck(
            (migration, phase) -> {
              asked.add(migration + " " + phase);
              return check.problem(migration, phase);
            });
  }

  private Optional<String> said() {
    return Optional.ofNullable(problem.get());
  }

  private static String waits(MigrationReport report) {
    return waits(report, Wait.Kind.HEALTH);
  }

  @Test
  void thePhaseIsLeftAgainAndOneReportTellsAll() {
    declared(b -> b.healthyFor(Duration.ofMillis(100)).backupBefore("contract"));
    AtomicReference<String> backup = new AtomicReference<>();
    try (Orchestrator job =
        job((m, phase) -> phase.equals("CONTRACT") ? Optional.of("5xx at 12 %") : Optional.empty())
            .backupGate(
                (migration, sql) -> {
                  backup.set(migration + ": " + sql);
                  return true;
                })
            .build()) {
      AdvanceReport report = job.drive(LONG);
      assertThat(backup.get()).startsWith(ID + ": ").contains("RENAME COLUMN");
      assertThat(of(report).done())
          .containsExactly(
              "reached RELAX",
              "reached CONTRACT",
              "the health check after CONTRACT failed: 5xx at 12 %",
              "went back to RELAX");
      assertThat(of(report).phase()).isEqualTo("RELAX");
      assertThat(waits(of(report), Wait.Kind.HELD))
          .contains(
              "rolled back by the health check after CONTRACT: 5xx at 12 %",
              "resume(\"" + ID + "\")");
      assertThat(asked.stream().filter((ID + " CONTRACT")::equals)).hasSize(3);
      assertThat(
              database.<String>queryOne(
                  "SELECT outcome || ' ' || detail FROM orchestrator.event WHERE kind = 'HEALTH'"))
          .isEqualTo("ROLLED_BACK 5xx at 12 %");
      assertThat(database.queryLong("SELECT count(*) FROM users WHERE zip = '1'")).isEqualTo(1);
    }
  }

  /** It goes up again, and is watched anew. */
  @Test
  void aPersonResumesIt() throws Exception {
    declared(b -> b.healthyFor(Duration.ofMillis(200)));
    problem.set("bad");
    try (Orchestrator job =
        job((m, p) -> p.equals("CONTRACT") ? said() : Optional.empty()).build()) {
      assertThat(of(job.drive(LONG)).phase()).isEqualTo("RELAX");
      problem.set(null);
      int before = asked.size();
      job.resume(ID);
      AdvanceReport report = job.drive(LONG);
      assertThat(report.settled()).as(report.toString()).isTrue();
      assertThat(asked.subList(before, asked.size())).contains(ID + " CONTRACT", ID + " PURGE");
    }
  }

  /** Rows may be without a value by now: it stays, and says what it waits for. */
  @Test
  void aWayBackThatNeedsConsentWaitsForIt() throws Exception {
    declared(b -> b.healthyFor(LONG));
    try (Orchestrator job = job((m, p) -> Optional.of("bad")).build()) {
      Eventually.until("it waits", () -> !waits(of(job.drive()), Wait.Kind.APPROVAL).isEmpty());
      assertThat(of(job.status()).phase()).isEqualTo("RELAX");
      job.approve(ID, "NOT_STARTED");
      Eventually.until("it is back", () -> driven(job).equals("NOT_STARTED"));
    }
  }

  @Test
  void theNextPhaseWaitsForTheTime() {
    declared(b -> b.healthyFor(LONG));
    try (Orchestrator job = job((m, p) -> said()).build()) {
      AdvanceReport report = job.drive();
      assertThat(of(report).phase()).isEqualTo("RELAX");
      assertThat(waits(of(report))).contains("health is watched after RELAX", "left");
      assertThat(job.status().migrations().get(0).waits().toString()).contains("HEALTH");
    }
  }

  /** A hiccup isn't an illness. */
  @Test
  void twoProblemsAreNotEnough() {
    declared(b -> b.healthyFor(Duration.ofMillis(200)));
    try (Orchestrator job =
        job((m, p) -> asked.size() % 3 == 0 ? Optional.empty() : Optional.of("hiccup")).build()) {
      AdvanceReport report = job.drive(LONG);
      assertThat(report.settled()).as(report.toString()).isTrue();
      assertThat(of(report).done()).noneMatch(each -> each.contains("health"));
    }
  }

  /** Neither on nor back: nobody knows. */
  @Test
  void aCheckThatFailsKeepsItWhereItIs() throws Exception {
    declared(b -> b.healthyFor(Duration.ofMillis(50)));
    try (Orchestrator job =
        job((m, p) -> {
              if (problem.get() == null) {
                throw new IllegalStateException("no metrics");
              }
              return Optional.empty();
            })
            .build()) {
      Eventually.until("it was asked often", () -> driven(job).equals("RELAX") && asked.size() > 4);
      assertThat(waits(of(job.drive()))).contains("the health check failed", "no metrics");
      problem.set("anything");
      assertThat(job.drive(LONG).settled()).isTrue();
    }
  }

  /** What was dropped can't be brought back: it stops and says so. */
  @Test
  void withoutAWayBackItFails() {
    declared(b -> b.healthyFor(Duration.ofSeconds(30)));
    // As if it had been dropped a moment ago.
    database.execute(
        "ALTER TABLE users DROP COLUMN zip",
        "UPDATE orchestrator.migration SET reached = 3, entering = 3, status = 'DONE', since ="
            + " clock_timestamp(), finished_at = clock_timestamp()");
    try (Orchestrator job = job((m, p) -> Optional.of("gone")).build()) {
      MigrationReport report = of(job.drive(Duration.ofSeconds(20)));
      assertThat(report.status()).isEqualTo(MigrationStatus.FAILED);
      assertThat(report.lastError())
          .contains(
              "stopped by the health check after PURGE: gone", "there is no way back from PURGE");
      job.resume(ID);
      assertThat(job.drive().settled()).isTrue();
      assertThat(of(job.status()).status()).isEqualTo(MigrationStatus.DONE);
    }
  }

  /** Another driver may have one. */
  @Test
  void aDriverWithoutACheckHandsOver() {
    declared(b -> b.healthyFor(Duration.ofMillis(10)));
    try (Orchestrator without = job().build();
        Orchestrator with = job((m, p) -> Optional.empty()).build()) {
      MigrationReport report = of(without.drive());
      assertThat(report.phase()).isEqualTo("RELAX");
      assertThat(waits(report)).contains("a driver with healthCheck(...) must do that");
      assertThat(database.queryLong("SELECT count(*) FROM orchestrator.lease WHERE token IS NULL"))
          .isEqualTo(1);
      assertThat(with.drive(LONG).settled()).isTrue();
    }
  }

  @Test
  void nobodyIsAskedInDevelopmentNorWithoutATime() {
    declared(b -> b);
    try (Orchestrator job = job((m, p) -> Optional.of("never asked")).build()) {
      assertThat(job.drive().settled()).isTrue();
      assertThat(asked).isEmpty();
      assertThat(job.status().environment()).isEqualTo(Environment.PRODUCTION.name());
      assertThat(of(job.status()).status()).isEqualTo(MigrationStatus.DONE);
    }
  }
}
