package dev.zerodowntime.orchestrator.internal.sql;

/** A text that can't be cut into statements. */
public final class SqlTextException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  SqlTextException(String problem) {
    super(problem, null, false, false);
  }

  /**
   * What is wrong.
   *
   * @return the message
   */
  public String problem() {
    return String.valueOf(getMessage());
  }
}
