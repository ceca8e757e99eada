package dev.zerodowntime.benchmarks;

import dev.zerodowntime.orchestrator.Pace;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;

/**
 * What the application's transactions take, under a load of a fixed rate: alone, while ours runs at
 * the default pace, while a session computes as much as a batch does and touches nothing, and while
 * the single UPDATE runs. Alone is measured before and after ours, and counts as one.
 */
final class LoadLatency {

  /** Even at the default pace a backfill may end before the time is over; then it is run again. */
  private static final int MOST_ROUNDS = 3;

  private final Server server;
  private final Settings settings;
  private final Measured alone = new Measured("alone");
  private final Measured ours = new Measured("during ours, default pace, sync triggers");
  private final Measured computing =
      new Measured("during computing alone, as long and as often as batches are to be");
  private final Measured update = new Measured("during the single UPDATE, again and again");

  private LoadLatency(Server server, Settings settings) {
    this.server = server;
    this.settings = settings;
  }

  static LoadLatency measure(Server server, Settings settings)
      throws SQLException, InterruptedException {
    LoadLatency latency = new LoadLatency(server, settings);
    latency.warmUp();
    latency.alone();
    for (int i = 0; i < MOST_ROUNDS && latency.ours.time.compareTo(settings.time()) < 0; i++) {
      latency.ours();
    }
    latency.alone();
    latency.computing();
    latency.update();
    return latency;
  }

  /** One line of the table. */
  static final class Measured {

    private final String text;
    private final Latencies latencies = new Latencies();
    private Duration time = Duration.ZERO;

    private Measured(String text) {
      this.text = text;
    }

    private void add(Latencies more, Duration from, Duration to) {
      latencies.addAll(more);
      time = time.plus(to).minus(from);
    }

    String text() {
      return text;
    }

    Latencies latencies() {
      return latencies;
    }

    Duration time() {
      return time;
    }
  }

  List<Measured> all() {
    return List.of(alone, ours, computing, update);
  }

  /** How many times longer one transaction in a hundred takes because of us. */
  double factorAtDefaultPace() {
    return ours.latencies.percentile(99) / alone.latencies.percentile(99);
  }

  /** How many times longer it takes because a session computes, whatever it computes. */
  double factorOfComputing() {
    return computing.latencies.percentile(99) / alone.latencies.percentile(99);
  }

  /** Applications that run for a while have compiled what they run; its figures don't count. */
  private void warmUp() throws SQLException, InterruptedException {
    try (Database database = server.fresh(settings.loadRows());
        OurBackfill backfill = OurBackfill.defaultPace(database, Form.SYNC_TRIGGERS);
        Load load = Load.start(database, settings)) {
      backfill.run(settings.time().dividedBy(2));
      load.stop(Duration.ZERO, load.now());
    }
  }

  /** Before anybody has changed anything: no new column, no triggers. */
  private void alone() throws SQLException, InterruptedException {
    try (Database database = server.fresh(settings.loadRows())) {
      database.settle();
      during(alone, database, () -> Threads.sleep(settings.time()));
    }
  }

  private void ours() throws SQLException, InterruptedException {
    try (Database database = server.fresh(settings.loadRows());
        OurBackfill backfill = OurBackfill.defaultPace(database, Form.SYNC_TRIGGERS)) {
      during(ours, database, () -> backfill.runFor(settings.time().minus(ours.time)));
      backfill.finish();
      Users.requireCopied(database);
    }
  }

  /** The price of a neighbour on this machine, whatever it does. */
  private void computing() throws SQLException, InterruptedException {
    try (Database database = server.fresh(settings.loadRows());
        Computing session = Computing.calibrated(database, Pace.DEFAULT.target())) {
      database.settle();
      during(computing, database, () -> session.repeat(settings.time(), Pace.DEFAULT.pause()));
    }
  }

  /**
   * With the triggers, as in ours: without them, what the load writes meanwhile would be lost. The
   * statement is repeated until the time is over; it does the same work each time.
   */
  private void update() throws SQLException, InterruptedException {
    try (Database database = server.fresh(settings.loadRows());
        OurBackfill backfill = OurBackfill.defaultPace(database, Form.SYNC_TRIGGERS)) {
      during(update, database, () -> repeated(backfill.database()));
      Users.requireCopied(database);
    }
  }

  private void repeated(Database database) throws SQLException {
    long end = System.nanoTime() + settings.time().toNanos();
    do {
      PlainUpdate.run(database);
    } while (System.nanoTime() - end < 0);
  }

  private interface Work {
    void run() throws SQLException, InterruptedException;
  }

  /** Counts what is due while the work goes on, also what is answered only afterwards. */
  private void during(Measured into, Database database, Work work)
      throws SQLException, InterruptedException {
    try (Load load = Load.start(database, settings)) {
      Duration from = load.now();
      work.run();
      Duration to = load.now();
      into.add(load.stop(from, to), from, to);
    }
  }
}
