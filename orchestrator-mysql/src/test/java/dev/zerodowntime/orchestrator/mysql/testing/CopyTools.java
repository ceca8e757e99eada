package dev.zerodowntime.orchestrator.mysql.testing;

import dev.zerodowntime.orchestrator.CopyTool;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;

/**
 * The tool of the copy route: {@code ORCHESTRATOR_TEST_PT_OSC} names it, {@code .ci/mysql-servers
 * start} fetches it on a Debian machine. Where nobody has one, tests are skipped, loudly; but a
 * build server (CI=true) fails, unless it says itself that it tried in vain.
 */
public final class CopyTools {

  private static final String VARIABLE = "ORCHESTRATOR_TEST_PT_OSC";
  private static final String UNAVAILABLE = "unavailable";

  private CopyTools() {}

  /** For the server of a database. */
  public static CopyTool of(MysqlDatabase database) {
    return at(path(), database.server());
  }

  /** Another program for the same server. */
  public static CopyTool at(Path path, MysqlServer server) {
    URI uri = URI.create(server.url().replaceFirst("\\?.*", "").substring("jdbc:".length()));
    return CopyTool.ptOnlineSchemaChange(
            path,
            uri.getHost().equals("localhost") ? "127.0.0.1" : uri.getHost(),
            uri.getPort() < 0 ? 3306 : uri.getPort(),
            server.user(),
            server::password)
        // Other tests are busy on the same server.
        .load("Threads_running=200", "Threads_running=1000")
        .chunkTime(Duration.ofMillis(50));
  }

  /** Where it is. */
  public static Path path() {
    String given = setting();
    if (given != null && !given.equals(UNAVAILABLE)) {
      return Path.of(given);
    }
    String message =
        "NO PT-ONLINE-SCHEMA-CHANGE FOR THE TESTS OF THE COPY ROUTE.\nREMEDY: name one, 3.6 or"
            + " later, with "
            + VARIABLE
            + "=/path; on Debian, .ci/mysql-servers start fetches one and prints that.";
    System.err.println("!!!!\n!!!! " + message.replace("\n", "\n!!!! ") + "\n!!!!");
    if (Boolean.parseBoolean(System.getenv("CI")) && given == null) {
      throw new IllegalStateException(message);
    }
    return Assumptions.abort(message);
  }

  private static @Nullable String setting() {
    String value = System.getProperty(VARIABLE, System.getenv(VARIABLE));
    return value == null || value.isBlank() ? null : value;
  }
}
