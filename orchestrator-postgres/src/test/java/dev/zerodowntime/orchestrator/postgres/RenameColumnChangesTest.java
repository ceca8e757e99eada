package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumnInCode;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.Step;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What people do to the old column while it is renamed: carried over, or refused by name. */
@PostgresTest
class RenameColumnChangesTest {

  private static final String[] TABLE = {
    "DROP SCHEMA IF EXISTS app, \"" + RenameColumnRunner.CONTROL + "\" CASCADE",
    "CREATE SCHEMA app",
    "CREATE SCHEMA \"" + RenameColumnRunner.CONTROL + "\"",
    "CREATE TABLE app.p (k text PRIMARY KEY)",
    "INSERT INTO app.p SELECT 'v' || g FROM generate_series(1, 20) g",
    "CREATE TABLE app.t (id int PRIMARY KEY, other int, o text, CONSTRAINT had CHECK (o <> ''))",
    "CREATE INDEX had_index ON app.t (o)",
    "CREATE UNIQUE INDEX had_unique ON app.t (o)",
    "ALTER TABLE app.t ADD CONSTRAINT had_key FOREIGN KEY (o) REFERENCES app.p",
    "INSERT INTO app.t SELECT g, g, 'v' || g FROM generate_series(1, 9) g",
    "CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
  };

  private static final String[] ADDED = {
    "CREATE INDEX late ON app.t (lower(o)) WHERE o <> 'x'",
    "CREATE UNIQUE INDEX late_unique ON app.t (other, o)",
    "ALTER TABLE app.t ADD CONSTRAINT late_check CHECK (length(o) < 9)",
    "ALTER TABLE app.t ADD CONSTRAINT late_key FOREIGN KEY (o) REFERENCES app.p ON DELETE CASCADE",
    "ALTER TABLE app.t ALTER o SET NOT NULL, ALTER o SET DEFAULT 'v1', ALTER o SET STATISTICS 7",
    "COMMENT ON COLUMN app.t.o IS 'late'",
    "GRANT SELECT (o) ON app.t TO PUBLIC",
  };

  private static final String[] DROPPED = {
    "DROP INDEX app.had_index",
    "DROP INDEX app.had_unique",
    "ALTER TABLE app.t DROP CONSTRAINT had",
    "ALTER TABLE app.t DROP CONSTRAINT had_key",
  };

  private final TestDatabase db;

  RenameColumnChangesTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void table() {
    db.execute(TABLE);
  }

  private RenameColumnRunner<RenameColumn> byTrigger() {
    return new RenameColumnRunner<>(
        db,
        new PostgresRenameColumn(),
        RenameColumn.of("tests/changes").schema("app").table("t").from("o").to("n").build());
  }

  private RenameColumnRunner<RenameColumnInCode> inCode() {
    return new RenameColumnRunner<>(
        db,
        new PostgresRenameColumnInCode(),
        RenameColumnInCode.of("tests/changes").schema("app").table("t").from("o").to("n").build());
  }

  private List<String> plain(String... changes) {
    db.execute(TABLE);
    db.execute(changes);
    db.execute("ALTER TABLE app.t RENAME COLUMN o TO n");
    List<String> plain = state();
    db.execute(TABLE);
    return plain;
  }

  private List<String> state() {
    return RenameColumnCatalog.of(db, "app", "t");
  }

  @ParameterizedTest
  @ValueSource(ints = {RenameColumn.EXPAND, RenameColumn.VERIFY, RenameColumn.ENFORCE})
  void whatIsAddedMeanwhileIsCarriedOver(int phase) {
    List<String> plain = plain(ADDED);
    RenameColumnRunner<RenameColumn> runner = byTrigger();
    runner.go(phase);
    db.execute(ADDED);
    runner.go(RenameColumn.PURGE);
    assertThat(state()).isEqualTo(plain);

    db.execute(TABLE);
    RenameColumnRunner<RenameColumnInCode> code = inCode();
    code.go(phase);
    db.execute(ADDED);
    code.go(RenameColumnInCode.PURGE);
    assertThat(state()).isEqualTo(plain);
  }

