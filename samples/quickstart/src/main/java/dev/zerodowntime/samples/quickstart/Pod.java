package dev.zerodowntime.samples.quickstart;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.zerodowntime.orchestrator.Orchestrator;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One instance of the shop: a pool, an orchestrator, and threads that serve. What it does with the
 * orchestrator is all that an application has to do: {@code advance()} before it serves, {@code
 * close()} after the last query.
 */
final class Pod {

  static final int WORKERS = 2;

  /** Three for the orchestrator, as its documentation asks, and one for each worker. */
  private static final int CONNECTIONS = 3 + WORKERS;

  private final HikariDataSource pool;
  private final @Nullable Orchestrator orchestrator;
  private final List<Worker> workers = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();

  private Pod(HikariDataSource pool, @Nullable Orchestrator orchestrator) {
    this.pool = pool;
    this.orchestrator = orchestrator;
  }

  /**
   * Starts one.
   *
   * @param number which of the pods
   * @param release the release it runs
   * @param shop what all pods share
   * @return the pod, serving
   */
  static Pod start(int number, Release release, Shop shop) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(shop.url());
    config.setMaximumPoolSize(CONNECTIONS);
    config.setPoolName("pod " + number);
    // On MySQL, a snapshot that is older than a change of the table can't read it any more.
    config.setTransactionIsolation("TRANSACTION_READ_COMMITTED");
    HikariDataSource pool = new HikariDataSource(config);
    Orchestrator orchestrator = null;
    try {
      Code code = release.code();
      if (shop.orchestrated() && release.hasLibrary()) {
        orchestrator = release.builder(pool).build();
        // Returns when this build fits the schema. If it doesn't, this throws: do not serve.
        orchestrator.advance();
        code = release.code(orchestrator);
      }
      Pod pod = new Pod(pool, orchestrator);
      pod.serve(number, "pod " + number + " of release " + release.number(), code, shop);
      return pod;
    } catch (RuntimeException e) {
      if (orchestrator != null) {
        orchestrator.close();
      }
      pool.close();
      throw e;
    }
  }

  private void serve(int number, String who, Code code, Shop shop) {
    for (int i = 0; i < WORKERS; i++) {
      Transactions transactions =
          new Transactions(
              code,
              shop.shards().get(number * WORKERS + i),
              shop.expectations(),
              shop.proof(),
              who);
      Worker worker = new Worker(pool, transactions, shop.proof(), who);
      Thread thread = new Thread(worker, who + ", worker " + i);
      thread.setDaemon(true);
      thread.start();
      workers.add(worker);
      threads.add(thread);
    }
  }

  /** Serves what has begun, says goodbye, and is gone. */
  void stop() throws InterruptedException {
    workers.forEach(Worker::stop);
    for (Thread thread : threads) {
      thread.join();
    }
    if (orchestrator != null) {
      orchestrator.close();
    }
    pool.close();
  }
}
