package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.operation.ColumnRename;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The phases of operations that put a second column in the place of one, in step by a trigger: the
 * same column under another name, or another type.
 */
final class ColumnTwinPhases {

  private ColumnTwinPhases() {}

  static Map<String, Object> preflight(
      Migration<?> migration,
      ColumnRename names,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    ColumnFactsPreflight preflight = new ColumnFactsPreflight(migration, names, target, connection);
    boolean handover = phase == RenameColumn.CONTRACT;
    ColumnTwin bare = new ColumnTwin(migration, names, target, Map.of());
    Map<String, Object> facts = preflight.facts(bare, phase, handover, false);
    if (handover) {
      ColumnTwin twin = new ColumnTwin(migration, names, target, facts);
      new ColumnFactsGaps(preflight.catalog(), twin, known, facts)
          .note(new ColumnTwinEnforce(twin, true).add());
    }
    return facts;
  }

  static List<Step> steps(ColumnTwin twin, int phase, Direction direction) {
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
                  twin.to() + " = " + twin.up(twin.from()),
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
        if (twin.converts()) {
          steps.add(twin.verify("verify-back", twin.lostIfThere()));
        }
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
