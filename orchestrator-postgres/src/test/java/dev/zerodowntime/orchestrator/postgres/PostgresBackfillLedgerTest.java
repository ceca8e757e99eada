package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.Step;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every row that was there is changed once, whatever becomes of its key. */
@PostgresTest
@Timeout(120)
class PostgresBackfillLedgerTest {

  private final TestDatabase db;
  private BackfillStep work;
  private Step drop;

  PostgresBackfillLedgerTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void clean() {
    db.execute("DROP SCHEMA IF EXISTS public, control CASCADE", "CREATE SCHEMA public");
  }

  /** The ledger is there, and nothing is changed yet. */
  private StepRunner<Backfill> begin() throws SQLException {
    StepRunner<Backfill> runner =
        new StepRunner<>(
                db,
                new PostgresBackfill(),
                Backfill.of("tests/once").table("t").set("n", "n + 1").oncePerLedger().build())
            .preflight();
    List<Step> steps = runner.steps(1, Direction.UP);
    assertThat(steps.stream().map(Step::name))
        .containsExactly("create-ledger", "change-rows", "drop-ledger");
    runner.run(steps.get(0));
    work = (BackfillStep) steps.get(1);
    drop = steps.get(2);
    return runner;
  }

  private void end(StepRunner<Backfill> runner) throws SQLException {
    runner.run(work);
    runner.run(drop);
    assertThat(runner.leftovers()).isEmpty();
    assertThat(db.queryLong("SELECT count(*) FROM pg_class WHERE relname LIKE 'zdo_ledger%'"))
        .isZero();
  }

