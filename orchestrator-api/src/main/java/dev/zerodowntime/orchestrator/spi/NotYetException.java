package dev.zerodowntime.orchestrator.spi;

/**
 * Something is in the way of a phase that will end by itself, such as another migration or a build
 * that is running: the migration waits, and tries again.
 */
public final class NotYetException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  /**
   * Says what is in the way.
   *
   * @param what who or what it is, by name, and when it ends
   */
  public NotYetException(String what) {
    super(what, null, false, false);
  }

  /**
   * What is in the way.
   *
   * @return the message
   */
  public String what() {
    return String.valueOf(getMessage());
  }
}
