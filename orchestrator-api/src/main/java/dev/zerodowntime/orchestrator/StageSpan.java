package dev.zerodowntime.orchestrator;

/**
 * A code stage and the phases it can run against, as data.
 *
 * @param stage the stage's name
 * @param span the phases it can run against
 */
public record StageSpan(String stage, Span span) {

  @Override
  public String toString() {
    return stage + " " + span;
  }
}
