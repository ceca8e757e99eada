package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumnInCode;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.Step;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The end is what a plain rename gives, and the way back leads to the beginning: catalogs compared.
 */
@PostgresTest
@Tag("long")
class RenameColumnFaithfulTest {

  private static final List<String> ROWS =
      List.of(
          "SELECT count(*), md5(string_agg(\"na me\"::text, ',' ORDER BY id)) FROM app.t",
          "SELECT count(*), md5(string_agg(\"Full \"\"Name\"::text, ',' ORDER BY id)) FROM app.t");

  private final TestDatabase db;

  RenameColumnFaithfulTest(TestDatabase db) {
    this.db = db;
  }

  private RenameColumnRunner<RenameColumn> byTrigger() {
    return new RenameColumnRunner<>(
        db,
        new PostgresRenameColumn(),
        RenameColumn.of("tests/rename")
            .schema("app")
            .table("t")
            .from(RenameColumnTables.FROM)
            .to(RenameColumnTables.TO)
            .build());
  }

  private RenameColumnRunner<RenameColumnInCode> inCode() {
    return new RenameColumnRunner<>(
        db,
        new PostgresRenameColumnInCode(),
        RenameColumnInCode.of("tests/rename")
            .schema("app")
            .table("t")
            .from(RenameColumnTables.FROM)
            .to(RenameColumnTables.TO)
            .build());
  }

  private List<String> plain(RenameColumnTables table) {
    db.execute(table.sql());
    db.execute("ALTER TABLE app.t RENAME COLUMN \"na me\" TO \"Full \"\"Name\"");
    return state();
  }

  private List<String> state() {
    return RenameColumnCatalog.of(db, "app", "t");
  }

  @ParameterizedTest
  @EnumSource
  void endsAsAPlainRename(RenameColumnTables table) {
    List<String> plain = plain(table);
    List<List<Object>> rows = db.rows(ROWS.get(1));
    db.execute(table.sql());
    byTrigger().go(RenameColumn.PURGE);
    assertThat(state()).isEqualTo(plain);
    assertThat(db.rows(ROWS.get(1))).isEqualTo(rows);
  }

  @ParameterizedTest
  @MethodSource("dev.zerodowntime.orchestrator.postgres.RenameColumnTables#inCode")
  void endsAsAPlainRenameInCode(RenameColumnTables table) {
    List<String> plain = plain(table);
    List<List<Object>> rows = db.rows(ROWS.get(1));
    db.execute(table.sql());
    inCode().go(RenameColumnInCode.PURGE);
    assertThat(state()).isEqualTo(plain);
    assertThat(db.rows(ROWS.get(1))).isEqualTo(rows);
  }

  @ParameterizedTest
  @EnumSource
  void theWayBackLeadsToTheBeginning(RenameColumnTables table) {
    backAndForth(table, byTrigger(), RenameColumn.CONTRACT);
    assertEndsAsPlain(table, byTrigger(), RenameColumn.PURGE);
  }

  @ParameterizedTest
  @MethodSource("dev.zerodowntime.orchestrator.postgres.RenameColumnTables#inCode")
  void theWayBackLeadsToTheBeginningInCode(RenameColumnTables table) {
    backAndForth(table, inCode(), RenameColumnInCode.CONTRACT);
    assertEndsAsPlain(table, inCode(), RenameColumnInCode.PURGE);
  }

  private void backAndForth(RenameColumnTables table, RenameColumnRunner<?> runner, int last) {
    db.execute(table.sql());
    List<String> original = state();
    List<List<Object>> rows = db.rows(ROWS.get(0));
    for (int phase = 1; phase <= last; phase++) {
      runner.go(phase);
      runner.go(0);
      assertThat(state()).as("up to " + phase + " and back").isEqualTo(original);
      assertThat(db.rows(ROWS.get(0))).isEqualTo(rows);
    }
  }

  /** The state left by the way back is as good a beginning as any. */
  private void assertEndsAsPlain(RenameColumnTables table, RenameColumnRunner<?> runner, int last) {
    runner.go(last);
    List<String> end = state();
    assertThat(end).isEqualTo(plain(table));
  }

  /** A movement that stops after any of its steps, and turns round. */
  @ParameterizedTest
  @EnumSource(names = {"RICH", "SENTINEL", "SERIAL", "IDENTITY", "SELF"})
  void turnsRoundAfterAnyStep(RenameColumnTables table) {
    db.execute(table.sql());
    turnRound(byTrigger(), RenameColumn.CONTRACT, RenameColumn.CONTRACT);
    assertEndsAsPlain(table, byTrigger(), RenameColumn.PURGE);
  }

  @ParameterizedTest
  @EnumSource(names = {"RICH", "SENTINEL", "SELF"})
  void turnsRoundAfterAnyStepInCode(RenameColumnTables table) {
    db.execute(table.sql());
    turnRound(inCode(), RenameColumnInCode.RELAX, RenameColumnInCode.CONTRACT);
    assertEndsAsPlain(table, inCode(), RenameColumnInCode.PURGE);
  }

  private <M extends Migration<?>> void turnRound(
      RenameColumnRunner<M> runner, int handover, int last) {
    // Where there are many steps of the same kind, some of them will do.
    for (int phase = 1; phase <= last; phase++) {
      runner.enter(phase);
      List<String> below = state();
      List<Step> up = runner.steps(phase, Direction.UP);
      List<Step> down = runner.steps(phase, Direction.DOWN);
      for (int i = 0; i < up.size(); i += 1 + up.size() / 12) {
        runner.run(up.subList(0, i + 1));
        if (phase < handover) {
          runner.enter(phase);
          assertThat(runner.steps(phase, Direction.UP)).isEqualTo(up);
        }
        runner.run(down);
        // At rest again, as when the engine captures.
        runner.enter(phase);
        assertThat(runner.steps(phase, Direction.UP)).isEqualTo(up);
        assertThat(clean(state()))
            .as("entering " + phase + ", after " + up.get(i).name())
            .isEqualTo(clean(below));
      }
      runner.run(up);
      runner.run(up);
      List<String> above = state();
      for (int i = 0; i < down.size(); i += 1 + down.size() / 12) {
        runner.run(down.subList(0, i + 1));
        runner.run(up);
        assertThat(clean(state()))
            .as("leaving " + phase + ", after " + down.get(i).name())
            .isEqualTo(clean(above));
      }
      runner.reached(phase);
    }
    runner.go(0);
  }

  /**
   * Settings that reject nothing may outlive the way back out of ENFORCE: they go with the column.
   */
  private static List<String> clean(List<String> state) {
    return state.stream()
        .map(
            line ->
                line.startsWith("[column, Full \"Name,")
                    ? line.split(", ")[4] + line.split(", ")[5]
                    : line)
        .toList();
  }
}
