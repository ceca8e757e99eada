package dev.zerodowntime.orchestrator.mysql.oracle;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.mysql.MysqlDialect;
import dev.zerodowntime.orchestrator.mysql.crash.MysqlProduct;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.TableLock;
import dev.zerodowntime.orchestrator.testing.crash.Journeys;
import dev.zerodowntime.orchestrator.testing.crash.Journeys.Journey;
import dev.zerodowntime.orchestrator.testing.oracle.Declared;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An oracle that can't say no is none: operations that lie to it are found out. */
@Tag("oracle")
class LockOracleTest {

  private static final String ADDS = "AddColumn nullable";
  private static final String BUILDS = "CreateIndex";

  private static List<String> violations(
      MysqlServer server, String subject, UnaryOperator<Step> change) throws SQLException {
    try (Journeys journeys = new Journeys(new MysqlProduct(server))) {
      return violations(server, journeys, subject, change);
    }
  }

  private static List<String> violations(
      MysqlServer server, Journeys journeys, String subject, UnaryOperator<Step> change)
      throws SQLException {
    Journey journey = journeys.up(subject).orElseThrow();
    Declared declared = new Declared();
    try (LockOracle oracle = new LockOracle(server, journey, declared)) {
      journeys.make(journey, declared.listenTo(new MysqlDialect(), change), oracle);
      assertThat(oracle.statements()).isPositive();
      return oracle.violations();
    }
  }

  private static Step ddl(Step step, UnaryOperator<String> sql, String mode) {
    return step instanceof DdlStep ddl
        ? new DdlStep(
            ddl.name(),
            ddl.summary(),
            locks(ddl, mode),
            ddl.sql().stream().map(sql).toList(),
            ddl.done(),
            ddl.changesRowType())
        : step;
  }

  private static Step online(Step step, UnaryOperator<String> sql) {
    return step instanceof OnlineStep online
        ? new OnlineStep(
            online.name(),
            online.summary(),
            online.locks(),
            sql.apply(online.statement()),
            online.done(),
            online.broken(),
            online.repair())
        : step;
  }

  private static List<TableLock> locks(Step step, String mode) {
    List<TableLock> locks = new ArrayList<>();
    step.locks().forEach(each -> locks.add(new TableLock(mode, each.table())));
    return locks;
  }

  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void liesAreFoundOut(MysqlServer.Flavor flavor) throws Exception {
    MysqlServer server = MysqlServer.get(flavor);
    try (Journeys journeys = new Journeys(new MysqlProduct(server))) {
      assertThat(violations(server, journeys, ADDS, each -> each)).isEmpty();
      assertThat(violations(server, journeys, BUILDS, each -> each)).isEmpty();
      assertThat(
              violations(
                  server,
                  journeys,
                  BUILDS,
                  each -> online(each, sql -> sql.replace("LOCK=NONE", "LOCK=SHARED"))))
          .as("a build that blocks writes")
          .anySatisfy(each -> assertThat(each).contains("let no write to users begin"));
      assertThat(
              violations(
                  server,
                  journeys,
                  ADDS,
                  each ->
                      ddl(
                          each,
                          sql -> sql.replace("ALGORITHM=INSTANT", "ALGORITHM=COPY"),
                          "EXCLUSIVE")))
          .as("a short step that rewrites the table")
          .anySatisfy(each -> assertThat(each).contains("wrote the table anew"));
    }
  }

  /** Of what is waited for, only MySQL tells. */
  @ParameterizedTest
  @EnumSource(value = MysqlServer.Flavor.class, names = "MYSQL")
  void aLockThatIsStrongerThanDeclared(MysqlServer.Flavor flavor) throws Exception {
    assertThat(
            violations(
                MysqlServer.get(flavor), ADDS, each -> ddl(each, sql -> sql, "SHARED_NO_WRITE")))
        .anySatisfy(
            each ->
                assertThat(each)
                    .contains(
                        "took EXCLUSIVE on users", "stronger than SHARED_NO_WRITE", "add-column"));
  }
}
