package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** {@link RenameColumn} by a second column and a trigger. */
final class PostgresRenameColumn implements OperationSupport<RenameColumn> {

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
    ColumnFactsPreflight preflight =
        new ColumnFactsPreflight(migration, migration, target, connection);
    boolean handover = phase == RenameColumn.CONTRACT;
    ColumnTwin names = new ColumnTwin(migration, migration, target, Map.of());
    Map<String, Object> facts = preflight.facts(names, phase, handover, false);
    if (handover) {
      ColumnTwin twin = new ColumnTwin(migration, migration, target, facts);
      new ColumnFactsGaps(preflight.catalog(), twin, known, facts)
          .note(new ColumnTwinEnforce(twin, true).add());
    }
    return facts;
  }

  /** Without a unique index on the column there is nothing that code could upsert on. */
  @Override
  public List<StageSpan> stages(RenameColumn migration, Map<String, Object> facts) {
    List<StageSpan> stages = new ArrayList<>(migration.lifecycle().stages());
    if (new ColumnFacts(facts).uniqueIndexes().isEmpty()) {
      stages.replaceAll(
          each ->
              each.stage().equals(RenameColumn.Code.UPSERTS_NEW_NAME.name())
                  ? new StageSpan(each.stage(), new Span(RenameColumn.ENFORCE, each.span().high()))
                  : each);
    }
    return stages;
  }

  /** People go on working on the table for as long as the old column has its name. */
  @Override
  public boolean recaptures(int phase) {
    return phase <= RenameColumn.CONTRACT;
  }

  /** Columns that are sent to subscribers under a name that they may not have. */
  @Override
  public Optional<String> consent(
      RenameColumn migration, Map<String, Object> facts, int phase, Direction direction) {
    if (direction == Direction.DOWN) {
      return Optional.empty();
    }
    return switch (phase) {
      case RenameColumn.EXPAND -> Published.consent(facts, migration.table(), migration.to());
      case RenameColumn.CONTRACT -> Published.quarantine(facts, migration.table());
      default -> Optional.empty();
    };
  }

  @Override
  public List<Step> steps(
      RenameColumn migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    ColumnTwin twin = new ColumnTwin(migration, migration, target, facts);
    return direction == Direction.UP ? up(twin, phase) : down(twin, phase);
  }

  private static List<Step> up(ColumnTwin twin, int phase) {
    ColumnTwinSync sync = new ColumnTwinSync(twin);
    List<Step> steps = new ArrayList<>();
    switch (phase) {
      case RenameColumn.EXPAND -> steps.add(sync.expand());
      case RenameColumn.BACKFILL ->
          steps.add(
              BackfillStep.assign(
                  "copy",
                  "rows written before are copied; the trigger has nothing to add",
                  twin.differing(),
                  twin.to() + " = " + twin.from(),
                  null,
                  true));
      case RenameColumn.VERIFY -> steps.add(twin.verify("verify"));
      case RenameColumn.ENFORCE -> steps.addAll(new ColumnTwinEnforce(twin, true).add());
      case RenameColumn.CONTRACT -> {
        steps.addAll(new ColumnTwinEnforce(twin, true).catchUp());
        steps.add(twin.verify("verify-again", twin.differIfThere()));
        steps.addAll(new ColumnTwinIndexes(twin).moveUnique());
        // A referential action on the tombstone would be undone by the trigger, or fail.
        steps.addAll(new ColumnTwinConstraints(twin).dropOldForeignKeys());
        steps.add(new ColumnTwinContract(twin).contract(sync));
        if (twin.facts().notNull()) {
          steps.add(new ColumnTwinContract(twin).relaxTombstone());
        }
      }
      case RenameColumn.PURGE -> {
        steps.add(sync.purge());
        steps.addAll(new ColumnTwinIndexes(twin).takeNames());
        steps.addAll(new ColumnTwinConstraints(twin).takeNames());
      }
      default -> throw new IllegalArgumentException("no phase " + phase);
    }
    return steps;
  }

  private static List<Step> down(ColumnTwin twin, int phase) {
    ColumnTwinSync sync = new ColumnTwinSync(twin);
    List<Step> steps = new ArrayList<>();
    switch (phase) {
      case RenameColumn.EXPAND -> steps.add(sync.remove());
      case RenameColumn.ENFORCE -> steps.addAll(new ColumnTwinEnforce(twin, true).remove());
      case RenameColumn.CONTRACT -> {
        steps.addAll(
            new ColumnTwinConstraints(twin)
                .addNotNullAgain(twin.tombstone(), twin.column(twin.from())));
        steps.add(new ColumnTwinContract(twin).restore(sync));
        steps.addAll(new ColumnTwinConstraints(twin).restoreOldForeignKeys());
        steps.addAll(new ColumnTwinIndexes(twin).restoreUnique());
      }
      case RenameColumn.BACKFILL, RenameColumn.VERIFY -> {
        // The copies stay, and are kept in step.
      }
      default -> throw new IllegalArgumentException("no way back from phase " + phase);
    }
    return steps;
  }
}
