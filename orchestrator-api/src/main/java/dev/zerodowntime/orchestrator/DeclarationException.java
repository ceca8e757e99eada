package dev.zerodowntime.orchestrator;

/**
 * Something declared in code is wrong, or contradicts what the database knows. Nothing was touched.
 */
public final class DeclarationException extends OrchestratorException {

  private static final long serialVersionUID = 1L;

  /**
   * Creates an exception.
   *
   * @param code the kind of failure
   * @param problem what is wrong
   * @param remedy what to do
   */
  public DeclarationException(ErrorCode code, String problem, String remedy) {
    super(code, problem, remedy, null);
  }
}
