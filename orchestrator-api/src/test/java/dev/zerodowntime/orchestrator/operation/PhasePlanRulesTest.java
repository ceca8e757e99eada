package dev.zerodowntime.orchestrator.operation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.internal.plan.Rules;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What each rule refuses, and what is nearly the same and passes. */
class PhasePlanRulesTest {

  enum Code implements CodeStage {
    OLD,
    NEW
  }

  private static final String MADE = "CREATE TABLE made (id int PRIMARY KEY, n int)";

  private static PhasePlan<Code> plan(Consumer<PlanPhase.Builder> steps) {
    return PhasePlan.of("tests/plan", Code.class)
        .table("users")
        .phase("EXPAND", steps)
        .stage(Code.OLD, "NOT_STARTED", "EXPAND")
        .stage(Code.NEW, "EXPAND", "EXPAND")
        .build();
  }

  private static PlanPhase.Builder step(PlanPhase.Builder phase, String name, String sql) {
    return (sql.contains("CONCURRENTLY") || sql.contains("VALIDATE")
            ? phase.online(name, sql)
            : phase.ddl(name, sql))
        .probe("SELECT true")
        .undoNothing();
  }

  private static PhasePlan<Code> ddl(String... texts) {
    return plan(
        phase -> {
          for (int i = 0; i < texts.length; i++) {
            step(phase, "s" + i, texts[i]);
          }
        });
  }

  static Stream<Arguments> refused() {
    return Stream.of(
        arguments("transaction-control", "BEGIN"),
        arguments("transaction-control", "ALTER TABLE users ADD a int; COMMIT"),
        arguments("session-setting", "SET lock_timeout = '10s'"),
        arguments("session-setting", "/* quick */ set local statement_timeout = 0"),
        arguments("session-setting", "RESET ALL"),
        arguments("opaque-code", "DO $$BEGIN DELETE FROM users; END$$"),
        arguments("opaque-code", "CALL tidy()"),
        arguments("ddl-with-dml", "ALTER TABLE users ADD a int; INSERT INTO users VALUES (1)"),
        arguments("unbatched-dml", "UPDATE users SET a = 1"),
        arguments("unbatched-dml", "delete from users"),
        arguments("unbatched-dml", "INSERT INTO users SELECT * FROM others"),
        arguments("unbatched-dml", "WITH a AS (DELETE FROM users RETURNING *) SELECT * FROM a"),
        arguments("unbatched-dml", "SELECT setval('s', 1)"),
        arguments("several-ddl", "ALTER TABLE users ADD a int; ALTER TABLE users ADD b int"),
        arguments(
            "several-ddl",
            "CREATE FUNCTION f() RETURNS int AS 'SELECT 1' LANGUAGE sql;"
                + " CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION f()"),
        arguments("create-index", "CREATE INDEX i ON users (a)"),
        arguments("create-index", "create unique index on only public.users (a)"),
        arguments("drop-index", "DROP INDEX i"),
        arguments("reindex", "REINDEX TABLE users"),
        arguments("add-check", "ALTER TABLE users ADD CHECK (a > 0)"),
        arguments("add-check", "ALTER TABLE users ADD CONSTRAINT c CHECK (a > 0)"),
        arguments("add-check", "ALTER TABLE users ADD a int CHECK (a > 0)"),
        arguments("add-foreign-key", "ALTER TABLE users ADD FOREIGN KEY (a) REFERENCES b"),
        arguments("add-foreign-key", "ALTER TABLE users ADD COLUMN a int REFERENCES b"),
        arguments("add-unique", "ALTER TABLE users ADD CONSTRAINT u UNIQUE (a)"),
        arguments("add-unique", "ALTER TABLE users ADD PRIMARY KEY (a)"),
        arguments("add-unique", "ALTER TABLE users ADD a int UNIQUE"),
        arguments("add-exclusion", "ALTER TABLE users ADD EXCLUDE USING gist (a WITH &&)"),
        arguments("set-not-null", "ALTER TABLE users ALTER a SET NOT NULL"),
        arguments("set-not-null", "ALTER TABLE users ADD CONSTRAINT c NOT NULL a"),
        arguments("add-column-not-null", "ALTER TABLE users ADD a int NOT NULL"),
        arguments("volatile-default", "ALTER TABLE users ADD a uuid DEFAULT gen_random_uuid()"),
        arguments(
            "volatile-default", "ALTER TABLE users ADD a int NOT NULL DEFAULT (1 + random())"),
        arguments(
            "generated-column", "ALTER TABLE users ADD a int GENERATED ALWAYS AS (b + 1) STORED"),
        arguments("numbered-column", "ALTER TABLE users ADD a bigserial"),
        arguments("numbered-column", "ALTER TABLE users ADD a int GENERATED ALWAYS AS IDENTITY"),
        arguments("alter-column-type", "ALTER TABLE users ALTER COLUMN a TYPE bigint"),
        arguments("alter-column-type", "ALTER TABLE users ALTER a SET DATA TYPE bigint"),
        arguments("rename", "ALTER TABLE users RENAME COLUMN a TO b"),
        arguments("rename", "ALTER TABLE users RENAME a TO b"),
        arguments("rename", "ALTER TABLE users RENAME TO people"),
        arguments("rename", "ALTER TABLE users SET SCHEMA elsewhere"),
        arguments("rename", "ALTER VIEW v RENAME TO w"),
        arguments("drop-column", "ALTER TABLE users DROP a"),
        arguments("drop-column", "ALTER TABLE users ADD b int, DROP COLUMN IF EXISTS a"),
        arguments("drop", "DROP TABLE users"),
        arguments("drop", "DROP SCHEMA old"),
        arguments("drop", "DROP SEQUENCE numbers"),
        arguments("cascade", "DROP VIEW v CASCADE"),
        arguments("cascade", "ALTER TABLE users DROP CONSTRAINT c CASCADE"),
        arguments("truncate", "TRUNCATE users"),
        arguments("table-rewrite", "VACUUM FULL users"),
        arguments("table-rewrite", "CLUSTER users"),
        arguments("table-rewrite", "ALTER TABLE users SET LOGGED"),
        arguments("lock-table", "LOCK TABLE users"),
        arguments("create-table-as", "CREATE TABLE a AS SELECT * FROM users"),
        arguments("create-table-as", "REFRESH MATERIALIZED VIEW m"));
  }

