package dev.zerodowntime.orchestrator.testing.rolling;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import javax.sql.DataSource;

/** A thread that serves: business transactions of a few queries, one after the other. */
final class Worker implements Runnable, Operations.Counter {

  private static final int FEW_ROWS = 150;
  private static final int HOT = 4;

  /** More would mean that something is always in the way. */
  private static final int ATTEMPTS = 10;

  private final String name;
  private final DataSource pool;
  private final Product product;
  private final Load load;
  private final Scenario<?> scenario;
  private final Ledger ledger;
  private final Tally tally;
  private final AtomicLong queries;
  private final Random seeds;
  private final Random random;
  private final Operations operations;
  private final Thread thread;
  private volatile boolean stopped;
  private String sql = "getConnection()";

  /**
   * Starts it.
   *
   * @param queries where its pod counts its queries
   */
  Worker(
      String name,
      DataSource pool,
      Product product,
      Code code,
      Scenario<?> scenario,
      Load load,
      Ledger ledger,
      Tally tally,
      AtomicLong queries) {
    this.name = name + " at " + code.stage();
    this.pool = pool;
    this.product = product;
    this.load = load;
    this.scenario = scenario;
    this.ledger = ledger;
    this.tally = tally;
    this.queries = queries;
    this.seeds = new Random(name.hashCode());
    this.random = new Random();
    this.operations = new Operations(product, code, scenario, ledger, random, this);
    this.thread = new Thread(this, name);
    thread.start();
  }

  private interface Operation {
    void run(Connection connection, Slice slice) throws SQLException;
  }

  void stop() {
    stopped = true;
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void run() {
    try {
      while (!stopped) {
        Slice slice = ledger.take();
        try {
          serve(slice);
        } finally {
          ledger.giveBack(slice);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException | Error e) {
      tally.fail(name + ": " + e);
      throw e;
    }
  }

  /** Tries a transaction again where the server asks for that, with the same choices. */
  private void serve(Slice slice) {
    long seed = seeds.nextLong();
    for (int attempt = 1; ; attempt++) {
      random.setSeed(seed);
      SQLException failure = transaction(slice);
      if (failure == null) {
        return;
      }
      if (load == Load.SINGLE_QUERIES || attempt == ATTEMPTS || !product.again(failure)) {
        failed(failure);
        return;
      }
      operations.forget(slice);
      tally.retry();
    }
  }

  /** What it failed with; null if it didn't. */
  private SQLException transaction(Slice slice) {
    boolean autoCommit = load == Load.SINGLE_QUERIES || random.nextInt(3) == 0;
    sql = "getConnection()";
    SQLException failure = null;
    try (Connection connection = pool.getConnection()) {
      connection.setAutoCommit(autoCommit);
      try {
        int length = 1 + random.nextInt(5);
        for (int i = 0; i < length; i++) {
          operation(slice).run(connection, slice);
          if (autoCommit) {
            slice.commit();
          }
        }
        if (!autoCommit) {
          sql = "COMMIT";
          connection.commit();
        }
        slice.commit();
        if (upserts()) {
          hot(connection);
        }
      } catch (SQLException e) {
        failure = e;
        slice.rollback();
        if (!connection.getAutoCommit()) {
          connection.rollback();
        }
      }
    } catch (SQLException e) {
      // After a failure, the pool may have closed the connection.
      failure = failure == null ? e : failure;
    }
    return failure;
  }

  /** Upserts of one row make deadlocks of their own, also where each is a transaction. */
  private boolean upserts() {
    return scenario.upserts() && load == Load.TRANSACTIONS;
  }

  /** Several in a row, so that upserts of pods meet while the row is not there. */
  private void hot(Connection connection) throws SQLException {
    for (int i = 0; i < HOT; i++) {
      connection.setAutoCommit(true);
      try {
        operations.hot(connection);
      } catch (SQLException e) {
        if (!product.again(e)) {
          throw e;
        }
        // Such statements are there without end: the next one is as good as this one again.
        tally.retryUpsert();
        if (!connection.getAutoCommit()) {
          connection.rollback();
        }
      }
    }
    connection.setAutoCommit(true);
  }

  private Operation operation(Slice slice) {
    List<Operation> writes =
        List.of(
            operations::updateNote,
            operations::updateSubject,
            operations::overwrite,
            operations::overwrite,
            slice.size() > FEW_ROWS ? operations::delete : operations::insert,
            slice.size() > FEW_ROWS ? operations::delete : operations::insertMany,
            load == Load.SINGLE_QUERIES ? operations::insert : operations::insertDraft,
            operations::insertMany,
            upserts() ? operations::upsert : operations::updateSubject);
    List<Operation> reads =
        List.of(operations::read, operations::readStar, operations::readBySubject);
    List<Operation> some = random.nextInt(5) < 2 ? reads : writes;
    return some.get(random.nextInt(some.size()));
  }

  private void failed(SQLException e) {
    tally.fail(name + ": " + sql + ": " + e.getMessage() + " [" + e.getSQLState() + "]");
  }

  @Override
  public void query(String what, long nanos) {
    sql = what;
    queries.incrementAndGet();
    tally.query(nanos);
  }

  @Override
  public void differs(String what) {
    tally.differ(name + ": " + what);
  }
}
