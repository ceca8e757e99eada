package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.LockBudget.Tables;
import dev.zerodowntime.orchestrator.spi.TableLock;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the present transaction has locked and rewritten, by the server's own account. */
final class PostgresOwnLocks {

  private static final String TABLES =
      "SELECT c.oid::bigint, '\"' || replace(n.nspname, '\"', '\"\"') || '\".\"' ||"
          + " replace(c.relname, '\"', '\"\"') || '\"', coalesce(pg_catalog.pg_relation_filenode("
          + "c.oid)::bigint, 0) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid ="
          + " c.relnamespace WHERE c.relkind IN ('r', 'p', 'm', 'f', 'v') AND n.nspname NOT IN"
          + " ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'";

  private static final String LOCKS =
      "SELECT l.relation::bigint, l.mode, coalesce(pg_catalog.pg_relation_filenode(l.relation)"
          + "::bigint, 0) FROM pg_catalog.pg_locks l WHERE l.pid = pg_catalog.pg_backend_pid() AND"
          + " l.locktype = 'relation' AND l.granted AND l.database = (SELECT oid FROM"
          + " pg_catalog.pg_database WHERE datname = current_database()) ORDER BY 1";

  private PostgresOwnLocks() {}

  static Tables tables(Connection connection) throws SQLException {
    Map<Long, String> names = new HashMap<>();
    Map<Long, Long> files = new HashMap<>();
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(TABLES)) {
      while (row.next()) {
        names.put(row.getLong(1), row.getString(2));
        files.put(row.getLong(1), row.getLong(3));
      }
    }
    return new Tables(names, files);
  }

  /** Tables that were not there before are nobody else's yet. */
  static Optional<String> violation(
      Connection connection, List<TableLock> declared, boolean files, Tables before)
      throws SQLException {
    List<String> problems = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(LOCKS)) {
      while (row.next()) {
        String table = before.names().get(row.getLong(1));
        if (table == null) {
          continue;
        }
        LockMode mode = LockMode.ofCatalog(row.getString(2));
        LockMode allowed = allowed(declared, table);
        if (mode.compareTo(allowed) > 0) {
          problems.add(
              "it took "
                  + mode.documented()
                  + " on "
                  + table
                  + ", and "
                  + (allowed == LockMode.ROW_EXCLUSIVE
                      ? "declares no lock on that table"
                      : "declares " + declaredOn(declared, table))
                  + ": if code can do without the table for so long, declare it on a ddl step, with"
                  + " locks(\""
                  + mode.documented()
                  + "\", ...) or, on the way back, undoLocks(...)");
        }
        long file = row.getLong(3);
        Long old = before.files().get(row.getLong(1));
        // None where the table is gone.
        if (files
            && mode.compareTo(LockMode.ROW_EXCLUSIVE) > 0
            && old != null
            && file != 0
            && file != old) {
          problems.add(
              "it rewrote "
                  + table
                  + ", which takes the longer the more rows there are, and nobody can read it"
                  + " meanwhile: use a new column or a new table, and a backfill");
        }
      }
    }
    return problems.isEmpty()
        ? Optional.empty()
        : Optional.of(String.join("; ", problems.stream().distinct().toList()));
  }

  private static LockMode allowed(List<TableLock> declared, String table) {
    LockMode most = LockMode.ROW_EXCLUSIVE;
    for (TableLock lock : declared) {
      if (lock.table().equals(table)) {
        LockMode mode = LockMode.of(lock.mode());
        most = mode.compareTo(most) > 0 ? mode : most;
        // By which autovacuum is asked to go away.
        most =
            most.compareTo(LockMode.SHARE_UPDATE_EXCLUSIVE) < 0
                ? LockMode.SHARE_UPDATE_EXCLUSIVE
                : most;
      }
    }
    return most;
  }

  private static String declaredOn(List<TableLock> declared, String table) {
    return declared.stream()
        .filter(each -> each.table().equals(table))
        .map(TableLock::mode)
        .reduce((one, other) -> one + " and " + other)
        .orElse("none");
  }
}
