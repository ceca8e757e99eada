package dev.zerodowntime.orchestrator;

import org.jspecify.annotations.Nullable;

/**
 * The root of everything this library throws on purpose. The message says what is wrong, with the
 * value, and ends with the remedy.
 */
public abstract class OrchestratorException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final ErrorCode code;
  private final String remedy;

  /**
   * Creates an exception.
   *
   * @param code the kind of failure
   * @param problem what is wrong, naming the thing and the value
   * @param remedy what the reader can do about it, as a sentence
   * @param cause the cause, if another exception led here
   */
  protected OrchestratorException(
      ErrorCode code, String problem, String remedy, @Nullable Throwable cause) {
    super(problem + (problem.endsWith(".") ? " " : ". ") + remedy, cause);
    this.code = code;
    this.remedy = remedy;
  }

  /**
   * The kind of failure.
   *
   * @return a stable code
   */
  public ErrorCode code() {
    return code;
  }

  /**
   * What the reader can do about it.
   *
   * @return a sentence; also part of the message
   */
  public String remedy() {
    return remedy;
  }
}
