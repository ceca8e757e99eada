package dev.zerodowntime.orchestrator.testing.rolling;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.Timing;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import javax.sql.DataSource;

/** One instance of a release: a pool, an orchestrator that drives in the background, and load. */
final class Pod<C extends Enum<C> & CodeStage> implements AutoCloseable {

  private static final int WORKERS = 2;

  private final String name;
  private final Product product;
  private final Load load;
  private final int release;
  private final Scenario<C> scenario;
  private final HikariDataSource pool;
  private final Orchestrator orchestrator;
  private final List<Worker> workers = new ArrayList<>();
  private final AtomicLong queries = new AtomicLong();
  private C stage;

  Pod(
      Product product,
      Database database,
      Scenario<C> scenario,
      Load load,
      int release,
      int number,
      AtomicBoolean backupConfirmed,
      boolean safe) {
    this.name = "release " + (release + 1) + " pod " + number;
    this.release = release;
    this.scenario = scenario;
    this.product = product;
    this.load = load;
    HikariConfig config = database.pool(safe);
    config.setMaximumPoolSize(WORKERS + 4);
    config.setPoolName(name);
    pool = new HikariDataSource(config);
    OrchestratorBuilder builder = builder(pool, backupConfirmed).release("r" + (release + 1));
    if (!safe) {
      // Not true, and so a way past the gate that waits for safe drivers.
      builder.noStarQueries();
    }
    List<C> stages = scenario.releases().get(release);
    if (stages.size() == 1) {
      builder.thisBuild(scenario.migration(), stages.get(0));
    } else if (stages.size() == 2) {
      builder.thisBuild(scenario.migration(), stages.get(0), stages.get(1));
    }
    orchestrator = builder.build();
  }

  /** The rules of production with short durations. */
  static OrchestratorBuilder builder(DataSource dataSource, AtomicBoolean backupConfirmed) {
    return Orchestrator.builder(dataSource)
        .application("rolling")
        .backupGate((migration, drops) -> backupConfirmed.get())
        .timing(Pod::quick);
  }

  private static Timing quick(Timing timing) {
    return timing
        // Nobody dies here: an expiry that the slowest machine doesn't reach by accident.
        .heartbeat(Duration.ofMillis(200), Duration.ofSeconds(10))
        .soak(Duration.ofMillis(100))
        .horizon(Duration.ofMillis(200))
        .drain(Duration.ofMillis(150))
        .startupBudget(Duration.ofSeconds(60))
        .lease(Duration.ofSeconds(2))
        .retryPause(Duration.ofMillis(20))
        .tick(Duration.ofMillis(40));
  }

  /** Joins the fleet, then serves. */
  void start(Ledger ledger, Tally tally) {
    orchestrator.advance();
    boolean declared = !scenario.releases().get(release).isEmpty();
    stage = declared ? orchestrator.stage(scenario.migration()) : scenario.oldest();
    Code code = scenario.code().apply(stage);
    for (int i = 0; i < WORKERS; i++) {
      workers.add(
          new Worker(
              name + " worker " + i, pool, product, code, scenario, load, ledger, tally, queries));
    }
  }

  int release() {
    return release;
  }

  /** What its code does; fixed since it was admitted. */
  C stage() {
    return stage;
  }

  Orchestrator orchestrator() {
    return orchestrator;
  }

  long queries() {
    return queries.get();
  }

  @Override
  public void close() {
    workers.forEach(Worker::stop);
    orchestrator.close();
    pool.close();
  }

  @Override
  public String toString() {
    return name + " at " + stage;
  }
}
