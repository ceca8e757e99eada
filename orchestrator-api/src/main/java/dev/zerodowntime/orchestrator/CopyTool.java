package dev.zerodowntime.orchestrator;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * {@code pt-online-schema-change} of the Percona Toolkit, which copies a table while it is in use,
 * for changes that MySQL and MariaDB don't make in place, or for tables that are too big to be
 * rebuilt in place. The library has it copy the rows, no more: it compares them, and swaps the two
 * tables itself, within the lock budget.
 *
 * <p>The tool has connections of its own, to the same server as the {@code DataSource}, from which
 * no password can be had: so they are given here. Its user needs all that the library's needs on
 * the table, and may not end the sessions of others; the best is the same user. The password goes
 * to the tool in a file that only this user of the machine may read, and that is gone as soon as
 * the tool has connected. Immutable; start from {@link #ptOnlineSchemaChange}.
 *
 * @param path the tool, 3.6 or later, below 4
 * @param host the server, as the tool is to reach it; {@code localhost} is taken for a socket by
 *     its driver, so better an address
 * @param port the server's port
 * @param user its user
 * @param password asked each time that the tool is started
 * @param above from which size on, in bytes with indexes, a table is copied that the server would
 *     otherwise rebuild in place; null: only where a migration says {@code byCopy()}
 * @param chunkTime how long a statement that copies rows is to take: others that write the same
 *     rows wait as long
 * @param maxLoad above which the tool pauses: status variables of the server, {@code
 *     Threads_running=25}
 * @param criticalLoad above which it gives up, to be started again after {@link
 *     BuildLimits#retryAfter}
 */
public record CopyTool(
    Path path,
    String host,
    int port,
    String user,
    Supplier<String> password,
    @Nullable Long above,
    Duration chunkTime,
    String maxLoad,
    String criticalLoad) {

  /** Checks the values. */
  public CopyTool {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(password, "password");
    if (host.isBlank() || user.isBlank() || port < 1 || port > 65_535) {
      throw invalid("no usable server or user: " + user + "@" + host + ":" + port);
    }
    if ((host + user + maxLoad + criticalLoad).chars().anyMatch(Character::isISOControl)) {
      throw invalid("a control character is in " + host + ", " + user + " or a limit of the load");
    }
    if (above != null && above < 0) {
      throw invalid("a size must not be negative: " + above);
    }
    if (chunkTime.toMillis() < 1) {
      throw invalid("chunkTime must be positive: " + chunkTime);
    }
  }

  /**
   * The tool, with chunks of 100 ms, pausing above 25 running threads, giving up above 100; for
   * migrations that say {@code byCopy()}.
   *
   * @param path the program, such as {@code /usr/bin/pt-online-schema-change}
   * @param host the server
   * @param port its port
   * @param user its user
   * @param password asked each time that the tool is started
   * @return the tool
   */
  public static CopyTool ptOnlineSchemaChange(
      Path path, String host, int port, String user, Supplier<String> password) {
    return new CopyTool(
        path,
        host,
        port,
        user,
        password,
        null,
        Duration.ofMillis(100),
        "Threads_running=25",
        "Threads_running=100");
  }

  /**
   * Has big tables copied, too, that would otherwise be rebuilt in place, where the operation can
   * go either way. Chosen once for a migration, when it is registered.
   *
   * @param bytes from which size on, with indexes, as far as the server knows
   * @return a copy
   */
  public CopyTool copyAbove(long bytes) {
    return new CopyTool(path, host, port, user, password, bytes, chunkTime, maxLoad, criticalLoad);
  }

  /**
   * Replaces the time that a statement is to take.
   *
   * @param time for each chunk of rows
   * @return a copy
   */
  public CopyTool chunkTime(Duration time) {
    return new CopyTool(path, host, port, user, password, above, time, maxLoad, criticalLoad);
  }

  /**
   * Replaces the limits of the server's load.
   *
   * @param most above which the tool pauses, such as {@code Threads_running=25}
   * @param critical above which it gives up
   * @return a copy
   */
  public CopyTool load(String most, String critical) {
    return new CopyTool(path, host, port, user, password, above, chunkTime, most, critical);
  }

  private static DeclarationException invalid(String problem) {
    return new DeclarationException(
        ErrorCode.INVALID_DECLARATION, "The copy tool: " + problem, "Correct what it was given.");
  }

  /** Without the password. */
  @Override
  public String toString() {
    return path + " as " + user + "@" + host + ":" + port;
  }
}
