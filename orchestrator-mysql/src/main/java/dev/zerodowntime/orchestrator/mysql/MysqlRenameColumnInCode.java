package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.RenameColumnInCode;
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

/**
 * {@link RenameColumnInCode}: a second column that the application itself keeps in step, for
 * servers that let nobody create triggers.
 *
 * <p>From RELAX on the old column is NULL in rows that omit it, so that no unique index is in the
 * way. That the new column is visible says that the columns may differ.
 */
final class MysqlRenameColumnInCode implements OperationSupport<RenameColumnInCode> {

  private final MysqlVersion version;

  MysqlRenameColumnInCode(MysqlVersion version) {
    this.version = version;
  }

  @Override
  public OperationType<RenameColumnInCode> type() {
    return RenameColumnInCode.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      RenameColumnInCode migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    ColumnTwinCheck check = new ColumnTwinCheck(migration, migration, target, version, connection);
    if (phase <= RenameColumnInCode.EXPAND) {
      return check.facts();
    }
    check.again(known);
    return known;
  }

  /** People go on working on the table. */
  @Override
  public boolean recaptures(int phase) {
    return true;
  }

  @Override
  public List<String> advice(RenameColumnInCode migration, Map<String, Object> facts) {
    return RowVersions.advice(facts);
  }

  @Override
  public List<Step> steps(
      RenameColumnInCode migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    ColumnTwin twin = new ColumnTwin(migration.id(), migration, target, facts, version, true);
    boolean up = direction == Direction.UP;
    return switch (phase) {
      case RenameColumnInCode.EXPAND ->
          up
              ? SyncTriggers.all(List.of(twin.add()), twin.setDefault())
              // Code that writes both is gone; what it wrote is in the old column too.
              : List.of(twin.dropNew());
      case RenameColumnInCode.BACKFILL -> up ? List.of(twin.copy()) : List.of();
      case RenameColumnInCode.VERIFY ->
          up ? List.of(twin.verify("verify", twin.different())) : List.of();
      case RenameColumnInCode.ENFORCE -> up ? twin.addIndexes(true) : twin.dropNewIndexes();
      case RenameColumnInCode.RELAX -> up ? relax(twin) : unrelax(twin);
      case RenameColumnInCode.CONTRACT ->
          up
              ? SyncTriggers.all(List.of(twin.quarantineLoose(true)), twin.handOverIndexes())
              : SyncTriggers.all(twin.handBackIndexes(), List.of(twin.quarantineLoose(false)));
      case RenameColumnInCode.PURGE ->
          up ? SyncTriggers.all(twin.dropOldIndexes(), List.of(twin.dropOld())) : List.of();
      default -> throw new IllegalArgumentException("RenameColumnInCode has no phase " + phase);
    };
  }

  private static List<Step> relax(ColumnTwin twin) {
    List<Step> steps = new ArrayList<>();
    // Rows that code wrote without the old column are no reason to stop a second attempt.
    steps.add(twin.verify("verify-again", twin.different() + " AND " + twin.hidden()));
    steps.add(twin.visible(true));
    steps.addAll(twin.handOver());
    return steps;
  }

  private static List<Step> unrelax(ColumnTwin twin) {
    List<Step> steps = new ArrayList<>();
    steps.add(twin.copyBack());
    steps.add(twin.verify("verify-back", twin.different()));
    steps.addAll(twin.handBack());
    steps.add(twin.visible(false));
    return steps;
  }

  @Override
  public List<String> net(
      RenameColumnInCode migration, NetTarget target, Map<String, Object> facts) {
    return List.of(
        new Plain(target).renameColumn(migration.table(), migration.from(), migration.to()));
  }
}
