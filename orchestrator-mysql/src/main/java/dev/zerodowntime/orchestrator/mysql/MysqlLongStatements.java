package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.spi.Blocker;
import dev.zerodowntime.orchestrator.spi.LongStatements;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTransactionRollbackException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * DDL under a user-level lock of its session. The server drops it when the session ends; and a
 * session whose client is gone doesn't end before its statement does, for the server goes on with
 * it.
 */
final class MysqlLongStatements implements LongStatements {

  /** Between two statements of ours; a process that is frozen there must not keep the lock. */
  private static final int IDLE_SECONDS = 30;

  private static final int DUPLICATE = 1062;

  /**
   * What an index begins with whose values another unique index keeps apart already. The server
   * applies what is written meanwhile entry by entry, and may find the value of a row that is gone
   * by then: a duplicate says nothing.
   */
  static final String NO_DUPLICATES = "/* unique already */ ";

  private static final Pattern ADDS_UNIQUE =
      Pattern.compile("\\bADD (?:UNIQUE|PRIMARY)\\b|\\bCREATE UNIQUE\\b");

  private final MysqlVersion version;

  MysqlLongStatements(MysqlVersion version) {
    this.version = version;
  }

  private List<String> settings() {
    return List.of(
        "lock_wait_timeout",
        "innodb_lock_wait_timeout",
        "wait_timeout",
        "foreign_key_checks",
        MysqlControlSql.statementLimit(version));
  }

  /** For metadata locks the limit is one second, in case that nobody is left to end it earlier. */
  @Override
  public Restore liftLimits(Connection connection) throws SQLException {
    List<String> settings = settings();
    List<String> before = new ArrayList<>();
    try (Statement statement = connection.createStatement()) {
      try (ResultSet row =
          statement.executeQuery(
              "SELECT "
                  + settings.stream()
                      .map(name -> "@@session." + name)
                      .collect(Collectors.joining(", ")))) {
        row.next();
        for (int i = 0; i < settings.size(); i++) {
          before.add(settings.get(i) + " = " + row.getString(i + 1));
        }
      }
      statement.execute(
          "SET SESSION lock_wait_timeout = 1, SESSION wait_timeout = "
              + IDLE_SECONDS
              + ", SESSION "
              + MysqlControlSql.statementLimit(version)
              + " = 0");
    }
    return () -> {
      try (Statement set = connection.createStatement()) {
        set.execute("SET SESSION " + String.join(", SESSION ", before));
      }
    };
  }

  @Override
  public void execute(Statement statement, DataSource others, String sql, Duration budget)
      throws SQLException {
    try {
      if (!version.mariadb()) {
        // When it ends it has to wait as it must: by then there is too much to lose.
        new MdlHolders(version)
            .awaitNone(statement.getConnection(), MdlHolders.altered(sql), budget);
      }
      MdlWatch.execute(statement, others, version, sql, budget);
    } catch (SQLException e) {
      boolean unique = ADDS_UNIQUE.matcher(sql).find() && !sql.contains(NO_DUPLICATES);
      if (e.getErrorCode() != DUPLICATE
          || unique && Duplicates.are(statement.getConnection(), sql)) {
        throw e;
      }
      // What is written meanwhile is applied at the end, and a row that was inserted and taken
      // back, as by INSERT ... ON DUPLICATE KEY UPDATE, is in there: nothing is wrong with the
      // table.
      throw new SQLTransactionRollbackException(
          "a row that was inserted meanwhile and taken back is in the way of the rebuild: "
              + e.getMessage(),
          "40001",
          e);
    }
  }

  /** The lock's name may have 64 characters; the server's locks are shared by all databases. */
  static String name(String key) {
    return "zdo_" + Sql.hash8("a", key) + Sql.hash8("b", key) + Sql.hash8("c", key);
  }

  @Override
  public boolean tryLock(Connection connection, String key) throws SQLException {
    return "1".equals(ask(connection, "SELECT GET_LOCK(?, 0)", name(key)));
  }

  @Override
  public void unlock(Connection connection, String key) throws SQLException {
    ask(connection, "SELECT RELEASE_LOCK(?)", name(key));
  }

