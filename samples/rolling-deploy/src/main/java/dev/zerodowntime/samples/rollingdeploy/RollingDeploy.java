package dev.zerodowntime.samples.rollingdeploy;

import java.io.IOException;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Rolls five releases of a sample out, and one of them back, on an embedded PostgreSQL, while
 * clients write and read. Ends with one line of proof, and with an exception unless it holds.
 */
public final class RollingDeploy {

  private static final List<Integer> SERVED = List.of(1, 2, 3, 4, 3, 4, 5);
  private static final Set<String> ENTITIES = Set.of("UserByName", "UserByFullName");

  /** With fewer requests the run has proved nothing. */
  private static final long ENOUGH_REQUESTS = 1_000;

  private final Settings settings;
  private final Console console = new Console();

  private RollingDeploy(Settings settings) {
    this.settings = settings;
  }

  /**
   * Runs it.
   *
   * @param args what {@code java -jar} runs, the path of its health endpoint, and the folder for
   *     what its instances print
   * @throws IOException if a process can't be started
   * @throws SQLException if the database can't be read
   * @throws InterruptedException if it was interrupted
   */
  public static void main(String[] args) throws IOException, SQLException, InterruptedException {
    if (args.length != 3) {
      throw new IllegalArgumentException(
          "needs a jar, a health path and a folder for logs, but got " + List.of(args));
    }
    Path jar = Path.of(args[0]);
    if (!Files.isRegularFile(jar)) {
      throw new IllegalArgumentException("there is no jar " + jar + "; build it first");
    }
    new RollingDeploy(new Settings(jar, args[1], Path.of(args[2]))).run();
  }

  private void run() throws IOException, SQLException, InterruptedException {
    // JDK's client would repeat a GET whose connection was closed, and so hide a failure. Its idle
    // connections must be gone before a server closes them.
    System.setProperty("jdk.httpclient.redirects.retrylimit", "1");
    System.setProperty("jdk.httpclient.disableRetryConnect", "true");
    System.setProperty("jdk.httpclient.keepalive.timeout", "5");
    System.setProperty("sun.net.httpserver.nodelay", "true");
    HttpClient http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(10))
            .build();
    Proof proof = new Proof();
    console.say("starting PostgreSQL");
    try (Database database = Database.start();
        Proxy proxy = Proxy.start(http);
        Rollout rollout = new Rollout(settings, database, http, proxy, proof, console)) {
      // An interrupted build leaves no processes behind.
      Runtime.getRuntime().addShutdownHook(new Thread(rollout::close));
      rollout.begin();
      Load load = Load.start(http, proxy, proof);
      List<User> users;
      try {
        rollout.run();
      } catch (RuntimeException e) {
        proof.failures().forEach(each -> console.say("failed: %s", each));
        throw e;
      } finally {
        users = load.stop();
      }
      rollout.stop();
      prove(rollout, proof, users, Ledger.differences(database.dataSource(), users));
    }
  }

  private void prove(Rollout rollout, Proof proof, List<User> users, List<String> differences) {
    proof.failures().forEach(each -> console.say("failed: %s", each));
    differences.stream().limit(5).forEach(each -> console.say("differs: %s", each));
    String served = rollout.served().stream().map(String::valueOf).collect(Collectors.joining(","));
    System.out.printf(
        "proof: requests=%d failed=%d slowest_ms=%d users=%d differ=%d releases=%s%n",
        proof.requests(),
        proof.failed(),
        proof.slowestMillis(),
        users.size(),
        differences.size(),
        served);
    require(proof.failed() == 0, "requests have failed");
    require(differences.isEmpty(), "users are lost, or have other values than were written");
    require(!users.isEmpty() && proof.requests() >= ENOUGH_REQUESTS, "too little was tried");
    require(rollout.served().equals(SERVED), "not every release has served: " + served);
    require(
        rollout.eitherEntities().equals(ENTITIES),
        "release 3 has not served both sides of the rename: " + rollout.eitherEntities());
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new IllegalStateException("The proof does not hold: " + otherwise);
    }
  }
}
