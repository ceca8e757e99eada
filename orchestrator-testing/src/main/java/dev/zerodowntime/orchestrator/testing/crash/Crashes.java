package dev.zerodowntime.orchestrator.testing.crash;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/**
 * Cuts every operation of a database at its statements. {@code -Dcrash.only=A,B} takes only those
 * ways whose name contains one of these, whatever the day; {@code -Dcrash.threads=n} that many at a
 * time.
 */
public final class Crashes implements AutoCloseable {

  private static final int THREADS = Integer.getInteger("crash.threads", 2);

  /** At most one in so many cuts may be lost to the clock. */
  private static final int UNMADE = 20;

  private final Product product;
  private final Sample sample;
  private final Tally tally = new Tally();
  private final Server server;
  private final String empty;
  private final String installed;

  /** Makes the databases that all ways begin with. */
  public Crashes(Product product) throws Exception {
    this.product = product;
    this.sample = new Sample(product);
    server = product.server();
    empty = server.create();
    try (Connection connection = product.dataSource(empty).getConnection();
        Statement statement = connection.createStatement()) {
      for (String sql : product.tables()) {
        statement.execute(sql);
      }
    }
    installed = server.copy(empty);
    Wire wire = new Wire(product, server, product.dataSource(installed), null);
    try (CutDataSource source = new CutDataSource(wire)) {
      Act act = Script.INSTALL;
      act.live(product.subjects().get(0).member(source, act, List.of()), "none");
    }
  }

  @Override
  public void close() throws Exception {
    server.drop(installed);
    server.drop(empty);
    server.close();
  }

  /**
   * Makes all cuts, and fails if any of them could be told afterwards.
   *
   * @param fewest how many there are at least
   */
  public void run(int fewest) throws Exception {
    List<Script> scripts = scripts();
    long start = System.nanoTime();
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    try {
      List<Future<?>> runs = new ArrayList<>();
      for (Script script : scripts) {
        runs.add(threads.submit((Callable<Void>) () -> play(script)));
      }
      for (Future<?> run : runs) {
        run.get();
      }
    } finally {
      threads.shutdownNow();
      threads.awaitTermination(1, TimeUnit.MINUTES);
    }
    System.out.println(tally.summary());
    System.out.println(tally.details());
    System.out.println(
        "  " + sample + ", " + TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start) + " s");
    assertThat(tally.problems()).isEmpty();
    assertThat(tally.cuts()).isGreaterThanOrEqualTo(fewest);
    assertThat(tally.neverCut()).isEmpty();
    assertThat(tally.unmade()).isLessThan(tally.cuts() / UNMADE);
    assertThat(scripts)
        .allSatisfy(each -> assertThat(tally.cuts(each.subject().name())).isPositive());
  }

  private List<Script> scripts() {
    List<Subject<?>> subjects = product.subjects();
    List<List<Script>> all = new ArrayList<>();
    all.add(List.of(Script.installation(product, subjects.get(Math.min(1, subjects.size() - 1)))));
    subjects.forEach(each -> all.add(Script.of(product, each)));
    String only = System.getProperty("crash.only");
    if (only == null) {
      return IntStream.range(0, all.size())
          .filter(sample::today)
          .mapToObj(all::get)
          .flatMap(List::stream)
          .toList();
    }
    List<String> names = List.of(only.split(","));
    return all.stream()
        .flatMap(List::stream)
        .filter(
            each -> names.stream().anyMatch((each.subject().name() + ", " + each.name())::contains))
        .toList();
  }

  private Void play(Script script) throws Exception {
    try (Server own = product.server()) {
      new ScriptRun(script, own, sample, tally).run(script.installed() ? installed : empty);
    }
    return null;
  }
}
