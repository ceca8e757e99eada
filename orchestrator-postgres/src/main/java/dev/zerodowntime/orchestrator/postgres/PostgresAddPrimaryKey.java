package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Shortcut;
import dev.zerodowntime.orchestrator.operation.AddPrimaryKey;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;

/** A primary key: its index is built CONCURRENTLY, then becomes the key's. */
final class PostgresAddPrimaryKey implements OperationSupport<AddPrimaryKey> {

  @Override
  public OperationType<AddPrimaryKey> type() {
    return AddPrimaryKey.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      AddPrimaryKey migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    return new UniqueKeyCheck(key(migration), migration, target, connection).facts();
  }

  @Override
  public List<Shortcut> shortcuts(AddPrimaryKey migration, Map<String, Object> facts) {
    return EmptyTable.indexShortcut(facts);
  }

  @Override
  public List<Step> steps(
      AddPrimaryKey migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    return key(migration).steps(facts, target.schema(), migration.table(), phase, direction);
  }

  private static UniqueKey key(AddPrimaryKey migration) {
    return new UniqueKey(
        true, migration.name(), migration.keyColumns(), migration.include(), false);
  }

  @Override
  public List<String> net(AddPrimaryKey migration, NetTarget target, Map<String, Object> facts) {
    return key(migration).net(new Plain(target), migration.table());
  }
}
