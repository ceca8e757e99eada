package dev.zerodowntime.orchestrator;

import java.time.Duration;

/**
 * Whose sessions may be ended that keep short DDL from its lock. Nobody's, unless this is given to
 * {@link OrchestratorBuilder#endBlockers}: else the report says who is in the way, and waits.
 *
 * <p>A session is ended by terminating its connection; its transaction is rolled back, and its
 * application sees a lost connection. Left alone, and named with the reason, are those of
 * replication and backups, of superusers and the server's own users, those that hold explicit locks
 * of tables or change them, prepared transactions, and on MySQL and MariaDB whatever has changed
 * more rows than given here, for to take these back would take as long again. Each one that is
 * ended is an event of the log, of kind {@code END_SESSION}. Sessions on replicas are never ended.
 * Immutable.
 *
 * @param olderThan for how long a transaction must have been open; at least the lock budget is
 *     waited for in any case
 * @param mostRows how many rows a transaction may have changed, where the server can tell
 */
public record EndBlockers(Duration olderThan, long mostRows) {

  private static final long MOST_ROWS = 1_000;

  /** Checks what it is given. */
  public EndBlockers {
    if (olderThan.isNegative() || olderThan.isZero()) {
      throw new DeclarationException(
          ErrorCode.INVALID_DECLARATION,
          "Sessions are to be ended whose transaction is older than " + olderThan,
          "Give a duration longer than any transaction of yours should take, such as 30 s.");
    }
    if (mostRows < 0) {
      throw new DeclarationException(
          ErrorCode.INVALID_DECLARATION,
          "Sessions are to be ended that have changed at most " + mostRows + " rows",
          "Give a number of rows; 0 ends those alone that have changed none.");
    }
  }

  /**
   * Those with a transaction that is older, and has changed at most 1,000 rows.
   *
   * @param age longer than any transaction of yours should take
   * @return the policy
   */
  public static EndBlockers olderThan(Duration age) {
    return new EndBlockers(age, MOST_ROWS);
  }

  /**
   * The same with another limit.
   *
   * @param rows how many rows a transaction may have changed, where the server can tell
   * @return a copy
   */
  public EndBlockers mostRows(long rows) {
    return new EndBlockers(olderThan, rows);
  }
}
