package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.LoadSql;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads pg_stat_replication and pg_locks: views that every user may read. */
final class PostgresLoadSql implements LoadSql {

  /** A server that doesn't answer in this time can't be asked. */
  private static final int TIMEOUT_SECONDS = 5;

  private static final int HEX = 16;
  private static final int LOW_BITS = 32;

  /**
   * One row at least: that of the primary, whose other columns are null.
   *
   * <p>The flushed position, not the inserted one: only what is flushed is sent, so that a standby
   * of a primary where nobody commits could never catch up with the other; the inserted one may
   * also lie behind the header of a page that nothing is on yet.
   *
   * <p>Logical subscribers are left out, by their slot, which each of them has: what they confirm
   * is up to them, and may stand still for hours although they have everything. So is who only
   * fetches a copy or the log itself: it replays nothing, hence the filter of replay_lsn. A user
   * without pg_read_all_stats sees the rows, with null in every column of pg_stat_get_wal_senders,
   * but with their application_name; a base backup is told by that, lest it would hold everything
   * every night.
   */
  private static final String REPLICATION =
      """
      SELECT pg_catalog.pg_current_wal_flush_lsn()::text, s.pid IS NOT NULL, s.state IS NULL,
        CASE WHEN coalesce(s.application_name, '') IN ('', 'walreceiver')
          THEN coalesce(pg_catalog.host(s.client_addr), 'pid ' || s.pid)
          ELSE s.application_name END,
        s.replay_lsn::text,
        pg_catalog.format('GRANT pg_monitor TO %I', current_user)
      FROM (SELECT 1) AS zdo_one LEFT JOIN pg_catalog.pg_stat_replication s
        ON NOT EXISTS (SELECT 1 FROM pg_catalog.pg_replication_slots l
          WHERE l.active_pid = s.pid AND l.slot_type = 'logical')
        AND CASE WHEN s.state IS NULL
          THEN coalesce(s.application_name, '') NOT IN ('pg_basebackup', 'pg_receivewal')
          ELSE s.replay_lsn IS NOT NULL END
      ORDER BY 4, s.pid
      """;

  /**
   * Who waits for whom comes from pg_blocking_pids, which knows which locks conflict and who queues
   * behind whom; it is asked only about sessions that wait. pg_locks tells those; pg_stat_activity
   * would show no one's waiting to an ordinary user.
   */
  private static final String WAITING = waitingFor("pg_catalog.pg_backend_pid()");

  /**
   * How many sessions wait for one.
   *
   * @param pid an SQL expression
   */
  static String waitingFor(String pid) {
    return """
      WITH RECURSIVE zdo_edge AS MATERIALIZED (
        SELECT zdo_each.pid, zdo_blocker.pid AS blocker
        FROM (SELECT DISTINCT pid FROM pg_catalog.pg_locks
            WHERE NOT granted AND pid <> %1$s) AS zdo_each
          CROSS JOIN LATERAL
            pg_catalog.unnest(pg_catalog.pg_blocking_pids(zdo_each.pid)) AS zdo_blocker (pid)
      ), zdo_waiting (pid) AS (
        SELECT pid FROM zdo_edge WHERE blocker = %1$s
        UNION
        SELECT e.pid FROM zdo_edge e JOIN zdo_waiting w ON e.blocker = w.pid
      )
      SELECT count(*)::int FROM zdo_waiting
      """
        .formatted(pid);
  }

  @Override
  public Replication replication(Connection primary) throws SQLException {
    List<Standby> standbys = new ArrayList<>();
    int hidden = 0;
    String position = "";
    String remedy = "";
    try (Statement statement = primary.createStatement()) {
      statement.setQueryTimeout(TIMEOUT_SECONDS);
      try (ResultSet row = statement.executeQuery(REPLICATION)) {
        while (row.next()) {
          position = row.getString(1);
          if (!row.getBoolean(2)) {
            continue;
          }
          if (row.getBoolean(3)) {
            hidden++;
            remedy = row.getString(6);
          } else {
            standbys.add(new Standby(row.getString(4), row.getString(5)));
          }
        }
      }
    }
    return new Replication(position, standbys, hidden, remedy);
  }

  @Override
  public Optional<String> replayed(Connection reader) throws SQLException {
    try (Statement statement = reader.createStatement()) {
      statement.setQueryTimeout(TIMEOUT_SECONDS);
      try (ResultSet row =
          statement.executeQuery(
              "SELECT CASE WHEN pg_catalog.pg_is_in_recovery()"
                  + " THEN coalesce(pg_catalog.pg_last_wal_replay_lsn(), '0/0')::text END")) {
        row.next();
        return Optional.ofNullable(row.getString(1));
      }
    }
  }

  @Override
  public int compare(String one, String other) {
    return Long.compareUnsigned(number(one), number(other));
  }

  private static long number(String position) {
    int slash = position.indexOf('/');
    return Long.parseLong(position, 0, slash, HEX) << LOW_BITS
        | Long.parseLong(position, slash + 1, position.length(), HEX);
  }

  @Override
  public int sessionsWaiting(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(WAITING)) {
      row.next();
      return row.getInt(1);
    }
  }
}