  @ParameterizedTest
  @MethodSource
  void refused(String rule, String sql) {
    assertThatThrownBy(() -> ddl(sql))
        .isInstanceOf(DeclarationException.class)
        .hasMessageContaining("tests/plan")
        .hasMessageContaining("step \"s0\"")
        .hasMessageContaining("rule " + rule + " refuses")
        .hasMessageContaining("Use ");
  }

  static Stream<Arguments> passes() {
    return Stream.of(
        arguments("transaction-control", "CREATE FUNCTION f() RETURNS int AS 'BEGIN; COMMIT'"),
        arguments("session-setting", "ALTER TABLE users ALTER a SET STATISTICS 100"),
        arguments("opaque-code", "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$BEGIN NULL; END$$"),
        arguments("ddl-with-dml", "COMMENT ON TABLE users IS 'UPDATE users SET a = 1; x'"),
        arguments("unbatched-dml", "INSERT INTO kinds VALUES (1), (2)"),
        arguments("several-ddl", MADE + "; CREATE INDEX made_n ON made (n)"),
        arguments("create-index", MADE + "; CREATE UNIQUE INDEX made_n ON {schema}.made (n)"),
        arguments("create-index", "CREATE INDEX CONCURRENTLY i ON users (a)"),
        arguments("drop-index", "DROP INDEX CONCURRENTLY i"),
        arguments("reindex", "REINDEX INDEX CONCURRENTLY i"),
        arguments("add-check", "ALTER TABLE users ADD CONSTRAINT c CHECK (a > 0) NOT VALID"),
        arguments("add-check", "ALTER TABLE users ADD a text DEFAULT 'check'"),
        arguments(
            "add-foreign-key",
            "ALTER TABLE users ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES b NOT VALID"),
        arguments("add-unique", "ALTER TABLE users ADD CONSTRAINT u UNIQUE USING INDEX i"),
        arguments("add-unique", "ALTER TABLE users ADD \"unique\" int"),
        arguments("add-exclusion", "CREATE TABLE a (r int4range, EXCLUDE USING gist (r WITH &&))"),
        arguments("set-not-null", "ALTER TABLE users ALTER a DROP NOT NULL"),
        arguments("set-not-null", MADE + "; ALTER TABLE made ALTER n SET NOT NULL"),
        arguments("add-column-not-null", "ALTER TABLE users ADD a int NOT NULL DEFAULT 0"),
        arguments("add-column-not-null", "ALTER TABLE users ADD a int"),
        arguments("volatile-default", "ALTER TABLE users ADD a timestamptz DEFAULT now()"),
        arguments("volatile-default", "ALTER TABLE users ADD random int DEFAULT 1"),
        arguments("volatile-default", "ALTER TABLE users ADD a text DEFAULT 'random()'"),
        arguments("volatile-default", "ALTER TABLE users ALTER a SET DEFAULT random()"),
        arguments(
            "generated-column", "ALTER TABLE users ADD a int GENERATED ALWAYS AS (b) VIRTUAL"),
        arguments("numbered-column", "ALTER TABLE users ADD \"serial\" text"),
        arguments("alter-column-type", "ALTER TABLE users ADD type text"),
        arguments("alter-column-type", "ALTER TABLE users ALTER COLUMN type DROP DEFAULT"),
        arguments("rename", "ALTER TABLE users RENAME CONSTRAINT a TO b"),
        arguments("rename", MADE + "; ALTER TABLE made RENAME n TO m"),
        arguments("drop-column", "ALTER TABLE users DROP CONSTRAINT a"),
        arguments("drop-column", "ALTER TABLE users ALTER a DROP DEFAULT"),
        arguments("drop", "DROP TRIGGER t ON users"),
        arguments("drop", "DROP VIEW v"),
        arguments("cascade", "CREATE TABLE a (b int REFERENCES b ON DELETE CASCADE)"),
        arguments("truncate", "CREATE TRIGGER t BEFORE TRUNCATE ON users EXECUTE FUNCTION f()"),
        arguments("table-rewrite", "ALTER TABLE users SET (fillfactor = 70)"),
        arguments("lock-table", "ALTER TABLE users ADD lock text"),
        arguments("create-table-as", "CREATE MATERIALIZED VIEW m AS SELECT 1 WITH NO DATA"),
        arguments("create-table-as", "CREATE TABLE a (LIKE users)"));
  }

