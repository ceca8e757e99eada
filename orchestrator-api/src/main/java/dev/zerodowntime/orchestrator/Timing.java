package dev.zerodowntime.orchestrator;

import java.time.Duration;
import java.util.Objects;
import java.util.function.UnaryOperator;

/**
 * Every duration the fleet rules and the engine use. Immutable; start from {@link #production()} or
 * {@link #development()} and replace single values. Whatever differs from the environment's
 * defaults is logged at start-up.
 *
 * @param heartbeat how often a member heartbeats
 * @param expiry how long a driver must have watched a heartbeat stand still before the member is
 *     gone
 * @param soak how long the whole fleet must have fitted a phase before it is entered
 * @param horizon how long a release holds back after its last member (the rollback horizon)
 * @param drain how long a closed member is still counted
 * @param startupBudget how long {@code advance()} tries to reach the phases that this build needs
 * @param lockBudget how long an application's query may wait on a lock of ours
 * @param retryPause the first pause after a failed attempt to get a lock; doubles, with jitter, up
 *     to twenty times its value
 * @param lease how long a driver that fell silent keeps the lease
 * @param tick how often the background driver looks while there is something to do
 */
public record Timing(
    Duration heartbeat,
    Duration expiry,
    Duration soak,
    Duration horizon,
    Duration drain,
    Duration startupBudget,
    Duration lockBudget,
    Duration retryPause,
    Duration lease,
    Duration tick) {

  /** Checks that the durations make sense together. */
  public Timing {
    positive("heartbeat", heartbeat);
    positive("expiry", expiry);
    notNegative("soak", soak);
    notNegative("horizon", horizon);
    notNegative("drain", drain);
    notNegative("startupBudget", startupBudget);
    positive("lockBudget", lockBudget);
    positive("retryPause", retryPause);
    positive("lease", lease);
    positive("tick", tick);
    if (expiry.compareTo(heartbeat.multipliedBy(2)) < 0) {
      throw new IllegalArgumentException(
          "expiry "
              + expiry
              + " must be at least twice the heartbeat "
              + heartbeat
              + ", or one late heartbeat makes a living member look gone");
    }
  }

  /**
   * The defaults of {@link Environment#PRODUCTION}.
   *
   * @return heartbeat 10 s, expiry 60 s, soak 60 s, horizon 24 h, drain 60 s, start-up budget 30 s,
   *     lock budget 200 ms, retry pause 500 ms, lease 30 s, tick 1 s
   */
  public static Timing production() {
    return new Timing(
        Duration.ofSeconds(10),
        Duration.ofSeconds(60),
        Duration.ofSeconds(60),
        Duration.ofHours(24),
        Duration.ofSeconds(60),
        Duration.ofSeconds(30),
        Duration.ofMillis(200),
        Duration.ofMillis(500),
        Duration.ofSeconds(30),
        Duration.ofSeconds(1));
  }

  /**
   * The defaults of {@link Environment#DEVELOPMENT}.
   *
   * @return heartbeat 1 s, expiry 3 s, no soak, no horizon, no drain, start-up budget 60 s, lock
   *     budget 200 ms, retry pause 100 ms, lease 3 s, tick 200 ms
   */
  public static Timing development() {
    return new Timing(
        Duration.ofSeconds(1),
        Duration.ofSeconds(3),
        Duration.ZERO,
        Duration.ZERO,
        Duration.ZERO,
        Duration.ofSeconds(60),
        Duration.ofMillis(200),
        Duration.ofMillis(100),
        Duration.ofSeconds(3),
        Duration.ofMillis(200));
  }

  /**
   * The defaults of an environment.
   *
   * @param environment the environment
   * @return its defaults
   */
  public static Timing of(Environment environment) {
    return environment == Environment.PRODUCTION ? production() : development();
  }

  /**
   * Replaces heartbeat and expiry together, since one limits the other.
   *
   * @param heartbeat how often a member heartbeats
   * @param expiry how long a heartbeat must stand still
   * @return a copy
   */
  public Timing heartbeat(Duration heartbeat, Duration expiry) {
    return new Timing(
        heartbeat,
        expiry,
        soak,
        horizon,
        drain,
        startupBudget,
        lockBudget,
        retryPause,
        lease,
        tick);
  }

  /**
   * Replaces the soak time.
   *
   * @param soak how long the fleet must have fitted
   * @return a copy
   */
  public Timing soak(Duration soak) {
    return new Timing(
        heartbeat,
        expiry,
        soak,
        horizon,
        drain,
        startupBudget,
        lockBudget,
        retryPause,
        lease,
        tick);
  }

  /**
   * Replaces the rollback horizon.
   *
   * @param horizon how long a release stays warm
   * @return a copy
   */
  public Timing horizon(Duration horizon) {
    return new Timing(
        heartbeat,
        expiry,
        soak,
        horizon,
        drain,
        startupBudget,
        lockBudget,
        retryPause,
        lease,
        tick);
  }

  /**
   * Replaces the drain time.
   *
   * @param drain how long a closed member is counted
   * @return a copy
   */
  public Timing drain(Duration drain) {
    return new Timing(
        heartbeat,
        expiry,
        soak,
        horizon,
        drain,
        startupBudget,
        lockBudget,
        retryPause,
        lease,
        tick);
  }

  /**
   * Replaces the start-up budget.
   *
   * @param startupBudget how long {@code advance()} tries
   * @return a copy
   */
  public Timing startupBudget(Duration startupBudget) {
    return new Timing(
        heartbeat,
        expiry,
        soak,
        horizon,
        drain,
        startupBudget,
        lockBudget,
        retryPause,
        lease,
        tick);
  }

  /**
   * Replaces the lock budget.
   *
   * @param lockBudget how long an application's query may wait on us
   * @return a copy
   */
  public Timing lockBudget(Duration lockBudget) {
    return new Timing(
        heartbeat,
        expiry,
        soak,
        horizon,
        drain,
        startupBudget,
        lockBudget,
        retryPause,
        lease,
        tick);
  }

  /**
   * Replaces the first pause after a failed attempt to get a lock.
   *
   * @param retryPause the first pause
   * @return a copy
   */
  public Timing retryPause(Duration retryPause) {
    return new Timing(
        heartbeat,
        expiry,
        soak,
        horizon,
        drain,
        startupBudget,
        lockBudget,
        retryPause,
        lease,
        tick);
  }

  /**
   * Replaces the lease time.
   *
   * @param lease how long a silent driver keeps the lease
   * @return a copy
   */
  public Timing lease(Duration lease) {
    return new Timing(
        heartbeat,
        expiry,
        soak,
        horizon,
        drain,
        startupBudget,
        lockBudget,
        retryPause,
        lease,
        tick);
  }

  /**
   * Replaces the driver's tick.
   *
   * @param tick how often the driver looks
   * @return a copy
   */
  public Timing tick(Duration tick) {
    return new Timing(
        heartbeat,
        expiry,
        soak,
        horizon,
        drain,
        startupBudget,
        lockBudget,
        retryPause,
        lease,
        tick);
  }

  /**
   * Applies several replacements.
   *
   * @param change the replacements
   * @return the result
   */
  Timing with(UnaryOperator<Timing> change) {
    return Objects.requireNonNull(change.apply(this), "the timing change returned null");
  }

  private static void positive(String name, Duration value) {
    if (value.isZero() || value.isNegative()) {
      throw new IllegalArgumentException(name + " must be positive, but is " + value);
    }
  }

  private static void notNegative(String name, Duration value) {
    if (value.isNegative()) {
      throw new IllegalArgumentException(name + " must not be negative, but is " + value);
    }
  }
}
