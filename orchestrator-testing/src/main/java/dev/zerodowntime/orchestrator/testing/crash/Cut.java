package dev.zerodowntime.orchestrator.testing.crash;

/**
 * Where a process dies.
 *
 * @param point the statement
 * @param when on which side of it
 */
record Cut(Point point, When when) {

  enum When {
    /** The session is gone before the statement arrives. */
    BEFORE,
    /** The session goes while the statement runs: only where that leaves a remainder. */
    DURING,
    /** The statement has run to its end, but nobody hears of it. */
    AFTER
  }

  @Override
  public String toString() {
    return when + " " + point;
  }
}