  @ParameterizedTest
  @MethodSource
  void passes(String rule, String sql) {
    assertThat(ddl(sql).phases()).as(rule).hasSize(1);
  }

  /** Rules of another kind of step, or of another direction, and each with its near miss. */
  @Test
  void otherKindsOfSteps() {
    refusedBy(
        "concurrently-in-transaction", p -> p.ddl("s", "CREATE INDEX CONCURRENTLY i ON users (a)"));
    plan(p -> step(p, "s", "CREATE INDEX CONCURRENTLY i ON users (a)"));
    refusedBy(
        "validate-in-transaction", p -> p.ddl("s", "ALTER TABLE users VALIDATE CONSTRAINT c"));
    plan(p -> step(p, "s", "ALTER TABLE users VALIDATE CONSTRAINT c"));
    refusedBy("not-online", p -> p.online("s", "ALTER TABLE users ADD a int"));
    refusedBy(
        "not-online", p -> p.online("s", "ALTER TABLE users VALIDATE CONSTRAINT c, ADD a int"));
    plan(p -> p.online("s", "ANALYZE users").probe("SELECT true").undoNothing());
  }

  private static void refusedBy(String rule, Consumer<PlanPhase.Builder> step) {
    assertThatThrownBy(
            () ->
                plan(
                    p -> {
                      step.accept(p);
                      p.probe("SELECT true").undoNothing();
                    }))
        .hasMessageContaining("rule " + rule + " refuses");
  }

  private static final String CHECK =
      "ALTER TABLE users ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID";
  private static final String VALIDATE = "ALTER TABLE {schema}.users VALIDATE CONSTRAINT c";
  private static final String NOT_NULL = "ALTER TABLE users ALTER COLUMN a SET NOT NULL";

  @Test
  void notNullNeedsAProofInAnEarlierStep() {
    assertThat(ddl(CHECK, VALIDATE, NOT_NULL).phases()).hasSize(1);
    for (List<String> unproven :
        List.of(
            List.of(CHECK, NOT_NULL),
            List.of(VALIDATE, NOT_NULL),
            List.of(CHECK.replace("(a", "(b"), VALIDATE, NOT_NULL),
            List.of(CHECK.replace("NOT NULL)", "NOT NULL OR true)"), VALIDATE, NOT_NULL),
            List.of(CHECK, VALIDATE.replace("users", "others"), NOT_NULL),
            List.of(CHECK, VALIDATE, "ALTER TABLE users DROP CONSTRAINT c", NOT_NULL))) {
      assertThatThrownBy(() -> ddl(unproven.toArray(String[]::new)))
          .as(unproven.toString())
          .hasMessageContaining("rule set-not-null refuses");
    }
  }

