package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.Blocker;
import dev.zerodowntime.orchestrator.spi.LongStatements;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Long statements under an advisory lock of their session: the server drops it when the session
 * ends, and a session doesn't end before its statement does.
 */
final class PostgresLongStatements implements LongStatements {

  private static final Pattern CONCURRENTLY =
      Pattern.compile("^((?:CREATE (?:UNIQUE )?|DROP )INDEX )CONCURRENTLY ");

  private static final String LIFT =
      "WITH zdo_old AS MATERIALIZED (SELECT name, setting || unit AS value, source = 'session' AS"
          + " set FROM pg_catalog.pg_settings WHERE name IN ('lock_timeout', 'statement_timeout',"
          + " 'transaction_timeout', 'idle_session_timeout',"
          + " 'idle_in_transaction_session_timeout')) SELECT name, CASE WHEN set THEN value END,"
          + " set_config(name, '0', false) FROM zdo_old";

  private static final String HELD =
      " FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid"
          + " LEFT JOIN pg_catalog.pg_stat_progress_create_index p ON p.pid = a.pid"
          + " WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted AND l.database ="
          + " (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())"
          + " AND l.classid::bigint = ? AND l.objid::bigint = ?";

  @Override
  public Restore liftLimits(Connection connection) throws SQLException {
    Map<String, @Nullable String> before = new LinkedHashMap<>();
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(LIFT)) {
      while (row.next()) {
        before.put(row.getString(1), row.getString(2));
      }
    }
    return () -> {
      try (Statement set = connection.createStatement()) {
        for (Map.Entry<String, @Nullable String> setting : before.entrySet()) {
          String value = setting.getValue();
          // What nobody had set in this session follows the server's configuration again: a value
          // would be kept whatever is changed there.
          set.execute(
              value == null
                  ? "RESET " + setting.getKey()
                  : "SET " + setting.getKey() + " = " + Sql.literal(value));
        }
      }
    };
  }

  @Override
  public void limit(Connection connection, Duration budget) throws SQLException {
    try (PreparedStatement set =
        connection.prepareStatement(
            "SELECT set_config('lock_timeout', ?, false), set_config('statement_timeout', ?,"
                + " false)")) {
      set.setString(1, budget.toMillis() + "ms");
      set.setString(2, budget.toMillis() + "ms");
      set.executeQuery().close();
    }
  }

  /**
   * CONCURRENTLY waits for every transaction with a snapshot, which a tool that stands idle in one
   * may keep for as long as it waits for us: Flyway does, while it runs a migration.
   */
  @Override
  public String offline(String sql) {
    return CONCURRENTLY.matcher(sql).replaceFirst("$1");
  }

  /**
   * A query's portal, and with it the snapshot, stays until the next statement of its session. This
   * one takes none, and changes nothing that lasts.
   */
  @Override
  public void idle(Connection connection) throws SQLException {
    if (!connection.getAutoCommit()) {
      try (Statement statement = connection.createStatement()) {
        statement.execute("SET LOCAL zdo.idle = 'yes'");
      }
    }
  }

  @Override
  public boolean tryLock(Connection connection, String key) throws SQLException {
    return lock(connection, "pg_try_advisory_lock", key);
  }

  @Override
  public void unlock(Connection connection, String key) throws SQLException {
    lock(connection, "pg_advisory_unlock", key);
  }

  private static boolean lock(Connection connection, String function, String key)
      throws SQLException {
    ByteBuffer hash = hash(key);
    try (PreparedStatement statement =
        connection.prepareStatement("SELECT pg_catalog." + function + "(?, ?)")) {
      statement.setInt(1, hash.getInt());
      statement.setInt(2, hash.getInt());
      try (ResultSet row = statement.executeQuery()) {
        return row.next() && row.getBoolean(1);
      }
    }
  }

  @Override
  public Optional<Blocker> holder(Connection connection, String key) throws SQLException {
    String sql =
        "SELECT a.pid, coalesce(a.application_name, ''), coalesce(a.state, 'unknown'),"
            + " coalesce(extract(epoch FROM clock_timestamp() - coalesce(a.xact_start,"
            + " a.query_start)) * 1000, 0)::bigint, left(coalesce(a.query, ''), 200)"
            + HELD;
    try (PreparedStatement statement = find(connection, sql, key);
        ResultSet row = statement.executeQuery()) {
      if (!row.next()) {
        return Optional.empty();
      }
      return Optional.of(
          new Blocker(
              row.getString(1),
              row.getString(2),
              row.getString(3),
              Duration.ofMillis(Math.max(0, row.getLong(4))),
              row.getString(5)));
    }
  }

  @Override
  public Optional<String> progress(Connection connection, String key) throws SQLException {
    String sql =
        "SELECT a.state, p.phase, p.blocks_done, p.blocks_total, p.tuples_done, p.tuples_total,"
            + " p.lockers_done, p.lockers_total, p.current_locker_pid, CASE WHEN a.wait_event_type"
            + " = 'Lock' THEN array_to_string(pg_catalog.pg_blocking_pids(a.pid), ', ') END,"
            + " extract(epoch FROM clock_timestamp() - a.query_start)::bigint"
            + HELD;
    try (PreparedStatement statement = find(connection, sql, key);
        ResultSet row = statement.executeQuery()) {
      return row.next() && "active".equals(row.getString(1))
          ? Optional.of(describe(row))
          : Optional.empty();
    }
  }

  @Override
  public int waiting(Connection connection, String key) throws SQLException {
    int pid;
    try (PreparedStatement statement = find(connection, "SELECT a.pid" + HELD, key);
        ResultSet row = statement.executeQuery()) {
      if (!row.next()) {
        return 0;
      }
      pid = row.getInt(1);
    }
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(PostgresLoadSql.waitingFor(Integer.toString(pid)))) {
      row.next();
      return row.getInt(1);
    }
  }

  private static String describe(ResultSet row) throws SQLException {
    StringBuilder text = new StringBuilder();
    String phase = row.getString(2);
    text.append(phase == null ? "running" : phase);
    share(text, row.getLong(3), row.getLong(4), "blocks");
    share(text, row.getLong(5), row.getLong(6), "rows");
    share(text, row.getLong(7), row.getLong(8), "transactions waited for");
    String waitsFor = row.getString(10);
    if (waitsFor != null && !waitsFor.isEmpty()) {
      text.append(", waiting for session ").append(waitsFor);
    } else if (row.getLong(9) > 0) {
      text.append(", waiting for session ").append(row.getLong(9));
    }
    return text.append(", for ").append(row.getLong(11)).append(" s").toString();
  }

  private static void share(StringBuilder text, long done, long total, String unit) {
    if (total > 0) {
      text.append(", ").append(done).append(" of ").append(total).append(' ').append(unit);
      text.append(" (").append(done * 100 / total).append(" %)");
    }
  }

  private static PreparedStatement find(Connection connection, String sql, String key)
      throws SQLException {
    ByteBuffer hash = hash(key);
    PreparedStatement statement = connection.prepareStatement(sql);
    // pg_locks shows both numbers without their sign.
    statement.setLong(1, Integer.toUnsignedLong(hash.getInt()));
    statement.setLong(2, Integer.toUnsignedLong(hash.getInt()));
    return statement;
  }

  private static ByteBuffer hash(String key) {
    return ByteBuffer.wrap(Sql.sha256("orchestrator", key));
  }
}
