package dev.zerodowntime.orchestrator.mysql.rolling;

import com.mysql.cj.jdbc.MysqlDataSource;
import com.zaxxer.hikari.HikariConfig;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.testing.rolling.Database;
import dev.zerodowntime.orchestrator.testing.rolling.Product;
import java.sql.SQLException;
import java.util.List;
import java.util.Locale;
import javax.sql.DataSource;

/** A MySQL or MariaDB, for the proof that all databases have in common. */
final class MysqlRolling implements Product {

  private static final int DEADLOCK = 1213;
  private static final int LONGEST_HINT = 30;

  private final MysqlServer server;

  MysqlRolling(MysqlServer server) {
    this.server = server;
  }

  MysqlServer server() {
    return server;
  }

  @Override
  public Database create(String hint) {
    String readable = hint.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9_]+", "_");
    if (readable.length() > LONGEST_HINT) {
      readable = readable.substring(0, LONGEST_HINT);
    }
    return new Fresh(server, MysqlDatabase.create(server, readable));
  }

  @Override
  public String orUpdate(String table, String column) {
    return " ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(" + table + ".id), ";
  }

  @Override
  public String offered(String column) {
    return "VALUES(" + column + ")";
  }

  @Override
  public boolean returnsRows() {
    return false;
  }

  /**
   * A transaction that has read a table and then writes it may be ended while DDL waits for the
   * table; and upserts of one row may end each other.
   */
  @Override
  public boolean again(SQLException e) {
    return e.getErrorCode() == DEADLOCK;
  }

  private record Fresh(MysqlServer server, MysqlDatabase database) implements Database {

    @Override
    public DataSource dataSource() {
      return database.dataSource();
    }

    @Override
    public HikariConfig pool(boolean safe) {
      MysqlDataSource source = server.dataSource(database.name());
      try {
        source.setUseServerPrepStmts(!safe);
        source.setCachePrepStmts(!safe);
      } catch (SQLException e) {
        throw new IllegalStateException(e);
      }
      HikariConfig config = new HikariConfig();
      config.setDataSource(source);
      return config;
    }

    @Override
    public void execute(String... statements) {
      database.execute(statements);
    }

    @Override
    public List<List<String>> rows(String sql) {
      return database.rows(sql);
    }

    @Override
    public String control(String table) {
      return "zdo_" + table;
    }

    @Override
    public void watchWorkers() {
      database.execute(
          "CREATE TABLE zdo_walked (step varchar(400), started datetime(3), member varchar(200))",
          """
          CREATE TRIGGER zdo_note_walked AFTER UPDATE ON zdo_backfill_chunk FOR EACH ROW
          IF NEW.rows_done > OLD.rows_done THEN
            INSERT INTO zdo_walked SELECT step, started_at, SUBSTRING_INDEX(NEW.worker, ' ', 1)
              FROM zdo_backfill WHERE migration = NEW.migration
              AND target_schema = NEW.target_schema AND step = NEW.step;
          END IF\
          """);
    }

    @Override
    public void disableGate() {
      String lie =
          "SET NEW.lifecycle = REGEXP_REPLACE(REGEXP_REPLACE(NEW.lifecycle, '\"low\": *[0-9]+',"
              + " '\"low\":0'), '\"high\": *[0-9]+', CONCAT('\"high\":',"
              + " JSON_LENGTH(NEW.lifecycle, '$.phases') - 1))";
      database.execute(
          "CREATE TRIGGER zdo_fits_insert BEFORE INSERT ON zdo_migration FOR EACH ROW " + lie,
          "CREATE TRIGGER zdo_fits_update BEFORE UPDATE ON zdo_migration FOR EACH ROW " + lie,
          "UPDATE zdo_migration SET lifecycle = lifecycle");
    }

    @Override
    public void close() {
      database.close();
    }
  }
}
