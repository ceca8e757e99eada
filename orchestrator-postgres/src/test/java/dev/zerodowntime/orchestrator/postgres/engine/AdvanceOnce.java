package dev.zerodowntime.orchestrator.postgres.engine;

import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.postgres.PostgresDialect;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.postgresql.ds.PGSimpleDataSource;
import org.slf4j.Logger;

/** A process of its own that joins the fleet and leaves, with a class path of the test's choice. */
public final class AdvanceOnce {

  private AdvanceOnce() {}

  /** What came of running a process. */
  record Ran(int exit, String output) {}

  /** Joins, says so, and leaves. */
  public static void main(String[] arguments) {
    try (Orchestrator member = Members.member(dataSource(arguments), "child").build()) {
      System.out.println("admitted: " + member.advance().admitted());
    }
  }

  static PGSimpleDataSource dataSource(String[] arguments) {
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setURL(arguments[0]);
    source.setUser(arguments[1]);
    if (!arguments[2].isEmpty()) {
      source.setPassword(arguments[2]);
    }
    return source;
  }

  /** Runs a main class against a database. */
  static Ran run(
      Class<?> main,
      TestDatabase database,
      Set<Path> classPath,
      List<String> options,
      String... more)
      throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
    command.addAll(options);
    command.addAll(
        List.of(
            "-Xmx256m",
            "-cp",
            String.join(
                System.getProperty("path.separator"),
                classPath.stream().map(Path::toString).toList()),
            main.getName(),
            database.url(),
            database.user(),
            database.password() == null ? "" : database.password()));
    command.addAll(Arrays.asList(more));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Ran(process.waitFor(), output);
  }

  /** The library, its dialect and the driver; no Flyway, no logging. */
  public static Set<Path> libraryOnly() {
    return where(
        Orchestrator.class,
        PostgresDialect.class,
        AdvanceOnce.class,
        PGSimpleDataSource.class,
        Logger.class);
  }

  /** Where classes were loaded from. */
  static Set<Path> where(Class<?>... classes) {
    Set<Path> places = new LinkedHashSet<>();
    for (Class<?> each : classes) {
      CodeSource source = each.getProtectionDomain().getCodeSource();
      places.add(Path.of(URI.create(source.getLocation().toString())));
    }
    return places;
  }
}
