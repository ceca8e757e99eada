package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A pause takes effect at the next statement, and nothing but a person ends it. */
class PauseTest extends FleetFixture {

  @Test
  void oneMigration() {
    nobodyIsLeft();
    try (Orchestrator job = job().build()) {
      job.pause(ID);
      assertThat(waits(job, Wait.Kind.PAUSED)).contains("resume(\"" + ID + "\")");
      assertThat(of(job.drive()).status()).isEqualTo(MigrationStatus.PAUSED);
      assertThat(driven(job)).isEqualTo("NOT_STARTED");
      job.resume(ID);
      assertThat(driven(job)).isEqualTo("CONTRACT");
    }
  }

  /** Paused, or failed, on its way down: what was mended goes on where it was going. */
  @Test
  void aRollBackThatFailedGoesOnDownwards() {
    nobodyIsLeft();
    try (Orchestrator job = job().build()) {
      assertThat(driven(job)).isEqualTo("CONTRACT");
      database.execute("ALTER TABLE users ADD COLUMN zip int");
      job.rollback(ID);
      assertThat(of(job.drive()).status()).isEqualTo(MigrationStatus.FAILED);
      assertThat(of(job.status()).waits()).extracting(Wait::kind).containsExactly(Wait.Kind.FAILED);
      database.execute("ALTER TABLE users DROP COLUMN zip");
      job.resume(ID);
      assertThat(driven(job)).isEqualTo("NOT_STARTED");
      assertThat(waits(job, Wait.Kind.HELD)).contains("rolled back by billing job");
      job.resume(ID);
      assertThat(driven(job)).isEqualTo("CONTRACT");
    }
  }

  /** What a person says while a request to reopen is being fulfilled is not forgotten with it. */
  @Test
  void aRollBackThatComesDuringAReopeningStays() {
    try (Orchestrator next = joined(member("2", DropColumn.Code.UNUSED))) {
      assertThat(driven(next)).isEqualTo("CONTRACT");
    }
    database.execute(
        "UPDATE orchestrator.migration SET target = 1, target_reason = 'REOPEN', target_by = 'x'",
        "CREATE FUNCTION somebody() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE"
            + " orchestrator.migration SET target = 0, target_reason = 'ROLLBACK', target_by ="
            + " 'somebody'; RETURN NEW; END $$",
        "CREATE TRIGGER somebody AFTER INSERT ON orchestrator.event FOR EACH ROW WHEN (NEW.kind ="
            + " 'STEP') EXECUTE FUNCTION somebody()");
    try (Orchestrator job = job().build()) {
      assertThat(driven(job)).isEqualTo("NOT_STARTED");
      assertThat(waits(job, Wait.Kind.HELD)).contains("rolled back by somebody");
    }
  }

  @Test
  void everythingWithAReason() {
    nobodyIsLeftPaused("maintenance");
    try (Orchestrator job = job().build()) {
      assertThat(waits(job, Wait.Kind.PAUSED)).contains("maintenance");
      assertThat(job.status().paused()).isEqualTo("maintenance");
      assertThat(driven(job)).isEqualTo("NOT_STARTED");
      job.resumeAll();
      assertThat(driven(job)).isEqualTo("CONTRACT");
      assertThat(job.status().paused()).isNull();
    }
  }

  @Test
  void everythingWithPlainSql() {
    nobodyIsLeftPaused("by the test");
    database.execute("UPDATE orchestrator.control SET paused = true, paused_reason = NULL");
    try (Orchestrator job = job().build()) {
      assertThat(waits(job, Wait.Kind.PAUSED)).contains("everything is paused");
      database.execute("UPDATE orchestrator.control SET paused = false");
      assertThat(driven(job)).isEqualTo("CONTRACT");
    }
  }

  private void nobodyIsLeftPaused(String reason) {
    try (Orchestrator member = member("1", DropColumn.Code.NOT_READING).build()) {
      member.pauseAll(reason);
      member.advance();
    }
  }

  private final AddColumn add =
      AddColumn.of("billing/add")
          .table("users")
          .column("size", "int")
          .notNull()
          .fillWithSql("length(zip)")
          .build();

  /** EXPAND has two statements; the pause comes between them. */
  @Test
  void takesEffectAtTheNextStatement() {
    interrupted(
        "ALTER TABLE \"public\".\"users\" ADD COLUMN",
        "UPDATE orchestrator.control SET paused = true",
        "UPDATE orchestrator.control SET paused = false",
        "add-fill-trigger");
  }

  @Test
  void ofOneMigrationTakesEffectAtTheNextStatement() {
    interrupted(
        "ALTER TABLE \"public\".\"users\" ADD COLUMN",
        "UPDATE orchestrator.migration SET status = 'PAUSED'",
        "UPDATE orchestrator.migration SET status = 'ACTIVE'",
        "add-fill-trigger");
  }

  private void interrupted(String after, String pause, String resume, String notYet) {
    Statements statements = new Statements(database.newDataSource());
    try (Orchestrator member =
        Members.member(statements.dataSource(), "1")
            .timing(Members::patient)
            .thisBuild(add, AddColumn.Code.UNAWARE)
            .build()) {
      statements.after(
          sql -> {
            if (sql.contains(after)) {
              database.execute(pause);
            }
          });
      // advance() may have started already: it must stop as well.
      member.advance();
      member.drive();
      String steps = steps();
      assertThat(steps).contains("add-column").doesNotContain(notYet);
      database.execute(resume);
      statements.after(sql -> {});
      assertThat(member.drive().migration("billing/add").orElseThrow().phase())
          .isEqualTo("ENFORCE");
      assertThat(steps()).contains(notYet);
    }
  }

  private String steps() {
    return database
        .rows("SELECT step FROM orchestrator.event WHERE kind = 'STEP' ORDER BY id")
        .toString();
  }

  /** The last step's confirmation must not overwrite what a person said meanwhile. */
  @Test
  void duringTheLastStatementOfAPhaseIsNotLost() {
    Statements statements = new Statements(database.newDataSource());
    try (Orchestrator member =
        Members.member(statements.dataSource(), "1")
            .timing(Members::patient)
            .thisBuild(add, AddColumn.Code.UNAWARE)
            .build()) {
      statements.after(
          sql -> {
            if (sql.contains("ENABLE ALWAYS TRIGGER")) {
              database.execute("UPDATE orchestrator.migration SET status = 'PAUSED'");
            }
          });
      member.advance();
      member.drive();
      assertThat(database.rows("SELECT reached, entering, status FROM orchestrator.migration"))
          .containsExactly(List.of(1, 1, "PAUSED"));
    }
  }
}
