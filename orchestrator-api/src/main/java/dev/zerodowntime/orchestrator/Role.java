package dev.zerodowntime.orchestrator;

/** What a process does in the fleet. */
public enum Role {
  /** Counted in the fleet, and drives migrations when it holds the lease. The default. */
  BOTH,
  /** Counted, but drives nothing: its database user needs no DDL rights. */
  MEMBER,
  /** Drives, but serves nothing and is not counted: a deployment job. */
  DRIVER;

  /**
   * Whether a process with this role is counted.
   *
   * @return true unless it is a pure driver
   */
  public boolean counted() {
    return this != DRIVER;
  }

  /**
   * Whether a process with this role may drive migrations.
   *
   * @return true unless it is a pure member
   */
  public boolean drives() {
    return this != MEMBER;
  }
}
