package dev.zerodowntime.benchmarks;

import java.sql.SQLException;
import java.util.EnumMap;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * Rows per second at one size. Ours and the plain UPDATE take turns, and ours is compared with the
 * mean of the two plain ones around it: machines drift, above all shared ones.
 */
final class Throughput {

  /** What is measured, in the order of the table. */
  enum Figure {
    PLAIN("one plain UPDATE"),
    OURS_1("ours, full speed, 1 worker"),
    OURS_2("ours, full speed, 2 workers"),
    PLAIN_2("two plain UPDATEs of half the table each, at once"),
    PLAIN_SYNC("one plain UPDATE, sync triggers"),
    OURS_1_SYNC("ours, full speed, 1 worker, sync triggers"),
    OURS_2_SYNC("ours, full speed, 2 workers, sync triggers"),
    OURS_2_SYNC_VERIFIED("the same, its verification included"),
    DEFAULT_PACE("ours, default pace, sync triggers");

    private final String text;

    Figure(String text) {
      this.text = text;
    }

    String text() {
      return text;
    }
  }

  /** Figures that are divided by one another, run by run. */
  enum Ratio {
    OURS_1_TO_PLAIN("ours / plain, 1 worker"),
    OURS_2_TO_PLAIN("ours / plain, 2 workers"),
    PLAIN_2_TO_PLAIN("two UPDATEs at once / plain"),
    OURS_2_TO_PLAIN_2("ours, 2 workers / two UPDATEs at once"),
    PLAIN_SYNC_COST("sync triggers cost the plain UPDATE (time)"),
    SYNC_COST_1("sync triggers cost ours, 1 worker (time)"),
    SYNC_COST_2("sync triggers cost ours, 2 workers (time)");

    private final String text;

    Ratio(String text) {
      this.text = text;
    }

    String text() {
      return text;
    }
  }

  private final Server server;
  private final long rows;
  private final Map<Figure, Sample> rates = new EnumMap<>(Figure.class);
  private final Map<Ratio, Sample> ratios = new EnumMap<>(Ratio.class);
  private long heap;

  private Throughput(Server server, long rows) {
    this.server = server;
    this.rows = rows;
  }

  static Throughput measure(Server server, Settings settings, long rows)
      throws SQLException, InterruptedException {
    Throughput throughput = new Throughput(server, rows);
    for (int i = 0; i < settings.repeats(rows); i++) {
      throughput.round();
    }
    throughput.defaultPace(settings);
    throughput.heapAtFullSpeed();
    return throughput;
  }

  long rows() {
    return rows;
  }

  OptionalDouble rate(Figure figure) {
    return rates.getOrDefault(figure, new Sample()).median();
  }

  OptionalDouble ratio(Ratio ratio) {
    return ratios.getOrDefault(ratio, new Sample()).median();
  }

  /** The peak of the heap, in bytes. */
  long heap() {
    return heap;
  }

  /** What is to be compared is run side by side. */
  private void round() throws SQLException, InterruptedException {
    double before = add(Figure.PLAIN, plain());
    double ours1 = add(Figure.OURS_1, ours(Form.PLAIN, 1));
    double sync1 = add(Figure.OURS_1_SYNC, ours(Form.SYNC_TRIGGERS, 1));
    double between = add(Figure.PLAIN, plain());
    double ours2 = add(Figure.OURS_2, ours(Form.PLAIN, 2));
    Run sync = ours(Form.SYNC_TRIGGERS, 2);
    double sync2 = add(Figure.OURS_2_SYNC, sync);
    rates.computeIfAbsent(Figure.OURS_2_SYNC_VERIFIED, each -> new Sample()).add(sync.wholeRate());
    double after = add(Figure.PLAIN, plain());
    double halves = add(Figure.PLAIN_2, plainHalves());
    double plainSync = add(Figure.PLAIN_SYNC, plainWithTriggers());
    add(Ratio.OURS_1_TO_PLAIN, ours1 / ((before + between) / 2));
    add(Ratio.OURS_2_TO_PLAIN, ours2 / ((between + after) / 2));
    add(Ratio.PLAIN_2_TO_PLAIN, halves / after);
    add(Ratio.OURS_2_TO_PLAIN_2, ours2 / halves);
    add(Ratio.PLAIN_SYNC_COST, after / plainSync);
    add(Ratio.SYNC_COST_1, ours1 / sync1);
    add(Ratio.SYNC_COST_2, ours2 / sync2);
  }

  private double add(Figure figure, Run run) {
    rates.computeIfAbsent(figure, each -> new Sample()).add(run.rate());
    return run.rate();
  }

  private void add(Ratio ratio, double value) {
    ratios.computeIfAbsent(ratio, each -> new Sample()).add(value);
  }

  private Run plain() throws SQLException {
    try (Database database = server.fresh(rows)) {
      PlainUpdate.prepare(database);
      return checked(database, PlainUpdate.run(database));
    }
  }

  private Run plainHalves() throws SQLException {
    try (Database database = server.fresh(rows)) {
      PlainUpdate.prepare(database);
      return checked(database, PlainUpdate.halves(database, rows));
    }
  }

  /** With the triggers that the library has put there; it does nothing else meanwhile. */
  private Run plainWithTriggers() throws SQLException {
    try (Database database = server.fresh(rows);
        OurBackfill ours = OurBackfill.fullSpeed(database, Form.SYNC_TRIGGERS, 1)) {
      return checked(database, PlainUpdate.run(ours.database()));
    }
  }

  private Run ours(Form form, int workers) throws SQLException, InterruptedException {
    try (Database database = server.fresh(rows);
        OurBackfill ours = OurBackfill.fullSpeed(database, form, workers)) {
      return checked(database, ours.run());
    }
  }

  private Run checked(Database database, Run run) throws SQLException {
    if (run.rows() != rows) {
      throw new IllegalStateException(run.rows() + " of " + rows + " rows were changed");
    }
    Users.requireCopied(database);
    return run;
  }

  /** As far as it comes in the given time: by design that takes long for a large table. */
  private void defaultPace(Settings settings) throws SQLException, InterruptedException {
    try (Database database = server.fresh(rows);
        OurBackfill ours = OurBackfill.defaultPace(database, Form.SYNC_TRIGGERS)) {
      add(Figure.DEFAULT_PACE, ours.run(settings.time()));
      Users.requireNothingElse(database);
    }
  }

  /** A run of its own, whose time doesn't count: looking at the heap is slow. */
  private void heapAtFullSpeed() throws SQLException, InterruptedException {
    try (Database database = server.fresh(rows);
        OurBackfill ours = OurBackfill.fullSpeed(database, Form.SYNC_TRIGGERS, 2);
        HeapWatch watch = HeapWatch.start()) {
      checked(database, ours.run());
      heap = watch.peak();
    }
  }
}
