package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.CopyTool;
import dev.zerodowntime.orchestrator.spi.Blocker;
import dev.zerodowntime.orchestrator.spi.CopyStep;
import dev.zerodowntime.orchestrator.spi.TableCopier;
import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTransientException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;

/**
 * Copies a table with pt-online-schema-change: its triggers, its copying in chunks, its limits of
 * the load, and nothing else of it. It neither compares nor swaps nor cleans up. Its plugin, which
 * is ours, marks its sessions with named locks.
 */
final class PtOnlineSchemaChange implements TableCopier {

  private static final long LOOK_MILLIS = 100;
  private static final long TRIGGERS_MILLIS = 5;
  private static final long ALIVE_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final long END_SECONDS = 30;
  private static final int STOPPED = -1;
  private static final int NO_SUCH_SESSION = 1094;

  private final MysqlVersion version;
  private final CopyTool tool;

  PtOnlineSchemaChange(MysqlVersion version, CopyTool tool) {
    this.version = version;
    this.tool = tool;
  }

  /** The lock of the session that copies. */
  private static String main(String key) {
    return MysqlLongStatements.name(key) + "_main";
  }

  /** The lock of the tool's other session. */
  private static String other(String key) {
    return MysqlLongStatements.name(key) + "_other";
  }

  /** What marks that all rows are copied: a table beside the copy. */
  static String mark(String copy) {
    return copy + "_done";
  }

  @Override
  public Optional<Blocker> running(Connection connection, String key) throws SQLException {
    List<Long> sessions = sessions(connection, key);
    if (sessions.isEmpty()) {
      return Optional.empty();
    }
    long session = sessions.get(0);
    try (PreparedStatement ask =
        connection.prepareStatement(
            "SELECT CONCAT(USER, '@', HOST), COALESCE(STATE, COMMAND), TIME * 1000,"
                + " LEFT(COALESCE(INFO, ''), 200) FROM "
                + MysqlControlSql.processes(version)
                + " WHERE ID = ?")) {
      ask.setLong(1, session);
      try (ResultSet row = ask.executeQuery()) {
        return Optional.of(
            row.next()
                ? new Blocker(
                    Long.toString(session),
                    row.getString(1),
                    row.getString(2),
                    Duration.ofMillis(Math.max(0, row.getLong(3))),
                    row.getString(4))
                : new Blocker(Long.toString(session), "", "of another user", Duration.ZERO, ""));
      }
    }
  }

  private static List<Long> sessions(Connection connection, String key) throws SQLException {
    List<Long> sessions = new ArrayList<>();
    try (PreparedStatement ask = connection.prepareStatement("SELECT IS_USED_LOCK(?)")) {
      for (String lock : List.of(main(key), other(key))) {
        ask.setString(1, lock);
        try (ResultSet row = ask.executeQuery()) {
          row.next();
          long session = row.getLong(1);
          if (!row.wasNull()) {
            sessions.add(session);
          }
        }
      }
    }
    return sessions;
  }

  @Override
  public void end(Connection connection, String key) throws SQLException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(END_SECONDS);
    while (true) {
      List<Long> sessions = sessions(connection, key);
      if (sessions.isEmpty()) {
        return;
      }
      for (long session : sessions) {
        kill(connection, session);
      }
      if (System.nanoTime() - deadline >= 0) {
        throw new SQLTransientException(
            "sessions " + sessions + " of a copy were ended, and are still there");
      }
      pause(LOOK_MILLIS);
    }
  }

  private static void kill(Connection connection, long session) throws SQLException {
    try (Statement kill = connection.createStatement()) {
      kill.execute("KILL " + session);
    } catch (SQLException e) {
      if (e.getErrorCode() != NO_SUCH_SESSION) {
        throw new SQLException(
            "session "
                + session
                + " belongs to a copy of a driver that is gone, and can't be ended: "
                + e.getMessage()
                + "; KILL it by hand, and give copyTool(...) the library's own user",
            e.getSQLState(),
            e.getErrorCode(),
            e);
      }
    }
  }

  @Override
  public void copy(
      Connection connection,
      DataSource others,
      String key,
      CopyStep step,
      Duration budget,
      Control control)
      throws SQLException {
    long parent = number(connection, "SELECT CONNECTION_ID()");
    try (CopyProcess process =
            CopyProcess.start(
                version,
                tool,
                step,
                new CopyProcess.Locks(
                    MysqlLongStatements.name(key), main(key), other(key), parent));
        CopyWatch watch = new CopyWatch(version, others, budget)) {
      int exit;
      try {
        exit = attend(connection, process, watch, control);
      } finally {
        process.kill();
      }
      // The server may still be at its last statement.
      end(connection, key);
      if (control.stop()) {
        throw new SQLTransientException("the copy was ended: nobody wants it any more");
      }
      if (exit != 0 || !process.copied()) {
        throw process.failure(exit);
      }
    } catch (IOException e) {
      throw new SQLException("the copy tool " + tool + " can't be run: " + e.getMessage(), e);
    }
  }

  private int attend(Connection connection, CopyProcess process, CopyWatch watch, Control control)
      throws SQLException, IOException {
    long alive = System.nanoTime();
    while (!process.waitFor(process.triggers() ? TRIGGERS_MILLIS : LOOK_MILLIS)) {
      process.read();
      control.progress(process.progress());
      if (process.triggers()) {
        watch.look(process.session());
        continue;
      }
      if (control.stop()) {
        process.kill();
        return STOPPED;
      }
      process.pause(control.hold());
      if (System.nanoTime() - alive >= ALIVE_NANOS) {
        // Else the server would end the session, and with it the lock.
        number(connection, "SELECT CONNECTION_ID()");
        alive = System.nanoTime();
      }
    }
    process.read();
    return process.exit();
  }

  private static long number(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getLong(1);
    }
  }

  private static void pause(long millis) throws SQLException {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SQLTransientException("interrupted", e);
    }
  }
}
