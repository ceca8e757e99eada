package dev.zerodowntime.benchmarks;

import dev.zerodowntime.benchmarks.Throughput.Figure;
import dev.zerodowntime.benchmarks.Throughput.Ratio;
import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.function.Function;

/** How fast backfills are, what they cost the application meanwhile, and how much memory. */
final class BackfillBenchmark implements Benchmark {

  private static final long SMALL = 100_000;
  private static final long MIDDLE = 1_000_000;
  private static final long LARGE = 10_000_000;

  @Override
  public String name() {
    return "backfill";
  }

  @Override
  public void run(Settings settings, Output out)
      throws IOException, SQLException, InterruptedException {
    try (Server server = Server.start(settings)) {
      describe(server, settings, out);
      LoadLatency latency = LoadLatency.measure(server, settings);
      out.say("measured: latencies");
      List<Throughput> sizes = new ArrayList<>();
      for (long rows : settings.sizes()) {
        sizes.add(Throughput.measure(server, settings, rows));
        server.forget(rows);
        out.say("measured: %,d rows", rows);
      }
      rates(sizes, out);
      latencies(latency, settings, out);
      goals(sizes, latency, settings).forEach(goal -> out.say(goal.line()));
    }
  }

  private static void describe(Server server, Settings settings, Output out) throws SQLException {
    Runtime runtime = Runtime.getRuntime();
    out.say(
        "machine: %d processors, %s %s; Java %s, heap of at most %s MiB",
        runtime.availableProcessors(),
        System.getProperty("os.name"),
        System.getProperty("os.arch"),
        Runtime.version(),
        mebibytes(runtime.maxMemory()));
    out.say(
        "processors: two sessions compute %.2f times as much as one",
        Computing.twoToOne(new Database(server, "postgres"), settings.time().dividedBy(10)));
    out.say("server: %s", server.settings());
    server.makeLogFiles(settings.durable() ? logOf(settings) : 0);
  }

  /**
   * Twice what an UPDATE of the largest table writes: the old page, the new row, its index entry.
   */
  private static long logOf(Settings settings) {
    long rows = settings.sizes().stream().mapToLong(Long::longValue).max().orElse(0);
    return 2 * 450 * Math.min(LARGE, Math.max(rows, settings.loadRows()));
  }

  private static void rates(List<Throughput> sizes, Output out) {
    List<List<String>> table = new ArrayList<>();
    table.add(row("rows/s at a table of", sizes, each -> format("%,d rows", each.rows())));
    for (Figure figure : Figure.values()) {
      table.add(row(figure.text(), sizes, each -> format("%,.0f", each.rate(figure))));
    }
    for (Ratio ratio : Ratio.values()) {
      table.add(row(ratio.text(), sizes, each -> format("%.2fx", each.ratio(ratio))));
    }
    table.add(row("peak heap of ours, MiB", sizes, each -> mebibytes(each.heap())));
    out.table(table);
  }

  private static List<String> row(
      String text, List<Throughput> sizes, Function<Throughput, String> cell) {
    List<String> row = new ArrayList<>(List.of(text));
    sizes.forEach(each -> row.add(cell.apply(each)));
    return row;
  }

  private static void latencies(LoadLatency latency, Settings settings, Output out) {
    List<List<String>> table = new ArrayList<>();
    table.add(
        List.of(
            format("ms at %,d/s on %,d rows", settings.rate(), settings.loadRows()),
            "p50",
            "p99",
            "max",
            "transactions",
            "seconds"));
    for (LoadLatency.Measured each : latency.all()) {
      Latencies latencies = each.latencies();
      table.add(
          List.of(
              each.text(),
              format("%,.2f", latencies.percentile(50)),
              format("%,.2f", latencies.percentile(99)),
              format("%,.2f", latencies.max()),
              format("%,d", latencies.count()),
              format("%.1f", each.time().toMillis() / 1e3)));
    }
    out.table(table);
    out.say(
        "p99 to that of the load alone: %.2fx during ours, %.2fx during computing alone",
        latency.factorAtDefaultPace(), latency.factorOfComputing());
  }

  private static List<Goal> goals(List<Throughput> sizes, LoadLatency latency, Settings settings) {
    return List.of(
        Goal.factorAtLeast("full-speed-2-workers", at(MIDDLE, sizes, Ratio.OURS_2_TO_PLAIN), 2.0),
        Goal.percentAtMost("flat", spread(sizes), 20),
        Goal.factorAtMost("sync-triggers", at(MIDDLE, sizes, Ratio.SYNC_COST_2), 1.25),
        Goal.factorAtMost(
            "default-pace-p99",
            settings.loadRows() == MIDDLE
                ? OptionalDouble.of(latency.factorAtDefaultPace())
                : OptionalDouble.empty(),
            1.25),
        Goal.factorAtMost("heap", growthOfHeap(sizes), 1.25));
  }

  private static OptionalDouble at(long rows, List<Throughput> sizes, Ratio ratio) {
    return sizes.stream()
        .filter(each -> each.rows() == rows)
        .map(each -> each.ratio(ratio))
        .findFirst()
        .orElse(OptionalDouble.empty());
  }

  /** By how much the slowest size falls behind the fastest, in percent. */
  private static OptionalDouble spread(List<Throughput> sizes) {
    List<Double> rates =
        smallToLarge(sizes).stream()
            .map(each -> each.rate(Figure.OURS_2).orElseThrow())
            .sorted()
            .toList();
    return rates.isEmpty()
        ? OptionalDouble.empty()
        : OptionalDouble.of(100 * (1 - rates.get(0) / rates.get(rates.size() - 1)));
  }

  private static OptionalDouble growthOfHeap(List<Throughput> sizes) {
    List<Throughput> among = smallToLarge(sizes);
    return among.stream().mapToDouble(each -> (double) each.heap() / among.get(0).heap()).max();
  }

  /** None unless both ends were run. */
  private static List<Throughput> smallToLarge(List<Throughput> sizes) {
    List<Throughput> among =
        sizes.stream().filter(each -> each.rows() >= SMALL && each.rows() <= LARGE).toList();
    boolean complete =
        among.size() > 1
            && among.get(0).rows() == SMALL
            && among.get(among.size() - 1).rows() == LARGE;
    return complete ? among : List.of();
  }

  private static String mebibytes(long bytes) {
    return format("%.1f", bytes / (1024.0 * 1024));
  }

  private static String format(String format, OptionalDouble value) {
    return value.isEmpty() ? "-" : format(format, (Object) value.getAsDouble());
  }

  private static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
