package dev.zerodowntime.samples.quickstart;

import dev.zerodowntime.orchestrator.OrchestratorException;
import dev.zerodowntime.orchestrator.Timing;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Locale;

/**
 * A shop whose pods serve without pause while five releases roll out, and with them four changes of
 * the schema. Ends with one line of proof, and its exit status says whether it holds.
 *
 * <ul>
 *   <li>{@code -Dquickstart.plain=true}: the same releases and the same load, but the schema is
 *       changed with plain DDL, the usual way. Then the proof shows what that costs, and the exit
 *       status only whether the run could be carried out.
 *   <li>{@code -Dquickstart.url=jdbc:mysql://host:port/database?user=...&password=...}: on an empty
 *       database of a MySQL or MariaDB instead of an embedded PostgreSQL.
 *   <li>{@code -Dquickstart.rows=200000}: rows in the table.
 *   <li>{@code -Dquickstart.seconds=180}: gives up after that time; usually it takes a third of it.
 * </ul>
 */
public final class Quickstart {

  /** With fewer queries the run has proved nothing. */
  private static final long ENOUGH_QUERIES = 10_000;

  private final boolean plain = Boolean.getBoolean("quickstart.plain");
  private final long rows = Math.max(1_000, Long.getLong("quickstart.rows", 200_000));
  private final Console console = new Console(Integer.getInteger("quickstart.seconds", 180));

  private Quickstart() {}

  /**
   * Runs it.
   *
   * @param args none
   */
  public static void main(String[] args) {
    // Always at the end: when a build runs this, its exit status is ours.
    System.exit(new Quickstart().run() ? 0 : 1);
  }

  private boolean run() {
    console.say(
        Product.url() == null
            ? "Starting PostgreSQL for a shop with %,d customers ..."
            : "Filling the named database of a shop with %,d customers ...",
        rows);
    try (Server server = Server.start()) {
      server.createCustomers(rows);
      if (plain) {
        console.say(
            "The same releases and the same load, but with plain DDL and without the library.");
      } else {
        explainTiming();
      }
      Shop shop = Shop.of(server.url(), !plain, Rollout.PODS, rows);
      boolean complete = rollOut(server, shop);
      return prove(server, shop, complete);
    } catch (IOException | SQLException e) {
      console.say("The quickstart could not run: %s", e);
      return false;
    }
  }

  private void explainTiming() {
    Timing usual = Timing.production();
    Timing here = Migrations.hurried(usual);
    console.say("The rules of production hold, only faster (in brackets what production uses):");
    say("soak, for which the fleet must fit a phase", here.soak(), usual.soak());
    say("heartbeat of a pod", here.heartbeat(), usual.heartbeat());
    say("expiry of a silent pod", here.expiry(), usual.expiry());
    say("drain, for which a closed pod still counts", here.drain(), usual.drain());
    say("horizon, for which a release may come back", here.horizon(), usual.horizon());
    say("retention of what is dropped", Migrations.RETENTION, Duration.ofDays(7));
    say("lock budget", here.lockBudget(), usual.lockBudget());
  }

  private void say(String what, Duration here, Duration usual) {
    console.say("  %-44s %s (%s)", what, text(here), text(usual));
  }

  private static String text(Duration duration) {
    return duration.toString().substring(2).toLowerCase(Locale.ROOT);
  }

  /** Whether all releases and all phases came to their end. */
  private boolean rollOut(Server server, Shop shop) {
    try (SchemaChange schema =
        plain
            ? new PlainDdl(server.database(), console)
            : new Orchestrated(server.database(), console)) {
      Rollout rollout = new Rollout(shop, schema, server.database(), console);
      try {
        rollout.run();
        return true;
      } finally {
        rollout.stop();
      }
    } catch (OrchestratorException | IllegalStateException | SQLException e) {
      console.say("STOPPED: %s", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return false;
  }

  private boolean prove(Server server, Shop shop, boolean complete) throws SQLException {
    Proof proof = shop.proof();
    Expectations expectations = shop.expectations();
    long checked = expectations.checkAll(server.database());
    console.headline(
        !complete
            ? "NOT all releases are out, or not every phase is reached"
            : "all releases are out"
                + (plain ? "" : ", every migration has reached its last phase"));
    proof.failures().forEach(each -> console.say("failed: %s", each));
    expectations.differences().forEach(each -> console.say("differs: %s", each));
    System.out.println(proof.line(checked, expectations.differing()));
    boolean proved =
        proof.queries() >= ENOUGH_QUERIES && proof.failed() == 0 && expectations.differing() == 0;
    return complete && (plain || proved);
  }
}
