package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.internal.control.Progress;
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

  /** Reads in a transaction of its own. */
  <T> T alone(Db.Work<T> work) throws SQLException {
    return ctx.ddlTransaction(
        connection -> {
          limit(connection, 0);
          return work.run(connection);
        });
  }

  /** Limits the next statements of a transaction; 0 lifts every limit. */
  void limit(Connection connection, long millis) throws SQLException {
    Db.query(connection, sql.limitStatement(), row -> true, millis);
  }

  /** The key that ends the next chunk; empty if nothing is left. */
  Optional<List<String>> chunkEnd(Scan scan, Progress progress) throws SQLException {
    List<String> end = progress.end();
    if (end == null) {
      return Optional.empty();
    }
    List<Object> parameters = range(progress.cursor(), end);
    parameters.add(progress.chunkRows());
    return alone(
        connection ->
            Db.queryOne(
                connection,
                sql.chunkEnd(scan, progress.cursor() != null),
                row -> key(row, scan),
                parameters.toArray()));
  }

  @Nullable List<String> lastKey(Connection connection, Scan scan) throws SQLException {
    return Db.queryOne(connection, sql.lastKey(scan), row -> key(row, scan)).orElse(null);
  }

  long estimate(Connection connection, Scan scan) throws SQLException {
    return Db.queryOne(connection, sql.estimate(scan), row -> row.getLong(1)).orElse(-1L);
  }

  long countPending(
      Connection connection, Scan scan, @Nullable List<String> after, List<String> upTo)
      throws SQLException {
    return Db.queryOne(
            connection,
            sql.countPending(scan, after != null),
            row -> row.getLong(1),
            range(after, upTo).toArray())
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
    List<Object> parameters = range(after, upTo);
    parameters.add(limit);
    return Db.query(
        connection,
        sql.pending(scan, after != null, extra),
        row -> key(row, scan),
        parameters.toArray());
  }

  /** The parameters of a range. */
  static List<Object> range(@Nullable List<String> after, List<String> upTo) {
    List<Object> parameters = new ArrayList<>();
    if (after != null) {
      parameters.addAll(after);
    }
    parameters.addAll(upTo);
    return parameters;
  }

  private static List<String> key(ResultSet row, Scan scan) throws SQLException {
    List<String> key = new ArrayList<>();
    for (int i = 1; i <= scan.keys().size(); i++) {
      key.add(row.getString(i));
    }
    return key;
  }
}
