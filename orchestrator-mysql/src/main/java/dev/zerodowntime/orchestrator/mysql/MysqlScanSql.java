package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.ScanSql;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Walks along the primary key, by comparisons that the servers turn into one range of it.
 *
 * <p>The table is never given an alias, so that expressions may name its columns bare or with the
 * table's name. Selected keys are always renamed, or ORDER BY would sort by the text.
 */
final class MysqlScanSql implements ScanSql {

  private static final long SECOND = 1_000;

  /** Shorter than this is at once, where the server can wait for less than a second at all. */
  private static final long AT_ONCE = 100;

  private static final double MILLIS = 1_000.0;

  private final MysqlVersion version;

  MysqlScanSql(MysqlVersion version) {
    this.version = version;
  }

  @Override
  public List<Object> range(Scan scan, @Nullable List<String> after, List<String> upTo) {
    List<Object> parameters = new ArrayList<>();
    if (after != null) {
      ScanParts.bind(scan, after, parameters);
    }
    ScanParts.bind(scan, upTo, parameters);
    return parameters;
  }

  @Override
  public List<Object> key(Scan scan, List<String> key) {
    List<Object> parameters = new ArrayList<>();
    for (int i = 0; i < key.size(); i++) {
      parameters.add(ScanParts.type(scan.keys().get(i)).bound(key.get(i)));
    }
    return parameters;
  }

  @Override
  public String lastKey(Scan scan) {
    return greatestKey(scan);
  }

  static String greatestKey(Scan scan) {
    return "SELECT "
        + ScanParts.selected(scan)
        + " FROM "
        + ScanParts.table(scan)
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
        + ScanParts.table(scan)
        + " WHERE "
        + ScanParts.rangeSql(scan, bounded)
        + " ORDER BY "
        + ScanParts.names(scan)
        + " LIMIT ?) AS zdo_chunk ORDER BY "
        + ScanParts.each(scan, key -> key.name() + " DESC")
        + " LIMIT 1";
  }

  @Override
  public String keyAt(Scan scan, boolean bounded) {
    return keyOfRow(scan, bounded);
  }

  static String keyOfRow(Scan scan, boolean bounded) {
    return "SELECT "
        + ScanParts.selected(scan)
        + " FROM "
        + ScanParts.table(scan)
        + " WHERE "
        + ScanParts.rangeSql(scan, bounded)
        + " ORDER BY "
        + ScanParts.names(scan)
        + " LIMIT 1 OFFSET ?";
  }

  @Override
  public String update(BackfillStep step, boolean bounded) {
    return MysqlRowChanges.update(step, bounded);
  }

  @Override
  public String updateAll(BackfillStep step, boolean bounded) {
    return MysqlRowChanges.updateAll(step, bounded);
  }

  @Override
  public String updateOne(BackfillStep step) {
    return MysqlRowChanges.updateOne(step);
  }

  @Override
  public String read(BackfillStep step, boolean bounded) {
    return MysqlRowChanges.read(step, bounded);
  }

  @Override
  public String readOne(BackfillStep step) {
    return MysqlRowChanges.readOne(step);
  }

  @Override
  public int write(Connection connection, String tag, BackfillStep step, List<Computed> rows)
      throws SQLException {
    return MysqlRowChanges.write(connection, tag, step, rows);
  }

  /**
   * Nothing that a user may see tells who wrote a row. That a change leaves nothing to do for a row
   * is tried beforehand instead, in the preflight check of whoever makes the step.
   */
  @Override
  public String writtenHere(Scan scan) {
    return "FALSE";
  }

  @Override
  public String pending(Scan scan, boolean bounded, String extra) {
    return "SELECT "
        + ScanParts.selected(scan)
        + " FROM "
        + ScanParts.table(scan)
        + " WHERE "
        + ScanParts.pendingIn(scan, bounded)
        + (extra.isBlank() ? "" : " AND (" + extra + ")")
        + " ORDER BY "
        + ScanParts.names(scan)
        + " LIMIT ?";
  }

  @Override
  public String countPending(Scan scan, boolean bounded) {
    return "SELECT count(*) FROM "
        + ScanParts.table(scan)
        + " WHERE "
        + ScanParts.pendingIn(scan, bounded);
  }

  /**
   * What the optimizer thinks: information_schema gives the same figure, but on MySQL one that may
   * be a day old, from when the table was empty.
   */
  @Override
  public long estimate(Connection connection, Scan scan) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery("EXPLAIN FORMAT=TRADITIONAL SELECT 1 FROM " + scan.table())) {
      if (!row.next()) {
        return -1;
      }
      long rows = row.getLong("rows");
      return row.wasNull() ? -1 : rows;
    } catch (SQLException e) {
      if (MysqlErrors.classify(e) == SqlErrorKind.UNDEFINED_TABLE) {
        return -1;
      }
      throw e;
    }
  }

  /**
   * Locks are waited for in whole seconds. Batches don't wait for rows at all (NOWAIT, SKIP
   * LOCKED), so that this is about foreign keys and unique indexes, and about a single row while
   * nothing else is held. MariaDB can wait for no time at all, and end a statement after
   * milliseconds; MySQL ends only SELECTs by itself, so that there a batch that takes too long is
   * cancelled by the engine.
   */
  @Override
  public void limit(Connection connection, long runMillis, long lockMillis) throws SQLException {
    long seconds = Math.max(1, (lockMillis + SECOND - 1) / SECOND);
    StringBuilder sql = new StringBuilder("SET SESSION innodb_lock_wait_timeout = ");
    if (version.mariadb()) {
      sql.append(lockMillis > 0 && lockMillis < AT_ONCE ? 0 : unlessForEver(lockMillis, seconds))
          .append(", SESSION max_statement_time = ")
          .append(runMillis / MILLIS);
    } else {
      sql.append(unlessForEver(lockMillis, seconds));
    }
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql.toString());
    }
  }

  @Override
  public boolean limitsRuns() {
    return version.mariadb();
  }

  private static long unlessForEver(long lockMillis, long seconds) {
    return lockMillis == 0 ? 100_000_000 : seconds;
  }
}
