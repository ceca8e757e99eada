package dev.zerodowntime.samples.quickstart;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import javax.sql.DataSource;

/** A thread of a pod that serves without pause until the pod is stopped. */
final class Worker implements Runnable {

  /** Enough load to hit every moment of a migration; little enough for a laptop. */
  private static final long BETWEEN_NANOS = TimeUnit.MILLISECONDS.toNanos(8);

  private final DataSource pool;
  private final Transactions transactions;
  private final Proof proof;
  private final String who;
  private volatile boolean stopped;

  Worker(DataSource pool, Transactions transactions, Proof proof, String who) {
    this.pool = pool;
    this.transactions = transactions;
    this.proof = proof;
    this.who = who;
  }

  /** Lets the transaction that is running finish. */
  void stop() {
    stopped = true;
  }

  @Override
  public void run() {
    while (!stopped) {
      try (Connection connection = pool.getConnection()) {
        connection.setAutoCommit(false);
        try {
          transactions.any(connection);
        } catch (SQLException e) {
          connection.rollback();
          if (Product.current().isDeadlock(e)) {
            // Whoever uses MySQL has to be prepared for that, with or without changes of the
            // schema.
            proof.retried();
            continue;
          }
          proof.failed(who, e);
        }
      } catch (SQLException e) {
        // No connection, or one that broke: that is a failure for the customer, too.
        proof.failed(who, e);
      }
      LockSupport.parkNanos(BETWEEN_NANOS);
    }
  }
}
