package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.Replicas;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;

/** Compares write-ahead log positions of the primary and its standbys. */
final class PostgresReplicas implements Replicas {

  /**
   * Where the next record goes: what is written or flushed may lie behind a commit that was not
   * waited for (synchronous_commit = off).
   */
  @Override
  public String position(Connection primary) throws SQLException {
    try (Statement statement = primary.createStatement();
        ResultSet row =
            statement.executeQuery("SELECT pg_catalog.pg_current_wal_insert_lsn()::text")) {
      row.next();
      return row.getString(1);
    }
  }

  @Override
  public boolean replayed(Connection reader, String position) throws SQLException {
    // A reader that is no standby (any more) reads what the primary wrote.
    try (PreparedStatement statement =
        reader.prepareStatement(
            "SELECT NOT pg_catalog.pg_is_in_recovery()"
                + " OR pg_catalog.pg_last_wal_replay_lsn() >= CAST(? AS pg_catalog.pg_lsn)")) {
      statement.setString(1, position);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() && row.getBoolean(1);
      }
    }
  }

  /** Sessions of other roles hide what they wait for, unless the user may see it. */
  private static final String UNCONFIRMED =
      "SELECT count(*), coalesce(max(extract(epoch FROM clock_timestamp() -"
          + " coalesce(query_start, xact_start))), 0)::bigint,"
          + " current_setting('synchronous_standby_names') FROM pg_catalog.pg_stat_activity WHERE"
          + " datname = current_database() AND wait_event = 'SyncRep' AND clock_timestamp() -"
          + " coalesce(query_start, xact_start) > interval '1 second'";

  @Override
  public Optional<String> unconfirmed(Connection primary) throws SQLException {
    try (Statement statement = primary.createStatement();
        ResultSet row = statement.executeQuery(UNCONFIRMED)) {
      row.next();
      return row.getLong(1) == 0
          ? Optional.empty()
          : Optional.of(
              "commits wait for a synchronous standby that does not confirm them"
                  + " (synchronous_standby_names = '"
                  + row.getString(3)
                  + "'): "
                  + row.getLong(1)
                  + " sessions, for up to "
                  + row.getLong(2)
                  + " s; no lock of our DDL is held meanwhile");
    }
  }
}
