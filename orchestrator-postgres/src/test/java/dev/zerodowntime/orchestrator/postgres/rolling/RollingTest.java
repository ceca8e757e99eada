package dev.zerodowntime.orchestrator.postgres.rolling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.testing.rolling.Chosen;
import dev.zerodowntime.orchestrator.testing.rolling.Load;
import dev.zerodowntime.orchestrator.testing.rolling.Proof;
import dev.zerodowntime.orchestrator.testing.rolling.Rollout;
import dev.zerodowntime.orchestrator.testing.rolling.Scenario;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** {@link Proof} on PostgreSQL: each scenario comes up once a week. */
@PostgresTest
@Tag("rolling")
class RollingTest {

  private static final int DAYS = 7;
  private static final PostgresRolling PRODUCT = new PostgresRolling();
  private static final Proof PROOF =
      new Proof("rolling", PRODUCT, Scenarios.all(), Chosen.byProperties(DAYS));

  static Stream<Named<Scenario<?>>> operations() {
    return PROOF.operations();
  }

  static Stream<Named<Scenario<?>>> holdingBackSchema() {
    return PROOF.holdingBackSchema();
  }

  static Stream<Named<Scenario<?>>> holdingBackCode() {
    return PROOF.holdingBackCode();
  }

  @ParameterizedTest
  @MethodSource("operations")
  <C extends Enum<C> & CodeStage> void nothingFailsAndNothingDiffers(Scenario<C> scenario) {
    PROOF.nothingFailsAndNothingDiffers(scenario, Load.TRANSACTIONS);
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("holdingBackSchema")
  <C extends Enum<C> & CodeStage> void schemaAheadOfCodeFails(Scenario<C> scenario) {
    PROOF.schemaAheadOfCodeFails(scenario);
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("holdingBackCode")
  <C extends Enum<C> & CodeStage> void codeAheadOfSchemaFails(Scenario<C> scenario) {
    PROOF.codeAheadOfSchemaFails(scenario);
  }

  /** Proves that the load has statements prepared on the server, in transactions. */
  @Test
  void warmStatementsFailWithoutAutosave() {
    assertThat(PROOF.unsafeDriversFail(Scenarios.COLUMNS.addColumn())).contains("0A000");
  }

  /** Proves that upserts of the same row meet: a second index that isn't deferrable shows it. */
  @Test
  void upsertsFailOnSecondPlainUniqueIndex() {
    Scenario<RenameColumn.Code> scenario = Scenarios.RENAMES.renameUniqueColumn();
    try (Rollout<RenameColumn.Code> rollout = new Rollout<>(PRODUCT, scenario, Load.TRANSACTIONS)) {
      rollout.database().execute("CREATE UNIQUE INDEX twin ON accounts (lower(name))");
      rollout.startAll(0);
      String harm = rollout.untilHarm();
      PROOF.print(scenario, "plain twin index", harm);
      assertThat(harm).contains("23505");
    }
  }

  @AfterAll
  static void summary() {
    PROOF.summary();
  }
}
