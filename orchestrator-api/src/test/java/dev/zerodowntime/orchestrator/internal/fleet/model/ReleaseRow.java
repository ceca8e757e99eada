package dev.zerodowntime.orchestrator.internal.fleet.model;

/**
 * A release's row in the database. Its highest declared stage never changes, so is not kept here.
 */
final class ReleaseRow {

  /** Whether there is a row. */
  boolean known;

  /** Ticks since its last member, or since it asked in vain, up to the horizon. */
  int age = Scenario.LONGEST;

  /**
   * Whether another release has been live for the soak time since this one's last member. Stays so
   * until the release is deployed again.
   */
  boolean superseded;

  /** Not stored but true: ticks since it last had a member or asked in vain. */
  int trueAge = Scenario.LONGEST;

  /** It is deployed: a process joins that was not a member before, and nobody else is one. */
  void deployed() {
    known = true;
    superseded = false;
  }

  void copy(ReleaseRow other) {
    known = other.known;
    age = other.age;
    superseded = other.superseded;
    trueAge = other.trueAge;
  }

  @Override
  public String toString() {
    return known ? "age " + age + (superseded ? " superseded" : "") : "-";
  }
}
