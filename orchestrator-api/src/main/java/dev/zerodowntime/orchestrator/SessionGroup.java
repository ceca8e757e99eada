package dev.zerodowntime.orchestrator;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Sessions on this database that are alike. Immutable.
 *
 * @param application what they call themselves (PostgreSQL: {@code application_name}; MySQL: {@code
 *     program_name}, where the client says it); may be empty
 * @param address where they come from, without the port; empty for a local socket, null if this
 *     user may not see it
 * @param user the database's user
 * @param since when the oldest of them began; null if that can't be seen
 * @param count how many there are
 */
public record SessionGroup(
    String application, @Nullable String address, String user, @Nullable Instant since, int count) {

  @Override
  public String toString() {
    return (count == 1 ? "1 session" : count + " sessions")
        + " of user "
        + user
        + (application.isEmpty() ? ", without a name" : ", \"" + application + "\"")
        + (address == null ? "" : address.isEmpty() ? ", local" : ", from " + address)
        + (since == null ? "" : ", since " + since);
  }
}
