package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.RowChange;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Changes a few rows that nobody else has locked, in a transaction that is rolled back: the server
 * says whether it can, and whether anything is left to do for them. Later on nobody could tell rows
 * that were changed in vain from those that somebody else has changed since.
 */
final class BackfillTrial {

  private static final int LOOKED_AT = 1_000;
  private static final int CHANGED = 10;

  private final Catalog catalog;
  private final Connection connection;
  private final MysqlScanSql sql;

  BackfillTrial(Catalog catalog, Connection connection) {
    this.catalog = catalog;
    this.connection = connection;
    this.sql = new MysqlScanSql(catalog.version());
  }

  /**
   * Tries.
   *
   * @param step the backfill
   * @param remedy what to do where it would change rows again and again
   */
  void run(BackfillStep step, String remedy) throws SQLException {
    Scan scan = step.scan();
    try {
      // Even of an empty table.
      Scan none = new Scan(scan.table(), scan.keys(), "(" + scan.pending() + ") AND FALSE");
      BackfillStep nothing = with(step, none);
      List<String> zero = scan.keys().stream().map(each -> "0").toList();
      boolean computed = step.change() instanceof RowChange.Compute;
      if (computed) {
        keys(sql.readOne(nothing), sql.key(scan, zero), 1);
        return;
      }
      update(sql.updateOne(nothing), sql.key(scan, zero));
      List<List<String>> last = keys(sql.lastKey(scan), List.of(), scan.keys().size());
      if (last.isEmpty() || !step.mustFinish()) {
        return;
      }
      List<Object> whole = sql.range(scan, null, last.get(0));
      whole.add(LOOKED_AT);
      List<List<String>> bound = keys(sql.keyAt(scan, false), whole, scan.keys().size());
      List<Object> near = sql.range(scan, null, bound.isEmpty() ? last.get(0) : bound.get(0));
      near.add(CHANGED);
      List<List<String>> rows = keys(sql.pending(scan, false, ""), near, scan.keys().size());
      if (rows.isEmpty()) {
        return;
      }
      List<Object> range = sql.range(scan, null, rows.get(rows.size() - 1));
      int changed = update(sql.update(step, false), range);
      range.add(CHANGED);
      List<List<String>> left = keys(sql.pending(scan, false, ""), range, scan.keys().size());
      left.retainAll(rows);
      boolean assigned = step.change() instanceof RowChange.Assign;
      if (!left.isEmpty() && (!assigned || changed >= rows.size())) {
        throw catalog.refuse(
            step.summary()
                + " would change a row again and again, for one that with key "
                + left.get(0)
                + ": after it was changed its columns differ from the expressions still",
            remedy);
      }
    } catch (SQLException e) {
      SqlErrorKind kind = MysqlErrors.classify(e);
      if (kind == SqlErrorKind.OTHER
          || kind == SqlErrorKind.UNDEFINED_TABLE
          || kind == SqlErrorKind.PRIVILEGE) {
        throw catalog.refuse(
            step.summary() + " can't be executed: " + Catalog.said(e),
            "Correct the expressions: they are evaluated once per row, over the columns of "
                + scan.table()
                + "; where two tables have a column of one name, say whose.");
      }
      // A row that is in the way is named when its turn comes; a lock will be gone by then.
      if (kind != SqlErrorKind.DATA
          && kind != SqlErrorKind.LOCK_TIMEOUT
          && kind != SqlErrorKind.DEADLOCK) {
        throw e;
      }
    }
  }

  private static BackfillStep with(BackfillStep step, Scan scan) {
    return new BackfillStep(
        step.name(),
        step.summary(),
        scan,
        step.change(),
        step.repeat(),
        step.poison(),
        step.mustFinish());
  }

  private int update(String statement, List<Object> parameters) throws SQLException {
    try (PreparedStatement prepared = connection.prepareStatement(statement)) {
      bind(prepared, parameters);
      return prepared.executeUpdate();
    }
  }

  private List<List<String>> keys(String statement, List<Object> parameters, int columns)
      throws SQLException {
    try (PreparedStatement prepared = connection.prepareStatement(statement)) {
      bind(prepared, parameters);
      List<List<String>> keys = new ArrayList<>();
      try (ResultSet row = prepared.executeQuery()) {
        while (row.next()) {
          List<String> key = new ArrayList<>();
          for (int i = 1; i <= columns; i++) {
            key.add(row.getString(i));
          }
          keys.add(key);
        }
      }
      return keys;
    }
  }

  private static void bind(PreparedStatement statement, List<? extends @Nullable Object> parameters)
      throws SQLException {
    for (int i = 0; i < parameters.size(); i++) {
      Object each = parameters.get(i);
      if (each instanceof byte[] bytes) {
        statement.setBytes(i + 1, bytes);
      } else if (each instanceof BigDecimal number) {
        statement.setBigDecimal(i + 1, number);
      } else if (each instanceof Integer number) {
        statement.setInt(i + 1, number);
      } else {
        statement.setString(i + 1, String.valueOf(each));
      }
    }
  }
}
