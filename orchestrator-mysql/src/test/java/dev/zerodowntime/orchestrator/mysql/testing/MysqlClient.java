package dev.zerodowntime.orchestrator.mysql.testing;

import com.mysql.cj.jdbc.MysqlDataSource;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/**
 * The server's own client, as people have it, driven by a shell. {@code
 * ORCHESTRATOR_TEST_MYSQL_CLIENT} and {@code ORCHESTRATOR_TEST_MARIADB_CLIENT} may name them; else
 * {@code mysql} and {@code mariadb} are looked for.
 */
public final class MysqlClient {

  private MysqlClient() {}

  /**
   * What a run said.
   *
   * @param status 0 if all of it went well
   * @param output both streams
   */
  public record Result(int status, String output) {}

  /** Runs a script; the test is skipped, and says so, where there is no client. */
  public static Result run(MysqlDatabase database, String script) {
    String client = client(database.flavor());
    MysqlDataSource server = database.source();
    URI address = URI.create(server.getUrl().substring("jdbc:".length()));
    try {
      Path file = Files.createTempFile("script", ".sh");
      Path log = Files.createTempFile("script", ".log");
      try {
        Files.writeString(file, script);
        ProcessBuilder builder =
            new ProcessBuilder(
                    "sh",
                    file.toString(),
                    client,
                    "--no-defaults",
                    "--protocol=tcp",
                    "--host=" + address.getHost(),
                    "--port=" + (address.getPort() < 0 ? 3306 : address.getPort()),
                    "--user=" + server.getUser(),
                    database.name())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        if (server.getPassword() != null) {
          builder.environment().put("MYSQL_PWD", server.getPassword());
        }
        Process process = builder.start();
        boolean ended = process.waitFor(120, TimeUnit.SECONDS);
        String output = Files.readString(log, StandardCharsets.UTF_8);
        if (!ended) {
          process.descendants().forEach(ProcessHandle::destroyForcibly);
          process.destroyForcibly();
          throw new IllegalStateException("the script has not ended: " + output);
        }
        return new Result(process.exitValue(), output);
      } finally {
        Files.delete(file);
        Files.delete(log);
      }
    } catch (IOException e) {
      throw new IllegalStateException("the script can't be run", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private static String client(MysqlServer.Flavor flavor) {
    String named = "ORCHESTRATOR_TEST_" + flavor + "_CLIENT";
    String name = flavor.name().toLowerCase(Locale.ROOT);
    List<String> places = new ArrayList<>(List.of(System.getenv("PATH").split(":")));
    places.addAll(List.of("/usr/local/bin", "/usr/bin"));
    Path found =
        Stream.concat(
                Stream.ofNullable(System.getenv(named)).map(Path::of),
                places.stream().map(each -> Path.of(each, name)))
            .filter(Files::isExecutable)
            .findFirst()
            .orElse(null);
    if (found == null) {
      System.err.println(
          "!!!! SKIPPED: no client "
              + name
              + " here (install it, or name it with "
              + named
              + "): scripts are not run on "
              + flavor);
      Assumptions.abort("no client " + name + " on this machine");
    }
    return found.toString();
  }
}
