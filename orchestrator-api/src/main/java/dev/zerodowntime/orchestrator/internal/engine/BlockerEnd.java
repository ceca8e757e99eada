package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.EndBlockers;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.spi.Blocker;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Ends sessions in the way of DDL, where somebody has said that this may be done. */
final class BlockerEnd {

  private static final Logger LOG = LoggerFactory.getLogger(BlockerEnd.class);

  private final EngineContext ctx;

  BlockerEnd(EngineContext ctx) {
    this.ctx = ctx;
  }

  /**
   * Ends those that may be.
   *
   * @return what was done, and why the others were left alone, to be appended to a message; empty
   *     where nobody is to be ended
   */
  String end(StepContext step, List<Blocker> blockers) throws SQLException {
    EndBlockers policy = ctx.endBlockers();
    if (policy == null) {
      return "";
    }
    StringBuilder done = new StringBuilder();
    for (Blocker each : blockers) {
      String what;
      if (each.age().compareTo(policy.olderThan()) <= 0) {
        what = "is ended when it is older than " + Reasons.duration(policy.olderThan());
      } else {
        Optional<String> left = end(each, policy);
        what = left.map(why -> "is left alone: " + why).orElse("was ended");
        if (left.isEmpty()) {
          LOG.warn("ended {}, which was in the way of {}", each.describe(), step.row().id());
          Db.autoCommit(
              ctx.dataSource(),
              connection -> {
                step.event(connection, "END_SESSION", null, null, null, "ENDED", each.describe());
                return true;
              });
        }
      }
      done.append("; session ").append(each.session()).append(' ').append(what);
    }
    return done.toString();
  }

  private Optional<String> end(Blocker blocker, EndBlockers policy) throws SQLException {
    try {
      return Db.autoCommit(
          ctx.ddlDataSource(),
          connection -> ctx.dialect().lockBudget().end(connection, blocker, policy.mostRows()));
    } catch (SQLException e) {
      if (ctx.dialect().classify(e) != SqlErrorKind.PRIVILEGE) {
        throw e;
      }
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }
}
