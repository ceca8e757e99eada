package dev.zerodowntime.orchestrator.postgres.crash;

import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.postgres.engine.AdvanceOnce;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;

/**
 * Starts processes, more than a hundred of them: with classes that the first one has loaded,
 * checked and archived for the others. Where that doesn't work, they only start more slowly.
 */
final class Spawn {

  private final Path directory;
  private final String classPath;
  private final Path archive;

  Spawn(Path directory) throws IOException {
    this.directory = directory;
    this.archive = directory.resolve("classes.jsa");
    List<String> jars = new ArrayList<>();
    for (Path each : AdvanceOnce.libraryOnly()) {
      // Only what comes from a jar can be archived.
      jars.add((Files.isDirectory(each) ? jar(each, jars.size()) : each).toString());
    }
    this.classPath = String.join(File.pathSeparator, jars);
  }

  private Path jar(Path classes, int number) throws IOException {
    Path jar = directory.resolve("classes-" + number + ".jar");
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar));
        Stream<Path> files = Files.walk(classes)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = classes.relativize(file).toString().replace(File.separatorChar, '/');
        out.putNextEntry(new JarEntry(name));
        Files.copy(file, out);
      }
    }
    return jar;
  }

  /** One that nobody kills: it begins the backfill, and leaves the archive for the others. */
  void first(TestDatabase database, Backfill.Once once) throws IOException, InterruptedException {
    boolean archived = Files.exists(archive);
    Process process =
        process(
            database, once, "kill-first", archived ? "-Xshare:auto" : "-XX:ArchiveClassesAtExit=");
    process.getOutputStream().close();
    if (process.waitFor() != 0) {
      throw new AssertionError("kill-first: " + said("kill-first"));
    }
  }

  Process start(TestDatabase database, Backfill.Once once, String name) throws IOException {
    return process(database, once, name, "-XX:SharedArchiveFile=");
  }

  private Process process(TestDatabase database, Backfill.Once once, String name, String archiving)
      throws IOException {
    String password = database.password();
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xshare:auto",
            archiving.endsWith("=") ? archiving + archive : archiving,
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Xmx128m",
            "-cp",
            classPath,
            Doomed.class.getName(),
            database.url(),
            database.user(),
            password == null ? "" : password,
            once.name(),
            name)
        .redirectErrorStream(true)
        .redirectOutput(directory.resolve(name).toFile())
        .start();
  }

  String said(String name) throws IOException {
    return Files.readString(directory.resolve(name));
  }
}
