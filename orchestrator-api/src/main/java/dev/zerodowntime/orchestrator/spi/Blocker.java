package dev.zerodowntime.orchestrator.spi;

import java.time.Duration;
import java.util.regex.Pattern;

/**
 * A session in the way.
 *
 * @param session its id on the server
 * @param application what it calls itself
 * @param state what it is doing, such as {@code idle in transaction}
 * @param age how old its transaction is
 * @param query its current or last query, shortened; {@link #describe()} hides the values in it
 */
public record Blocker(
    String session, String application, String state, Duration age, String query) {

  private static final Pattern LITERAL = Pattern.compile("'(?:[^']|'')*(?:'|$)");

  /**
   * For messages.
   *
   * @return one line
   */
  public String describe() {
    return "session "
        + session
        + (application.isBlank() ? "" : " (" + application + ")")
        + ", "
        + state
        + ", transaction open for "
        + age.toSeconds()
        + "."
        + age.toMillisPart() / 100
        + " s: "
        // What it says goes to logs and stays in the event log; the values in it don't.
        + LITERAL.matcher(query).replaceAll("'…'");
  }
}
