package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Step;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Dropping a column, on a real server. */
@PostgresTest
class PostgresDropColumnTest {

  private final TestDatabase db;

  PostgresDropColumnTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void users() {
    db.execute(
        "DROP SCHEMA IF EXISTS public, control, other CASCADE",
        "CREATE SCHEMA public",
        "CREATE TABLE users (id bigint PRIMARY KEY, a int, c text)",
        "INSERT INTO users SELECT n, n, 'c' || n FROM generate_series(1, 20) n");
  }

  private StepRunner<DropColumn> runner(UnaryOperator<DropColumn.Builder> how) {
    DropColumn.Builder builder = DropColumn.of("billing/drop").table("users").column("c");
    return new StepRunner<>(db, new PostgresDropColumn(), how.apply(builder).build());
  }

  private static Span unused(StepRunner<DropColumn> run) {
    List<StageSpan> stages = run.support.stages(run.migration, run.facts);
    return stages.get(stages.size() - 1).span();
  }

  @Test
  void columnThatRejectsNothing() throws SQLException {
    StepRunner<DropColumn> run = runner(b -> b).preflight();
    assertThat(unused(run)).isEqualTo(new Span(0, 3));
    assertThat(run.up(DropColumn.RELAX)).isEmpty();
    assertThat(run.up(DropColumn.CONTRACT)).containsExactly("quarantine-column");
    db.execute("INSERT INTO users VALUES (30, 1)");
    assertThat(run.down(DropColumn.CONTRACT)).containsExactly("restore-column");
    assertThat(run.count("SELECT count(c) FROM users")).isEqualTo(20);
    assertThat(run.down(DropColumn.RELAX)).isEmpty();
    run.up(DropColumn.CONTRACT);
    long file = run.file("users");
    assertThat(run.up(DropColumn.PURGE)).containsExactly("drop-column");
    assertThat(run.file("users")).isEqualTo(file);
    assertThat(run.leftovers()).isEmpty();
    // The tombstone dropped, the column gone: what a successor probes is all true.
    DdlStep purge = (DdlStep) run.steps(DropColumn.PURGE, Direction.UP).get(0);
    assertThat(run.holds(purge.done())).isTrue();
  }

  @Test
  void everythingThatRejectsAnOmissionIsRelaxedAndComesBack() throws SQLException {
    db.execute(
        "CREATE DOMAIN named AS varchar(20) NOT NULL",
        "CREATE TABLE other (k text PRIMARY KEY)",
        "INSERT INTO other VALUES ('d'), ('x')",
        "CREATE TABLE t (id int PRIMARY KEY, a int, n int NOT NULL, d named, f text DEFAULT 'd'"
            + " REFERENCES other, u text DEFAULT 'one' UNIQUE, p int CHECK (p > 0), q int"
            + " CONSTRAINT q_set CHECK (q IS NOT NULL), m int, CONSTRAINT \"M too\" CHECK (m IS NOT"
            + " NULL OR a > 5), i int DEFAULT 7 NOT NULL)",
        "INSERT INTO t VALUES (1, 9, 1, 'd', 'x', 'u', 1, 1, 1, 1)");
    check("n", "notNull=true", "1", true);
    check("d", "domain=public.named", "'x'", true);
    check("f", "default='d'::text", null, true);
    check("u", "default='one'::text", null, true);
    check("p", "checks=[]", null, false);
    check("q", "q_set", "1", true);
    check("m", "M too", "1", true);
    check("i", "checks=[]", null, false);
  }

  private void check(String column, String fact, String fillBack, boolean relaxes)
      throws SQLException {
    StepRunner<DropColumn> run =
        runner(
                b ->
                    fillBack == null
                        ? b.table("t").column(column)
                        : b.table("t").column(column).fillBackWithSql(fillBack))
            .preflight();
    assertThat(run.facts.toString()).contains(fact);
    assertThat(unused(run)).isEqualTo(new Span(relaxes ? 1 : 0, 3));
    String before = definition();
    long file = run.file("t");
    assertThat(run.up(DropColumn.RELAX)).hasSize(relaxes ? 1 : 0);
    String others =
        String.join(
            ", ",
            List.of("n", "d", "q", "m", "i").stream().filter(c -> !c.equals(column)).toList());
    // Twice, for what is unique; with a value that nobody else has.
    for (int i = 0; i < 2; i++) {
      db.execute(
          "INSERT INTO t (id, "
              + others
              + ") SELECT (SELECT max(id) + 1 FROM t), "
              + others.replaceAll("\\b[nqmi]\\b", "1").replaceAll("\\bd\\b", "'d'")
              + (column.equals("u") ? "" : ""));
      if (!column.equals("u")) {
        db.execute("UPDATE t SET u = 'u' || id");
      }
    }
    run.up(DropColumn.CONTRACT);
    run.down(DropColumn.CONTRACT);
    run.down(DropColumn.RELAX);
    assertThat(run.file("t")).as("no rewrite").isEqualTo(file);
    if (!column.equals("d")) {
      assertThat(definition()).isEqualTo(before);
    }
    assertThat(run.leftovers()).isEmpty();
    db.execute("DELETE FROM t WHERE id > 1", "UPDATE t SET u = 'u'");
  }

  private String definition() {
    return db.rows(
            "SELECT attname::text, attnotnull, atttypid::regtype::text, (SELECT pg_get_expr(adbin,"
                + " adrelid) FROM pg_attrdef WHERE adrelid = attrelid AND adnum = attnum) FROM"
                + " pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 ORDER BY attnum")
        + ""
        + db.rows(
            "SELECT conname::text, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid ="
                + " 't'::regclass AND contype <> 'n' ORDER BY 1");
  }

