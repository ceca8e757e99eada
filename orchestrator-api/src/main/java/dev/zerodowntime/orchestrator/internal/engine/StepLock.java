package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.spi.Blocker;
import dev.zerodowntime.orchestrator.spi.LongStatements;
import java.sql.SQLException;
import java.util.Optional;
import java.util.function.Function;

/**
 * Runs what no transaction holds together: on a connection that takes the migration's session lock
 * first, and only then checks the lease's token. As long as the session of a dead or frozen driver
 * exists on the server, a successor can't have that lock: so there is never a second statement, nor
 * one that comes after its movement was undone.
 */
final class StepLock {

  private StepLock() {}

  /**
   * Runs work under the lock.
   *
   * @param work gets a connection in auto-commit mode without time limits
   * @param taken makes the result where somebody else has the lock
   */
  static <T> T hold(StepContext step, Db.Work<T> work, Function<Outcome, T> taken)
      throws SQLException {
    EngineContext ctx = step.ctx();
    LongStatements sessions = ctx.dialect().longStatements();
    return Db.autoCommit(
        ctx.ddlDataSource(),
        connection -> {
          LongStatements.Restore limits = sessions.liftLimits(connection);
          boolean whole = false;
          try {
            if (!sessions.tryLock(connection, step.lockKey())) {
              whole = true;
              Optional<Blocker> holder = sessions.holder(connection, step.lockKey());
              return taken.apply(
                  Outcome.retry(
                      Wait.Kind.RUNNING,
                      "still running on the server for another driver"
                          + holder.map(each -> ": " + each.describe()).orElse("")));
            }
            if (!ctx.fleet().holdsLease(connection, step.lease().token())) {
              throw new Lease.LeaseLostException();
            }
            if (!ctx.reader().running(connection, step.row(), ctx.server())) {
              throw new Lease.PausedException();
            }
            T result = work.run(connection);
            sessions.unlock(connection, step.lockKey());
            whole = true;
            return result;
          } finally {
            if (whole) {
              limits.close();
            } else {
              // The session still has our lock and our limits: it must not be reused.
              Db.abort(connection);
            }
          }
        });
  }
}
