package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.Replicas;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

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
}