  /** What the plan has made goes with its way back, and nothing else. */
  @Test
  void theWayBackIsHeldToTheRulesToo() {
    plan(p -> p.ddl("s", MADE).probe("SELECT true").undo("DROP TABLE made"));
    plan(
        p ->
            p.ddl("s", "ALTER TABLE users ADD a int")
                .probe("SELECT true")
                .undo("ALTER TABLE users DROP a"));
    wayBackRefused("drop", "DROP TABLE users");
    wayBackRefused("drop-column", "ALTER TABLE users DROP b");
    wayBackRefused("drop-index", "DROP INDEX i");
    wayBackRefused("unbatched-dml", "UPDATE users SET a = 1");
    wayBackRefused("set-not-null", "ALTER TABLE users ALTER b SET NOT NULL");
    // On the way up it may be in use.
    assertThatThrownBy(() -> ddl(MADE, "DROP TABLE made"))
        .hasMessageContaining("rule drop refuses");
    // One that may have been there before isn't the plan's own.
    assertThatThrownBy(
            () ->
                plan(
                    p ->
                        p.ddl("s", "CREATE TABLE IF NOT EXISTS made (id int)")
                            .probe("SELECT true")
                            .undo("DROP TABLE made")))
        .hasMessageContaining("rule drop refuses");
  }

  private static void wayBackRefused(String rule, String undo) {
    assertThatThrownBy(
            () ->
                plan(
                    p -> p.ddl("s", "ALTER TABLE users ADD a int").probe("SELECT true").undo(undo)))
        .hasMessageContaining("rule " + rule + " refuses")
        .hasMessageContaining("on the way back");
  }

  @Test
  void anOverrideIsNamedAndHasAReason() {
    PhasePlan<Code> plan =
        plan(p -> step(p, "s", "ALTER TABLE users RENAME a TO b").override("rename", "unused"));
    assertThat(((PlanStep.Ddl) plan.phases().get(0).steps().get(0)).overrides())
        .containsEntry("rename", "unused");
    assertThat(plan.fields().toString()).contains("overrides={rename=unused}");
    assertThatThrownBy(
            () ->
                plan(
                    p ->
                        step(p, "s", "ALTER TABLE users RENAME a TO b")
                            .override("drop", "another")))
        .hasMessageContaining("rule rename refuses");
    assertThatThrownBy(() -> plan(p -> step(p, "s", "BEGIN").override("rename", " ")))
        .hasMessageContaining("reason");
    assertThatThrownBy(
            () -> plan(p -> step(p, "s", "BEGIN").override("transaction-control", "why")))
        .hasMessageContaining("can't be overridden");
    assertThatThrownBy(() -> plan(p -> step(p, "s", "BEGIN").override("nonsense", "why")))
        .hasMessageContaining("can't be overridden")
        .hasMessageContaining("unbatched-dml");
  }

  /** A rule that nobody tests is an error. */
  @Test
  void everyRuleIsTested() {
    Set<String> tested =
        refused()
            .map(each -> (String) each.get()[0])
            .collect(Collectors.toCollection(TreeSet::new));
    tested.addAll(List.of("concurrently-in-transaction", "validate-in-transaction", "not-online"));
    assertThat(tested).containsExactlyInAnyOrderElementsOf(Rules.names());
    tested.removeAll(passes().map(each -> (String) each.get()[0]).toList());
    assertThat(tested)
        .containsExactlyInAnyOrder(
            "concurrently-in-transaction", "validate-in-transaction", "not-online");
  }

  /** There the server refuses it rather than to read rows under a lock. */
  @Test
  void whoSaysTheAlgorithmNeedsNoRulesAboutRows() {
    ddl("ALTER TABLE users ADD CONSTRAINT c CHECK (a > 0) NOT ENFORCED, ALGORITHM=INSTANT");
    plan(
        phase ->
            phase
                .online("s", "ALTER TABLE users ADD UNIQUE u (a), ALGORITHM=INPLACE, LOCK=NONE")
                .probe("SELECT true")
                .undoNothing());
    for (String text :
        List.of(
            "ALTER TABLE users ADD CONSTRAINT c CHECK (a > 0), ALGORITHM=COPY",
            "ALTER TABLE users DROP COLUMN a, ALGORITHM=INSTANT",
            "ALTER TABLE users RENAME COLUMN a TO b, ALGORITHM=INSTANT")) {
      assertThatThrownBy(() -> ddl(text)).as(text).isInstanceOf(DeclarationException.class);
    }
    assertThatThrownBy(
            () ->
                plan(
                    phase ->
                        phase
                            .online("s", "ALTER TABLE users ADD c int, ALGORITHM=INSTANT")
                            .probe("SELECT true")
                            .undoNothing()))
        .hasMessageContaining("not-online");
  }
}
