package dev.zerodowntime.orchestrator.postgres.oracle;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.Transition;
import dev.zerodowntime.orchestrator.postgres.PostgresDialect;
import dev.zerodowntime.orchestrator.postgres.crash.PostgresProduct;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresServer;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.CallStep;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import dev.zerodowntime.orchestrator.testing.crash.Journeys;
import dev.zerodowntime.orchestrator.testing.crash.Journeys.Journey;
import dev.zerodowntime.orchestrator.testing.oracle.Declared;
import dev.zerodowntime.orchestrator.testing.oracle.OperationsDoc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * No statement of any step takes a stronger lock than its plan declares, nor a blocking one without
 * its bound: says the server, for every operation that the dialect ships, up and back down. How
 * long locks were held is recorded and not asserted.
 *
 * <p>One run tests one version of PostgreSQL. All of them:
 *
 * <pre>{@code
 * for v in 14 15 16 17 18; do
 *   mvn -pl orchestrator-api,orchestrator-postgres -Dpg.version=$v -Dtest=OracleTest \
 *       -Dsurefire.failIfNoSpecifiedTests=false test || break
 * done
 * }</pre>
 *
 * <p>The one whose figures are in {@code docs/operations.md} checks that page too; {@code
 * -Doracle.write=true} writes it.
 */
@PostgresTest
@Tag("oracle")
class OracleTest {

  private static final int DOCUMENTED_VERSION = 17;
  private static final Path PAGE = Path.of("..", "docs", "operations.md");

  private final List<String> violations = new ArrayList<>();
  private final OperationsDoc page = Page.empty();
  private int statements;
  private int others;
  private long rewritten;

  @Test
  void noLockIsStrongerThanDeclaredOrWithoutItsBound() throws Exception {
    long start = System.nanoTime();
    Map<String, List<Journey>> subjects = new LinkedHashMap<>();
    try (Journeys journeys = new Journeys(new PostgresProduct())) {
      for (Journey each : journeys.all()) {
        subjects.computeIfAbsent(each.subject(), key -> new ArrayList<>()).add(each);
      }
      for (List<Journey> each : subjects.values()) {
        listen(journeys, each);
      }
    }
    System.out.println(
        "oracle: " + statements + " statements, " + violations.size() + " stronger than declared");
    System.out.println(
        "  PostgreSQL "
            + PostgresServer.get().version()
            + ", "
            + subjects.size()
            + " subjects up and down, "
            + others
            + " statements of the engine looked at besides, "
            + rewritten
            + " rows rewritten outside of batches, "
            + TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start)
            + " s");
    assertThat(violations).isEmpty();
    assertThat(rewritten).as("rows rewritten by steps that are no backfills").isZero();
    checkPage();
  }

  private void listen(Journeys journeys, List<Journey> ways) throws Exception {
    Declared declared = new Declared();
    Map<Declared.Key, List<Measured>> measured = new HashMap<>();
    for (Journey way : ways) {
      try (LockOracle oracle = new LockOracle(way, declared)) {
        journeys.make(way, declared.listenTo(PostgresDialect.create(), each -> each), oracle);
        violations.addAll(oracle.violations());
        statements += oracle.statements();
        others += oracle.others();
        oracle
            .measured()
            .forEach(
                (key, seen) -> measured.computeIfAbsent(key, each -> new ArrayList<>()).add(seen));
      }
    }
    Journey first = ways.get(0);
    measured.forEach(
        (key, seen) -> {
          if (!batches(declared, key)) {
            rewritten += seen.stream().mapToLong(Measured::rows).sum();
          }
        });
    requireAllSeen(first, declared, measured);
    page.add(first.subject(), first.lifecycle(), declared, new Page(measured));
  }

  private static boolean batches(Declared declared, Declared.Key key) {
    return declared.steps(key.movement()).stream()
        .anyMatch(
            each ->
                each.name().equals(key.step())
                    && (each instanceof BackfillStep || each instanceof CallStep));
  }

  /**
   * A movement that was not made would pass unseen. Single steps that were not needed are only
   * named: some are there for what a crash leaves.
   */
  private void requireAllSeen(
      Journey way, Declared declared, Map<Declared.Key, List<Measured>> measured) {
    for (Transition transition : way.lifecycle().transitions()) {
      Declared.Movement movement =
          new Declared.Movement(
              Math.max(transition.from(), transition.to()), transition.direction());
      List<String> speaking =
          declared.steps(movement).stream()
              .filter(
                  each ->
                      !(each instanceof VerifyStep || each instanceof CallStep)
                          && !each.sql().isEmpty())
              .map(Step::name)
              .toList();
      List<String> unseen =
          speaking.stream()
              .filter(each -> !measured.containsKey(new Declared.Key(movement, each)))
              .toList();
      String what =
          way.subject()
              + ", "
              + way.lifecycle().name(movement.phase())
              + " "
              + movement.direction()
              + ": "
              + unseen;
      if (!unseen.isEmpty()) {
        System.out.println("  not needed: " + what);
      }
      if (!unseen.isEmpty() && unseen.equals(speaking) && !atOnce(declared, measured)) {
        violations.add("no statement was heard of any step of " + what);
      }
    }
  }

  /** Whether a shortcut was taken, which may leave nothing to do to later movements either. */
  private static boolean atOnce(Declared declared, Map<Declared.Key, List<Measured>> measured) {
    return measured.keySet().stream()
        .anyMatch(
            key ->
                declared.steps(key.movement()).stream()
                    .anyMatch(
                        each ->
                            each.name().equals(key.step())
                                && each instanceof DdlStep ddl
                                && ddl.shortcut()));
  }

  private void checkPage() throws IOException {
    if (PostgresServer.get().majorVersion() != DOCUMENTED_VERSION) {
      return;
    }
    if (Boolean.getBoolean("oracle.write")) {
      Files.writeString(PAGE, page.toString());
    }
    assertThat(OperationsDoc.withoutHolds(Files.readString(PAGE)))
        .as("docs/operations.md is not what was seen; -Doracle.write=true writes it anew")
        .isEqualTo(OperationsDoc.withoutHolds(page.toString()));
  }
}
