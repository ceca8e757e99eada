package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.RenameColumnInCode;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
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
import java.util.Optional;

/** {@link RenameColumnInCode}: a second column that the application itself keeps in step. */
final class PostgresRenameColumnInCode implements OperationSupport<RenameColumnInCode> {

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
    ColumnFactsPreflight preflight =
        new ColumnFactsPreflight(migration, migration, target, connection);
    if (phase == RenameColumnInCode.CONTRACT) {
      preflight.requireUnused();
      return known;
    }
    boolean handover = phase == RenameColumnInCode.RELAX;
    ColumnTwin names = new ColumnTwin(migration, migration, target, Map.of());
    Map<String, Object> facts = preflight.facts(names, phase, handover, true);
    if (handover) {
      ColumnTwin twin = new ColumnTwin(migration, migration, target, facts);
      new ColumnFactsGaps(preflight.catalog(), twin, known, facts)
          .note(new ColumnTwinEnforce(twin, false).add());
    }
    return facts;
  }

  /** People go on working on the table for as long as the old column has its name. */
  @Override
  public boolean recaptures(int phase) {
    return phase <= RenameColumnInCode.CONTRACT;
  }

  /** Columns that are sent to subscribers under a name that they may not have. */
  @Override
  public Optional<String> consent(
      RenameColumnInCode migration, Map<String, Object> facts, int phase, Direction direction) {
    if (direction == Direction.DOWN) {
      return Optional.empty();
    }
    return switch (phase) {
      case RenameColumnInCode.EXPAND -> Published.consent(facts, migration.table(), migration.to());
      case RenameColumnInCode.CONTRACT -> Published.quarantine(facts, migration.table());
      default -> Optional.empty();
    };
  }

  @Override
  public List<Step> steps(
      RenameColumnInCode migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    ColumnTwin twin = new ColumnTwin(migration, migration, target, facts);
    return direction == Direction.UP ? up(twin, phase) : down(twin, phase);
  }

  private static List<Step> up(ColumnTwin twin, int phase) {
    ColumnTwinContract contract = new ColumnTwinContract(twin);
    ColumnTwinConstraints constraints = new ColumnTwinConstraints(twin);
    List<Step> steps = new ArrayList<>();
    switch (phase) {
      case RenameColumnInCode.EXPAND -> steps.add(contract.addColumn());
      case RenameColumnInCode.BACKFILL ->
          steps.add(copy(twin, "copy", "rows in which the columns differ are copied", true));
      case RenameColumnInCode.VERIFY -> steps.add(twin.verify("verify"));
      case RenameColumnInCode.ENFORCE -> steps.addAll(new ColumnTwinEnforce(twin, false).add());
      case RenameColumnInCode.RELAX -> {
        steps.addAll(new ColumnTwinEnforce(twin, false).catchUp());
        steps.add(twin.verify("verify-again", contract.differUnlessRelaxed()));
        steps.addAll(new ColumnTwinIndexes(twin).moveUnique());
        steps.addAll(constraints.dropOldForeignKeys());
        steps.addAll(constraints.dropOldChecks());
        steps.add(contract.relax());
        if (twin.facts().notNull() && twin.facts().notNullConstraint() == null) {
          steps.add(constraints.dropNotNullCheck("relax-drop-check"));
        }
      }
      case RenameColumnInCode.CONTRACT -> steps.add(contract.quarantine());
      case RenameColumnInCode.PURGE -> {
        steps.add(
            twin.rowType(
                "drop-column",
                "the old column for good",
                "NOT " + twin.column(twin.tombstone()),
                drop(twin, twin.tombstone())));
        steps.addAll(new ColumnTwinIndexes(twin).takeNames());
        steps.addAll(constraints.takeNames());
      }
      default -> throw new IllegalArgumentException("no phase " + phase);
    }
    return steps;
  }

  private static List<Step> down(ColumnTwin twin, int phase) {
    ColumnTwinContract contract = new ColumnTwinContract(twin);
    ColumnTwinConstraints constraints = new ColumnTwinConstraints(twin);
    List<Step> steps = new ArrayList<>();
    switch (phase) {
      case RenameColumnInCode.EXPAND ->
          // Code that writes both is gone; what it wrote is in the old column too.
          steps.add(
              twin.rowType(
                  "drop-column",
                  "the new column, which holds nothing that the old one doesn't",
                  "NOT " + twin.column(twin.to()),
                  drop(twin, twin.to())));
      case RenameColumnInCode.ENFORCE -> steps.addAll(new ColumnTwinEnforce(twin, false).remove());
      case RenameColumnInCode.RELAX -> {
        Step restoreDefault = contract.restoreDefault();
        if (restoreDefault != null) {
          steps.add(restoreDefault);
        }
        steps.add(copy(twin, "copy-back", "rows written without the old column are copied", false));
        steps.add(twin.verify("verify-back"));
        steps.add(contract.unrelax());
        steps.addAll(constraints.addNotNullAgain(twin.from(), "false"));
        steps.addAll(constraints.restoreOldChecks());
        steps.addAll(constraints.restoreOldForeignKeys());
        steps.addAll(new ColumnTwinIndexes(twin).restoreUnique());
      }
      case RenameColumnInCode.CONTRACT -> steps.add(contract.unquarantine());
      case RenameColumnInCode.BACKFILL, RenameColumnInCode.VERIFY -> {
        // The copies stay; code that writes both keeps them in step.
      }
      default -> throw new IllegalArgumentException("no way back from phase " + phase);
    }
    return steps;
  }

  private static BackfillStep copy(ColumnTwin twin, String name, String summary, boolean up) {
    return BackfillStep.assign(
        name,
        summary,
        twin.differing(),
        up ? twin.to() + " = " + twin.from() : twin.from() + " = " + twin.to(),
        null,
        true);
  }

  private static List<String> drop(ColumnTwin twin, String column) {
    return List.of(
        "DROP FUNCTION IF EXISTS " + twin.function() + "()",
        "ALTER TABLE " + twin.table() + " DROP COLUMN IF EXISTS " + column);
  }

  @Override
  public List<String> net(
      RenameColumnInCode migration, NetTarget target, Map<String, Object> facts) {
    return List.of(
        new Plain(target).renameColumn(migration.table(), migration.from(), migration.to()));
  }
}
