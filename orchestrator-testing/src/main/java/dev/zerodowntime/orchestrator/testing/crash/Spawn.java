package dev.zerodowntime.orchestrator.testing.crash;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;

/**
 * Starts processes, more than a hundred of them: with classes that the first one has loaded,
 * checked and archived for the others. Where that doesn't work, they only start more slowly.
 */
public final class Spawn {

  private final Class<?> main;
  private final Path directory;
  private final String classPath;
  private final Path archive;

  /**
   * Makes jars of the class path.
   *
   * @param main the processes' main class
   * @param places where classes come from; those of this module need not be named
   * @param directory where the processes' files go
   */
  public Spawn(Class<?> main, Collection<Path> places, Path directory) throws IOException {
    this.main = main;
    this.directory = directory;
    this.archive = directory.resolve("classes.jsa");
    List<String> jars = new ArrayList<>();
    Set<Path> all = new LinkedHashSet<>(places);
    all.add(
        Path.of(
            URI.create(
                Spawn.class.getProtectionDomain().getCodeSource().getLocation().toString())));
    for (Path each : all) {
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

  /**
   * One that nobody kills: it begins the work, and leaves the archive for the others.
   *
   * @param name its own; the last of its arguments
   * @param arguments those before
   */
  public void first(String name, String... arguments) throws IOException, InterruptedException {
    boolean archived = Files.exists(archive);
    Process process =
        process(archived ? "-Xshare:auto" : "-XX:ArchiveClassesAtExit=" + archive, name, arguments);
    process.getOutputStream().close();
    if (process.waitFor() != 0) {
      throw new AssertionError(name + ": " + said(name));
    }
  }

  /** One more; arguments as in {@link #first}. */
  public Process start(String name, String... arguments) throws IOException {
    return process("-XX:SharedArchiveFile=" + archive, name, arguments);
  }

  private Process process(String archiving, String name, String... arguments) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xshare:auto",
                archiving,
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx128m",
                "-cp",
                classPath,
                main.getName()));
    command.addAll(Arrays.asList(arguments));
    command.add(name);
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(directory.resolve(name).toFile())
        .start();
  }

  /** What a process printed. */
  public String said(String name) throws IOException {
    return Files.readString(directory.resolve(name));
  }
}
