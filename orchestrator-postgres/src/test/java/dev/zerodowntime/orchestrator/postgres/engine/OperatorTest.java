package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.IllegalTransitionException;
import dev.zerodowntime.orchestrator.MigrationPlan;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What people do to migrations, and the gates that wait for people. */
class OperatorTest extends FleetFixture {

  @Test
  void abandoningKeepsEverythingAndStillCounts() {
    nobodyIsLeft();
    try (Orchestrator job = job().build()) {
      job.drive();
      MigrationPlan plan = job.abandon(ID);
      assertThat(plan.toString()).contains("RENAME COLUMN", "DROP COLUMN", "way back");
      database.execute("UPDATE orchestrator.migration SET since = now() - interval '8 days'");
      assertThat(driven(job)).isEqualTo("CONTRACT");
      assertThat(of(job.drive()).status()).isEqualTo(MigrationStatus.ABANDONED);
      assertThat(job.status().migrations()).hasSize(1);
      job.resume(ID);
      assertThat(driven(job)).isEqualTo("PURGE");
    }
  }

  @Nested
  class Purging {

    @Test
    void waitsForRetentionThenForTheBackupGate() {
      nobodyIsLeft();
      List<String> asked = new ArrayList<>();
      try (Orchestrator job =
          job()
              // A gate that says no is left alone for sixty of them.
              .timing(t -> Members.patient(t).tick(Duration.ofMillis(10)))
              .backupGate(
                  (migration, drops) -> {
                    asked.add(migration + ": " + drops);
                    return asked.size() > 1;
                  })
              .build()) {
        assertThat(waits(job, Wait.Kind.RETENTION)).containsPattern("left|kept");
        assertThat(asked).isEmpty();
        database.execute("UPDATE orchestrator.migration SET since = now() - interval '8 days'");
        assertThat(waits(job, Wait.Kind.BACKUP)).contains("approve(\"" + ID + "\", \"PURGE\")");
        assertThat(asked).hasSize(1);
        assertThat(asked.get(0)).startsWith(ID).contains("DROP COLUMN");
        assertThat(database.queryLong("SELECT reached FROM orchestrator.migration")).isEqualTo(2);
        assertThat(of(job.drive(Duration.ofSeconds(60))).phase()).isEqualTo("PURGE");
        assertThat(asked).hasSize(2);
      }
    }

    @Test
    void withoutAGateAPersonApproves() {
      nobodyIsLeft();
      try (Orchestrator job = job().backupGate(null).build()) {
        assertThat(driven(job)).isEqualTo("CONTRACT");
        database.execute("UPDATE orchestrator.migration SET since = now() - interval '8 days'");
        assertThat(waits(job, Wait.Kind.BACKUP)).contains("PURGE");
        job.approve(ID, "PURGE");
        assertThat(driven(job)).isEqualTo("PURGE");
      }
    }

    @Test
    void isWithoutReturn() {
      nobodyIsLeft();
      try (Orchestrator job = job().build()) {
        job.drive();
        database.execute("UPDATE orchestrator.migration SET since = now() - interval '8 days'");
        assertThat(driven(job)).isEqualTo("PURGE");
        Untouched.refuses(
            database,
            IllegalTransitionException.class,
            ErrorCode.ILLEGAL_TRANSITION,
            () -> job.rollback(ID, "CONTRACT"),
            "DropColumn",
            "PURGE",
            "CONTRACT");
      }
    }
  }

  @Nested
  class RollingBack {

    private List<List<Object>> columns() {
      return database.rows(
          "SELECT attname::text, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute"
              + " WHERE attrelid = 'users'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY"
              + " attname");
    }

    @Test
    void toEveryPhaseAndOnAgain() {
      List<List<Object>> before = columns();
      nobodyIsLeft();
      try (Orchestrator job = job().build()) {
        assertThat(driven(job)).isEqualTo("CONTRACT");
        List<List<Object>> contracted = columns();
        for (String phase : List.of("CONTRACT", "RELAX", "NOT_STARTED")) {
          job.rollback(ID, phase);
          assertThat(driven(job)).isEqualTo(phase);
          assertThat(driven(job)).as("held there").isEqualTo(phase);
          assertThat(waits(job, Wait.Kind.HELD)).contains("resume(\"" + ID + "\")");
          if (phase.equals("NOT_STARTED")) {
            assertThat(columns()).isEqualTo(before);
          }
          job.resume(ID);
          assertThat(driven(job)).isEqualTo("CONTRACT");
          assertThat(columns()).isEqualTo(contracted);
        }
        job.rollback(ID);
        job.drive();
        assertThat(database.<String>queryOne("SELECT zip FROM users")).isEqualTo("1");
      }
    }

    @Test
    void addedColumnsToEveryPhaseAndOnAgain() {
      nobodyIsLeftOf();
      try (Orchestrator job = job().build()) {
        assertThat(phase(job)).isEqualTo("DONE");
        List<List<Object>> done = columns();
        for (String phase : List.of("DONE", "ENFORCE", "BACKFILL", "EXPAND", "NOT_STARTED")) {
          job.rollback("billing/add", phase);
          assertThat(phase(job)).isEqualTo(phase);
          if (!phase.equals("DONE")) {
            // Code that doesn't know the column goes on, and its rows are not forgotten.
            database.execute("INSERT INTO users (id, zip) SELECT max(id) + 1, 'abc' FROM users");
          }
          job.resume("billing/add");
          assertThat(phase(job)).isEqualTo("DONE");
          assertThat(columns()).isEqualTo(done);
          assertThat(
                  database.queryLong(
                      "SELECT count(*) FROM users WHERE size IS DISTINCT FROM length(zip)"))
              .isZero();
          assertThat(database.<String>queryOne("SELECT status FROM orchestrator.migration"))
              .isEqualTo("DONE");
        }
      }
    }

    private void nobodyIsLeftOf() {
      AddColumn add =
          AddColumn.of("billing/add")
              .table("users")
              .column("size", "int")
              .notNull()
              .fillWithSql("length(zip)")
              .batchPause(Duration.ZERO)
              .build();
      joined(member("1").thisBuild(add, AddColumn.Code.READS)).close();
    }

    private String phase(Orchestrator job) {
      return job.drive().migration("billing/add").orElseThrow().phase();
    }

    @Test
    void waitsForTheFleet() {
      try (Orchestrator member = joined(member("1", DropColumn.Code.UNUSED));
          Orchestrator job = job().build()) {
        assertThat(driven(member)).isEqualTo("CONTRACT");
        job.rollback(ID);
        assertThat(driven(job)).isEqualTo("RELAX");
        assertThat(waits(job, Wait.Kind.FLEET)).contains("1 member of billing 1 at UNUSED");
        member.close();
        assertThat(driven(job)).isEqualTo("NOT_STARTED");
      }
    }
  }
}
