package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumnByView;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.NotYetException;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** {@link RenameColumn} by a second column and a trigger. */
final class PostgresRenameColumn implements OperationSupport<RenameColumn> {

  /** Whether the form without a copy would do; known until the migration has begun. */
  private static final String VIEW_FORM = "viewForm";

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
    Map<String, Object> facts =
        ColumnTwinPhases.preflight(migration, migration, target, phase, known, connection);
    if (phase == RenameColumn.EXPAND) {
      facts.put(VIEW_FORM, viewWouldDo(migration, target, connection));
    }
    return facts;
  }

  /** Whether nothing that can be found here is against the form without a copy. */
  private static boolean viewWouldDo(RenameColumn migration, Target target, Connection connection)
      throws SQLException {
    Savepoint before = connection.setSavepoint();
    try {
      new RenameColumnByViewCheck(
              RenameColumnByView.of(migration.id())
                  .table(migration.table())
                  .from(migration.from())
                  .to(migration.to())
                  .build(),
              target,
              connection)
          .requireSwappable();
      return true;
    } catch (RefusedException | NotYetException e) {
      return false;
    } catch (SQLException e) {
      if (PostgresErrors.classify(e) != SqlErrorKind.PRIVILEGE) {
        throw e;
      }
      // What can't be looked at can't be vouched for; this form doesn't need it.
      return false;
    } finally {
      connection.rollback(before);
    }
  }

  @Override
  public List<String> advice(RenameColumn migration, Map<String, Object> facts) {
    return Facts.flag(facts, VIEW_FORM)
        ? List.of(
            "RenameColumnByView would do as well, in two short statements and without copying a"
                + " row: nothing that the catalog shows is against it. Meanwhile the table is a"
                + " view, on which the statements that its documentation lists fail, such as"
                + " TRUNCATE and ON CONFLICT ON CONSTRAINT. Whether code has any is for you to"
                + " decide, before this migration has begun.")
        : List.of();
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

  @Override
  public List<String> net(RenameColumn migration, NetTarget target, Map<String, Object> facts) {
    return List.of(
        new Plain(target).renameColumn(migration.table(), migration.from(), migration.to()));
  }
}
