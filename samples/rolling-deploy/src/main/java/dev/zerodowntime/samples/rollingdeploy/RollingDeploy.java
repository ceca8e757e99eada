package dev.zerodowntime.samples.rollingdeploy;

import java.io.IOException;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;

/**
 * Rolls five releases of a sample out, and one of them back, on an embedded PostgreSQL, while
 * clients write and read. Ends with one line of proof, and with an exception unless it holds.
 */
public final class RollingDeploy {

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
    HttpClient http = Http.client();
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
        proof.failures().stream().limit(5).forEach(each -> console.say("failed: %s", each));
        throw e;
      } finally {
        users = load.stop();
      }
      rollout.stop();
      prove(rollout, proof, users, Ledger.differences(database.dataSource(), users));
    }
  }

  private void prove(Rollout rollout, Proof proof, List<User> users, List<String> differences) {
    proof.failures().stream().limit(5).forEach(each -> console.say("failed: %s", each));
    differences.stream().limit(5).forEach(each -> console.say("differs: %s", each));
    Verdict verdict =
        new Verdict(
            proof.requests(),
            proof.failed(),
            users.size(),
            differences.size(),
            rollout.served(),
            rollout.eitherEntities());
    System.out.println(verdict.line(proof.slowestMillis()));
    if (!verdict.objections().isEmpty()) {
      throw new IllegalStateException(
          "The proof does not hold: " + String.join("; ", verdict.objections()));
    }
  }
}
