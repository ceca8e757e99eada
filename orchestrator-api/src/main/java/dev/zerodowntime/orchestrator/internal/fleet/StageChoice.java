package dev.zerodowntime.orchestrator.internal.fleet;

import dev.zerodowntime.orchestrator.Direction;

/**
 * The outcome of a build's request to join, for one migration.
 *
 * @param stage index of the chosen stage among those declared, or -1
 * @param phase the phase that the schema would have to reach first, or -1 when a stage was chosen
 * @param direction which way that phase lies
 */
public record StageChoice(int stage, int phase, Direction direction) {

  /**
   * The build is admitted.
   *
   * @param stage index of the chosen stage
   * @return the choice
   */
  public static StageChoice admitted(int stage) {
    return new StageChoice(stage, -1, Direction.UP);
  }

  /**
   * The build must wait for the schema.
   *
   * @param phase the phase it needs
   * @param direction which way that lies
   * @return the choice
   */
  public static StageChoice needsPhase(int phase, Direction direction) {
    return new StageChoice(-1, phase, direction);
  }

  /**
   * Whether a stage was chosen.
   *
   * @return true when the build fits
   */
  public boolean admitted() {
    return stage >= 0;
  }
}
