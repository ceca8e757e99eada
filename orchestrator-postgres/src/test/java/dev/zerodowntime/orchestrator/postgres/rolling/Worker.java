package dev.zerodowntime.orchestrator.postgres.rolling;

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

  private final String name;
  private final DataSource pool;
  private final Scenario<?> scenario;
  private final Ledger ledger;
  private final Tally tally;
  private final AtomicLong queries;
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
      Code code,
      Scenario<?> scenario,
      Ledger ledger,
      Tally tally,
      AtomicLong queries) {
    this.name = name + " at " + code.stage();
    this.pool = pool;
    this.scenario = scenario;
    this.ledger = ledger;
    this.tally = tally;
    this.queries = queries;
    this.random = new Random(name.hashCode());
    this.operations = new Operations(code, scenario, ledger, random, this);
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
          transaction(slice);
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

  private void transaction(Slice slice) {
    boolean autoCommit = random.nextInt(3) == 0;
    sql = "getConnection()";
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
        if (scenario.upserts()) {
          hot(connection);
        }
      } catch (SQLException e) {
        slice.rollback();
        failed(e);
        if (!connection.getAutoCommit()) {
          connection.rollback();
        }
      }
    } catch (SQLException e) {
      failed(e);
    }
  }

  /** Several in a row, so that upserts of pods meet while the row is not there. */
  private void hot(Connection connection) throws SQLException {
    connection.setAutoCommit(true);
    for (int i = 0; i < HOT; i++) {
      operations.hot(connection);
    }
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
            operations::insertDraft,
            operations::insertMany,
            scenario.upserts() ? operations::upsert : operations::updateSubject);
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
