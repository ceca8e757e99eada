package dev.zerodowntime.orchestrator;

/**
 * The interval of phases that a code stage can run against; both ends are inclusive.
 *
 * @param low the lowest phase position the code can run against
 * @param high the highest phase position the code can run against
 */
public record Span(int low, int high) {

  /** Checks that the interval is not empty and starts at a phase. */
  public Span {
    if (low < 0 || high < low) {
      throw new IllegalArgumentException(
          "a span needs 0 <= low <= high, but got [" + low + "," + high + "]");
    }
  }

  /**
   * Tells whether code with this span can run while a migration is in {@code state}: at rest, and
   * at every moment of the movement between two phases, in either direction.
   *
   * @param state where the migration is
   * @return whether both ends of the movement lie within the span
   */
  public boolean fits(State state) {
    return low <= state.lower() && state.upper() <= high;
  }

  /**
   * Tells whether two spans share a phase.
   *
   * @param other the other span
   * @return whether both kinds of code can run side by side against some phase
   */
  public boolean overlaps(Span other) {
    return low <= other.high && other.low <= high;
  }

  @Override
  public String toString() {
    return "[" + low + "," + high + "]";
  }
}