  @Test
  void withoutAValueTheColumnStaysNullableAndThePlanSaysSo() throws SQLException {
    db.execute("UPDATE users SET c = 'x'", "ALTER TABLE users ALTER c SET NOT NULL");
    StepRunner<DropColumn> run = runner(b -> b).preflight();
    run.up(DropColumn.RELAX);
    List<Step> steps = run.steps(DropColumn.RELAX, Direction.DOWN);
    assertThat(steps).hasSize(1);
    assertThat(steps.get(0).summary()).contains("fillBackWithSql", "\"c\" stays nullable");
    assertThat(run.support.consent(run.migration, run.facts, DropColumn.RELAX, Direction.DOWN))
        .contains(steps.get(0).summary());
    assertThat(run.support.consent(run.migration, run.facts, DropColumn.RELAX, Direction.UP))
        .isEmpty();
    run.run(steps);
  }

  @Test
  void statisticsAndSingleColumnIndexesGoWithTheColumn() throws SQLException {
    db.execute(
        "CREATE INDEX ON users (c)",
        "CREATE INDEX ON users (lower(c)) WHERE c <> ''",
        "CREATE STATISTICS st ON a, c FROM users",
        "CREATE INDEX \"both\" ON users (a, c)",
        "ALTER TABLE users ADD CONSTRAINT uq UNIQUE (c, a)");
    refused(b -> b, "[both, uq]", ".alsoDropsIndexes(\"both\", \"uq\")");
    StepRunner<DropColumn> run = runner(b -> b.alsoDropsIndexes("both", "uq")).preflight();
    run.up(DropColumn.CONTRACT);
    run.up(DropColumn.PURGE);
    assertThat(run.count("SELECT count(*) FROM pg_index WHERE indrelid = 'users'::regclass"))
        .isEqualTo(1);
  }

  @Test
  void droppingAForeignKeyColumnLocksTheOtherTableToo() throws SQLException {
    db.execute(
        "CREATE TABLE other (k text PRIMARY KEY)",
        "ALTER TABLE users ADD FOREIGN KEY (c) REFERENCES other NOT VALID");
    StepRunner<DropColumn> run = runner(b -> b).preflight();
    run.up(DropColumn.CONTRACT);
    DdlStep purge = (DdlStep) run.steps(DropColumn.PURGE, Direction.UP).get(0);
    assertThat(purge.tables()).containsExactly("\"public\".\"users\"", "public.other");
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      c.setAutoCommit(false);
      s.execute(purge.sql().get(0));
      assertThat(
              db.queryLong(
                  "SELECT count(*) FROM pg_locks WHERE relation = 'other'::regclass AND mode ="
                      + " 'AccessExclusiveLock' AND granted"))
          .isEqualTo(1);
      c.rollback();
    }
    run.run(purge);
  }

  private void refused(UnaryOperator<DropColumn.Builder> how, String... parts) {
    assertThatThrownBy(() -> runner(how).preflight())
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains("billing/drop").contains(parts));
  }

  private void refusedWith(String ddl, String undo, String... parts) {
    db.execute(ddl);
    refused(b -> b, parts);
    db.execute(undo);
  }

  @Test
  void badInputIsRefusedByName() {
    refused(b -> b.column("C"), "no column \"C\"", "[id, a, c]");
    refused(b -> b.column("id"), "primary key \"users_pkey\"");
    refusedWith("CREATE VIEW v AS SELECT c FROM users", "DROP VIEW v", "[view public.v]");
    refusedWith(
        "CREATE MATERIALIZED VIEW mv AS SELECT 1 FROM users WHERE c = ''",
        "DROP MATERIALIZED VIEW mv",
        "[materialized view public.mv]");
    refusedWith(
        "ALTER TABLE users ADD g text GENERATED ALWAYS AS (c || 'x') STORED",
        "ALTER TABLE users DROP g",
        "column g of table public.users");
    refusedWith("CREATE POLICY p ON users USING (c = '')", "DROP POLICY p ON users", "policy p on");
    refusedWith(
        "CREATE RULE r AS ON UPDATE TO users WHERE NEW.c = 'x' DO INSTEAD NOTHING",
        "DROP RULE r ON users",
        "rule r on");
    db.execute(
        "CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE $$ % $$,"
            + " NEW.C; RETURN NEW; END'",
        "CREATE FUNCTION log2() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE $$ctx$$;"
            + " RETURN NEW; END'");
    refusedWith(
        "CREATE TRIGGER tr AFTER UPDATE OF c ON users FOR EACH ROW EXECUTE FUNCTION log2()",
        "DROP TRIGGER tr ON users",
        "[trigger tr on");
    refusedWith(
        "CREATE TRIGGER tr AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION log()",
        "DROP TRIGGER tr ON users",
        "[function public.log() of trigger tr (allowFunctions(\"log\") if it goes on working)]");
    refusedWith(
        "ALTER TABLE users ADD CONSTRAINT uq UNIQUE (c); CREATE TABLE child (c text REFERENCES"
            + " users (c))",
        "DROP TABLE child; ALTER TABLE users DROP CONSTRAINT uq",
        "referenced by foreign key \"child_c_fkey\" of table public.child");
    if (db.server().majorVersion() >= 15) {
      refusedWith(
          "CREATE UNIQUE INDEX nnd ON users (c) NULLS NOT DISTINCT",
          "DROP INDEX nnd",
          "\"nnd\" is NULLS NOT DISTINCT");
      refusedWith(
          "CREATE PUBLICATION pub FOR TABLE users (id, c)", "DROP PUBLICATION pub", "publication");
    }
    db.execute("ALTER TABLE users ALTER c SET NOT NULL");
    refused(b -> b.fillBackWithSql("nonsense"), "\"nonsense\"", "does not exist");
  }
}
