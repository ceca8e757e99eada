package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.DatabaseException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.spi.ControlSql;
import dev.zerodowntime.orchestrator.spi.Dialect;
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
import java.util.Locale;

/**
 * The dialect for MySQL and MariaDB.
 *
 * <p>It has no operations yet. It exists so that an application on MySQL is told so in one clear
 * sentence at {@code advance()}, before anything is touched, rather than that no dialect was found.
 * Stateless and thread-safe.
 */
public final class MysqlDialect implements Dialect {

  /** For {@link java.util.ServiceLoader}, and for {@code builder.dialect(...)}. */
  public MysqlDialect() {}

  @Override
  public String name() {
    return "MySQL";
  }

  @Override
  public boolean matches(String productName) {
    String name = productName.toLowerCase(Locale.ROOT);
    return name.equals("mysql") || name.equals("mariadb");
  }

  /**
   * Refuses every server.
   *
   * @throws DatabaseException always
   */
  @Override
  public ServerInfo inspect(Connection connection) throws SQLException {
    throw refusal();
  }

  @Override
  public DriverInfo driver(Connection connection) {
    throw refusal();
  }

  @Override
  public ControlSql control() {
    throw refusal();
  }

  @Override
  public List<OperationSupport<?>> operations() {
    return List.of();
  }

  @Override
  public SqlErrorKind classify(SQLException error) {
    String state = error.getSQLState();
    return state != null && state.startsWith("08")
        ? SqlErrorKind.CONNECTION_LOST
        : SqlErrorKind.OTHER;
  }

  @Override
  public LockBudget lockBudget() {
    throw refusal();
  }

  @Override
  public LongStatements longStatements() {
    throw refusal();
  }

  @Override
  public Replicas replicas() {
    throw refusal();
  }

  @Override
  public ScanSql scans() {
    throw refusal();
  }

  @Override
  public LoadSql load() {
    throw refusal();
  }

  @Override
  public ScriptSql scripts() {
    throw refusal();
  }

  private static DatabaseException refusal() {
    return new DatabaseException(
        ErrorCode.UNSUPPORTED_SERVER,
        "MySQL and MariaDB are not supported yet: this version's MySQL dialect has no operations",
        "Nothing was touched. Use PostgreSQL 14 or newer, or wait for a version that has them.",
        null);
  }
}
