package dev.zerodowntime.samples.quickstart;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;

/** Five releases, one pod after the other, and one of them twice. */
final class Rollout {

  static final int PODS = 4;

  /** What a pipeline would take to see that a pod is well. */
  private static final int WATCH_MILLIS = 200;

  private final Shop shop;
  private final SchemaChange schema;
  private final DataSource database;
  private final Console console;
  private final List<Pod> pods = new ArrayList<>();

  Rollout(Shop shop, SchemaChange schema, DataSource database, Console console) {
    this.shop = shop;
    this.schema = schema;
    this.database = database;
    this.console = console;
  }

  /** Rolls everything out, and waits until the schema is where it should be. */
  void run() throws SQLException, InterruptedException {
    console.headline("release 0, %s: %d pods serve", Release.V0.news(), PODS);
    for (int i = 0; i < PODS; i++) {
      pods.add(Pod.start(i, Release.V0, shop));
    }
    roll(Release.V0, Release.V1);

    // It is running when public_id is to be added: by whoever adds it.
    console.headline("a nightly report reads customers for %d s", NightlyReport.SECONDS);
    Thread report = NightlyReport.start(database, shop.proof());
    schema.everyPodHasLibrary();
    roll(Release.V1, Release.V2);
    report.join();

    roll(Release.V2, Release.V3);
    console.headline(
        "customers complain about release 3: back to release 2, and then forward again");
    roll(Release.V3, Release.V2);
    roll(Release.V2, Release.V3);

    roll(Release.V3, Release.V4);
    roll(Release.V4, Release.V5);
    schema.finish();
  }

  /** Replaces one pod after the other; meanwhile both releases serve. */
  private void roll(Release from, Release to) throws SQLException, InterruptedException {
    console.headline("release %d %s", to.number(), to.news());
    schema.before(from, to);
    for (int i = 0; i < PODS; i++) {
      console.requireTime("rolling out release " + to.number());
      pods.get(i).stop();
      pods.set(i, Pod.start(i, to, shop));
      Thread.sleep(WATCH_MILLIS);
    }
    Proof proof = shop.proof();
    console.say(
        "all %d pods run release %d  (so far %,d queries, %,d failed, slowest %,d ms)",
        PODS, to.number(), proof.queries(), proof.failed(), proof.slowestMillis());
  }

  /** Stops all pods. */
  void stop() throws InterruptedException {
    for (Pod pod : pods) {
      pod.stop();
    }
    pods.clear();
  }
}
