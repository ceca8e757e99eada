package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
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
    return ColumnTwinPhases.preflight(migration, migration, target, phase, known, connection);
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
    return ColumnTwinPhases.steps(twin, phase, direction);
  }
}
