package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.LockBudget;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;

/**
 * One attempt at a {@link DdlStep} where each statement of DDL commits by itself: under the
 * migration's session lock, within the lock budget. Whatever becomes of the statement, what it did
 * is read from the catalog, by this driver or the next one, before anything is written about it.
 */
final class CommittedDdlRunner {

  private final EngineContext ctx;

  CommittedDdlRunner(EngineContext ctx) {
    this.ctx = ctx;
  }

  Outcome attempt(StepContext step, DdlStep ddl, Duration budget) throws SQLException {
    if (ddl.sql().size() > 1 || ddl.shortcut() || ddl.check() != DdlStep.Check.NONE) {
      throw new IllegalStateException(
          "step "
              + ddl.name()
              + " has more than one statement, or a condition, which only a transaction could hold"
              + " together");
    }
    return StepLock.hold(step, connection -> locked(connection, step, ddl, budget), taken -> taken);
  }

  private Outcome locked(Connection connection, StepContext step, DdlStep ddl, Duration budget)
      throws SQLException {
    if (StepContext.probe(connection, ddl.done())) {
      step.confirmAlone(null, 0, "FOUND_DONE", ddl.summary());
      return Outcome.DONE;
    }
    LockBudget lockBudget = ctx.dialect().lockBudget();
    lockBudget.begin(connection, ddl, budget);
    long from = System.nanoTime();
    for (String sql : ddl.sql()) {
      try (Statement statement = connection.createStatement()) {
        lockBudget.execute(statement, ctx.ddlDataSource(), ddl, step.tagged(sql), budget);
      }
    }
    long millis = DdlRunner.millisSince(from);
    if (!StepContext.probe(connection, ddl.done())) {
      throw new SQLException(
          "the statement succeeded, but the catalog does not show its effect; probe: "
              + ddl.done().sql());
    }
    step.confirmAlone(String.join(";\n", ddl.sql()), millis, "APPLIED", ddl.summary());
    return Outcome.DONE;
  }
}
