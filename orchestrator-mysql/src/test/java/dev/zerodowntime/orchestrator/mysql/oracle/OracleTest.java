package dev.zerodowntime.orchestrator.mysql.oracle;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Transition;
import dev.zerodowntime.orchestrator.mysql.MysqlDialect;
import dev.zerodowntime.orchestrator.mysql.crash.MysqlProduct;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.spi.CallStep;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import dev.zerodowntime.orchestrator.testing.crash.Journeys;
import dev.zerodowntime.orchestrator.testing.crash.Journeys.Journey;
import dev.zerodowntime.orchestrator.testing.oracle.Declared;
import dev.zerodowntime.orchestrator.testing.oracle.OperationsDoc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * No statement of any step takes a stronger metadata lock than its plan declares, nor lets writes
 * wait where it says that they go on, nor writes a table anew that it says it leaves alone: says
 * the server, for every operation that the dialect ships, up and back down. How long locks were
 * held is recorded and not asserted.
 *
 * <p>The series whose figures are in {@code docs/mysql-operations.md} checks that page too; {@code
 * -Doracle.write=true} writes it. {@code -Doracle.full=true} takes both servers, whatever the day.
 */
@Tag("oracle")
class OracleTest {

  /** Whose way back is there for what a crash leaves: undisturbed, there is nothing to undo. */
  private static final Set<String> CLEANS_UP_ONLY = Set.of("Reindex");

  private static final String DOCUMENTED = "MySQL 9.7";
  private static final Path PAGE = Path.of("..", "docs", "mysql-operations.md");

  private final List<String> violations = new ArrayList<>();
  private final OperationsDoc page = Page.empty(DOCUMENTED);
  private int statements;

  /** MySQL always, for the page; MariaDB every other day, and when asked for. */
  static List<MysqlServer.Flavor> today() {
    return Boolean.getBoolean("oracle.full") || LocalDate.now().toEpochDay() % 2 == 0
        ? List.of(MysqlServer.Flavor.values())
        : List.of(MysqlServer.Flavor.MYSQL);
  }

  @ParameterizedTest
  @MethodSource("today")
  void noLockIsStrongerThanDeclaredAndWritesGoOn(MysqlServer.Flavor flavor) throws Exception {
    long start = System.nanoTime();
    MysqlServer server = MysqlServer.get(flavor);
    Map<String, List<Journey>> subjects = new LinkedHashMap<>();
    try (Journeys journeys = new Journeys(new MysqlProduct(server))) {
      for (Journey each : journeys.all()) {
        subjects.computeIfAbsent(each.subject(), key -> new ArrayList<>()).add(each);
      }
      for (List<Journey> each : subjects.values()) {
        listen(server, journeys, each);
      }
    }
    System.out.printf(
        "oracle: %d statements, %d not as declared; %s, %d subjects up and down, %d s%n",
        statements,
        violations.size(),
        server.series(),
        subjects.size(),
        TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start));
    assertThat(violations).isEmpty();
    if (server.series().equals(DOCUMENTED)) {
      checkPage();
    }
  }

  private void listen(MysqlServer server, Journeys journeys, List<Journey> ways) throws Exception {
    Declared declared = new Declared();
    Map<Declared.Key, List<Measured>> measured = new HashMap<>();
    for (Journey way : ways) {
      try (LockOracle oracle = new LockOracle(server, way, declared)) {
        journeys.make(way, declared.listenTo(new MysqlDialect(), each -> each), oracle);
        violations.addAll(oracle.violations());
        statements += oracle.statements();
        oracle
            .measured()
            .forEach(
                (key, seen) -> measured.computeIfAbsent(key, each -> new ArrayList<>()).add(seen));
      }
    }
    Journey first = ways.get(0);
    requireAllSeen(first, declared, measured);
    page.add(first.subject(), first.lifecycle(), declared, new Page(measured));
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
      boolean nothingToUndo =
          movement.direction() == Direction.DOWN && CLEANS_UP_ONLY.contains(way.subject());
      if (!unseen.isEmpty() && unseen.equals(speaking) && !nothingToUndo) {
        violations.add("no statement was heard of any step of " + what);
      }
    }
  }

  private void checkPage() throws IOException {
    if (Boolean.getBoolean("oracle.write")) {
      Files.writeString(PAGE, page.toString());
    }
    assertThat(OperationsDoc.withoutHolds(Files.readString(PAGE)))
        .as("docs/mysql-operations.md is not what was seen; -Doracle.write=true writes it anew")
        .isEqualTo(OperationsDoc.withoutHolds(page.toString()));
  }
}
