package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.ScanSql;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;

/**
 * Walks along a key by row values, which PostgreSQL turns into one range of the key's index.
 *
 * <p>The table is never given an alias, so that expressions may name its columns bare or with the
 * table's name. Selected keys are always renamed: {@code SELECT k::text ... ORDER BY k} would sort
 * by the text.
 */
final class PostgresScanSql implements ScanSql {

  private static final String LIMIT =
      "SELECT set_config('statement_timeout', CAST(? AS bigint)::text, true),"
          + " set_config('lock_timeout', CAST(? AS bigint)::text, true),"
          + " set_config('synchronous_commit', 'off', true)";

  @Override
  public String lastKey(Scan scan) {
    return "SELECT "
        + ScanParts.selected(scan)
        + " FROM "
        + scan.table()
        + " ORDER BY "
        + ScanParts.each(scan, key -> key.name() + " DESC")
        + " LIMIT 1";
  }

  @Override
  public String chunkEnd(Scan scan, boolean bounded) {
    return "SELECT "
        + ScanParts.selected(scan)
        + ", count(*) OVER () FROM (SELECT "
        + ScanParts.names(scan)
        + " FROM "
        + scan.table()
        + " WHERE "
        + ScanParts.range(scan, bounded)
        + " ORDER BY "
        + ScanParts.names(scan)
        + " LIMIT CAST(? AS bigint)) AS zdo_chunk ORDER BY "
        + ScanParts.each(scan, key -> key.name() + " DESC")
        + " LIMIT 1";
  }

  @Override
  public String keyAt(Scan scan, boolean bounded) {
    return "SELECT "
        + ScanParts.selected(scan)
        + " FROM "
        + scan.table()
        + " WHERE "
        + ScanParts.range(scan, bounded)
        + " ORDER BY "
        + ScanParts.names(scan)
        + " OFFSET CAST(? AS bigint) LIMIT 1";
  }

  @Override
  public String update(BackfillStep step, boolean bounded) {
    return PostgresRowChanges.update(step, bounded);
  }

  @Override
  public String updateAll(BackfillStep step, boolean bounded) {
    return PostgresRowChanges.updateAll(step, bounded);
  }

  @Override
  public String updateOne(BackfillStep step) {
    return PostgresRowChanges.updateOne(step);
  }

  @Override
  public String read(BackfillStep step, boolean bounded) {
    return PostgresRowChanges.read(step, bounded);
  }

  @Override
  public String readOne(BackfillStep step) {
    return PostgresRowChanges.readOne(step);
  }

  @Override
  public int write(Connection connection, String tag, BackfillStep step, List<Computed> rows)
      throws SQLException {
    return PostgresRowChanges.write(connection, tag, step, rows);
  }

  /**
   * Not simply the current transaction's id: drivers that set savepoints of their own have it write
   * under the ids of subtransactions, which come soon after. What is visible, though the snapshot
   * does not say so, was written here.
   */
  @Override
  public String writtenHere(Scan scan) {
    String current = "pg_catalog.pg_current_xact_id()::text::bigint";
    String ahead = "(" + scan.table() + ".xmin::text::bigint - " + current + " % 4294967296)";
    return ahead
        + " BETWEEN 0 AND 1000000 AND NOT pg_catalog.pg_visible_in_snapshot(("
        + current
        + " + "
        + ahead
        + ")::text::pg_catalog.xid8, pg_catalog.pg_current_snapshot())";
  }

  @Override
  public String pending(Scan scan, boolean bounded, String extra) {
    return "SELECT "
        + ScanParts.selected(scan)
        + " FROM "
        + scan.table()
        + " WHERE "
        + ScanParts.pendingIn(scan, bounded)
        + (extra.isBlank() ? "" : " AND (" + extra + ")")
        + " ORDER BY "
        + ScanParts.names(scan)
        + " LIMIT CAST(? AS bigint)";
  }

  @Override
  public String countPending(Scan scan, boolean bounded) {
    return "SELECT count(*) FROM " + scan.table() + " WHERE " + ScanParts.pendingIn(scan, bounded);
  }

  /** The planner's own way: the density that ANALYZE or VACUUM last saw, times today's size. */
  @Override
  public long estimate(Connection connection, Scan scan) throws SQLException {
    String sql =
        "SELECT CASE WHEN coalesce(bool_or(c.reltuples < 0 AND"
            + " pg_catalog.pg_relation_size(c.oid) > 0), true) THEN -1 ELSE coalesce(sum(CASE"
            + " WHEN c.relpages > 0 AND c.reltuples > 0 THEN c.reltuples / c.relpages *"
            + " (pg_catalog.pg_relation_size(c.oid) / current_setting('block_size')::numeric)"
            + " ELSE greatest(c.reltuples, 0) END), 0)::bigint END FROM pg_catalog.pg_class c"
            + " WHERE c.relkind = 'r' AND (c.oid = "
            + Sql.regclass(scan.table())
            + " OR c.oid IN (SELECT relid FROM pg_catalog.pg_partition_tree("
            + Sql.regclass(scan.table())
            + ")))";
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getLong(1);
    }
  }

  @Override
  public void limit(Connection connection, long runMillis, long lockMillis) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(LIMIT)) {
      statement.setLong(1, runMillis);
      statement.setLong(2, lockMillis);
      statement.execute();
    }
  }
}