  @ParameterizedTest
  @ValueSource(ints = {RenameColumn.VERIFY, RenameColumn.ENFORCE})
  void whatIsDroppedMeanwhileIsDroppedFromTheDoubleToo(int phase) {
    List<String> plain = plain(DROPPED);
    RenameColumnRunner<RenameColumn> runner = byTrigger();
    runner.go(phase);
    db.execute(DROPPED);
    runner.go(RenameColumn.PURGE);
    assertThat(state()).isEqualTo(plain);

    db.execute(TABLE);
    RenameColumnRunner<RenameColumnInCode> code = inCode();
    code.go(phase);
    db.execute(DROPPED);
    code.go(RenameColumnInCode.PURGE);
    assertThat(state()).isEqualTo(plain);
  }

  @Test
  void aDroppedNotNullIsDroppedFromTheDoubleToo() {
    db.execute("ALTER TABLE app.t ALTER o SET NOT NULL");
    RenameColumnRunner<RenameColumn> runner = byTrigger();
    runner.go(RenameColumn.ENFORCE);
    db.execute("ALTER TABLE app.t ALTER o DROP NOT NULL");
    runner.go(RenameColumn.CONTRACT);
    db.execute("INSERT INTO app.t (id, n) VALUES (77, NULL)");
    runner.go(RenameColumn.PURGE);
  }

  /** Nothing changed: the phase has no more steps than ever. */
  @Test
  void withoutChangesThereIsNothingToCatchUpWith() {
    RenameColumnRunner<RenameColumn> runner = byTrigger();
    runner.go(RenameColumn.ENFORCE);
    runner.enter(RenameColumn.CONTRACT);
    assertThat(runner.facts()).doesNotContainKeys("gaps", "gone");
    assertThat(runner.steps(RenameColumn.CONTRACT, Direction.UP).get(0).name())
        .isEqualTo("verify-again");
    db.execute(TABLE);
    RenameColumnRunner<RenameColumnInCode> code = inCode();
    code.go(RenameColumnInCode.ENFORCE);
    code.enter(RenameColumnInCode.RELAX);
    assertThat(code.facts()).doesNotContainKeys("gaps", "gone");
  }