  private void table(String key, String value) {
    db.execute(
        "CREATE TABLE t (k " + key + " NOT NULL UNIQUE, name int, n int DEFAULT 0)",
        "INSERT INTO t SELECT " + value + ", i FROM generate_series(1, 20) i");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "bigint / i",
        "uuid / gen_random_uuid()",
        "text / 'k' || i",
        "text COLLATE \"C\" / 'k' || i",
        "text COLLATE \"de-x-icu\" / 'k' || i",
        "varchar(9) / 'k' || i",
        "timestamptz / now() + i * interval '1 day'"
      })
  void keysOfAnyType(String type) throws SQLException {
    String[] parts = type.split(" / ");
    table(parts[0], parts[1]);
    StepRunner<Backfill> runner = begin();
    assertThat(runner.backfill(work)).isEqualTo(20);
    assertThat(runner.backfill(work)).isZero();
    end(runner);
    assertThat(db.queryLong("SELECT count(*) FROM t WHERE n = 1")).isEqualTo(20);
  }

  @Test
  void compositeKeysFollowEachOfTheirColumns() throws SQLException {
    db.execute(
        "CREATE TABLE t (a int, \"b k\" text, name int, n int DEFAULT 0, PRIMARY KEY (a, \"b k\"))",
        "INSERT INTO t SELECT i / 10, 'x' || i, i FROM generate_series(1, 20) i");
    StepRunner<Backfill> runner = begin();
    assertThat(BackfillWalk.run(db.dataSource(), work)).isEqualTo(20);
    db.execute(
        "UPDATE t SET a = 100 WHERE name < 5",
        "UPDATE t SET \"b k\" = \"b k\" || '!' WHERE name > 15");
    end(runner);
    assertThat(db.queryLong("SELECT count(*) FROM t WHERE n = 1")).isEqualTo(20);
  }

  @Test
  void whateverHappensToKeys() throws SQLException {
    table("int", "i");
    db.execute("ALTER TABLE t ALTER k DROP DEFAULT");
    StepRunner<Backfill> runner = begin();
    // Half of them are done: those of the first chunks.
    try (Connection c = db.dataSource().getConnection()) {
      assertThat(BackfillWalk.all(c, work, false, List.of("10"))).isEqualTo(10);
    }
    db.execute(
        // Born later, with COPY's and with upserts' triggers; the upsert of one that is there is
        // no birth.
        "INSERT INTO t VALUES (101, 101), (102, 102)",
        "INSERT INTO t VALUES (11, 0) ON CONFLICT (k) DO UPDATE SET name = t.name",
        "INSERT INTO t VALUES (12, 0) ON CONFLICT DO NOTHING",
        // Re-keyed: done ones beyond the walk, others into what was walked.
        "UPDATE t SET k = 1001 WHERE k = 1",
        "UPDATE t SET k = -13 WHERE k = 13",
        // Swapped, one done and one not.
        "UPDATE t SET k = -1 WHERE k = 2",
        "UPDATE t SET k = 2 WHERE k = 14",
        "UPDATE t SET k = 14 WHERE k = -1",
        // Moved along in one statement, from the back: each onto the key that was left just now.
        "CREATE TABLE s AS SELECT * FROM t WHERE k BETWEEN 4 AND 6 ORDER BY k DESC",
        "DELETE FROM t WHERE k BETWEEN 4 AND 6",
        // Deleted and born again under the same key: another row.
        "DELETE FROM t WHERE k = 15",
        "INSERT INTO t VALUES (15, 115, 100)",
        "BEGIN; DELETE FROM t WHERE k = 3; INSERT INTO t VALUES (3, 103, 100); COMMIT",
        // The key of a deleted row that was done, for one that isn't.
        "DELETE FROM t WHERE k = 7",
        "UPDATE t SET k = 7 WHERE k = 16",
        // In one statement.
        "WITH d AS (DELETE FROM t WHERE k = 8) UPDATE t SET k = 88 WHERE k = 9");
    end(runner);
    assertThat(
            db.rows(
                "SELECT name FROM t WHERE n <> CASE WHEN name IN (103, 115) THEN 100 WHEN name >"
                    + " 100 THEN 0 ELSE 1 END"))
        .isEmpty();
    assertThat(db.queryLong("SELECT count(*) FROM t WHERE n = 1"))
        .isEqualTo(20 - 3 - 1 - 1 - 1 - 1);
  }

  @Test
  void keysMayMoveAlongInOneStatement() throws SQLException {
    db.execute(
        "CREATE TABLE t (k int PRIMARY KEY, name int, n int DEFAULT 0)",
        "INSERT INTO t SELECT i, i FROM generate_series(20, 1, -1) i");
    StepRunner<Backfill> runner = begin();
    try (Connection c = db.dataSource().getConnection()) {
      BackfillWalk.all(c, work, false, List.of("1"));
      BackfillWalk.all(c, work, true, List.of("5", "9"));
    }
    db.execute("CLUSTER t USING t_pkey", "UPDATE t SET k = k - 1");
    end(runner);
    assertThat(db.queryLong("SELECT count(*) FROM t WHERE n = 1")).isEqualTo(20);
  }

  @Test
  void deferrableKeysOfOthersMaySwap() throws SQLException {
    db.execute(
        "CREATE TABLE t (k int PRIMARY KEY DEFERRABLE, u int NOT NULL UNIQUE, name int, n int"
            + " DEFAULT 0)",
        "INSERT INTO t SELECT i, i, i FROM generate_series(1, 2) i");
    StepRunner<Backfill> runner = begin();
    assertThat(work.scan().keys().get(0).name()).isEqualTo("\"u\"");
    try (Connection c = db.dataSource().getConnection()) {
      BackfillWalk.all(c, work, false, List.of("1"));
    }
    db.execute("UPDATE t SET k = k % 2 + 1");
    end(runner);
    assertThat(db.queryLong("SELECT count(*) FROM t WHERE n = 1")).isEqualTo(2);
  }

  @Test
  void truncateEmptiesTheLedger() throws SQLException {
    table("int", "i");
    StepRunner<Backfill> runner = begin();
    runner.backfill(work);
    db.execute("TRUNCATE t", "INSERT INTO t VALUES (1, 1)");
    end(runner);
    assertThat(db.queryLong("SELECT n FROM t")).isZero();
  }

  /** Nor does it take part in what replication or a restore writes. */
  @Test
  void triggersFireWhateverTheSessionSays() throws SQLException {
    table("int", "i");
    StepRunner<Backfill> runner = begin();
    db.execute(
        "SET session_replication_role = replica; INSERT INTO t VALUES (50, 50); UPDATE t SET k = 60 WHERE k = 6");
    end(runner);
    assertThat(db.queryLong("SELECT count(*) FROM t WHERE n = 1")).isEqualTo(20);
    assertThat(db.queryLong("SELECT n FROM t WHERE k = 50")).isZero();
  }

  @Test
  void theApplicationsRoleNeedsNoRightToTheLedger() throws SQLException {
    table("int", "i");
    db.execute(
        "DROP ROLE IF EXISTS zdo_ledger_app",
        "CREATE ROLE zdo_ledger_app",
        "GRANT USAGE ON SCHEMA public TO zdo_ledger_app",
        "GRANT ALL ON t TO zdo_ledger_app");
    StepRunner<Backfill> runner = begin();
    db.execute(
        "SET ROLE zdo_ledger_app; INSERT INTO t VALUES (50, 50); UPDATE t SET k = 51 WHERE k = 50;"
            + " UPDATE t SET k = 52 WHERE k = 1; DELETE FROM t WHERE k = 2");
    assertThatThrownBy(() -> db.execute("SET ROLE zdo_ledger_app; " + "TABLE " + ledger()))
        .hasMessageContaining("permission denied");
    assertThat(
            db.queryLong(
                "SELECT count(*) FROM pg_proc p WHERE p.proname LIKE 'zdo\\_ledger%' AND"
                    + " has_function_privilege('zdo_ledger_app', p.oid, 'EXECUTE')"))
        .isZero();
    end(runner);
    assertThat(db.queryLong("SELECT count(*) FROM t WHERE n = 1")).isEqualTo(19);
    db.execute("DROP OWNED BY zdo_ledger_app", "DROP ROLE zdo_ledger_app");
  }

  private String ledger() {
    return ((dev.zerodowntime.orchestrator.spi.Repeat.OncePerLedger) work.repeat()).table();
  }

  /** Workers on the same rows, and an application that moves them about under their hands. */
  @Test
  void onceUnderConcurrentReKeying() throws Exception {
    db.execute(
        "CREATE TABLE t (k int PRIMARY KEY, name int, n int DEFAULT 0)",
        "INSERT INTO t SELECT i * 10, i FROM generate_series(1, 400) i");
    StepRunner<Backfill> runner = begin();
    AtomicBoolean walked = new AtomicBoolean();
    ExecutorService threads = Executors.newFixedThreadPool(4);
    List<Future<?>> applications = new ArrayList<>();
    List<Future<?>> workers = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      int seed = i;
      applications.add(threads.submit(() -> moveAbout(seed, walked)));
      workers.add(
          threads.submit(
              () -> {
                for (int round = 0; round < 8; round++) {
                  walk();
                }
                return true;
              }));
    }
    for (Future<?> each : workers) {
      each.get();
    }
    walked.set(true);
    for (Future<?> each : applications) {
      each.get();
    }
    threads.shutdown();
    assertThat(threads.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
    end(runner);
    // Names below a thousand are of rows that were there.
    assertThat(
            db.rows("SELECT name, n, k FROM t WHERE n <> CASE WHEN name < 1000 THEN 1 ELSE 0 END"))
        .isEmpty();
    assertThat(db.queryLong("SELECT count(*) FROM t WHERE n = 1")).isGreaterThan(100);
  }

  /** The same rows as the other worker: what it was quicker with takes a whole chunk back. */
  private void walk() throws SQLException {
    BackfillWalk.run(
        db.dataSource(),
        work,
        (c, step, bounded, range) -> {
          try {
            return BackfillWalk.free(c, step, bounded, range);
          } catch (SQLException e) {
            if (!"23505".equals(e.getSQLState())) {
              throw e;
            }
            c.rollback();
            return 0;
          }
        });
  }

  private boolean moveAbout(int seed, AtomicBoolean stop) throws SQLException {
    Random random = new Random(seed);
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      for (int i = 0; !stop.get(); i++) {
        int one = random.nextInt(4000);
        int other = random.nextInt(4000);
        String sql =
            switch (random.nextInt(4)) {
              case 0 -> "DELETE FROM t WHERE k = " + one * 10 + " AND name % 7 = 0";
              case 1 ->
                  "INSERT INTO t VALUES (" + one + ", " + (1000 + i) + ") ON CONFLICT DO NOTHING";
              default ->
                  "UPDATE t SET k = "
                      + other
                      + " WHERE k = (SELECT k FROM t WHERE k >= "
                      + one
                      + " ORDER BY k LIMIT 1)";
            };
        try {
          s.execute(sql);
        } catch (SQLException e) {
          // Another row has that key.
          assertThat(e.getSQLState()).isEqualTo("23505");
          assertThat(e.getMessage()).contains("t_pkey");
        }
      }
      return true;
    }
  }
}
