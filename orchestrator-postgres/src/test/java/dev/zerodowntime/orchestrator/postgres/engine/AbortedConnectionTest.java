package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A session that keeps a lock which could not be released must not go back into the pool. */
@PostgresTest
class AbortedConnectionTest {

  private static int lock(Connection connection) throws SQLException {
    return Db.queryOne(
            connection, "SELECT pg_backend_pid() FROM pg_advisory_lock(4711)", row -> row.getInt(1))
        .orElseThrow();
  }

  @Test
  void thePoolOpensAnotherOneAndTheLockIsFree() throws Exception {
    try (TestDatabase database = TestDatabase.create("aborted")) {
      HikariConfig config = new HikariConfig();
      config.setDataSource(database.dataSource());
      config.setMaximumPoolSize(1);
      try (HikariDataSource pool = new HikariDataSource(config)) {
        int first;
        try (Connection connection = pool.getConnection()) {
          first = lock(connection);
          Db.abort(connection);
        }
        try (Connection connection = pool.getConnection()) {
          // The same session would have it already; another would wait for ever if that lived.
          assertThat(lock(connection)).isNotEqualTo(first);
        }
      }
      Eventually.until(
          "no session of the pool is left",
          () ->
              database
                  .rows(
                      "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND"
                          + " database = (SELECT oid FROM pg_database WHERE datname ="
                          + " current_database())")
                  .equals(List.of()));
    }
  }
}
