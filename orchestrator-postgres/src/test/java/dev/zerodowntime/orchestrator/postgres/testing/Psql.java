package dev.zerodowntime.orchestrator.postgres.testing;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.postgresql.ds.PGSimpleDataSource;

/** The server's own client, as people have it; {@code PSQL} may name it. */
public final class Psql {

  private Psql() {}

  /**
   * What a run said.
   *
   * @param status 0 if all of it went well
   * @param output both streams
   */
  public record Result(int status, String output) {}

  /** Runs a script; the test is skipped, and says so, where there is no psql. */
  public static Result run(TestDatabase database, String script) {
    Path binary = binary();
    PGSimpleDataSource server = database.dataSource();
    try {
      Path file = Files.createTempFile("script", ".sql");
      ProcessBuilder builder =
          new ProcessBuilder(
                  binary.toString(),
                  "-X",
                  "-h",
                  server.getServerNames()[0],
                  "-p",
                  String.valueOf(server.getPortNumbers()[0]),
                  "-U",
                  server.getUser(),
                  "-d",
                  database.name(),
                  "-f",
                  file.toString())
              .redirectErrorStream(true);
      if (server.getPassword() != null) {
        builder.environment().put("PGPASSWORD", server.getPassword());
      }
      try {
        Files.writeString(file, script);
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
          process.destroyForcibly();
          throw new IllegalStateException("psql has not ended: " + output);
        }
        return new Result(process.exitValue(), output);
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new IllegalStateException("psql can't be run", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private static Path binary() {
    List<String> places = new ArrayList<>(List.of(System.getenv("PATH").split(":")));
    places.addAll(List.of("/usr/local/bin", "/usr/bin"));
    Path found =
        Stream.concat(
                Stream.ofNullable(System.getenv("PSQL")).map(Path::of),
                places.stream().map(each -> Path.of(each, "psql")))
            .filter(Files::isExecutable)
            .findFirst()
            .orElse(null);
    if (found == null) {
      System.err.println(
          "!!!! SKIPPED: no psql here (apt-get install postgresql-client): scripts are not run");
      Assumptions.abort("no psql on this machine");
    }
    return found;
  }
}
