package dev.zerodowntime.orchestrator;

/**
 * A stretch of schema state, reached by running steps.
 *
 * @param position the phase's number within its operation; spans and states refer to it
 * @param name the phase's name, such as {@code EXPAND}
 */
public record Phase(int position, String name) {

  @Override
  public String toString() {
    return position + " " + name;
  }
}
