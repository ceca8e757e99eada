package dev.zerodowntime.orchestrator.spi;

import java.util.List;

/**
 * One long statement that blocks neither reads nor writes, outside any transaction and without the
 * lock budget. Runs on a connection that holds the step's session lock, so that there is never a
 * second one.
 *
 * @param name see {@link Step#name()}
 * @param summary see {@link Step#summary()}
 * @param lock see {@link Step#lock()}
 * @param statement the statement
 * @param done whether its result is there and whole
 * @param broken whether a useless remainder of an earlier attempt is there
 * @param repair removes that remainder; online as well
 */
public record OnlineStep(
    String name,
    String summary,
    String lock,
    String statement,
    Probe done,
    Probe broken,
    List<String> repair)
    implements Step {

  /** Copies the list. */
  public OnlineStep {
    repair = List.copyOf(repair);
  }

  @Override
  public List<String> sql() {
    return List.of(statement);
  }
}
