package dev.zerodowntime.orchestrator;

/** A movement between two phases that the operation does not have. */
public final class IllegalTransitionException extends OrchestratorException {

  private static final long serialVersionUID = 1L;

  private final String operation;
  private final String from;
  private final String to;

  /**
   * Creates an exception.
   *
   * @param operation the operation
   * @param from the phase the movement would start in
   * @param to the phase it would lead to
   */
  public IllegalTransitionException(String operation, String from, String to) {
    this("", operation, from, to);
  }

  /**
   * Creates an exception about a migration.
   *
   * @param migration its id
   * @param operation the operation
   * @param from the phase the movement would start in
   * @param to the phase it would lead to
   */
  public IllegalTransitionException(String migration, String operation, String from, String to) {
    super(
        ErrorCode.ILLEGAL_TRANSITION,
        (migration.isEmpty() ? "" : "Migration " + migration + ": ")
            + operation
            + " can't move from "
            + from
            + " to "
            + to,
        "A rollback leads to an earlier phase, and nothing leads back out of a purge.",
        null);
    this.operation = operation;
    this.from = from;
    this.to = to;
  }

  /**
   * The operation.
   *
   * @return its name
   */
  public String operation() {
    return operation;
  }

  /**
   * Where the movement would start.
   *
   * @return a phase's name
   */
  public String from() {
    return from;
  }

  /**
   * Where it would lead.
   *
   * @return a phase's name
   */
  public String to() {
    return to;
  }
}
