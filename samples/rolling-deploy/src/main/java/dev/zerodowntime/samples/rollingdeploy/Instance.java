package dev.zerodowntime.samples.rollingdeploy;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A process that runs one release of the sample.
 *
 * <p>What is asked of a sample: it takes {@code PORT} (0: any free one, which its log names),
 * {@code RELEASE} and {@code DATABASE_URL} from its environment; its health endpoint answers 200
 * when it may be sent requests, and names the entity in use; SIGTERM stops it; each answer has the
 * header {@code Release}.
 */
public final class Instance {

  private static final Duration START = Duration.ofSeconds(240);
  private static final Duration STOP = Duration.ofSeconds(60);

  /** What the web servers of the samples say when they listen. */
  private static final Pattern PORT =
      Pattern.compile("(?:started on port |Listening on: http://[^\\s:]+:)(\\d+)\\s");

  private static final Pattern ENTITY = Pattern.compile("\"entity\"\\s*:\\s*\"(\\w+)\"");

  private final int release;
  private final Process process;
  private final Path log;
  private final String health;
  private int port;
  private String entity = "";

  private Instance(int release, Process process, Path log, String health) {
    this.release = release;
    this.process = process;
    this.log = log;
    this.health = health;
  }

  /**
   * Starts a process. It doesn't serve yet.
   *
   * @param release which release it is to be
   * @param number of all instances of a run; the first leaves its loaded classes to others
   * @param settings what to run
   * @param url of the database
   * @return the process
   * @throws IOException if it can't be started
   */
  public static Instance start(int release, int number, Settings settings, String url)
      throws IOException {
    Files.createDirectories(settings.logs());
    Path log = settings.logs().resolve("instance-" + number + "-release-" + release + ".txt");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // Quick to start, small: there are three of them at a time, and a database.
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m"));
    // The first one leaves its loaded classes to those that start after its end.
    Path classes = settings.logs().resolve("classes.jsa");
    if (number == 1) {
      Files.deleteIfExists(classes);
      command.add("-XX:ArchiveClassesAtExit=" + classes);
    } else if (Files.exists(classes)) {
      command.add("-XX:SharedArchiveFile=" + classes);
    }
    command.addAll(List.of("-jar", settings.jar().toString()));
    ProcessBuilder builder = new ProcessBuilder(command);
    Map<String, String> environment = builder.environment();
    environment.put("PORT", "0");
    environment.put("RELEASE", Integer.toString(release));
    environment.put("DATABASE_URL", url);
    builder.redirectErrorStream(true).redirectOutput(log.toFile());
    return new Instance(release, builder.start(), log, settings.health());
  }

  /**
   * Waits until it says that it can serve.
   *
   * @param http to ask it with
   * @throws InterruptedException if it was interrupted
   * @throws IllegalStateException if it ended, with the last lines of its log, or never says so
   */
  public void awaitHealthy(HttpClient http) throws InterruptedException {
    Await.until(this + " is to be well", START, () -> healthy(http));
  }

  private boolean healthy(HttpClient http) {
    if (!process.isAlive()) {
      throw new IllegalStateException(
          this
              + " ended with status "
              + process.exitValue()
              + " before it served:\n"
              + lastLines());
    }
    if (port == 0) {
      Matcher listening = PORT.matcher(text());
      if (!listening.find()) {
        return false;
      }
      port = Integer.parseInt(listening.group(1));
    }
    try {
      HttpResponse<String> answer =
          http.send(
              HttpRequest.newBuilder(uri().resolve(health)).timeout(Duration.ofSeconds(10)).build(),
              HttpResponse.BodyHandlers.ofString());
      Matcher found = ENTITY.matcher(answer.body());
      entity = found.find() ? found.group(1) : "";
      return answer.statusCode() == 200;
    } catch (IOException e) {
      return false; // not yet
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /**
   * What its health says of the mapping it has chosen, for the stage it was admitted at.
   *
   * @return the simple name of the entity's class
   */
  public String entity() {
    return entity;
  }

  /**
   * Where it listens, when it is well.
   *
   * @return the address, without a path
   */
  public URI uri() {
    return URI.create("http://127.0.0.1:" + port);
  }

  /**
   * Asks it to stop, as Kubernetes does, and waits until it has.
   *
   * @throws InterruptedException if it was interrupted
   * @throws IllegalStateException if it doesn't; it was killed then
   */
  public void stop() throws InterruptedException {
    process.destroy();
    if (!process.waitFor(STOP.toSeconds(), TimeUnit.SECONDS)) {
      kill();
      throw new IllegalStateException(
          this + " did not stop within " + STOP.toSeconds() + " s:\n" + lastLines());
    }
  }

  /** Leaves nothing behind when the run has failed. */
  public void kill() {
    process.destroyForcibly();
  }

  private String text() {
    try {
      return Files.readString(log);
    } catch (IOException e) {
      throw new IllegalStateException("can't read " + log, e);
    }
  }

  private String lastLines() {
    List<String> lines = text().lines().toList();
    return String.join("\n", lines.subList(Math.max(0, lines.size() - 40), lines.size()));
  }

  @Override
  public String toString() {
    return "an instance of release " + release + " (" + log.getFileName() + ")";
  }
}
