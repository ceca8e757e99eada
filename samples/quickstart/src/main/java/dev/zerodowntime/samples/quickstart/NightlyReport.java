package dev.zerodowntime.samples.quickstart;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.CountDownLatch;
import javax.sql.DataSource;

/**
 * A transaction of some seconds that only reads. It does no harm, until an ALTER TABLE queues
 * behind it: then every query queues behind the ALTER TABLE.
 */
final class NightlyReport {

  static final int SECONDS = 4;

  private NightlyReport() {}

  /** Starts it, and returns when it has begun to read. */
  static Thread start(DataSource database, Proof proof) throws InterruptedException {
    CountDownLatch reading = new CountDownLatch(1);
    Thread thread =
        new Thread(
            () -> {
              try (Connection connection = database.getConnection();
                  Statement statement = connection.createStatement()) {
                connection.setAutoCommit(false);
                statement.execute(Product.current().introduce("nightly report"));
                statement.execute("SELECT count(*), sum(visits) FROM customers");
                reading.countDown();
                statement.execute(Product.current().sleep(SECONDS));
                connection.commit();
              } catch (SQLException e) {
                proof.failed("nightly report", e);
                reading.countDown();
              }
            },
            "nightly report");
    thread.setDaemon(true);
    thread.start();
    reading.await();
    return thread;
  }
}
