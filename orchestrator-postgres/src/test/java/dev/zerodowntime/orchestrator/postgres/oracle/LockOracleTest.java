package dev.zerodowntime.orchestrator.postgres.oracle;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.postgres.PostgresDialect;
import dev.zerodowntime.orchestrator.postgres.crash.PostgresProduct;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Dialect;
import dev.zerodowntime.orchestrator.spi.LockBudget;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.TableLock;
import dev.zerodowntime.orchestrator.testing.crash.Journeys;
import dev.zerodowntime.orchestrator.testing.crash.Journeys.Journey;
import dev.zerodowntime.orchestrator.testing.oracle.Declared;
import java.lang.reflect.Proxy;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** An oracle that can't say no is none: operations that lie to it are found out. */
@PostgresTest
@Tag("oracle")
class LockOracleTest {

  private static final String ADDS = "AddColumn nullable";
  private static final String BUILDS = "CreateIndex";

  private static Journeys journeys;

  @BeforeAll
  static void open() throws SQLException {
    journeys = new Journeys(new PostgresProduct());
  }

  @AfterAll
  static void close() throws SQLException {
    journeys.close();
  }

  private static List<String> violations(
      String subject, Dialect dialect, UnaryOperator<Step> change) throws SQLException {
    Journey journey = journeys.up(subject).orElseThrow();
    Declared declared = new Declared();
    try (LockOracle oracle = new LockOracle(journey, declared)) {
      journeys.make(journey, declared.listenTo(dialect, change), oracle);
      assertThat(oracle.statements()).isPositive();
      return oracle.violations();
    }
  }

  private static List<String> violations(String subject, UnaryOperator<Step> change)
      throws SQLException {
    return violations(subject, PostgresDialect.create(), change);
  }

  private static List<TableLock> weaker(Step step, String mode) {
    return step.locks().stream().map(each -> new TableLock(mode, each.table())).toList();
  }

  @Test
  void whoTellsTheTruthPasses() throws Exception {
    assertThat(violations(ADDS, each -> each)).isEmpty();
    assertThat(violations(BUILDS, each -> each)).isEmpty();
  }

  @Test
  void aLockThatIsStrongerThanDeclared() throws Exception {
    List<String> violations =
        violations(
            ADDS,
            each ->
                each instanceof DdlStep ddl
                    ? new DdlStep(
                        ddl.name(),
                        ddl.summary(),
                        weaker(ddl, "SHARE ROW EXCLUSIVE"),
                        ddl.sql(),
                        ddl.done(),
                        ddl.changesRowType())
                    : each);
    assertThat(violations)
        .anySatisfy(
            each ->
                assertThat(each)
                    .contains(
                        "AddColumn nullable, up",
                        "add-column took ACCESS EXCLUSIVE on public.users",
                        "stronger than SHARE ROW EXCLUSIVE",
                        "ADD COLUMN"));
  }

  @Test
  void aTableThatTheStepDoesNotName() throws Exception {
    List<String> violations =
        violations(
            ADDS,
            each -> {
              if (!(each instanceof DdlStep ddl)) {
                return each;
              }
              List<String> sql = new ArrayList<>(ddl.sql());
              sql.add("LOCK TABLE notes IN SHARE MODE");
              return new DdlStep(
                  ddl.name(), ddl.summary(), ddl.locks(), sql, ddl.done(), ddl.changesRowType());
            });
    assertThat(violations)
        .singleElement()
        .asString()
        .contains("took SHARE on public.notes", "stronger than ROW SHARE");
  }

  @Test
  void aBlockingLockWithoutItsBound() throws Exception {
    Dialect unbounded =
        Declared.proxy(
            Dialect.class,
            PostgresDialect.create(),
            (method, args, result) ->
                method.equals("lockBudget") ? withoutLimits((LockBudget) result) : result);
    assertThat(violations(ADDS, unbounded, each -> each))
        .singleElement()
        .asString()
        .contains(
            "holds ACCESS EXCLUSIVE on public.users without its bound", "statement_timeout = 0 ms");
  }

  private static LockBudget withoutLimits(LockBudget budget) {
    return (LockBudget)
        Proxy.newProxyInstance(
            LockOracleTest.class.getClassLoader(),
            new Class<?>[] {LockBudget.class},
            (proxy, method, args) ->
                method.getName().equals("blockers") ? method.invoke(budget, args) : null);
  }

  @Test
  void whatHoldsALockWhileItIsBeingBuilt() throws Exception {
    List<String> violations =
        violations(
            BUILDS,
            each ->
                each instanceof OnlineStep online
                    ? online(online, weaker(online, "ROW EXCLUSIVE"), online.statement())
                    : each);
    assertThat(violations)
        .isNotEmpty()
        .allSatisfy(
            each -> assertThat(each).contains("took SHARE UPDATE EXCLUSIVE on public.users"));
  }

  @Test
  void aBuildThatBlocksWrites() throws Exception {
    List<String> violations =
        violations(
            BUILDS,
            each ->
                each instanceof OnlineStep online
                    ? online(
                        online, online.locks(), online.statement().replace("CONCURRENTLY ", ""))
                    : each);
    assertThat(violations)
        .anySatisfy(each -> assertThat(each).contains("took SHARE on public.users"))
        .anySatisfy(each -> assertThat(each).contains("without its bound"));
  }

  private static OnlineStep online(OnlineStep step, List<TableLock> locks, String statement) {
    return new OnlineStep(
        step.name(), step.summary(), locks, statement, step.done(), step.broken(), step.repair());
  }
}
