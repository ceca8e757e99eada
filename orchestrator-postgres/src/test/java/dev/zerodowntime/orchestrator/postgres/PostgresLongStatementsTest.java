package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.Blocker;
import dev.zerodowntime.orchestrator.spi.LongStatements;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Session locks, progress and limits of long statements. */
@PostgresTest
@Timeout(60)
class PostgresLongStatementsTest {

  private final TestDatabase db;
  private final LongStatements long_ = new PostgresLongStatements();

  PostgresLongStatementsTest(TestDatabase db) {
    this.db = db;
  }

  private static Map<String, String> settings(Connection c) throws SQLException {
    Map<String, String> all = new LinkedHashMap<>();
    try (Statement s = c.createStatement();
        ResultSet row =
            s.executeQuery(
                "SELECT name, setting FROM pg_settings WHERE name LIKE '%timeout' ORDER BY 1")) {
      while (row.next()) {
        all.put(row.getString(1), row.getString(2));
      }
    }
    return all;
  }

  @Test
  void limitsAreLiftedAndPutBack() throws SQLException {
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      s.execute("SET lock_timeout = '150ms'");
      s.execute("SET statement_timeout = '5s'");
      s.execute("SET idle_session_timeout = '1h'");
      Map<String, String> before = settings(c);
      try (LongStatements.Restore restore = long_.liftLimits(c)) {
        Map<String, String> lifted = settings(c);
        assertThat(lifted.get("lock_timeout")).isEqualTo("0");
        assertThat(lifted.get("statement_timeout")).isEqualTo("0");
        assertThat(lifted.get("idle_session_timeout")).isEqualTo("0");
      }
      assertThat(settings(c)).isEqualTo(before);
    }
  }

  @Test
  void oneHolderAtATimeUntilItsSessionEnds() throws Exception {
    Connection first = db.dataSource().getConnection();
    try (Connection second = db.dataSource().getConnection()) {
      for (String key :
          new String[] {"billing/1|public|create-index", "", "ключ", "x1", "x2", "x3", "x4"}) {
        assertThat(long_.holder(second, key)).isEmpty();
        assertThat(long_.tryLock(first, key)).isTrue();
        assertThat(long_.tryLock(second, key)).isFalse();
        int pid = first.unwrap(org.postgresql.PGConnection.class).getBackendPID();
        assertThat(long_.holder(second, key))
            .get()
            .extracting(Blocker::session)
            .isEqualTo("" + pid);
        assertThat(long_.progress(second, key)).isEmpty();
        long_.unlock(first, key);
        assertThat(long_.tryLock(second, key)).isTrue();
        long_.unlock(second, key);
      }
      assertThat(long_.tryLock(first, "dead")).isTrue();
      first.close();
      while (!long_.tryLock(second, "dead")) {
        Thread.sleep(10);
      }
    }
  }

  @Test
  void progressNamesWhoIsWaitedFor() throws Exception {
    db.execute("CREATE TABLE t AS SELECT n FROM generate_series(1, 1000) n");
    try (Connection writer = db.dataSource().getConnection();
        Connection builder = db.dataSource().getConnection();
        Connection watcher = db.dataSource().getConnection();
        Statement w = writer.createStatement();
        Statement b = builder.createStatement()) {
      writer.setAutoCommit(false);
      w.execute("INSERT INTO t VALUES (0)");
      assertThat(long_.tryLock(builder, "build")).isTrue();
      Thread build =
          new Thread(
              () -> {
                try {
                  b.execute("CREATE INDEX CONCURRENTLY ix ON t (n)");
                } catch (SQLException e) {
                  throw new IllegalStateException(e);
                }
              });
      build.start();
      String said = "";
      int pid = writer.unwrap(org.postgresql.PGConnection.class).getBackendPID();
      while (!said.contains("waiting for session " + pid)) {
        Thread.sleep(20);
        said = long_.progress(watcher, "build").orElse("");
      }
      assertThat(said).startsWith("waiting for writers before build").endsWith(" s");
      assertThat(long_.holder(watcher, "build"))
          .get()
          .extracting(Blocker::query)
          .asString()
          .contains("CONCURRENTLY");
      writer.commit();
      build.join();
      assertThat(long_.progress(watcher, "build")).isEmpty();
    }
  }
}
