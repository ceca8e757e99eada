package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.Blocker;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Probe;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the server itself does meanwhile: replication and maintenance. */
@PostgresTest
@Timeout(120)
class PostgresLockBudgetServerTest {

  private static final Duration BUDGET = Duration.ofMillis(200);

  private final TestDatabase db;
  private final PostgresLockBudget budget = new PostgresLockBudget();

  PostgresLockBudgetServerTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void tables() {
    db.execute(
        "DROP SCHEMA IF EXISTS public CASCADE",
        "CREATE SCHEMA public",
        "CREATE TABLE t (id int PRIMARY KEY, x int)",
        "CREATE TABLE child (t int REFERENCES t)",
        "CREATE TABLE unrelated (id int)",
        "CREATE TABLE parted (id int) PARTITION BY LIST (id)",
        "CREATE TABLE part1 PARTITION OF parted DEFAULT");
  }

  private static DdlStep step(String lock, String table, String sql) {
    return new DdlStep(
        "s",
        "s",
        lock,
        List.of("\"public\"." + Sql.quote(table)),
        List.of(sql),
        new Probe("SELECT false"),
        false);
  }

  private static final DdlStep ADD =
      step("ACCESS EXCLUSIVE on t", "t", "ALTER TABLE t ADD COLUMN y int");

  private List<Blocker> blockers(DdlStep step, Duration limit) throws SQLException {
    try (Connection c = db.dataSource().getConnection()) {
      return budget.blockers(c, step, limit);
    }
  }

  private static String setting(Statement s, String name) throws SQLException {
    try (ResultSet row = s.executeQuery("SHOW " + name)) {
      row.next();
      return row.getString(1);
    }
  }

  /** A commit that waits for a standby would keep the lock: readers behind it would hang. */
  @Test
  void missingStandbyHoldsNobodyUp() throws Exception {
    db.execute("ALTER SYSTEM SET synchronous_standby_names = 'ghost'", "SELECT pg_reload_conf()");
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      while (!setting(s, "synchronous_standby_names").equals("ghost")) {
        Thread.sleep(10);
      }
      c.setAutoCommit(false);
      budget.begin(c, ADD, BUDGET);
      s.execute(ADD.sql().get(0));
      // Would wait for the standby without end.
      c.commit();
    } finally {
      try (Connection c = db.dataSource().getConnection();
          Statement s = c.createStatement()) {
        s.execute("SET synchronous_commit = local");
        s.execute("ALTER SYSTEM RESET synchronous_standby_names");
        s.execute("SELECT pg_reload_conf()");
      }
    }
    assertThat(db.queryLong("SELECT count(y) FROM t")).isZero();
  }

  /** Autovacuum yields only after a second, to nobody who gives up after 200 ms. */
  @Test
  void autovacuumIsSentAwayFirst() throws Exception {
    db.execute(
        "ALTER TABLE t SET (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0,"
            + " autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1,"
            + " autovacuum_vacuum_insert_threshold = 1, autovacuum_vacuum_insert_scale_factor = 0)",
        "INSERT INTO t SELECT n, n FROM generate_series(1, 100000) n",
        "UPDATE t SET x = x + 1",
        "ALTER SYSTEM SET autovacuum_naptime = 1",
        "SELECT pg_reload_conf()");
    try {
      String running =
          "SELECT count(*) FROM pg_stat_activity a JOIN pg_locks l USING (pid) WHERE backend_type ="
              + " 'autovacuum worker' AND relation = 't'::regclass AND mode ="
              + " 'ShareUpdateExclusiveLock' AND granted";
      for (int i = 0; i < 1200 && db.queryLong(running) == 0; i++) {
        Thread.sleep(50);
      }
      org.junit.jupiter.api.Assumptions.assumeTrue(db.queryLong(running) > 0, "no autovacuum came");
      assertThat(blockers(ADD, BUDGET)).as("it doesn't count").isEmpty();
      try (Connection c = db.dataSource().getConnection();
          Statement s = c.createStatement()) {
        c.setAutoCommit(false);
        s.execute("SET LOCAL lock_timeout = '200ms'");
        assertThatThrownBy(() -> s.execute(ADD.sql().get(0))).hasMessageContaining("lock timeout");
        c.rollback();
        budget.begin(c, ADD, BUDGET);
        assertThat(setting(s, "lock_timeout")).isEqualTo("200ms");
        s.execute(ADD.sql().get(0));
        c.commit();
      }
    } finally {
      db.execute("ALTER SYSTEM RESET autovacuum_naptime", "SELECT pg_reload_conf()");
    }
  }
}
