package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.ScanSql;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What walks along a key read. They lock nothing that a query waits for, so a time limit that the
 * role or the database has for the application's statements is lifted for them: it would stop them
 * again and again at the same place.
 */
final class ScanReads {

  private final EngineContext ctx;
  private final ScanSql sql;

  ScanReads(EngineContext ctx) {
    this.ctx = ctx;
    this.sql = ctx.dialect().scans();
  }

  /**
   * The end of a stretch of keys.
   *
   * @param key the last key
   * @param rows how many keys it has
   */
  record Bound(List<String> key, long rows) {}

  /** Reads in a transaction of its own, which waits for nothing long but may take its time. */
  <T> T alone(Db.Work<T> work) throws SQLException {
    return ctx.ddlTransaction(work);
  }

  /** Limits the next statements of a transaction; 0 lifts a limit. */
  void limit(Connection connection, long millis, long lockMillis) throws SQLException {
    sql.limit(connection, millis, lockMillis);
  }

  /** Where a stretch of so many keys ends; empty if no key is left. */
  Optional<Bound> bound(
      Connection connection,
      Scan scan,
      @Nullable List<String> after,
      @Nullable List<String> upTo,
      int rows)
      throws SQLException {
    if (upTo == null) {
      return Optional.empty();
    }
    List<Object> whole = sql.range(scan, after, upTo);
    whole.add(rows - 1);
    Optional<Bound> bound =
        Db.queryOne(
            connection,
            sql.keyAt(scan, after != null),
            row -> new Bound(key(row, scan), rows),
            whole.toArray());
    if (bound.isPresent()) {
      return bound;
    }
    // Not as many are left: all of them.
    List<Object> parameters = sql.range(scan, after, upTo);
    parameters.add(rows);
    return Db.queryOne(
        connection,
        sql.chunkEnd(scan, after != null),
        row -> new Bound(key(row, scan), row.getLong(scan.keys().size() + 1)),
        parameters.toArray());
  }

  @Nullable List<String> lastKey(Connection connection, Scan scan) throws SQLException {
    return Db.queryOne(connection, sql.lastKey(scan), row -> key(row, scan)).orElse(null);
  }

  long estimate(Connection connection, Scan scan) throws SQLException {
    return sql.estimate(connection, scan);
  }

  long countPending(
      Connection connection, Scan scan, @Nullable List<String> after, List<String> upTo)
      throws SQLException {
    return Db.queryOne(
            connection,
            sql.countPending(scan, after != null),
            row -> row.getLong(1),
            sql.range(scan, after, upTo).toArray())
        .orElse(0L);
  }

  /** Keys of pending rows of a range, as many as the limit at most. */
  List<List<String>> pending(
      Connection connection,
      Scan scan,
      @Nullable List<String> after,
      List<String> upTo,
      String extra,
      int limit)
      throws SQLException {
    List<Object> parameters = sql.range(scan, after, upTo);
    parameters.add(limit);
    return Db.query(
        connection,
        sql.pending(scan, after != null, extra),
        row -> key(row, scan),
        parameters.toArray());
  }

  static List<String> key(ResultSet row, Scan scan) throws SQLException {
    List<String> key = new ArrayList<>();
    for (int i = 1; i <= scan.keys().size(); i++) {
      key.add(row.getString(i));
    }
    return key;
  }
}
