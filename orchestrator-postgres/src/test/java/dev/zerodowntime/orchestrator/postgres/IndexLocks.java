package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** What a statement about an index locks, and statements about indexes that are cut off. */
final class IndexLocks {

  private IndexLocks() {}

  /** Proves that a step locks no more than the index, though it says the table. */
  static void requireOnlyIndex(TestDatabase db, DdlStep step, String table, String index)
      throws SQLException {
    assertThat(step.lock()).startsWith("SHARE UPDATE EXCLUSIVE on ");
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      c.setAutoCommit(false);
      String oid;
      try (ResultSet row = s.executeQuery("SELECT " + Sql.regclass(index) + "::oid")) {
        row.next();
        oid = row.getString(1);
      }
      s.execute(step.sql().get(0));
      assertThat(modes(s, oid)).containsExactly("ShareUpdateExclusiveLock");
      assertThat(modes(s, Sql.regclass(table))).isEmpty();
      c.rollback();
    }
  }

  private static List<String> modes(Statement s, String relation) throws SQLException {
    List<String> modes = new ArrayList<>();
    try (ResultSet row =
        s.executeQuery(
            "SELECT mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND"
                + " relation = "
                + relation)) {
      while (row.next()) {
        modes.add(row.getString(1));
      }
    }
    return modes;
  }

  /** Cancels a statement as soon as its session shows something. */
  static void cutOff(TestDatabase db, String sql, String when) throws Exception {
    try (Connection connection = db.dataSource().getConnection()) {
      long pid;
      try (Statement s = connection.createStatement();
          ResultSet row = s.executeQuery("SELECT pg_backend_pid()")) {
        row.next();
        pid = row.getLong(1);
      }
      List<SQLException> failed = new ArrayList<>();
      Thread thread =
          new Thread(
              () -> {
                try (Statement s = connection.createStatement()) {
                  s.execute(sql);
                } catch (SQLException e) {
                  failed.add(e);
                }
              });
      thread.start();
      String look =
          "SELECT count(*) FROM pg_stat_activity a LEFT JOIN pg_stat_progress_create_index p ON"
              + " p.pid = a.pid WHERE a.pid = "
              + pid
              + " AND ("
              + when
              + ")";
      while (db.queryLong(look) == 0) {
        assertThat(thread.isAlive()).as(failed + " came before " + when).isTrue();
      }
      db.rows("SELECT pg_cancel_backend(" + pid + ")");
      thread.join();
      assertThat(failed).as(sql).hasSize(1);
    }
  }
}
