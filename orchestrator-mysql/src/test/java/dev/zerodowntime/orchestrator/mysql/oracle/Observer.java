package dev.zerodowntime.orchestrator.mysql.oracle;

import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import javax.sql.DataSource;

/**
 * Looks at one database from a session of its own: at metadata locks, as far as the server tells,
 * at who waits for one, and at what InnoDB calls the tables and indexes that it keeps. Used by one
 * thread at a time.
 */
final class Observer implements AutoCloseable {

  /** All but control tables: also those that are quarantined. */
  private static final String APPLICATION = " NOT RLIKE '^(zdo_([^o]|o[^l])|#)'";

  private static final String TABLES =
      "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND"
          + " TABLE_TYPE = 'BASE TABLE' AND TABLE_NAME"
          + APPLICATION;

  private static final String MYSQL_LOCKS =
      "SELECT m.OBJECT_NAME, m.LOCK_TYPE, m.LOCK_STATUS = 'PENDING' FROM"
          + " performance_schema.metadata_locks m JOIN performance_schema.threads t ON t.THREAD_ID"
          + " = m.OWNER_THREAD_ID WHERE t.PROCESSLIST_ID = ? AND m.OBJECT_TYPE = 'TABLE' AND"
          + " m.OBJECT_SCHEMA = DATABASE() AND m.OBJECT_NAME"
          + APPLICATION;

  private static final String WAITS =
      "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = ? AND STATE = 'Waiting for"
          + " table metadata lock'";

  private final Connection connection;
  private final boolean mariadb;
  private final PreparedStatement locks;
  private final PreparedStatement waits;

  Observer(MysqlServer server, DataSource database) throws SQLException {
    this.connection = database.getConnection();
    this.mariadb = server.flavor() == MysqlServer.Flavor.MARIADB;
    this.locks = mariadb ? null : connection.prepareStatement(MYSQL_LOCKS);
    this.waits =
        connection.prepareStatement(
            mariadb
                ? WAITS
                : WAITS.replace(
                    "information_schema.PROCESSLIST", "performance_schema.processlist"));
  }

  /** Whether {@link #locks} has anything to say. */
  boolean seesLocks() {
    return !mariadb;
  }

  /**
   * A session's locks of the application's tables.
   *
   * @param granted those that it has
   * @param pending those that it waits for
   */
  record Locks(Map<String, Mode> granted, Map<String, Mode> pending) {}

  Locks locks(long session) throws SQLException {
    Map<String, Mode> granted = new TreeMap<>();
    Map<String, Mode> pending = new TreeMap<>();
    if (seesLocks()) {
      locks.setLong(1, session);
      try (ResultSet row = locks.executeQuery()) {
        while (row.next()) {
          (row.getBoolean(3) ? pending : granted)
              .merge(row.getString(1), Mode.valueOf(row.getString(2)), Mode::stronger);
        }
      }
    }
    return new Locks(granted, pending);
  }

  /** Whether a session waits for a metadata lock. */
  boolean waits(long session) throws SQLException {
    waits.setLong(1, session);
    try (ResultSet row = waits.executeQuery()) {
      row.next();
      return row.getBoolean(1);
    }
  }

  /** The application's tables, and those that are quarantined. */
  List<String> tables() throws SQLException {
    List<String> tables = new ArrayList<>();
    try (PreparedStatement statement = connection.prepareStatement(TABLES);
        ResultSet row = statement.executeQuery()) {
      while (row.next()) {
        tables.add(row.getString(1));
      }
    }
    return tables;
  }

  /**
   * What InnoDB keeps, by its own numbers, which are new ones for what is written anew.
   *
   * @param tables the names of tables by number
   * @param indexes the table's number by an index's
   */
  record Kept(Map<Long, String> tables, Map<Long, Long> indexes) {

    /** What was written anew since; tables that are new altogether don't count. */
    Measured.Built builtSince(Kept before) {
      Set<String> names = new HashSet<>(before.tables.values());
      for (Map.Entry<Long, String> each : tables.entrySet()) {
        if (!before.tables.containsKey(each.getKey()) && names.contains(each.getValue())) {
          return Measured.Built.TABLE;
        }
      }
      for (Map.Entry<Long, Long> each : indexes.entrySet()) {
        if (!before.indexes.containsKey(each.getKey())
            && before.tables.containsKey(each.getValue())) {
          return Measured.Built.INDEX;
        }
      }
      return Measured.Built.NOTHING;
    }
  }

  Kept kept() throws SQLException {
    String prefix = mariadb ? "information_schema.INNODB_SYS_" : "information_schema.INNODB_";
    Map<Long, String> tables = new HashMap<>();
    Map<Long, Long> indexes = new HashMap<>();
    try (PreparedStatement statement =
            connection.prepareStatement(
                "SELECT TABLE_ID, NAME FROM "
                    + prefix
                    + "TABLES WHERE NAME LIKE CONCAT(REPLACE(DATABASE(), '_', '\\_'), '/%')");
        ResultSet row = statement.executeQuery()) {
      while (row.next()) {
        tables.put(row.getLong(1), row.getString(2));
      }
    }
    try (PreparedStatement statement =
            connection.prepareStatement("SELECT INDEX_ID, TABLE_ID FROM " + prefix + "INDEXES");
        ResultSet row = statement.executeQuery()) {
      while (row.next()) {
        if (tables.containsKey(row.getLong(2))) {
          indexes.put(row.getLong(1), row.getLong(2));
        }
      }
    }
    return new Kept(tables, indexes);
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
