package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.spi.Blocker;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Ends a session in the way of DDL, if it is one that an application has left open. */
final class BlockerEnd {

  private static final int NO_SUCH_THREAD = 1094;

  private static final String WHO =
      "SELECT CASE WHEN USER IN ('system user', 'event_scheduler', 'mysql.session', 'mysql.sys',"
          + " 'mysql.infoschema', 'mariadb.sys', 'root') THEN CONCAT('its user is ', USER) WHEN"
          + " COMMAND LIKE 'Binlog Dump%%' OR COMMAND IN ('Daemon', 'Slave_IO', 'Slave_SQL',"
          + " 'Slave_worker', 'Connect', 'Delayed insert') THEN CONCAT('it is the server''s own or"
          + " a replication''s: ', COMMAND) END FROM %s WHERE ID = %d";

  private static final String CHANGED =
      "SELECT COALESCE(MAX(trx_rows_modified), 0) FROM information_schema.INNODB_TRX"
          + " WHERE trx_mysql_thread_id = %d";

  private static final String PROGRAM =
      "SELECT ATTR_VALUE FROM performance_schema.session_connect_attrs WHERE PROCESSLIST_ID = %d"
          + " AND ATTR_NAME = 'program_name' AND ATTR_VALUE IN ('mysqldump', 'mysqlpump',"
          + " 'mariadb-dump', 'mydumper', 'xtrabackup', 'mariabackup', 'mariadb-backup')";

  /**
   * Held by LOCK TABLES, FLUSH TABLES WITH READ LOCK, and DDL; by no query and no change of rows.
   */
  private static final String MYSQL_LOCKS =
      "SELECT LOCK_TYPE FROM performance_schema.metadata_locks zdo_m"
          + " JOIN performance_schema.threads zdo_t ON zdo_t.THREAD_ID = zdo_m.OWNER_THREAD_ID"
          + " WHERE zdo_t.PROCESSLIST_ID = %d AND LOCK_STATUS = 'GRANTED' AND (OBJECT_TYPE = 'TABLE'"
          + " AND LOCK_TYPE IN ('SHARED_UPGRADABLE', 'SHARED_READ_ONLY', 'SHARED_NO_WRITE',"
          + " 'SHARED_NO_READ_WRITE', 'EXCLUSIVE') OR OBJECT_TYPE IN ('GLOBAL', 'COMMIT',"
          + " 'BACKUP LOCK') AND LOCK_TYPE IN ('SHARED', 'EXCLUSIVE')) LIMIT 1";

  private static final String MARIADB_LOCKS =
      "SELECT LOCK_MODE FROM information_schema.METADATA_LOCK_INFO WHERE THREAD_ID = %d"
          + " AND LOCK_MODE IN ('MDL_SHARED_UPGRADABLE', 'MDL_SHARED_READ_ONLY',"
          + " 'MDL_SHARED_NO_WRITE', 'MDL_SHARED_NO_READ_WRITE', 'MDL_EXCLUSIVE',"
          + " 'MDL_BACKUP_FTWRL1', 'MDL_BACKUP_FTWRL2', 'MDL_BACKUP_BLOCK_DDL') LIMIT 1";

  private final MysqlVersion version;

  BlockerEnd(MysqlVersion version) {
    this.version = version;
  }

  /** See {@link dev.zerodowntime.orchestrator.spi.LockBudget#end}. */
  Optional<String> end(Connection connection, Blocker blocker, long mostRows) throws SQLException {
    long id = Long.parseLong(blocker.session());
    if (!new MdlHolders(version).still(connection, blocker)) {
      return Optional.of("its transaction is over");
    }
    String who = ask(connection, WHO.formatted(MysqlControlSql.processes(version), id));
    if (who != null) {
      return Optional.of(who);
    }
    String changed;
    try {
      changed = ask(connection, CHANGED.formatted(id));
    } catch (SQLException e) {
      if (MysqlErrors.classify(e) != SqlErrorKind.PRIVILEGE) {
        throw e;
      }
      return Optional.of("how much it has changed can't be seen; GRANT PROCESS lets it");
    }
    if (changed != null && Long.parseLong(changed) > mostRows) {
      return Optional.of("it has changed " + changed + " rows, and would take them back");
    }
    String lock;
    try {
      lock = ask(connection, (version.mariadb() ? MARIADB_LOCKS : MYSQL_LOCKS).formatted(id));
    } catch (SQLException e) {
      if (!MdlHolders.unseen(e)) {
        throw e;
      }
      return Optional.of(
          "whether it has locked tables explicitly can't be seen; "
              + (version.mariadb()
                  ? "INSTALL SONAME 'metadata_lock_info' lets it"
                  : "GRANT SELECT ON performance_schema.* lets it"));
    }
    if (lock != null) {
      return Optional.of("it has locked a table explicitly, or changes one: " + lock);
    }
    String program = program(connection, id);
    if (program != null) {
      return Optional.of("it is a backup: " + program);
    }
    try (Statement kill = connection.createStatement()) {
      kill.execute("KILL CONNECTION " + id);
      return Optional.empty();
    } catch (SQLException e) {
      if (e.getErrorCode() != NO_SUCH_THREAD) {
        throw e;
      }
      return Optional.of("it was gone already");
    }
  }

  /** Where the server doesn't tell what program it is, its locks tell enough. */
  private static @Nullable String program(Connection connection, long id) throws SQLException {
    try {
      return ask(connection, PROGRAM.formatted(id));
    } catch (SQLException e) {
      SqlErrorKind kind = MysqlErrors.classify(e);
      if (kind == SqlErrorKind.PRIVILEGE || kind == SqlErrorKind.UNDEFINED_TABLE) {
        return null;
      }
      throw e;
    }
  }

  private static @Nullable String ask(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      return row.next() ? row.getString(1) : null;
    }
  }
}
