package dev.zerodowntime.orchestrator;

/**
 * Where a migration is: the phase it has reached and the one it is entering.
 *
 * <p>At rest both are the same. While a phase is entered, the pair stays until its last step is
 * confirmed, so that a driver that dies in between is harmless: whoever reads the pair knows that
 * the schema may be anywhere between its two ends.
 *
 * @param reached position of the phase whose steps are all confirmed
 * @param entering position of the phase being entered; {@code reached} at rest
 * @param direction which way it moves, or moved last
 */
public record State(int reached, int entering, Direction direction) {

  /** The state of every migration before its first step. */
  public static final State NOT_STARTED = new State(0, 0, Direction.UP);

  /** Checks that at most one phase lies between the two ends. */
  public State {
    if (reached < 0 || entering < 0 || Math.abs(reached - entering) > 1) {
      throw new IllegalArgumentException(
          "a state moves by one phase at a time, but got reached "
              + reached
              + ", entering "
              + entering);
    }
    if (reached != entering && (entering > reached) != (direction == Direction.UP)) {
      throw new IllegalArgumentException(
          "reached " + reached + ", entering " + entering + " is not " + direction);
    }
  }

  /**
   * A migration at rest.
   *
   * @param phase the phase reached
   * @return the state
   */
  public static State at(int phase) {
    return new State(phase, phase, Direction.UP);
  }

  /**
   * Whether no phase is being entered.
   *
   * @return true when reached and entering are the same
   */
  public boolean atRest() {
    return reached == entering;
  }

  /**
   * The lower end of the movement.
   *
   * @return the smaller of reached and entering
   */
  public int lower() {
    return Math.min(reached, entering);
  }

  /**
   * The upper end of the movement.
   *
   * @return the larger of reached and entering
   */
  public int upper() {
    return Math.max(reached, entering);
  }

  /**
   * The state while the neighbouring phase is entered from rest.
   *
   * @param direction which way
   * @return the pair that results
   */
  public State entering(Direction direction) {
    if (!atRest()) {
      throw new IllegalStateException("already entering: " + this);
    }
    return new State(reached, direction == Direction.UP ? reached + 1 : reached - 1, direction);
  }

  /**
   * The state when the last step of the phase being entered is confirmed.
   *
   * @return the state at rest in the phase that was being entered
   */
  public State confirmed() {
    return new State(entering, entering, direction);
  }

  /**
   * The same movement in the other direction. The pair of phases stays, and with it everybody's
   * fit.
   *
   * @return the state that undoes the movement
   */
  public State reversed() {
    if (atRest()) {
      throw new IllegalStateException("not entering anything: " + this);
    }
    return new State(entering, reached, direction == Direction.UP ? Direction.DOWN : Direction.UP);
  }

  @Override
  public String toString() {
    return atRest() ? "" + reached : reached + (direction == Direction.UP ? "->" : "=>") + entering;
  }
}
