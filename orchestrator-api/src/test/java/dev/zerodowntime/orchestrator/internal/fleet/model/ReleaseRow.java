package dev.zerodowntime.orchestrator.internal.fleet.model;

/**
 * A release's row in the database. Its highest declared stage never changes, so is not kept here.
 */
final class ReleaseRow {

  /** Its place in the order of deployment, from 1; 0 when there is no row. */
  int order;

  /** Ticks since its last member, or since it asked in vain, up to the horizon. */
  int age = Scenario.HORIZON;

  /** Whether it has been live for the soak time since its place in the order was given. */
  boolean proven;

  /** Whether another release has been live for the soak time since its last member. */
  boolean outlived;

  /** Not stored but true: ticks since it last had a member or asked in vain. */
  int trueAge = Scenario.HORIZON;

  boolean known() {
    return order > 0;
  }

  void copy(ReleaseRow other) {
    order = other.order;
    age = other.age;
    proven = other.proven;
    outlived = other.outlived;
    trueAge = other.trueAge;
  }

  @Override
  public String toString() {
    return order == 0
        ? "-"
        : "#" + order + " age " + age + (proven ? " proven" : "") + (outlived ? " outlived" : "");
  }
}
