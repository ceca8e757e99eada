package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.State;
import dev.zerodowntime.orchestrator.internal.control.BackfillStore;
import dev.zerodowntime.orchestrator.internal.control.Chunk;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.RowChange;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A backfill or verification, as any process can work on it: what the migration's row says
 * suffices.
 *
 * @param row the migration
 * @param phase name of the phase being entered
 * @param step the step
 */
record BackfillTask(MigrationRow row, String phase, Step step) {

  /**
   * Finds what to do for a backfill that is open; empty if this process can't, or if it is over by
   * now.
   */
  static Optional<BackfillTask> of(
      EngineContext ctx, Connection connection, BackfillStore.Open open) throws SQLException {
    MigrationRow row =
        ctx.reader().migration(connection, open.migration(), open.schema()).orElse(null);
    if (row == null || row.state().atRest()) {
      return Optional.empty();
    }
    Operation<?> operation = ctx.operation(row).orElse(null);
    if (operation == null) {
      return Optional.empty();
    }
    State state = row.state();
    for (Step step :
        operation.steps(ctx.target(row), row.facts(), state.upper(), state.direction())) {
      boolean scans = step instanceof BackfillStep || step instanceof VerifyStep;
      if (scans && step.name().equals(open.step())) {
        BackfillTask task = new BackfillTask(row, row.lifecycle().name(state.entering()), step);
        return task.lacksFunction() ? Optional.empty() : Optional.of(task);
      }
    }
    return Optional.empty();
  }

  /** Whether the change is computed by a function that this process's build doesn't have. */
  boolean lacksFunction() {
    return step instanceof BackfillStep backfill
        && backfill.change() instanceof RowChange.Compute compute
        && compute.function() == null;
  }

  /** Whether the change is computed in Java. */
  boolean computed() {
    return step instanceof BackfillStep backfill && backfill.change() instanceof RowChange.Compute;
  }

  /** Which rows. */
  Scan scan() {
    return step instanceof BackfillStep backfill ? backfill.scan() : ((VerifyStep) step).scan();
  }

  /** What is changed; null for a verification. */
  @Nullable BackfillStep backfill() {
    return step instanceof BackfillStep backfill ? backfill : null;
  }

  String name() {
    return step.name();
  }

  /** One of this process's keys for it. */
  String key() {
    return row.key() + "|" + step.name();
  }

  /** Says whose a statement is, for whoever looks at the server's list of sessions. */
  String tag(Chunk chunk) {
    return "/* orchestrator "
        + row.id()
        + " "
        + phase
        + " "
        + step.name()
        + " chunk="
        + chunk.number()
        + " token="
        + chunk.token()
        + " */ ";
  }
}
