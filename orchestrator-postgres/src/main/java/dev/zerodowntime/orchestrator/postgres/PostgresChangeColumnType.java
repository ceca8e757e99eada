package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.ChangeColumnType;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** {@link ChangeColumnType} by a second column and a trigger that converts. */
final class PostgresChangeColumnType implements OperationSupport<ChangeColumnType> {

  @Override
  public OperationType<ChangeColumnType> type() {
    return ChangeColumnType.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      ChangeColumnType migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    return ColumnTwinPhases.preflight(migration, migration, target, phase, known, connection);
  }

  /** People go on working on the table for as long as the old column has its name. */
  @Override
  public boolean recaptures(int phase) {
    return phase <= ChangeColumnType.CONTRACT;
  }

  @Override
  public List<Step> steps(
      ChangeColumnType migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    return ColumnTwinPhases.steps(
        new ColumnTwin(migration, migration, target, facts), phase, direction);
  }

  @Override
  public List<String> net(ChangeColumnType migration, NetTarget target, Map<String, Object> facts) {
    Plain plain = new Plain(target);
    ColumnFacts column = new ColumnFacts(facts);
    String table = migration.table();
    List<String> sql = new ArrayList<>();
    // The old default need not be of the new type.
    if (column.defaultSql() != null) {
      sql.add(plain.alterColumn(table, migration.from(), "DROP DEFAULT"));
    }
    sql.add(
        plain.alterColumn(
            table,
            migration.from(),
            "TYPE " + migration.type() + " USING (" + migration.up() + ")"));
    sql.add(plain.renameColumn(table, migration.from(), migration.to()));
    migration
        .defaultSql()
        .ifPresent(
            each -> sql.add(plain.alterColumn(table, migration.to(), "SET DEFAULT " + each)));
    return sql;
  }
}
