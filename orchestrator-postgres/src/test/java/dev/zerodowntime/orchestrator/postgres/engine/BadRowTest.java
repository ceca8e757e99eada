package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.BackfillProgress;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.RowFunction;
import dev.zerodowntime.orchestrator.operation.Backfill;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * A row that can't be changed: it is found and shown, and when it is mended it goes on from there.
 */
class BadRowTest extends BackfillFixture {

  private static final Pattern LOOK = Pattern.compile("(SELECT \\* FROM .*?); mend");

  /** Keys that must be quoted well; all but the bad one can be changed. */
  private void named(String... more) {
    database.execute(
        "CREATE TABLE work (\"a Key\" text, b bigint, v text, n int NOT NULL DEFAULT 0, PRIMARY KEY"
            + " (\"a Key\", b))",
        "INSERT INTO work SELECT 'it''s \\ \"' || i % 3, i, i FROM generate_series(1, 60) i");
    database.execute(more);
    Members.install(database.dataSource());
  }

  private void stopsAndGoesOn(Backfill declared, String error, String spoil, String mend) {
    try (Orchestrator member = joined(member(declared))) {
      // Preflight tries some rows, and would have found it.
      database.execute(spoil);
      MigrationReport stopped = of(member.drive());
      assertThat(stopped.status()).isEqualTo(MigrationStatus.FAILED);
      assertThat(stopped.lastError())
          .contains(error, "[it's \\ \"1, 31]", "resume(\"" + ID + "\")");
      assertThat(events("FAILED")).hasSize(1);
      Matcher look = LOOK.matcher(stopped.lastError());
      assertThat(look.find()).as(stopped.lastError()).isTrue();
      assertThat(database.rows(look.group(1)))
          .singleElement()
          .satisfies(row -> assertThat(row.get(1)).isEqualTo(31L));
      // What comes before it in the order of keys is changed, up to its neighbour.
      String before = "WHERE (\"a Key\", b) < ('it''s \\ \"1', 31)";
      assertThat(database.queryLong("SELECT count(*) FROM work " + before + " AND n <> 1"))
          .isZero();
      BackfillProgress progress = progress(member);
      assertThat(progress.state()).isEqualTo(BackfillProgress.State.STOPPED);
      assertThat(progress.error()).isEqualTo(stopped.lastError());
      assertThat(live()).isZero();
      // Nothing happens before somebody says so.
      assertThat(of(member.drive()).status()).isEqualTo(MigrationStatus.FAILED);
      database.execute(mend);
      member.resume(ID);
      assertReached(member.drive());
      assertThat(progress(member).state()).isEqualTo(BackfillProgress.State.DONE);
    }
    everyRowOnce();
  }

  private static Backfill once(String sql) {
    return backfill(16).set("n", sql).oncePerKey().build();
  }

  @Test
  void violatesACheck() {
    named();
    stopsAndGoesOn(
        once("n + 1"),
        "check",
        "ALTER TABLE work ADD CHECK (b <> 31 OR v = 'mended' OR n = 0)",
        "UPDATE work SET v = 'mended' WHERE b = 31");
  }

  @Test
  void canNotBeCast() {
    named();
    stopsAndGoesOn(
        once("n + least(v::int, 1)"),
        "x31",
        "UPDATE work SET v = 'x31' WHERE b = 31",
        "UPDATE work SET v = '31' WHERE b = 31");
  }

  @Test
  void isNotUnique() {
    named("ALTER TABLE work ADD u int UNIQUE");
    stopsAndGoesOn(
        backfill(16).set("n", "n + 1").set("u", "v::int").where("u IS NULL").oncePerKey().build(),
        "duplicate key",
        "UPDATE work SET u = -1, n = 1 WHERE b = 60; UPDATE work SET v = '-1' WHERE b = 31",
        "UPDATE work SET v = '31' WHERE b = 31");
  }

  @Test
  void aFunctionThrows() {
    named();
    RowFunction function =
        rows -> {
          for (RowFunction.Row row : rows) {
            int value = Integer.parseInt(String.valueOf(row.get("v")));
            row.set("n", String.valueOf(Math.min(1, value)));
          }
        };
    stopsAndGoesOn(
        backfill(16).compute(List.of("v"), List.of("n"), "parse", function).where("n = 0").build(),
        "x31",
        "UPDATE work SET v = 'x31' WHERE b = 31",
        "UPDATE work SET v = '31' WHERE b = 31");
  }

  /** As the documents say it is done with SQL. */
  @Test
  void isResumedWithSql() {
    named();
    try (Orchestrator member = joined(member(once("n + least(v::int, 1)")))) {
      database.execute("UPDATE work SET v = 'x31' WHERE b = 31");
      assertThat(of(member.drive()).status()).isEqualTo(MigrationStatus.FAILED);
      database.execute(
          "UPDATE work SET v = '31' WHERE b = 31",
          "UPDATE orchestrator.migration SET status = 'ACTIVE', last_error = NULL");
      assertReached(member.drive());
    }
    everyRowOnce();
  }

  /** Whoever works on other chunks gives them back, and nobody goes on. */
  @Test
  void stopsAllWorkers() throws Exception {
    work(600);
    Backfill declared = backfill(5).pace(pace -> pace.workers(3)).set("n", "1").build();
    try (Orchestrator member = joined(member(declared).backfillWorkers(2))) {
      database.execute("ALTER TABLE work ADD CHECK (id <> 31 OR n = 0)");
      assertThat(of(member.drive()).lastError()).contains("[31]");
      Eventually.until("all have let go", () -> live() == 0);
      long then = changed();
      assertThat(of(member.drive()).status()).isEqualTo(MigrationStatus.FAILED);
      assertThat(changed()).isEqualTo(then).isLessThan(600);
      database.execute("ALTER TABLE work DROP CONSTRAINT work_check");
      member.resume(ID);
      assertReached(member.drive());
    }
    everyRowOnce();
  }

  /** Two rows are bad: each is told, one after the other. */
  @Test
  void isFollowedByAnother() {
    named();
    try (Orchestrator member = joined(member(once("n + least(v::int, 1)")))) {
      database.execute("UPDATE work SET v = 'x' || v WHERE b IN (31, 33)");
      for (String key : List.of("33", "31")) {
        MigrationReport stopped = of(member.drive());
        assertThat(stopped.lastError()).contains("x" + key);
        database.execute("UPDATE work SET v = b WHERE b = " + key);
        member.resume(ID);
      }
      assertReached(member.drive());
    }
    everyRowOnce();
  }
}
