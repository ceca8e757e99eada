package dev.zerodowntime.orchestrator;

/**
 * The schema has left this build behind, and can't be taken back for it. The build was not
 * admitted: it must not serve.
 */
public final class ReleaseTooOldException extends OrchestratorException {

  private static final long serialVersionUID = 1L;

  /**
   * Creates an exception.
   *
   * @param code {@link ErrorCode#RELEASE_TOO_OLD} or {@link ErrorCode#APPLICATION_NOT_FIT}
   * @param problem which migration left it behind, and who is in the way of taking it back
   * @param remedy the one command that would help
   */
  public ReleaseTooOldException(ErrorCode code, String problem, String remedy) {
    super(code, problem, remedy, null);
  }
}
