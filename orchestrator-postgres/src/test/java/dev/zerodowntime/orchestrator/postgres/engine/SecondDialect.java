package dev.zerodowntime.orchestrator.postgres.engine;

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

/** A dialect that claims a product and can do nothing: it must never be asked anything else. */
public final class SecondDialect implements Dialect {

  private final String product;

  /** For ServiceLoader: claims PostgreSQL. */
  public SecondDialect() {
    this("PostgreSQL");
  }

  SecondDialect(String product) {
    this.product = product;
  }

  @Override
  public String name() {
    return product;
  }

  @Override
  public boolean matches(String productName) {
    return product.equals(productName);
  }

  @Override
  public String openTransactions() {
    throw new UnsupportedOperationException();
  }

  @Override
  public ServerInfo inspect(Connection connection) {
    throw new UnsupportedOperationException();
  }

  @Override
  public DriverInfo driver(Connection connection) {
    throw new UnsupportedOperationException();
  }

  @Override
  public ControlSql control() {
    throw new UnsupportedOperationException();
  }

  @Override
  public List<OperationSupport<?>> operations() {
    throw new UnsupportedOperationException();
  }

  @Override
  public SqlErrorKind classify(SQLException error) {
    return SqlErrorKind.OTHER;
  }

  @Override
  public LockBudget lockBudget() {
    throw new UnsupportedOperationException();
  }

  @Override
  public LongStatements longStatements() {
    throw new UnsupportedOperationException();
  }

  @Override
  public ScanSql scans() {
    throw new UnsupportedOperationException();
  }

  @Override
  public LoadSql load() {
    throw new UnsupportedOperationException();
  }

  @Override
  public ScriptSql scripts() {
    throw new UnsupportedOperationException();
  }

  @Override
  public Replicas replicas() {
    throw new UnsupportedOperationException();
  }
}
