package dev.zerodowntime.orchestrator;

import org.jspecify.annotations.Nullable;

/**
 * The database can't be used: unreachable, read-only, too old, or its control tables are not ours
 * to work with.
 */
public final class DatabaseException extends OrchestratorException {

  private static final long serialVersionUID = 1L;

  /**
   * Creates an exception.
   *
   * @param code the kind of failure
   * @param problem what is wrong
   * @param remedy what to do
   * @param cause the driver's exception, if there is one
   */
  public DatabaseException(
      ErrorCode code, String problem, String remedy, @Nullable Throwable cause) {
    super(code, problem, remedy, cause);
  }
}
