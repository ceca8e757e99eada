package dev.zerodowntime.orchestrator.postgres.oracle;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.sql.DataSource;

/**
 * Looks at the locks of others' sessions from one of its own. It sees what is committed: a relation
 * that the observed transaction has made is not there for it, nor for anybody who could wait.
 * Relations that the transaction drops or renames still have their names. Thread-safe.
 */
final class Observer implements AutoCloseable {

  /**
   * Locks of an index, of a sequence that a column owns and of a TOAST table are locks of their
   * table: whoever uses the table takes them too. No query looks for an index that is not live.
   * That of nextval on a sequence of its own is in nobody's way, and any SELECT may take it.
   */
  private static final String LOCKS =
      "SELECT l.mode, n.nspname, o.relname FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON"
          + " c.oid = l.relation LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid LEFT JOIN"
          + " pg_catalog.pg_class h ON h.reltoastrelid = c.oid LEFT JOIN pg_catalog.pg_depend d ON"
          + " d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.refclassid ="
          + " 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0 AND"
          + " c.relkind = 'S' JOIN pg_catalog.pg_class o ON o.oid = coalesce(i.indrelid, h.oid,"
          + " d.refobjid, c.oid) JOIN pg_catalog.pg_namespace n ON n.oid = o.relnamespace WHERE"
          + " l.pid = ? AND l.locktype = 'relation' AND l.database = (SELECT oid FROM"
          + " pg_catalog.pg_database WHERE datname = current_database()) AND coalesce(i.indislive,"
          + " true) AND NOT (c.relkind = 'S' AND d.objid IS NULL AND l.mode = 'RowExclusiveLock')"
          + " AND n.nspname NOT IN ('orchestrator', 'information_schema') AND n.nspname NOT"
          + " LIKE 'pg\\_%'";

  private static final String ROWS =
      "SELECT relid, schemaname, relname, n_tup_upd, pg_catalog.pg_relation_filenode(relid) FROM"
          + " pg_catalog.pg_stat_xact_all_tables WHERE schemaname NOT IN ('orchestrator',"
          + " 'information_schema') AND schemaname NOT LIKE 'pg\\_%'";

  private final DataSource database;
  private final Connection connection;
  private final PreparedStatement locks;
  private final PreparedStatement waits;

  Observer(DataSource database) throws SQLException {
    this.database = database;
    this.connection = database.getConnection();
    this.locks = connection.prepareStatement(LOCKS);
    this.waits = connection.prepareStatement("SELECT ? = ANY (pg_catalog.pg_blocking_pids(?))");
  }

  /** The strongest lock of a session on each of the application's tables, had or waited for. */
  synchronized Map<String, Mode> locks(int pid) throws SQLException {
    Map<String, Mode> strongest = new TreeMap<>();
    locks.setInt(1, pid);
    try (ResultSet row = locks.executeQuery()) {
      while (row.next()) {
        strongest.merge(
            row.getString(2) + "." + row.getString(3),
            Mode.ofCatalog(row.getString(1)),
            (one, other) -> one.strongerThan(other) ? one : other);
      }
    }
    return strongest;
  }

  /** Whether a session waits for another. */
  synchronized boolean waits(int pid, int blocker) throws SQLException {
    waits.setInt(1, blocker);
    waits.setInt(2, pid);
    try (ResultSet row = waits.executeQuery()) {
      row.next();
      return row.getBoolean(1);
    }
  }

  /** A transaction that writes to every table and has a snapshot; null if a lock is in its way. */
  synchronized Writer writer() throws SQLException {
    List<String> tables = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_catalog.pg_tables WHERE"
                    + " schemaname NOT IN ('orchestrator', 'information_schema') AND schemaname NOT"
                    + " LIKE 'pg\\_%'")) {
      while (row.next()) {
        tables.add(row.getString(1));
      }
    }
    return Writer.open(database, tables);
  }

  /**
   * What of the application's tables a session has changed.
   *
   * @param updates updated rows, more and more within a session
   * @param file where the rows are: elsewhere after a rewrite
   */
  record Rows(String table, long updates, long file) {}

  /** By table; asked on the very session. */
  static Map<Long, Rows> rows(Connection session) throws SQLException {
    Map<Long, Rows> rows = new HashMap<>();
    try (Statement statement = session.createStatement();
        ResultSet row = statement.executeQuery(ROWS)) {
      while (row.next()) {
        rows.put(
            row.getLong(1),
            new Rows(
                "\"" + row.getString(2) + "\".\"" + row.getString(3) + "\"",
                row.getLong(4),
                row.getLong(5)));
      }
    }
    return rows;
  }

  /** How many rows are new versions of old ones, between two looks. */
  static long rewritten(Connection session, Map<Long, Rows> before) throws SQLException {
    long count = 0;
    for (Map.Entry<Long, Rows> each : rows(session).entrySet()) {
      Rows was = before.get(each.getKey());
      if (was == null) {
        continue;
      }
      count += each.getValue().updates() - was.updates();
      if (each.getValue().file() != was.file()) {
        try (Statement statement = session.createStatement();
            ResultSet row =
                statement.executeQuery("SELECT count(*) FROM " + each.getValue().table())) {
          row.next();
          count += row.getLong(1);
        }
      }
    }
    return count;
  }

  /** The limits in force on a session, in milliseconds; 0 is none. */
  record Limits(long lock, long statement) {

    boolean within(long budget) {
      return lock > 0 && lock <= budget && statement > 0 && statement <= budget;
    }

    static Limits of(Connection session) throws SQLException {
      try (Statement statement = session.createStatement();
          ResultSet row =
              statement.executeQuery(
                  "SELECT (SELECT setting::bigint FROM pg_catalog.pg_settings WHERE name ="
                      + " 'lock_timeout'), (SELECT setting::bigint FROM pg_catalog.pg_settings"
                      + " WHERE name = 'statement_timeout')")) {
        row.next();
        return new Limits(row.getLong(1), row.getLong(2));
      }
    }

    @Override
    public String toString() {
      return "lock_timeout = " + lock + " ms, statement_timeout = " + statement + " ms";
    }
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
