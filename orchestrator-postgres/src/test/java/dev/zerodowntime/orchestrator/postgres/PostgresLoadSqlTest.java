package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.postgres.engine.Eventually;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who waits for us, seen by an ordinary user; and the order of positions. */
@PostgresTest
@Timeout(120)
class PostgresLoadSqlTest {

  private final TestDatabase db;
  // Users belong to the whole server, which others may share.
  private final String user;
  private final PostgresLoadSql load = new PostgresLoadSql();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final List<Future<?>> waiting = new ArrayList<>();

  PostgresLoadSqlTest(TestDatabase db) {
    this.db = db;
    this.user = db.name() + "_user";
  }

  @BeforeEach
  void table() {
    db.execute(
        "DROP TABLE IF EXISTS t",
        "CREATE TABLE t AS SELECT n AS id, 0 AS v FROM generate_series(1, 10) n",
        "CREATE ROLE " + user,
        "GRANT SELECT, UPDATE ON t TO " + user);
  }

  @AfterEach
  void end() throws Exception {
    for (Future<?> each : waiting) {
      each.get();
    }
    threads.shutdown();
    db.execute("DROP OWNED BY " + user, "DROP ROLE " + user);
  }

  private Connection begin(String... statements) throws SQLException {
    Connection c = db.dataSource().getConnection();
    c.setAutoCommit(false);
    execute(c, statements);
    return c;
  }

  private static void execute(Connection c, String... statements) throws SQLException {
    try (Statement s = c.createStatement()) {
      for (String sql : statements) {
        s.execute(sql);
      }
    }
  }

  /** Starts a session whose statement has to wait; returns when it does. */
  private void blocked(String sql) throws InterruptedException {
    waiting.add(
        threads.submit(
            () -> {
              db.execute(sql);
              return null;
            }));
    int all = waiting.size();
    Eventually.until("session " + all + " waits", () -> waitingHere() == all);
  }

  private long waitingHere() {
    return db.queryLong(
        "SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT"
            + " l.granted AND a.datname = current_database()");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "UPDATE t SET v = 1 WHERE id <= 3",
        "SELECT 1 FROM t WHERE id <= 3 FOR UPDATE SKIP LOCKED"
      })
  void eachOnARowOfItsOwn(String ours) throws Exception {
    try (Connection us = begin("SET ROLE " + user, ours)) {
      assertThat(load.sessionsWaiting(us)).isZero();
      for (int id = 1; id <= 3; id++) {
        blocked("UPDATE t SET v = 2 WHERE id = " + id);
        assertThat(load.sessionsWaiting(us)).isEqualTo(id);
      }
      execute(us, "UPDATE t SET v = 3 WHERE id = 1");
      us.commit();
    }
  }

  /** Only the first of them waits for our transaction; the others wait for the first. */
  @Test
  void aQueueOnOneRow() throws Exception {
    try (Connection us = begin("SET ROLE " + user, "UPDATE t SET v = 1 WHERE id = 1")) {
      for (int i = 1; i <= 3; i++) {
        blocked("UPDATE t SET v = v + 1 WHERE id = 1");
        assertThat(load.sessionsWaiting(us)).isEqualTo(i);
      }
      us.commit();
    }
  }

  @Test
  void whoWaitsForSomebodyElseDoesNotCount() throws Exception {
    try (Connection us = begin("SET ROLE " + user, "UPDATE t SET v = 1 WHERE id = 1");
        Connection other = begin("UPDATE t SET v = 1 WHERE id BETWEEN 2 AND 4")) {
      blocked("UPDATE t SET v = 2 WHERE id = 2");
      blocked("UPDATE t SET v = 2 WHERE id = 2");
      blocked("UPDATE t SET v = 2 WHERE id = 3");
      assertThat(load.sessionsWaiting(us)).isZero();
      assertThat(load.sessionsWaiting(other)).isEqualTo(3);
      blocked("UPDATE t SET v = 2 WHERE id = 1");
      assertThat(load.sessionsWaiting(us)).isEqualTo(1);
      assertThat(load.sessionsWaiting(other)).isEqualTo(3);
      us.commit();
      other.commit();
    }
  }

  /** A savepoint's rows are locked by a transaction id of its own. */
  @Test
  void insideASavepoint() throws Exception {
    try (Connection us =
        begin("SAVEPOINT a", "UPDATE t SET v = 1 WHERE id = 1", "RELEASE a", "SAVEPOINT b")) {
      execute(us, "UPDATE t SET v = 1 WHERE id = 2");
      blocked("UPDATE t SET v = 2 WHERE id = 1");
      blocked("UPDATE t SET v = 2 WHERE id = 2");
      assertThat(load.sessionsWaiting(us)).isEqualTo(2);
      us.commit();
    }
  }

  /** DDL that waits for our table lock makes everybody wait. */
  @Test
  void behindDdlThatWaitsForUs() throws Exception {
    try (Connection us = begin("UPDATE t SET v = 1 WHERE id = 1")) {
      blocked("ALTER TABLE t ADD COLUMN w int");
      blocked("SELECT count(*) FROM t");
      blocked("SELECT count(*) FROM t");
      assertThat(load.sessionsWaiting(us)).isEqualTo(3);
      us.commit();
    }
  }

  @Test
  void positionsAreInTheServersOrder() throws SQLException {
    String[] positions = {"0/0", "0/FFFFFFFF", "1/0", "9/A", "A/9", "16/B374D848", "FFFFFFFF/0"};
    for (String one : positions) {
      for (String other : positions) {
        int expected =
            (int)
                db.queryLong(
                    "SELECT sign('%1$s'::pg_lsn - '%2$s'::pg_lsn)::int".formatted(one, other));
        assertThat(Integer.signum(load.compare(one, other))).isEqualTo(expected);
      }
    }
  }

  @Test
  void aPrimaryWithoutStandbys() throws SQLException {
    try (Connection c = db.dataSource().getConnection()) {
      assertThat(load.replication(c).standbys()).isEmpty();
      assertThat(load.replication(c).hidden()).isZero();
      assertThat(load.replayed(c)).as("it is no replica").isEmpty();
    }
  }
}
