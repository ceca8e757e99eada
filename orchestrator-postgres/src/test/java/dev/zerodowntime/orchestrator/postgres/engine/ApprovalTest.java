package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A person's word counts once: for the movement it was given for. */
class ApprovalTest extends FleetFixture {

  /** Out of RELAX, rows written meanwhile have no value: that needs a consent. */
  private static final DropColumn GATED =
      DropColumn.of(ID)
          .table("users")
          .column("zip")
          .retention(Duration.ofDays(7))
          .approvalBefore("CONTRACT")
          .build();

  private Orchestrator gated() {
    joined(member("0").thisBuild(GATED, DropColumn.Code.USES)).close();
    return job().backupGate(null).build();
  }

  private long unspent() {
    return database.queryLong("SELECT count(*) FROM orchestrator.approval WHERE spent_at IS NULL");
  }

  @Test
  void mayBeGivenEarly() {
    try (Orchestrator job = gated()) {
      job.approve(ID, "CONTRACT");
      assertThat(driven(job)).isEqualTo("CONTRACT");
      assertThat(unspent()).isZero();
      assertThat(count("approval")).isEqualTo(1);
    }
  }

  @Test
  void toWhatCanNotBeRestoredCountsOnceToo() {
    try (Orchestrator job = gated()) {
      assertThat(driven(job)).isEqualTo("RELAX");
      for (int i = 0; i < 2; i++) {
        job.rollback(ID);
        assertThat(driven(job)).isEqualTo("RELAX");
        assertThat(waits(job, Wait.Kind.APPROVAL)).contains("NOT_STARTED", "consents");
        job.approve(ID, "NOT_STARTED");
        assertThat(driven(job)).isEqualTo("NOT_STARTED");
        database.execute("ALTER TABLE users ALTER zip SET NOT NULL");
        job.resume(ID);
        assertThat(driven(job)).isEqualTo("RELAX");
      }
    }
  }

  @Test
  void toAPhaseItIsInDoesNotCountWhenItComesBack() {
    try (Orchestrator job = gated()) {
      job.approve(ID, "CONTRACT");
      assertThat(driven(job)).isEqualTo("CONTRACT");
      job.approve(ID, "CONTRACT");
      job.rollback(ID, "RELAX");
      assertThat(driven(job)).isEqualTo("RELAX");
      job.resume(ID);
      assertThat(driven(job)).isEqualTo("RELAX");
    }
  }

  @Test
  void toAPurgeEndsWithTheStayItWasGivenIn() {
    try (Orchestrator job = gated()) {
      job.approve(ID, "CONTRACT");
      assertThat(driven(job)).isEqualTo("CONTRACT");
      job.approve(ID, "PURGE");
      assertThat(driven(job)).as("retention").isEqualTo("CONTRACT");
      job.rollback(ID, "RELAX");
      assertThat(driven(job)).isEqualTo("RELAX");
      job.resume(ID);
      job.approve(ID, "CONTRACT");
      assertThat(driven(job)).isEqualTo("CONTRACT");
      database.execute("UPDATE orchestrator.migration SET since = now() - interval '8 days'");
      assertThat(driven(job)).isEqualTo("CONTRACT");
      assertThat(waits(job, Wait.Kind.BACKUP)).contains("approve(\"" + ID + "\", \"PURGE\")");
      job.approve(ID, "PURGE");
      assertThat(driven(job)).isEqualTo("PURGE");
    }
  }
}
