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

  /** With a transaction around DDL it needs no second connection to watch it. */
  static final int LEAST = 3;

  static final int LEAST_WATCHED = 4;

  private PoolSize() {}

  /**
   * Checks pools that say how large they are, as HikariCP's does; others can't be checked.
   *
   * @param needed how many at once, without backfills
   * @param backfillWorkers each beyond the first holds a connection of its own during its batches
   */
  static void require(DataSource dataSource, int needed, int backfillWorkers) {
    int least = needed + Math.max(0, backfillWorkers - 1);
    try {
      Object size = dataSource.getClass().getMethod("getMaximumPoolSize").invoke(dataSource);
      if (size instanceof Integer connections && connections < least) {
        throw new DeclarationException(
            ErrorCode.INVALID_DECLARATION,
            "The pool has " + connections + " connections at most",
            "Heartbeats, DDL and its watcher need "
                + needed
                + " at once"
                + (least > needed
                    ? ", and backfillWorkers(" + backfillWorkers + ") " + (least - needed) + " more"
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
