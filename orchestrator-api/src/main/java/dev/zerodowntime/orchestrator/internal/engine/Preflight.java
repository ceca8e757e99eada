package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.Map;

/** Asks the dialect whether an operation can be carried out, and notes the facts it needs. */
final class Preflight {

  private static final String CAPTURED = "captured";

  private final EngineContext ctx;

  Preflight(EngineContext ctx) {
    this.ctx = ctx;
  }

  /** The facts, and the lifecycle resolved against them. */
  record Found(Lifecycle lifecycle, Map<String, Object> facts) {}

  /** Whether facts were ever captured for a migration. */
  static boolean captured(MigrationRow row) {
    return row.facts().containsKey(CAPTURED);
  }

  /** At registration, or for a plan. */
  Found run(Operation<?> operation, Target target) throws SQLException {
    return run(operation, target, 1, Map.of());
  }

  Found run(Operation<?> operation, Target target, int phase, Map<String, Object> known)
      throws SQLException {
    requireCopies(operation, target);
    Map<String, Object> facts =
        asked(
            target,
            connection ->
                new LinkedHashMap<>(operation.preflight(target, phase, known, connection)));
    facts.put(CAPTURED, true);
    return new Found(operation.migration().lifecycle().withStages(operation.stages(facts)), facts);
  }

  private void requireCopies(Operation<?> operation, Target target) {
    if (operation.migration().policy().byCopy() && !ctx.dialect().copiesTables()) {
      throw new RefusedException(
          ErrorCode.REFUSED,
          target.id(),
          "it is to be done by a copy of the table, which "
              + ctx.dialect().name()
              + " needs for no operation",
          "Leave byCopy() out.");
    }
  }

  /** Whether a phase can be left downwards. */
  void back(Operation<?> operation, Target target, int phase, Map<String, Object> facts)
      throws SQLException {
    asked(
        target,
        connection -> {
          operation.preflightBack(target, phase, facts, connection);
          return true;
        });
  }

  private <T> T asked(Target target, Db.Work<T> work) throws SQLException {
    try {
      return Db.rolledBack(ctx.ddlDataSource(), work);
    } catch (SQLException e) {
      SqlErrorKind kind = ctx.dialect().classify(e);
      if (kind == SqlErrorKind.PRIVILEGE) {
        throw new RefusedException(
            ErrorCode.MISSING_PRIVILEGE,
            target.id(),
            "the database user may not look at what it would change: " + e.getMessage(),
            "Grant what the message names, or give the builder a ddlDataSource(...) whose"
                + " user owns the table.");
      }
      throw e;
    }
  }
}
