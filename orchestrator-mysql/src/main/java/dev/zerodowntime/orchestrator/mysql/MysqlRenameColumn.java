package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
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
 * A column under two names, kept in step by triggers. The new one is invisible until CONTRACT, so
 * that old code's {@code INSERT} without a column list and {@code SELECT *} go on as before; new
 * code names its columns until then.
 */
final class MysqlRenameColumn implements OperationSupport<RenameColumn> {

  private final MysqlVersion version;

  MysqlRenameColumn(MysqlVersion version) {
    this.version = version;
  }

  @Override
  public OperationType<RenameColumn> type() {
    return RenameColumn.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      RenameColumn migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    ColumnTwinCheck check = new ColumnTwinCheck(migration, migration, target, version, connection);
    if (phase <= RenameColumn.EXPAND) {
      Map<String, Object> facts = check.facts();
      check.requireTriggers(" Or declare RenameColumnInCode, which needs none.");
      check.notePlaceholder(facts);
      return facts;
    }
    check.again(known);
    return known;
  }

  @Override
  public boolean recaptures(int phase) {
    return true;
  }

  @Override
  public List<StageSpan> stages(RenameColumn migration, Map<String, Object> facts) {
    List<StageSpan> stages = new ArrayList<>(migration.lifecycle().stages());
    if (!ColumnTwin.unique(facts)) {
      stages.replaceAll(
          each ->
              each.stage().equals(RenameColumn.Code.UPSERTS_NEW_NAME.name())
                  ? new StageSpan(each.stage(), new Span(RenameColumn.ENFORCE, each.span().high()))
                  : each);
    }
    return stages;
  }

  @Override
  public List<String> advice(RenameColumn migration, Map<String, Object> facts) {
    return RowVersions.advice(facts);
  }

  @Override
  public List<Step> steps(
      RenameColumn migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    ColumnTwin twin = new ColumnTwin(migration.id(), migration, target, facts, version);
    SyncTriggers sync = new SyncTriggers(migration.id(), target, migration.table());
    boolean up = direction == Direction.UP;
    return switch (phase) {
      case RenameColumn.EXPAND ->
          up
              ? SyncTriggers.all(List.of(twin.add()), sync.both(twin.from(), twin.to()))
              : SyncTriggers.all(sync.dropBoth(), List.of(twin.dropNew()));
      case RenameColumn.BACKFILL -> up ? List.of(twin.copy()) : List.of();
      case RenameColumn.VERIFY -> up ? List.of(twin.verify("verify", twin.different())) : List.of();
      case RenameColumn.ENFORCE -> up ? twin.addIndexes(true) : twin.dropNewIndexes();
      case RenameColumn.CONTRACT -> up ? contract(twin) : restore(twin);
      case RenameColumn.PURGE ->
          // The indexes first: without triggers, rows would have the same placeholder in them.
          up
              ? SyncTriggers.all(twin.dropOldIndexes(), sync.dropBoth(), List.of(twin.dropOld()))
              : List.of();
      default -> throw new IllegalArgumentException("RenameColumn has no phase " + phase);
    };
  }

  private static List<Step> contract(ColumnTwin twin) {
    List<Step> steps = new ArrayList<>();
    steps.add(twin.visible(true));
    if (twin.notNull()) {
      steps.add(twin.setNotNull());
    }
    steps.addAll(twin.setPlaceholder());
    steps.add(twin.quarantine(true));
    steps.addAll(twin.handOverIndexes());
    return steps;
  }

  private static List<Step> restore(ColumnTwin twin) {
    List<Step> steps = new ArrayList<>(twin.handBackIndexes());
    steps.add(twin.quarantine(false));
    steps.addAll(twin.dropPlaceholder());
    if (twin.notNull()) {
      steps.add(twin.dropNotNull());
    }
    steps.add(twin.visible(false));
    return steps;
  }

  @Override
  public List<String> net(RenameColumn migration, NetTarget target, Map<String, Object> facts) {
    return List.of(
        new Plain(target).renameColumn(migration.table(), migration.from(), migration.to()));
  }
}
