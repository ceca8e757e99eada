package dev.zerodowntime.orchestrator.internal.fleet.model;

/**
 * One exploration: an operation, its roll-out, and what may go wrong.
 *
 * @param operation the operation and its releases
 * @param bounds what may happen
 */
record Scenario(Operation operation, Bounds bounds) {

  /** How many ticks of its own watching a driver needs before a silent member is gone. */
  static final int EXPIRY = Integer.getInteger("expiry", 2);

  /** How many ticks the fleet must have fitted. */
  static final int SOAK = 1;

  /** How many ticks a closed member is still counted. */
  static final int DRAIN = 1;

  /** How many ticks a release holds back after its last member. */
  static final int HORIZON = Integer.getInteger("horizon", 2);

  /** The longest gap between two looks of a driver that still counts as watching. */
  static final int GAP = 1;

  /** The two drivers' names, as observers. */
  static final String[] DRIVERS = {"A", "B"};

  @Override
  public String toString() {
    return operation + "; " + bounds;
  }
}
