package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.MigrationPlan;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.sql.Connection;
import java.sql.Statement;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Partitions come and go while the rows of their table are being changed. */
@PostgresTest
@Timeout(120)
class PartitionedRowsTest {

  private static final Backfill FILL =
      Backfill.of("billing/fill")
          .table("events")
          .set("v", "'v'")
          .undo("v", "NULL")
          .pace(pace -> pace.fullSpeed().rows(100, 100))
          .build();

  private TestDatabase database;

  @BeforeEach
  void build() {
    database = TestDatabase.create("partitioned_rows");
    database.execute(
        "CREATE TABLE events (id bigint, at int NOT NULL, v text, PRIMARY KEY (id, at)) PARTITION"
            + " BY LIST (at)",
        "CREATE TABLE a PARTITION OF events FOR VALUES IN (1)",
        "CREATE TABLE b PARTITION OF events FOR VALUES IN (2)",
        "CREATE TABLE c PARTITION OF events FOR VALUES IN (3)",
        "INSERT INTO events SELECT n, 1 + n % 3 FROM generate_series(1, 900) n",
        "CREATE TABLE d (v text, at int NOT NULL, id bigint NOT NULL)",
        "INSERT INTO d SELECT NULL, 4, n FROM generate_series(1, 300) n",
        "ANALYZE");
    Members.install(database.dataSource());
  }

  @AfterEach
  void drop() {
    database.close();
  }

  /** Of all partitions, not of the first. */
  @Test
  void thePlanCountsRowsOfAllPartitions() {
    try (Orchestrator member =
        Members.member(database.dataSource(), "1").thisBuild(FILL, Backfill.Code.UNAWARE).build()) {
      MigrationPlan plan = member.plan().get(0);
      assertThat(plan.rows()).isEqualTo(900);
      database.execute("ALTER TABLE events ATTACH PARTITION d FOR VALUES IN (4)");
      assertThat(member.plan().get(0).rows()).isEqualTo(1200);
    }
  }

  @Test
  void whatComesIsChangedAndWhatGoesIsLeftAlone() throws Exception {
    try (Connection writer = database.dataSource().getConnection();
        Statement s = writer.createStatement();
        Orchestrator member =
            Members.member(database.dataSource(), "1")
                .role(Role.MEMBER)
                .timing(Members::patient)
                .thisBuild(FILL, Backfill.Code.UNAWARE)
                .build();
        Orchestrator driver =
            Members.driver(database.dataSource())
                .timing(Members::patient)
                .background(true)
                .build()) {
      // A row of the second partition is in use: the walk gets stuck at it.
      writer.setAutoCommit(false);
      s.execute("SELECT FROM b WHERE id = 301 FOR UPDATE");
      assertThat(member.advance().admitted()).isTrue();
      driver.advance();
      Eventually.until("it has begun with the second", this::begun);
      driver.backfill("billing/fill").pause();
      Eventually.until(
          "what is told is about all of them, each of which is walked twice",
          () ->
              member
                  .status()
                  .toString()
                  .matches("(?s).*; all 6 walks: [3-6]\\d\\d of about 1800 rows.*"));
      database.execute(
          "DROP TABLE c",
          "ALTER TABLE events ATTACH PARTITION d FOR VALUES IN (4)",
          "CREATE TABLE e PARTITION OF events FOR VALUES IN (5)",
          "INSERT INTO e VALUES (1, 5), (2, 5)");
      driver.backfill("billing/fill").resume();
      writer.commit();
      done();
      assertThat(database.queryLong("SELECT count(*) FROM events WHERE v = 'v'")).isEqualTo(902);
      assertThat(driver.backfill("billing/fill").progress())
          .allSatisfy(each -> assertThat(each.state().name()).isEqualTo("DONE"));
      // What comes now is changed back with the others.
      database.execute(
          "CREATE TABLE f PARTITION OF events FOR VALUES IN (6)",
          "INSERT INTO f VALUES (1, 6, 'v')");
      driver.rollback("billing/fill");
      Eventually.until(
          "it is back",
          () -> database.queryLong("SELECT count(*) FROM events WHERE v IS NOT NULL") == 0);
    }
  }

  private boolean begun() {
    return database.queryLong(
            "SELECT count(*) FROM orchestrator.migration m JOIN orchestrator.backfill k ON"
                + " k.migration = m.id AND k.step = m.step WHERE"
                + " (SELECT count(*) FROM orchestrator.backfill) > 1")
        > 0;
  }

  private void done() throws InterruptedException {
    Eventually.until(
        "it is done",
        () ->
            database.queryLong("SELECT count(*) FROM orchestrator.migration WHERE status = 'DONE'")
                == 1);
    assertThat(
            database.queryLong("SELECT count(*) FROM orchestrator.event WHERE outcome = 'FAILED'"))
        .isZero();
  }
}
