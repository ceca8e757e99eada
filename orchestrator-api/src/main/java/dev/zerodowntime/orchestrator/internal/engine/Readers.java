package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import dev.zerodowntime.orchestrator.spi.Blocker;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Extends the promise to replicas that were named: a lock is replayed there too and cancels or
 * blocks queries, and what isn't replayed isn't there for their readers. A replica that can't be
 * asked holds everything: it fails closed. Used by one thread at a time.
 */
final class Readers {

  private final EngineContext ctx;
  private final Map<String, String> positions = new HashMap<>();

  Readers(EngineContext ctx) {
    this.ctx = ctx;
  }

  /** Long queries on replicas that a blocking statement would meet when it is replayed. */
  @Nullable Outcome inTheWay(DdlStep ddl) {
    for (Map.Entry<String, DataSource> each : ctx.readers().entrySet()) {
      try {
        List<Blocker> blockers =
            Db.autoCommit(
                each.getValue(),
                c -> ctx.dialect().lockBudget().blockers(c, ddl, ctx.timing().lockBudget()));
        if (!blockers.isEmpty()) {
          return Outcome.retry(
              Wait.Kind.REPLICA, "replica " + each.getKey() + ": " + blockers.get(0).describe());
        }
      } catch (SQLException e) {
        return silent(each.getKey(), e);
      }
    }
    return null;
  }

  /** Whether some replica has not replayed what a phase's steps did. */
  @Nullable Outcome behind(MigrationRow row) throws SQLException {
    if (ctx.readers().isEmpty()) {
      return null;
    }
    // Fixed when the steps are done: a position taken anew at each look would run away from a
    // replica that lags.
    String key = row.key() + "|" + row.state();
    String position = positions.get(key);
    if (position == null) {
      position = Db.autoCommit(ctx.dataSource(), ctx.dialect().replicas()::position);
      positions.put(key, position);
    }
    for (Map.Entry<String, DataSource> each : ctx.readers().entrySet()) {
      String wanted = position;
      try {
        if (!Db.autoCommit(each.getValue(), c -> ctx.dialect().replicas().replayed(c, wanted))) {
          return Outcome.retry(
              Wait.Kind.REPLICA, "replica " + each.getKey() + " has not replayed " + position);
        }
      } catch (SQLException e) {
        return silent(each.getKey(), e);
      }
    }
    positions.remove(key);
    return null;
  }

  private static Outcome silent(String name, SQLException e) {
    return Outcome.retry(
        Wait.Kind.REPLICA, "replica " + name + " can't be asked: " + e.getMessage());
  }
}
