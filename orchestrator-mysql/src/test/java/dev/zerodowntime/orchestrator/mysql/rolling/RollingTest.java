package dev.zerodowntime.orchestrator.mysql.rolling;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.testing.rolling.Chosen;
import dev.zerodowntime.orchestrator.testing.rolling.Load;
import dev.zerodowntime.orchestrator.testing.rolling.Proof;
import dev.zerodowntime.orchestrator.testing.rolling.Scenario;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * {@link Proof} on MySQL and MariaDB. A transaction that the server ends as a deadlock (1213) is
 * tried again, as the documentation says, and counted; no other query may fail, and no query at all
 * of code whose queries are single ones.
 *
 * <p>Scenarios take turns, day by day, and so do the servers: one has the transactions, the other
 * one the single queries. {@code -Drolling.full=true}, and a choice by name, take both for each.
 */
@Tag("rolling")
class RollingTest {

  /** Odd, so that each scenario meets each server. */
  private static final int DAYS = 25;

  private static final List<Proof> PROOFS = new ArrayList<>();
  private static final Chosen CHOSEN = Chosen.byProperties(DAYS);

  @BeforeAll
  static void connect() {
    for (MysqlServer.Flavor each : MysqlServer.Flavor.values()) {
      MysqlServer server = MysqlServer.get(each);
      PROOFS.add(
          new Proof(
              "rolling " + server.series(),
              new MysqlRolling(server),
              MysqlScenarios.all(server),
              CHOSEN));
    }
  }

  /** One of the servers, or both. */
  private static Stream<Arguments> turn(
      int turn, Function<Proof, Stream<Named<Scenario<?>>>> scenarios) {
    int servers = PROOFS.size();
    return Stream.iterate(0, each -> each < servers, each -> each + 1)
        .filter(each -> !CHOSEN.byTurns() || (CHOSEN.day() + turn) % servers == each)
        .map(PROOFS::get)
        .flatMap(
            proof ->
                scenarios
                    .apply(proof)
                    .map(each -> Arguments.of(Named.of(proof.title(), proof), each)));
  }

  static Stream<Arguments> operations() {
    return turn(0, Proof::operations);
  }

  static Stream<Arguments> singleQueries() {
    return turn(1, Proof::singleQueries);
  }

  static Stream<Arguments> holdingBackSchema() {
    return turn(0, Proof::holdingBackSchema);
  }

  static Stream<Arguments> holdingBackCode() {
    return turn(1, Proof::holdingBackCode);
  }

  @ParameterizedTest
  @MethodSource("operations")
  <C extends Enum<C> & CodeStage> void nothingFailsAndNothingDiffers(
      Proof proof, Scenario<C> scenario) {
    proof.nothingFailsAndNothingDiffers(scenario, Load.TRANSACTIONS);
  }

  /** No deadlock either: a query has its metadata locks from the beginning. */
  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("singleQueries")
  <C extends Enum<C> & CodeStage> void singleQueriesNeverFail(Proof proof, Scenario<C> scenario) {
    proof.nothingFailsAndNothingDiffers(scenario, Load.SINGLE_QUERIES);
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("holdingBackSchema")
  <C extends Enum<C> & CodeStage> void schemaAheadOfCodeFails(Proof proof, Scenario<C> scenario) {
    proof.schemaAheadOfCodeFails(scenario);
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("holdingBackCode")
  <C extends Enum<C> & CodeStage> void codeAheadOfSchemaFails(Proof proof, Scenario<C> scenario) {
    proof.codeAheadOfSchemaFails(scenario);
  }

  @AfterAll
  static void summary() {
    PROOFS.forEach(Proof::summary);
  }
}
