package dev.zerodowntime.orchestrator;

import java.sql.Connection;

/**
 * A step that a program does, on the connection of the step's own transaction.
 *
 * <p>What it does to the database commits together with the record that it did, or not at all; what
 * it does elsewhere may happen more than once, for a process may die before the commit: so it must
 * be idempotent. It must not commit, roll back or close; must not run statements that lock a table
 * against reads or writes, which the server is asked about before the commit; and each of its
 * statements must end within the lock budget, for rows stay locked until the end.
 */
@FunctionalInterface
public interface StepFunction {

  /**
   * Does it.
   *
   * @param connection in the step's transaction
   * @throws Exception if it can't be done: nothing has happened then, and the migration stops
   */
  void run(Connection connection) throws Exception;
}
