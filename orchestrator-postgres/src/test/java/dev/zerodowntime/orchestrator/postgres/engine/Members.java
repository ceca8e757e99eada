package dev.zerodowntime.orchestrator.postgres.engine;

import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.Timing;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.time.Duration;
import javax.sql.DataSource;

/** Builders of members with the rules of production and short durations. */
final class Members {

  /** Enough for a lock that is free, on a machine that has much else to do. */
  static final Duration LOCK_BUDGET = Duration.ofSeconds(2);

  private Members() {}

  /** Durations short enough for tests; nothing asserts how long anything takes. */
  static Timing quick(Timing timing) {
    return timing
        .heartbeat(Duration.ofMillis(100), Duration.ofMillis(400))
        .soak(Duration.ZERO)
        .horizon(Duration.ZERO)
        .drain(Duration.ZERO)
        .startupBudget(Duration.ofSeconds(30))
        .lockBudget(LOCK_BUDGET)
        .lease(Duration.ofMillis(300))
        .retryPause(Duration.ofMillis(10))
        .tick(Duration.ofMillis(50));
  }

  /** Like {@link #quick}, but a member that doesn't heartbeat stays counted. */
  static Timing patient(Timing timing) {
    return quick(timing).heartbeat(Duration.ofSeconds(5), Duration.ofMinutes(10));
  }

  /** Like {@link #patient}, for locks that are not free: nobody is to wait long for one. */
  static Timing turnedAway(Timing timing) {
    return patient(timing).lockBudget(Duration.ofMillis(200));
  }

  /**
   * A member without a background thread: the test says when it heartbeats and drives. Of a test
   * database's own source it uses {@linkplain TestDatabase#pooled the pool}.
   */
  static OrchestratorBuilder member(DataSource dataSource, String release) {
    return Orchestrator.builder(TestDatabase.pooled(dataSource))
        .application("billing")
        .release(release)
        .noStarQueries()
        .background(false)
        .backupGate((migration, drops) -> true)
        .timing(Members::quick);
  }

  /**
   * Installs the control tables in the name of an application that has adopted the library
   * everywhere, so that nothing is pinned although the database has rows. Registers nobody.
   */
  static void install(DataSource dataSource) {
    try (Orchestrator job = driver(dataSource).build()) {
      job.advance();
      job.adopted("billing");
    }
  }

  /** A job that drives without being counted. */
  static OrchestratorBuilder driver(DataSource dataSource) {
    return member(dataSource, "job").role(Role.DRIVER);
  }
}
