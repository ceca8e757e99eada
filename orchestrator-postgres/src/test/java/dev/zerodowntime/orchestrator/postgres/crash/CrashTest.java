package dev.zerodowntime.orchestrator.postgres.crash;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import java.sql.Connection;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/**
 * A process may die between any two of its statements, and the next one must not be able to tell:
 * the same schema, every row as it should be, everything done exactly once.
 */
@PostgresTest
@Tag("crash")
class CrashTest {

  private static final int THREADS = Integer.getInteger("crash.threads", 2);
  private static final int FEWEST = 300;

  /** At most one in so many cuts may be lost to the clock. */
  private static final int UNMADE = 20;

  private final Sample sample = new Sample();
  private final Tally tally = new Tally();

  /** Every process here dies complaining, thousands of times. */
  private final Logger log = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);

  private final Level level = log.getLevel();
  private Server server;
  private String empty;
  private String installed;

  @BeforeEach
  void makeTemplates() throws Exception {
    log.setLevel(Level.OFF);
    server = new Server();
    empty = server.create("template0");
    try (Connection connection = Server.dataSource(empty).getConnection();
        Statement statement = connection.createStatement()) {
      for (String sql : Subject.table()) {
        statement.execute(sql);
      }
    }
    installed = server.copy(empty);
    Wire wire = new Wire(server, Server.dataSource(installed), null);
    try (CutDataSource source = new CutDataSource(wire)) {
      Act act = Script.INSTALL;
      act.live(Subjects.all().get(0).member(source, act, List.of()), "none");
    }
  }

  @AfterEach
  void dropTemplates() throws Exception {
    log.setLevel(level);
    server.drop(installed);
    server.drop(empty);
    server.close();
  }

  @Test
  void anotherMemberCarriesOnWhereverOneDied() throws Exception {
    List<String> only = List.of(System.getProperty("crash.only", "").split(","));
    List<Subject<?>> subjects = Subjects.all();
    List<Script> scripts = new ArrayList<>(List.of(Script.installation(subjects.get(1))));
    subjects.forEach(each -> scripts.addAll(Script.of(each)));
    scripts.removeIf(
        each -> only.stream().noneMatch((each.subject().name() + ", " + each.name())::contains));
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
    assertThat(tally.cuts()).isGreaterThanOrEqualTo(FEWEST);
    assertThat(tally.neverCut()).isEmpty();
    assertThat(tally.unmade()).isLessThan(tally.cuts() / UNMADE);
    assertThat(scripts)
        .allSatisfy(each -> assertThat(tally.cuts(each.subject().name())).isPositive());
  }

  private Void play(Script script) throws Exception {
    try (Server own = new Server()) {
      new ScriptRun(script, own, sample, tally).run(script.installed() ? installed : empty);
    }
    return null;
  }
}
