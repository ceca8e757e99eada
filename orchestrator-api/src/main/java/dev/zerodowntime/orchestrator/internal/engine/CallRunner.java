package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.StepFunction;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.spi.CallStep;
import dev.zerodowntime.orchestrator.spi.LockBudget;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;

/**
 * Runs a {@link CallStep}. What the program does to the database, the event and the pointer to the
 * next step commit together.
 */
final class CallRunner {

  private final EngineContext ctx;

  CallRunner(EngineContext ctx) {
    this.ctx = ctx;
  }

  /** What a program threw, other than what the database said. */
  private static final class FunctionException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    FunctionException(Exception cause) {
      super(cause);
    }
  }

  Outcome run(StepContext step, CallStep call) throws SQLException {
    StepFunction function = call.function();
    if (function == null) {
      return Outcome.cant(
          "step "
              + call.name()
              + " is done by Java code that this build doesn't have; a driver whose build declares "
              + step.row().id()
              + " must go on");
    }
    try {
      ctx.transaction(
          connection -> {
            step.claim(connection);
            return true;
          });
      ctx.ddlTransaction(
          connection -> {
            step.lease().requireRunning(connection, step.row());
            LockBudget locks = ctx.dialect().lockBudget();
            LockBudget.Tables before = locks.tables(connection);
            Duration budget = ctx.timing().lockBudget();
            locks.limit(connection, budget);
            long from = System.nanoTime();
            call(function, connection);
            DdlRunner.requireAllowed(locks.violation(connection, List.of(), true, before));
            step.confirm(connection, null, DdlRunner.millisSince(from), "APPLIED", call.summary());
            return true;
          });
      return Outcome.DONE;
    } catch (FunctionException e) {
      return Outcome.failed(
          "step "
              + call.name()
              + " ("
              + call.summary()
              + ") failed: "
              + e.getCause()
              + "; nothing of it has happened in the database; mend the cause, then resume the"
              + " migration");
    } catch (SQLException e) {
      SqlErrorKind kind = ctx.dialect().classify(e);
      if (kind == SqlErrorKind.LOCK_TIMEOUT
          || kind == SqlErrorKind.CANCELLED
          || kind == SqlErrorKind.DEADLOCK) {
        String what = kind + " in step " + call.name() + ": " + e.getMessage();
        step.waits(kind.name(), what, null);
        return Outcome.retry(Wait.Kind.LOCK, what);
      }
      throw e;
    }
  }

  private static void call(StepFunction function, Connection connection) throws SQLException {
    try {
      function.run(StepConnection.of(connection));
    } catch (SQLException | Lease.LeaseLostException e) {
      throw e;
    } catch (Exception e) {
      throw new FunctionException(e);
    }
  }
}
