package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Shortcut;
import dev.zerodowntime.orchestrator.operation.AddUnique;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;

/** A unique constraint: its index is built CONCURRENTLY, then becomes the constraint's. */
final class PostgresAddUnique implements OperationSupport<AddUnique> {

  @Override
  public OperationType<AddUnique> type() {
    return AddUnique.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      AddUnique migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    return new UniqueKeyCheck(key(migration), migration, target, connection).facts();
  }

  @Override
  public List<Shortcut> shortcuts(AddUnique migration, Map<String, Object> facts) {
    return EmptyTable.indexShortcut(facts);
  }

  @Override
  public List<Step> steps(
      AddUnique migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    return key(migration).steps(facts, target.schema(), migration.table(), phase, direction);
  }

  private static UniqueKey key(AddUnique migration) {
    return new UniqueKey(
        false,
        migration.name(),
        migration.keyColumns(),
        migration.include(),
        migration.nullsNotDistinct());
  }

  @Override
  public List<String> net(AddUnique migration, NetTarget target, Map<String, Object> facts) {
    return key(migration).net(new Plain(target), migration.table());
  }
}