  /** A phase that catches up may stop after any step, turn round, and be entered again. */
  @Test
  void catchingUpMayTurnRoundAfterAnyStep() {
    List<String> changes = new ArrayList<>(List.of(ADDED));
    changes.addAll(List.of(DROPPED));
    List<String> plain = plain(changes.toArray(String[]::new));
    RenameColumnRunner<RenameColumn> runner = byTrigger();
    runner.go(RenameColumn.ENFORCE);
    db.execute(changes.toArray(String[]::new));
    runner.enter(RenameColumn.CONTRACT);
    int steps = runner.steps(RenameColumn.CONTRACT, Direction.UP).size();
    for (int i = 1; i <= steps; i++) {
      List<Step> up = runner.steps(RenameColumn.CONTRACT, Direction.UP);
      runner.run(up.subList(0, Math.min(i, up.size())));
      runner.run(runner.steps(RenameColumn.CONTRACT, Direction.DOWN));
      db.execute("INSERT INTO app.t (id, o, other) VALUES (30, 'v20', 30)");
      assertThat(db.<String>queryOne("SELECT n FROM app.t WHERE id = 30")).isEqualTo("v20");
      db.execute("DELETE FROM app.t WHERE id = 30");
      runner.enter(RenameColumn.CONTRACT);
    }
    List<Step> up = runner.steps(RenameColumn.CONTRACT, Direction.UP);
    runner.run(up);
    runner.run(up);
    db.execute(
        "INSERT INTO app.t (id, n, other) VALUES (30, 'v20', 30)",
        "DELETE FROM app.t WHERE id = 30");
    runner.reached(RenameColumn.CONTRACT);
    runner.go(RenameColumn.PURGE);
    assertThat(state()).isEqualTo(plain);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "CREATE VIEW app.v AS SELECT o FROM app.t | view app.v",
        "CREATE FUNCTION app.audit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM NEW.o;"
            + " RETURN NEW; END'; CREATE TRIGGER a AFTER INSERT ON app.t FOR EACH ROW EXECUTE"
            + " FUNCTION app.audit() | function app.audit() of trigger a",
        "CREATE TRIGGER \"~~~\" BEFORE INSERT ON app.t FOR EACH ROW EXECUTE FUNCTION app.touch() |"
            + " needs to be last: [~~~]",
        "ALTER TABLE app.t DROP CONSTRAINT had, ADD CONSTRAINT had CHECK (o <> 'q') | check \"had\"",
        "DROP INDEX app.had_index; CREATE INDEX had_index ON app.t (o DESC) | index \"had_index\"",
        "DO $$ DECLARE g text; BEGIN SELECT tgname INTO g FROM pg_trigger WHERE tgrelid ="
            + " 'app.t'::regclass AND tgname LIKE '~zdo%'; EXECUTE format('DROP TRIGGER %I ON"
            + " app.t', g); END $$ | has lost trigger \"~zdo_1_sync_",
      })
  void whatWouldBreakIsRefusedBeforeTheOldColumnStepsBack(String sql, String message) {
    RenameColumnRunner<RenameColumn> runner = byTrigger();
    runner.go(RenameColumn.ENFORCE);
    db.execute(sql);
    List<String> before = state();
    assertThatThrownBy(() -> runner.go(RenameColumn.CONTRACT))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining(message)
        .satisfies(
            e ->
                assertThat(((RefusedException) e).remedy())
                    .matches(
                        remedy ->
                            !(message.contains("lost") || message.contains("had"))
                                || remedy.startsWith("rollback(\"tests/changes\")")));
    assertThat(state()).isEqualTo(before);
  }

  /** With the trigger, PostgreSQL itself doesn't let the old column's type change. */
  @ParameterizedTest
  @ValueSource(strings = {"varchar(50)", "text COLLATE \"C\""})
  void anotherTypeIsRefused(String type) {
    RenameColumnRunner<RenameColumnInCode> runner = inCode();
    runner.go(RenameColumnInCode.VERIFY);
    db.execute(
        "ALTER TABLE app.t DROP CONSTRAINT had_key", "ALTER TABLE app.t ALTER o TYPE " + type);
    assertThatThrownBy(() -> runner.go(RenameColumnInCode.ENFORCE))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("\"app\".\"t\".\"o\" is of type ")
        .hasMessageContaining("but its double \"n\" of text")
        .hasMessageContaining("rollback(\"tests/changes\")");
    runner.go(0);
    runner.go(RenameColumnInCode.PURGE);
  }

  @Test
  void aLostTriggerIsMendedByTheWayBackAndAnotherStart() {
    RenameColumnRunner<RenameColumn> runner = byTrigger();
    runner.go(RenameColumn.VERIFY);
    String trigger =
        db.queryOne(
            "SELECT tgname::text FROM pg_trigger WHERE tgrelid = 'app.t'::regclass AND tgname LIKE"
                + " '~zdo%'");
    db.execute(
        "DROP TRIGGER " + Sql.quote(trigger) + " ON app.t",
        "UPDATE app.t SET o = 'v20' WHERE id = 1");
    assertThatThrownBy(() -> runner.go(RenameColumn.ENFORCE)).isInstanceOf(RefusedException.class);
    runner.go(0);
    runner.go(RenameColumn.CONTRACT);
    assertThat(db.<String>queryOne("SELECT n FROM app.t WHERE id = 1")).isEqualTo("v20");
  }

  /** ENABLE TRIGGER ALL leaves a trigger that replication and restores go round. */
  @ParameterizedTest
  @ValueSource(ints = {RenameColumn.VERIFY, RenameColumn.ENFORCE})
  void theSyncFiresAlwaysAgain(int phase) {
    RenameColumnRunner<RenameColumn> runner = byTrigger();
    runner.go(phase);
    db.execute("ALTER TABLE app.t DISABLE TRIGGER ALL", "ALTER TABLE app.t ENABLE TRIGGER ALL");
    runner.go(phase + 1);
    if (phase == RenameColumn.VERIFY) {
      db.execute(
          "SET session_replication_role = replica; INSERT INTO app.t (id, o) VALUES (50, 'v19')");
      assertThat(db.<String>queryOne("SELECT n FROM app.t WHERE id = 50")).isEqualTo("v19");
    }
    runner.go(RenameColumn.CONTRACT);
    db.execute("ALTER TABLE app.t DISABLE TRIGGER ALL", "ALTER TABLE app.t ENABLE TRIGGER ALL");
    runner.go(RenameColumn.ENFORCE);
    assertThat(
            db.<String>queryOne(
                "SELECT tgenabled::text FROM pg_trigger WHERE tgrelid = 'app.t'::regclass AND"
                    + " tgname LIKE '~zdo%'"))
        .isEqualTo("A");
  }

  /** The sync's own transaction sees to it, without anything to catch up with. */
  @Test
  void contractEnablesItsTriggerItself() {
    RenameColumnRunner<RenameColumn> runner = byTrigger();
    runner.go(RenameColumn.ENFORCE);
    runner.enter(RenameColumn.CONTRACT);
    List<Step> up = runner.steps(RenameColumn.CONTRACT, Direction.UP);
    db.execute("ALTER TABLE app.t DISABLE TRIGGER ALL", "ALTER TABLE app.t ENABLE TRIGGER ALL");
    runner.run(up);
    db.execute(
        "SET session_replication_role = replica; INSERT INTO app.t (id, n) VALUES (50, 'v19')");
    runner.reached(RenameColumn.CONTRACT);
    runner.go(RenameColumn.ENFORCE - 1);
    assertThat(db.<String>queryOne("SELECT o FROM app.t WHERE id = 50")).isEqualTo("v19");
  }

  /** Consent is to a backfill. After it nothing fires for every row. */
  @Test
  void triggersThatComeAfterTheBackfillNeedNoConsent() {
    RenameColumnRunner<RenameColumn> runner = byTrigger();
    runner.go(RenameColumn.BACKFILL);
    db.execute(
        "CREATE TRIGGER late BEFORE UPDATE ON app.t FOR EACH ROW EXECUTE FUNCTION app.touch()");
    runner.go(RenameColumn.CONTRACT);
    runner.go(RenameColumn.EXPAND);
    assertThatThrownBy(() -> runner.go(RenameColumn.BACKFILL))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("[late]");
  }

  @Test
  void inCodeAViewThatComesAfterRelaxIsRefusedAtContract() {
    RenameColumnRunner<RenameColumnInCode> runner = inCode();
    runner.go(RenameColumnInCode.RELAX);
    db.execute("CREATE VIEW app.v AS SELECT o FROM app.t");
    assertThatThrownBy(() -> runner.go(RenameColumnInCode.CONTRACT))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("view app.v");
    db.execute("DROP VIEW app.v");
    runner.go(RenameColumnInCode.CONTRACT);
    runner.go(RenameColumnInCode.ENFORCE);
    runner.go(RenameColumnInCode.PURGE);
  }

  /** Of an empty table there are no statistics, nor of a column nobody wants any of. */
  @ParameterizedTest
  @ValueSource(strings = {"DELETE FROM app.t", "ALTER TABLE app.t ALTER o SET STATISTICS 0"})
  void statisticsThatCanNotBe(String sql) {
    db.execute("ANALYZE app.t");
    RenameColumnRunner<RenameColumn> runner = byTrigger();
    runner.go(RenameColumn.VERIFY);
    db.execute(sql);
    runner.go(RenameColumn.PURGE);
  }
}
