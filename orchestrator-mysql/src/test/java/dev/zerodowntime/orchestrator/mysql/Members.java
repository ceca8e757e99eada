package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.testing.Driven;
import java.time.Duration;

/** Members of a fleet with no time to lose. */
final class Members {

  private Members() {}

  static OrchestratorBuilder member(MysqlDatabase database, String release) {
    return Orchestrator.builder(database.pool())
        .application("billing")
        .release(release)
        .environment(Environment.DEVELOPMENT)
        .developmentOnExistingRows()
        .background(false);
  }

  /** With the rules of production, and no time to lose either. */
  static OrchestratorBuilder producing(MysqlDatabase database, String release) {
    return Orchestrator.builder(database.pool())
        .application("billing")
        .release(release)
        .noStarQueries()
        .background(false)
        .backupGate((migration, drops) -> true)
        .timing(
            timing ->
                timing
                    .heartbeat(Duration.ofMillis(100), Duration.ofMillis(400))
                    .soak(Duration.ZERO)
                    .horizon(Duration.ZERO)
                    .drain(Duration.ZERO)
                    .startupBudget(Duration.ofSeconds(10))
                    .lease(Duration.ofMillis(300))
                    .retryPause(Duration.ofMillis(10))
                    .tick(Duration.ofMillis(50)));
  }

  /** Like {@link #run}, in production: what is quarantined stays so. */
  static <C extends Enum<C> & CodeStage> String produce(
      MysqlDatabase database, String release, Migration<C> migration, C stage) {
    try (Orchestrator member = producing(database, release).thisBuild(migration, stage).build()) {
      member.advance();
      member.adopted("billing");
      String phase = "";
      String before;
      do {
        before = phase;
        phase = Driven.drive(member, migration.id()).phase();
      } while (!phase.equals(before));
      return phase;
    } finally {
      database.execute("DELETE FROM zdo_member");
    }
  }

  /** The same until a phase is reached: on a busy server a statement may have to be tried again. */
  static <C extends Enum<C> & CodeStage> void produce(
      MysqlDatabase database, String release, Migration<C> migration, C stage, String phase) {
    String reached = "";
    for (int i = 0; i < 20 && !reached.equals(phase); i++) {
      reached = produce(database, release, migration, stage);
    }
    assertThat(reached).isEqualTo(phase);
  }

  /** Like {@link #back}, in production. */
  static <C extends Enum<C> & CodeStage> String produceBack(
      MysqlDatabase database, String release, Migration<C> migration, C stage, String phase) {
    try (Orchestrator member = producing(database, release).thisBuild(migration, stage).build()) {
      member.advance();
      member.rollback(migration.id(), phase);
      return Driven.drive(member, migration.id()).phase();
    } finally {
      database.execute("DELETE FROM zdo_member");
    }
  }

  /** A release that starts, moves on what it can, and stops; says what it reached. */
  static <C extends Enum<C> & CodeStage> String run(
      MysqlDatabase database, String release, Migration<C> migration, C stage) {
    return run(database, member(database, release), migration, stage);
  }

  /** Like {@link #run}, of a release that comes back: it is warm, as it would be in production. */
  static <C extends Enum<C> & CodeStage> String reopen(
      MysqlDatabase database, String release, Migration<C> migration, C stage) {
    return run(
        database,
        member(database, release).timing(timing -> timing.horizon(Duration.ofMinutes(1))),
        migration,
        stage);
  }

  private static <C extends Enum<C> & CodeStage> String run(
      MysqlDatabase database, OrchestratorBuilder builder, Migration<C> migration, C stage) {
    try (Orchestrator member = builder.thisBuild(migration, stage).build()) {
      member.advance();
      MigrationReport report = Driven.drive(member, migration.id());
      assertThat(report.status()).as(report.toString()).isNotEqualTo(MigrationStatus.FAILED);
      return report.phase();
    } finally {
      // It is gone, and nobody waits for it to drain.
      database.execute("DELETE FROM zdo_member");
    }
  }

  /** Somebody asks for the way back, down to a phase, while code of a stage runs. */
  static <C extends Enum<C> & CodeStage> String back(
      MysqlDatabase database, String release, Migration<C> migration, C stage, String phase) {
    try (Orchestrator member = member(database, release).thisBuild(migration, stage).build()) {
      member.advance();
      member.rollback(migration.id(), phase);
      return Driven.drive(member, migration.id()).phase();
    } finally {
      database.execute("DELETE FROM zdo_member");
    }
  }
}
