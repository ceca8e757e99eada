package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.ErrorCode;
import java.lang.reflect.InvocationTargetException;
import javax.sql.DataSource;

/**
 * Refuses pools that are too small: a heartbeat that waits for the connection which an index build
 * holds would make a living member look gone.
 */
final class PoolSize {

  private static final int LEAST = 3;

  private PoolSize() {}

  /**
   * Checks pools that say how large they are, as HikariCP's does; others can't be checked.
   *
   * @param backfillWorkers each beyond the first holds a connection of its own during its batches
   */
  static void require(DataSource dataSource, int backfillWorkers) {
    int least = LEAST + Math.max(0, backfillWorkers - 1);
    try {
      Object size = dataSource.getClass().getMethod("getMaximumPoolSize").invoke(dataSource);
      if (size instanceof Integer connections && connections < least) {
        throw new DeclarationException(
            ErrorCode.INVALID_DECLARATION,
            "The pool has " + connections + " connections at most",
            "Heartbeats, DDL and its watcher need "
                + LEAST
                + " at once"
                + (least > LEAST
                    ? ", and backfillWorkers(" + backfillWorkers + ") " + (least - LEAST) + " more"
                    : "")
                + ": give it "
                + least
                + " or more.");
      }
    } catch (NoSuchMethodException | IllegalAccessException | InvocationTargetException e) {
      // Not a pool of that kind.
    }
  }
}
