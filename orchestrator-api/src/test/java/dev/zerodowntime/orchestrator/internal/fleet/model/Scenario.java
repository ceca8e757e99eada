package dev.zerodowntime.orchestrator.internal.fleet.model;

/**
 * One exploration: an operation, its roll-out, and what may go wrong. Time goes in ticks, and a
 * heartbeat is due in every one.
 *
 * @param operation the operation and its releases
 * @param bounds what may happen
 */
record Scenario(Operation operation, Bounds bounds) {

  /** How many ticks the fleet must have fitted, except in development. */
  static final int SOAK = 1;

  /** How many ticks a closed member is still counted. */
  static final int DRAIN = 1;

  /** The longest gap between two looks of a driver that still counts as watching. */
  static final int GAP = 1;

  /** The most that ages are counted up to. */
  static final int LONGEST = 2;

  /** The two drivers' names, as observers. */
  static final String[] DRIVERS = {"A", "B"};

  static Scenario of(Operation operation, String bounds) {
    return new Scenario(operation, Bounds.of(bounds));
  }

  /** How many ticks of its own watching a driver needs before a silent member is gone. */
  int expiry() {
    return bounds.detailed() ? LONGEST : 1;
  }

  /** How many ticks a release holds back after its last member. */
  int horizon() {
    if (bounds.development()) {
      return 0;
    }
    return bounds.detailed() ? LONGEST : 1;
  }

  /** How many ticks the fleet must have fitted. */
  int soak() {
    return bounds.development() ? 0 : SOAK;
  }

  @Override
  public String toString() {
    return operation + ": " + bounds;
  }
}
