package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.CopyTool;
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
import dev.zerodowntime.orchestrator.spi.TableCopier;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * MySQL, from 8.0.32 on, and MariaDB, from 10.6 on.
 *
 * <p>Stateless and thread-safe. Which of the two it is for, and which version, it learns when the
 * engine asks it {@link #forServer}.
 */
public final class MysqlDialect implements Dialect {

  /** Null until {@link #forServer} was asked. */
  private final @Nullable MysqlVersion version;

  private final @Nullable CopyTool tool;

  /** For {@link java.util.ServiceLoader}, and for {@code builder.dialect(...)}. */
  public MysqlDialect() {
    this(null, null);
  }

  private MysqlDialect(@Nullable MysqlVersion version, @Nullable CopyTool tool) {
    this.version = version;
    this.tool = tool;
  }

  @Override
  public Dialect forServer(Connection connection) throws SQLException {
    return new MysqlDialect(MysqlVersion.of(connection), tool);
  }

  @Override
  public boolean copiesTables() {
    return true;
  }

  @Override
  public Dialect withCopyTool(CopyTool given) {
    return new MysqlDialect(version, given);
  }

  @Override
  public Optional<TableCopier> copier() {
    CopyTool given = tool;
    return given == null
        ? Optional.empty()
        : Optional.of(new PtOnlineSchemaChange(version(), given));
  }

  @Override
  public String controlSchema(String currentSchema) {
    // The database that the application's user has rights on, and that is dumped as a whole.
    return currentSchema;
  }

  @Override
  public boolean transactionalDdl() {
    return false;
  }

  @Override
  public String name() {
    return "MySQL";
  }

  @Override
  public boolean matches(String productName) {
    String name = productName.toLowerCase(Locale.ROOT);
    return name.equals("mysql") || name.equals("mariadb");
  }

  @Override
  public ServerInfo inspect(Connection connection) throws SQLException {
    return MysqlServerCheck.inspect(connection);
  }

  @Override
  public DriverInfo driver(Connection connection) throws SQLException {
    return MysqlDriver.info(connection);
  }

  @Override
  public ControlSql control() {
    return new MysqlControlSql(version());
  }

  @Override
  public List<OperationSupport<?>> operations() {
    CopyRoute copies = new CopyRoute(tool);
    return List.of(
        new MysqlAddCheck(version(), copies),
        new MysqlAddColumn(version()),
        new MysqlAddForeignKey(version()),
        new MysqlAddGeneratedColumn(version(), copies),
        new MysqlAddPrimaryKey(version()),
        new MysqlAddUnique(version()),
        new MysqlBackfill(version()),
        new MysqlChangeColumnType(version()),
        new MysqlCreateIndex(version()),
        new MysqlCreateTable(),
        new MysqlDropColumn(version()),
        new MysqlDropConstraint(version()),
        new MysqlDropDefault(version()),
        new MysqlDropIndex(version()),
        new MysqlDropNotNull(version()),
        new MysqlDropTable(version()),
        new MysqlPhasePlan(version()),
        new MysqlReindex(version(), copies),
        new MysqlRenameColumn(version()),
        new MysqlRenameColumnInCode(version()),
        new MysqlRenameIndex(version()),
        new MysqlRenameTable(version()),
        new MysqlSetDefault(version()),
        new MysqlSetNotNull(version(), copies),
        new MysqlWidenColumn(version(), copies));
  }

  @Override
  public String instead(String operation) {
    return switch (operation) {
      case "AddEnumValue" ->
          "An ENUM belongs to its column here: declare a WidenColumn to the longer list, with the new"
              + " values at its end.";
      case "RenameEnumValue" ->
          "An ENUM belongs to its column here: declare a ChangeColumnType to the new list, whose"
              + " expressions translate the values.";
      case "AddExclusion" ->
          "There are no exclusion constraints here: let code lock what must not overlap, or divide"
              + " time into slots and declare an AddUnique.";
      case "AttachPartition", "DetachPartition" ->
          "Partitioned tables are changed by hand here: ALTER TABLE ... EXCHANGE PARTITION.";
      case "RenameColumnByView" -> "Use RenameColumn.";
      case "WidenKey" ->
          "Use WidenColumn with byCopy(): a copy of the table can have a wider key, if no foreign key"
              + " refers to it.";
      default -> Dialect.super.instead(operation);
    };
  }

  @Override
  public SqlErrorKind classify(SQLException error) {
    return MysqlErrors.classify(error);
  }

  @Override
  public String openTransactions() {
    return "SELECT * FROM information_schema.innodb_trx ORDER BY trx_started";
  }

  @Override
  public LockBudget lockBudget() {
    return new MysqlLockBudget(version());
  }

  @Override
  public LongStatements longStatements() {
    return new MysqlLongStatements(version());
  }

  @Override
  public Replicas replicas() {
    return new MysqlReplicas(version());
  }

  @Override
  public ScanSql scans() {
    return new MysqlScanSql(version());
  }

  @Override
  public LoadSql load() {
    return new MysqlLoadSql(version());
  }

  @Override
  public ScriptSql scripts() {
    return new MysqlScriptSql();
  }

  @Override
  public Optional<DoctorSql> doctor() {
    return Optional.of(new MysqlDoctorSql(version()));
  }

  private MysqlVersion version() {
    if (version == null) {
      throw new IllegalStateException("it is not known yet which server it is for");
    }
    return version;
  }
}
