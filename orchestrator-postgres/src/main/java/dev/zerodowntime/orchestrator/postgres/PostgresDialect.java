package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.ControlSql;
import dev.zerodowntime.orchestrator.spi.Dialect;
import dev.zerodowntime.orchestrator.spi.DoctorSql;
import dev.zerodowntime.orchestrator.spi.DriverInfo;
import dev.zerodowntime.orchestrator.spi.LoadSql;
import dev.zerodowntime.orchestrator.spi.LockBudget;
import dev.zerodowntime.orchestrator.spi.LongStatements;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.Replicas;
import dev.zerodowntime.orchestrator.spi.ScanSql;
import dev.zerodowntime.orchestrator.spi.ScriptSql;
import dev.zerodowntime.orchestrator.spi.ServerInfo;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/** PostgreSQL, from version 14 on. */
public final class PostgresDialect implements Dialect {

  /** For {@link java.util.ServiceLoader}; code calls {@link #create()}. */
  public PostgresDialect() {}

  /**
   * The dialect, for a builder that is given one instead of finding it.
   *
   * @return the dialect
   */
  public static PostgresDialect create() {
    return new PostgresDialect();
  }

  @Override
  public String name() {
    return "PostgreSQL";
  }

  @Override
  public boolean matches(String productName) {
    return "PostgreSQL".equalsIgnoreCase(productName);
  }

  @Override
  public ServerInfo inspect(Connection connection) throws SQLException {
    return PostgresServerCheck.inspect(connection);
  }

  @Override
  public DriverInfo driver(Connection connection) throws SQLException {
    return PostgresDriver.info(connection);
  }

  @Override
  public ControlSql control() {
    return new PostgresControlSql();
  }

  @Override
  public List<OperationSupport<?>> operations() {
    return List.of(
        new PostgresAddCheck(),
        new PostgresAddColumn(),
        new PostgresAddEnumValue(),
        new PostgresAddExclusion(),
        new PostgresAddForeignKey(),
        new PostgresAddGeneratedColumn(),
        new PostgresAddPrimaryKey(),
        new PostgresAddUnique(),
        new PostgresAttachPartition(),
        new PostgresBackfill(),
        new PostgresChangeColumnType(),
        new PostgresCreateIndex(),
        new PostgresCreateTable(),
        new PostgresDetachPartition(),
        new PostgresDropColumn(),
        new PostgresDropConstraint(),
        new PostgresDropDefault(),
        new PostgresDropIndex(),
        new PostgresDropNotNull(),
        new PostgresDropTable(),
        new PostgresPhasePlan(),
        new PostgresReindex(),
        new PostgresRenameColumn(),
        new PostgresRenameColumnByView(),
        new PostgresRenameColumnInCode(),
        new PostgresRenameEnumValue(),
        new PostgresRenameIndex(),
        new PostgresRenameTable(),
        new PostgresSetDefault(),
        new PostgresSetNotNull(),
        new PostgresWidenColumn(),
        new PostgresWidenKey());
  }

  @Override
  public SqlErrorKind classify(SQLException error) {
    return PostgresErrors.classify(error);
  }

  @Override
  public String openTransactions() {
    return "SELECT * FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'";
  }

  @Override
  public Optional<String> explain(Connection connection, SQLException error) throws SQLException {
    List<String> triggers = EventTriggers.raising(connection, error);
    return triggers.isEmpty()
        ? Optional.empty()
        : Optional.of("raised by event trigger " + String.join(", ", triggers));
  }

  @Override
  public LockBudget lockBudget() {
    return new PostgresLockBudget();
  }

  @Override
  public LongStatements longStatements() {
    return new PostgresLongStatements();
  }

  @Override
  public Replicas replicas() {
    return new PostgresReplicas();
  }

  @Override
  public ScanSql scans() {
    return new PostgresScanSql();
  }

  @Override
  public LoadSql load() {
    return new PostgresLoadSql();
  }

  @Override
  public ScriptSql scripts() {
    return new PostgresScriptSql();
  }

  @Override
  public Optional<DoctorSql> doctor() {
    return Optional.of(new PostgresDoctorSql());
  }

  @Override
  public String toString() {
    return name();
  }
}
