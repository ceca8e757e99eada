package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.RowFunction;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.RowChange;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.ScanSql;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import javax.sql.DataSource;

/** Backfills a table in small chunks, as far as the server can tell the engine's way. */
final class BackfillWalk {

  private static final ScanSql SQL = new PostgresScanSql();
  private static final int CHUNK = 7;

  /** What changes the rows of a range. */
  interface Change {
    int rows(Connection c, BackfillStep step, boolean bounded, List<?> range) throws SQLException;
  }

  private BackfillWalk() {}

  /** Once along the key, skipping what is locked. */
  static long run(DataSource dataSource, BackfillStep step) throws SQLException {
    return run(dataSource, step, BackfillWalk::free);
  }

  static long run(DataSource dataSource, BackfillStep step, Change change) throws SQLException {
    long done = 0;
    try (Connection c = dataSource.getConnection()) {
      c.setAutoCommit(false);
      Scan scan = step.scan();
      List<String> end = StepRunner.key(c, SQL.lastKey(scan), List.of());
      List<String> after = List.of();
      while (end != null) {
        boolean bounded = !after.isEmpty();
        List<Object> range = new ArrayList<>(after);
        range.addAll(end);
        range.add(CHUNK);
        List<String> upTo = StepRunner.key(c, SQL.chunkEnd(scan, bounded), range);
        if (upTo == null) {
          break;
        }
        upTo = upTo.subList(0, scan.keys().size());
        List<Object> chunk = new ArrayList<>(after);
        chunk.addAll(upTo);
        done += change.rows(c, step, bounded, chunk);
        c.commit();
        after = upTo;
      }
    }
    return done;
  }

  /** Rows that nobody else has locked. */
  static int free(Connection c, BackfillStep step, boolean bounded, List<?> range)
      throws SQLException {
    return step.change() instanceof RowChange.Compute
        ? compute(c, step, SQL.read(step, bounded), range)
        : update(c, SQL.update(step, bounded), range);
  }

  /** All rows, which can't be computed in Java. */
  static int all(Connection c, BackfillStep step, boolean bounded, List<?> range)
      throws SQLException {
    return update(c, SQL.updateAll(step, bounded), range);
  }

  /** One row. */
  static int one(Connection c, BackfillStep step, List<?> key) throws SQLException {
    return step.change() instanceof RowChange.Compute
        ? compute(c, step, SQL.readOne(step), key)
        : update(c, SQL.updateOne(step), key);
  }

  private static int update(Connection c, String sql, List<?> parameters) throws SQLException {
    try (PreparedStatement update = c.prepareStatement(sql)) {
      StepRunner.bind(update, parameters);
      return update.executeUpdate();
    }
  }

  private static int compute(Connection c, BackfillStep step, String read, List<?> parameters)
      throws SQLException {
    RowChange.Compute compute = (RowChange.Compute) step.change();
    int keys = step.scan().keys().size();
    List<List<String>> found = new ArrayList<>();
    List<Values> rows = new ArrayList<>();
    try (PreparedStatement statement = c.prepareStatement(read)) {
      StepRunner.bind(statement, parameters);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          List<String> key = new ArrayList<>();
          for (int i = 0; i < keys; i++) {
            key.add(row.getString(i + 1));
          }
          found.add(key);
          Values values = new Values(new LinkedHashMap<>(), new LinkedHashMap<>());
          int at = keys;
          for (String column : compute.reads()) {
            values.read().put(unquoted(column), row.getString(++at));
          }
          for (RowChange.Column column : compute.writes()) {
            values.written().put(unquoted(column.name()), row.getString(++at));
          }
          rows.add(values);
        }
      }
    }
    if (rows.isEmpty()) {
      return 0;
    }
    try {
      Objects.requireNonNull(compute.function()).apply(List.copyOf(rows));
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
    List<ScanSql.Computed> computed = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      computed.add(
          new ScanSql.Computed(found.get(i), new ArrayList<>(rows.get(i).written().values())));
    }
    return SQL.write(c, "/* tag */ ", step, computed);
  }

  private static String unquoted(String name) {
    return name.substring(1, name.length() - 1).replace("\"\"", "\"");
  }

  private record Values(Map<String, String> read, Map<String, String> written)
      implements RowFunction.Row {
    @Override
    public String get(String column) {
      return read.get(column);
    }

    @Override
    public void set(String column, String value) {
      if (written.replace(column, value) == null && !written.containsKey(column)) {
        throw new IllegalArgumentException(column);
      }
    }
  }
}
