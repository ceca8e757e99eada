package dev.zerodowntime.benchmarks;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.Pace;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.UnaryOperator;

/** The library, as an application has it: a pool, a member that drives, production's rules. */
final class OurBackfill implements AutoCloseable {

  /** Far more than any size should take; a benchmark that hangs says nothing. */
  static final Duration PATIENCE = Duration.ofHours(1);

  private final Database database;
  private final HikariDataSource pool;
  private final Orchestrator orchestrator;
  private CompletableFuture<?> driving = CompletableFuture.completedFuture(null);

  private OurBackfill(Database database, HikariDataSource pool, Orchestrator orchestrator) {
    this.database = database;
    this.pool = pool;
    this.orchestrator = orchestrator;
  }

  /** With the pace that nobody has to ask for. */
  static OurBackfill defaultPace(Database database, Form form) throws SQLException {
    return expanded(database, form, UnaryOperator.identity(), 1);
  }

  static OurBackfill fullSpeed(Database database, Form form, int workers) throws SQLException {
    return expanded(database, form, pace -> pace.fullSpeed().workers(workers), workers);
  }

  /** Goes to the point where only the backfill is left to do. */
  private static OurBackfill expanded(
      Database database, Form form, UnaryOperator<Pace> pace, int workers) throws SQLException {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(database.url());
    // Three for the orchestrator, as its documentation asks, and one for each worker.
    config.setMaximumPoolSize(3 + workers);
    HikariDataSource pool = new HikariDataSource(config);
    OrchestratorBuilder builder =
        Orchestrator.builder(pool)
            .application("bench")
            .release("1")
            // The fleet is nobody but us: there is nothing to wait for. All else is production's.
            .timing(timing -> timing.soak(Duration.ZERO).drain(Duration.ZERO))
            .backfillWorkers(workers);
    form.declare(builder, pace);
    OurBackfill ours = new OurBackfill(database, pool, builder.build());
    try {
      ours.orchestrator.advance();
      // The benchmark is the only application there ever was.
      ours.orchestrator.adopted("bench");
      ours.awaitExpanded();
      database.settle();
      return ours;
    } catch (RuntimeException | SQLException e) {
      ours.close();
      throw e;
    }
  }

  private void awaitExpanded() {
    long deadline = System.nanoTime() + Duration.ofMinutes(1).toNanos();
    while (true) {
      var report = orchestrator.drive();
      if (report.migration(Form.ID).orElseThrow().phase().equals("EXPAND")) {
        return;
      }
      if (System.nanoTime() - deadline > 0) {
        throw new IllegalStateException("EXPAND is not reached: " + report);
      }
      Threads.sleep(Duration.ofMillis(20));
    }
  }

  /** Where it would work: with the column and the triggers, and nothing filled yet. */
  Database database() {
    return database;
  }

  /** To its end. */
  Run run() throws SQLException, InterruptedException {
    return run(PATIENCE);
  }

  /** To its end, or until the time is over. */
  Run run(Duration atMost) throws SQLException, InterruptedException {
    ProgressWatch.Seen seen = runFor(atMost);
    if (!seen.done()) {
      orchestrator.pause(Form.ID);
      awaitDriver();
      try (ProgressWatch watch = new ProgressWatch(database)) {
        seen = watch.look();
      }
    }
    return new Run(Users.filled(database), seen.writing(), seen.whole());
  }

  /** As {@link #run(Duration)}, but when the time is over, it goes on. */
  ProgressWatch.Seen runFor(Duration time) throws SQLException, InterruptedException {
    orchestrator.approve(Form.ID, "BACKFILL");
    // The background thread would see the approval at its next tick; this one begins at once.
    driving = CompletableFuture.runAsync(orchestrator::drive, Threads::start);
    try (ProgressWatch watch = new ProgressWatch(database)) {
      ProgressWatch.Seen seen = watch.await(time);
      if (seen.done()) {
        awaitDriver();
      }
      return seen;
    }
  }

  /** Lets it go on to its end, as fast as it can. */
  void finish() throws InterruptedException {
    try {
      orchestrator.backfill(Form.ID).tune(Pace::fullSpeed);
    } catch (DeclarationException e) {
      // It has ended already; if anything else is wrong, the count of its rows says so.
    }
    awaitDriver();
  }

  private void awaitDriver() throws InterruptedException {
    try {
      driving.get(PATIENCE.toMinutes(), TimeUnit.MINUTES);
    } catch (ExecutionException | TimeoutException e) {
      throw new IllegalStateException("the driver did not end as it should", e);
    }
  }

  @Override
  public void close() {
    orchestrator.close();
    pool.close();
  }
}