  private static @Nullable String ask(Connection connection, String sql, String parameter)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setString(1, parameter);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? row.getString(1) : null;
      }
    }
  }

  /** Of another user's session no more than its id may be seen. */
  @Override
  public Optional<Blocker> holder(Connection connection, String key) throws SQLException {
    String session = ask(connection, "SELECT IS_USED_LOCK(?)", name(key));
    if (session == null) {
      return Optional.empty();
    }
    try (PreparedStatement statement =
        connection.prepareStatement(
            "SELECT CONCAT(USER, '@', HOST), COALESCE(STATE, COMMAND), TIME * 1000,"
                + " LEFT(COALESCE(INFO, ''), 200) FROM "
                + MysqlControlSql.processes(version)
                + " WHERE ID = ?")) {
      statement.setString(1, session);
      try (ResultSet row = statement.executeQuery()) {
        return Optional.of(
            row.next()
                ? new Blocker(
                    session,
                    row.getString(1),
                    row.getString(2),
                    Duration.ofMillis(Math.max(0, row.getLong(3))),
                    row.getString(4))
                : new Blocker(session, "", "of another user", Duration.ZERO, ""));
      }
    }
  }

  @Override
  public Optional<String> progress(Connection connection, String key) throws SQLException {
    Optional<Blocker> holder = holder(connection, key);
    if (holder.isEmpty()) {
      return Optional.empty();
    }
    String state = holder.get().state() + " for " + holder.get().age().toSeconds() + " s";
    return Optional.of(state + stage(connection, holder.get().session()));
  }

  /** MySQL counts the work of INPLACE builds where its stage instruments are on; MariaDB always. */
  private String stage(Connection connection, String session) {
    String sql =
        version.mariadb()
            ? "SELECT CONCAT(', ', PROGRESS, ' % of stage ', STAGE, ' of ', MAX_STAGE) FROM"
                + " information_schema.PROCESSLIST WHERE ID = ? AND MAX_STAGE > 0"
            : "SELECT CONCAT(', ', ROUND(100 * zdo_s.WORK_COMPLETED / zdo_s.WORK_ESTIMATED), ' %')"
                + " FROM performance_schema.events_stages_current zdo_s JOIN"
                + " performance_schema.threads zdo_t ON zdo_t.THREAD_ID = zdo_s.THREAD_ID"
                + " WHERE zdo_t.PROCESSLIST_ID = ? AND zdo_s.WORK_ESTIMATED > 0";
    try {
      String stage = ask(connection, sql, session);
      return stage == null ? "" : stage;
    } catch (SQLException e) {
      // Not everybody may ask.
      return "";
    }
  }

  /** Everybody who waits for a metadata lock on a table that the holder is changing. */
  @Override
  public int waiting(Connection connection, String key) throws SQLException {
    String session = ask(connection, "SELECT IS_USED_LOCK(?)", name(key));
    if (session == null || version.mariadb() || !version.performanceSchema()) {
      return 0;
    }
    String sql =
        "SELECT COUNT(DISTINCT zdo_w.OWNER_THREAD_ID) FROM performance_schema.threads zdo_t JOIN"
            + " performance_schema.metadata_locks zdo_h ON zdo_h.OWNER_THREAD_ID = zdo_t.THREAD_ID"
            + " JOIN performance_schema.metadata_locks zdo_w ON zdo_w.OBJECT_TYPE ="
            + " zdo_h.OBJECT_TYPE AND zdo_w.OBJECT_SCHEMA = zdo_h.OBJECT_SCHEMA AND"
            + " zdo_w.OBJECT_NAME = zdo_h.OBJECT_NAME AND zdo_w.LOCK_STATUS = 'PENDING' AND"
            + " zdo_w.OWNER_THREAD_ID <> zdo_h.OWNER_THREAD_ID WHERE zdo_h.OBJECT_TYPE = 'TABLE'"
            + " AND zdo_t.PROCESSLIST_ID = ?";
    try {
      String waiting = ask(connection, sql, session);
      return waiting == null ? 0 : Integer.parseInt(waiting);
    } catch (SQLException e) {
      // Not everybody may ask: then the lock budget alone decides.
      return 0;
    }
  }
}
