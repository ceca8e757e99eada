package dev.zerodowntime.orchestrator.mysql;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the lock budget for the copy tool while it creates its triggers: a statement of its session
 * that has waited for a metadata lock for a part of the budget is ended, and the tool tries again.
 */
final class CopyWatch implements AutoCloseable {

  private static final String WAITING = "Waiting for table metadata lock";

  /** What part of the budget one attempt waits. */
  private static final int ATTEMPTS = 10;

  private final MysqlVersion version;
  private final DataSource others;
  private final long most;
  private @Nullable Connection connection;
  private boolean autoCommit;
  private String waiting = "";
  private long since;

  CopyWatch(MysqlVersion version, DataSource others, Duration budget) {
    this.version = version;
    this.others = others;
    this.most = budget.toNanos() / ATTEMPTS;
  }

  /**
   * Looks once.
   *
   * @param session the tool's; 0 where it is not known yet
   */
  void look(long session) throws SQLException {
    if (session == 0) {
      return;
    }
    Connection mine = connection;
    if (mine == null) {
      mine = others.getConnection();
      connection = mine;
      autoCommit = mine.getAutoCommit();
      if (!autoCommit) {
        mine.setAutoCommit(true);
      }
    }
    String now = statement(mine, session);
    if (now.isEmpty() || !now.equals(waiting)) {
      waiting = now;
      since = System.nanoTime();
    } else if (System.nanoTime() - since >= most) {
      try (Statement kill = mine.createStatement()) {
        kill.execute("KILL QUERY " + session);
      }
      waiting = "";
    }
  }

  private String statement(Connection mine, long session) throws SQLException {
    try (PreparedStatement look =
        mine.prepareStatement(
            "SELECT COALESCE(INFO, '') FROM "
                + MysqlControlSql.processes(version)
                + " WHERE ID = ? AND STATE = '"
                + WAITING
                + "'")) {
      look.setLong(1, session);
      try (ResultSet row = look.executeQuery()) {
        return row.next() ? row.getString(1) : "";
      }
    }
  }

  @Override
  public void close() throws SQLException {
    Connection mine = connection;
    if (mine != null) {
      try (mine) {
        if (!autoCommit) {
          mine.setAutoCommit(false);
        }
      }
    }
  }
}
