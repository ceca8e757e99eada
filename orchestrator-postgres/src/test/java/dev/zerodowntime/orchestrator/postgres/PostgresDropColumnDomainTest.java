package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.NotYetException;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Dropping columns whose domain, defaults and constraints have to be relaxed, and come back. */
@PostgresTest
class PostgresDropColumnDomainTest {

  private final TestDatabase db;

  PostgresDropColumnDomainTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void schema() {
    db.execute("DROP SCHEMA IF EXISTS public, control CASCADE", "CREATE SCHEMA public");
  }

  private StepRunner<DropColumn> runner(UnaryOperator<DropColumn.Builder> how) {
    DropColumn.Builder builder = DropColumn.of("billing/drop").table("t").column("code");
    return new StepRunner<>(db, new PostgresDropColumn(), how.apply(builder).build());
  }

  /** The domain doesn't come back, and with it a cast in what PostgreSQL prints. */
  private List<List<Object>> checks() {
    return db.rows(
        "SELECT conname::text, replace(pg_get_constraintdef(oid), '(code)::text', 'code'), convalidated, obj_description(oid,"
            + " 'pg_constraint') FROM pg_constraint WHERE conrelid = 't'::regclass AND contype ="
            + " 'c' ORDER BY 1");
  }

  @Test
  void theServerLooksAtNoRowWhenTheDomainGoes() throws SQLException {
    db.execute(
        "CREATE DOMAIN d AS text NOT NULL",
        "CREATE TABLE t (id int PRIMARY KEY, a int, code d CONSTRAINT short CHECK (length(code) <"
            + " 100), CONSTRAINT \"both\" CHECK (a > 0 OR code <> 'q'))",
        "COMMENT ON CONSTRAINT short ON t IS 'it''s short'",
        "INSERT INTO t SELECT g, g, 'c' || g FROM generate_series(1, 100) g");
    List<List<Object>> before = checks();
    StepRunner<DropColumn> run = runner(b -> b.fillBackWithSql("'none'")).preflight();
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      c.setAutoCommit(false);
      s.execute("SET client_min_messages = debug1");
      for (String sql : run.steps(DropColumn.RELAX, Direction.UP).get(0).sql()) {
        s.execute(sql);
      }
      StringBuilder said = new StringBuilder();
      for (SQLWarning w = s.getWarnings(); w != null; w = w.getNextWarning()) {
        said.append(w.getMessage()).append('\n');
      }
      assertThat(said.toString()).doesNotContain("verifying table").doesNotContain("rewriting");
      c.rollback();
    }
    run.up(DropColumn.RELAX);
    db.execute("INSERT INTO t (id, a) VALUES (200, 1)");
    run.up(DropColumn.CONTRACT);
    run.down(DropColumn.CONTRACT);
    run.down(DropColumn.RELAX);
    assertThat(checks()).isEqualTo(before);
    assertThat(run.leftovers()).isEmpty();
  }

  /** What rejects no row without the column comes back without a value for these rows, too. */
  @Test
  void checksThatWentWithTheDomainComeBackInAnyCase() throws SQLException {
    db.execute(
        "CREATE DOMAIN d AS text NOT NULL",
        "CREATE TABLE t (id int PRIMARY KEY, code d CONSTRAINT short CHECK (length(code) < 100)"
            + " CONSTRAINT set_ CHECK (code IS NOT NULL))");
    StepRunner<DropColumn> run = runner(b -> b).preflight();
    run.up(DropColumn.RELAX);
    db.execute("INSERT INTO t (id) VALUES (200)");
    assertThat(run.support.consent(run.migration, run.facts, DropColumn.RELAX, Direction.DOWN))
        .hasValueSatisfying(lost -> assertThat(lost).contains("[set_]").doesNotContain("short"));
    run.down(DropColumn.RELAX);
    assertThat(checks()).hasSize(1);
    assertThat(checks().get(0)).startsWith("short");
  }

  @Test
  void anIndexThatWouldBeBuiltAnewIsRefused() {
    db.execute(
        "CREATE DOMAIN d AS text[] NOT NULL",
        "CREATE TABLE t (id int PRIMARY KEY, code d)",
        "CREATE INDEX words ON t USING gin (code)");
    assertThatThrownBy(() -> runner(b -> b).preflight())
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("would build index \"words\" anew under an exclusive lock")
        .hasMessageContaining("Drop that index first");
    db.execute(
        "DROP INDEX words",
        "CREATE DOMAIN e AS text NOT NULL",
        "ALTER TABLE t DROP code, ADD code e",
        "CREATE INDEX part ON t (id) WHERE code <> ''");
    assertThatThrownBy(() -> runner(b -> b.alsoDropsIndexes("part")).preflight())
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("would build index \"part\" anew");
  }

  @Test
  void indexesThatStayAsTheyAre() throws SQLException {
    db.execute(
        "CREATE DOMAIN d AS varchar(20) NOT NULL",
        "CREATE TABLE t (id int PRIMARY KEY, code d UNIQUE)",
        "CREATE INDEX plain ON t (code DESC)",
        "INSERT INTO t VALUES (1, 'a')");
    StepRunner<DropColumn> run = runner(b -> b).preflight();
    List<Long> files = List.of(run.file("t"), run.file("plain"), run.file("t_code_key"));
    run.up(DropColumn.RELAX);
    assertThat(List.of(run.file("t"), run.file("plain"), run.file("t_code_key"))).isEqualTo(files);
  }

  @Test
  void aDomainsDefaultThatIsUniqueIsRelaxed() throws SQLException {
    db.execute(
        "CREATE DOMAIN d AS text DEFAULT 'x'",
        "CREATE TABLE t (id int PRIMARY KEY, code d UNIQUE)",
        "INSERT INTO t VALUES (1, 'a')");
    StepRunner<DropColumn> run = runner(b -> b).preflight();
    assertThat(run.support.stages(run.migration, run.facts).get(2).span())
        .isEqualTo(new Span(1, 3));
    long file = run.file("t");
    run.up(DropColumn.RELAX);
    db.execute("INSERT INTO t (id) VALUES (2), (3)");
    assertThat(db.rows("SELECT code FROM t ORDER BY id"))
        .containsExactly(List.of("a"), Arrays.asList((Object) null), Arrays.asList((Object) null));
    run.down(DropColumn.RELAX);
    db.execute("INSERT INTO t (id) VALUES (4)");
    assertThat(db.<String>queryOne("SELECT code FROM t WHERE id = 4")).isEqualTo("x");
    assertThat(db.queryLong("SELECT count(*) FROM pg_attrdef WHERE adrelid = 't'::regclass"))
        .isZero();
    assertThat(run.file("t")).isEqualTo(file);
  }

  /** The default goes with the domain, and comes back as the column's own. */
  @Test
  void aDefaultThatItsOwnDomainRejects() throws SQLException {
    db.execute(
        "CREATE DOMAIN d AS int DEFAULT 0 CHECK (VALUE > 0)",
        "CREATE TABLE t (id int PRIMARY KEY, code d NOT NULL)",
        "INSERT INTO t VALUES (1, 1)");
    StepRunner<DropColumn> run = runner(b -> b.fillBackWithSql("1")).preflight();
    run.up(DropColumn.RELAX);
    db.execute("INSERT INTO t (id) VALUES (2)");
    assertThat(db.<Object>queryOne("SELECT code FROM t WHERE id = 2")).isNull();
    run.down(DropColumn.RELAX);
    db.execute("INSERT INTO t (id) VALUES (3)");
    assertThat(db.queryLong("SELECT code FROM t WHERE id = 3")).isZero();
  }

  @Test
  void aNotNullConstraintKeepsItsName() throws SQLException {
    assumeTrue(db.server().majorVersion() >= 18);
    db.execute(
        "CREATE TABLE t (id int PRIMARY KEY, code text CONSTRAINT \"must be\" NOT NULL)",
        "COMMENT ON CONSTRAINT \"must be\" ON t IS 'really'",
        "INSERT INTO t VALUES (1, 'a')");
    StepRunner<DropColumn> run = runner(b -> b.fillBackWithSql("'none'")).preflight();
    run.up(DropColumn.RELAX);
    db.execute("INSERT INTO t (id) VALUES (2)");
    run.down(DropColumn.RELAX);
    assertThat(
            db.rows(
                "SELECT conname::text, convalidated, obj_description(oid, 'pg_constraint') FROM"
                    + " pg_constraint WHERE conrelid = 't'::regclass AND contype = 'n' AND"
                    + " conname <> 't_id_not_null'"))
        .containsExactly(List.of("must be", true, "really"));
  }

  /** What came to name the column since is found before it loses its name. */
  @Test
  void contractLooksAgain() throws SQLException {
    db.execute("CREATE TABLE t (id int PRIMARY KEY, code text)");
    StepRunner<DropColumn> run = runner(b -> b).preflight();
    assertThat(run.support.recaptures(DropColumn.CONTRACT)).isTrue();
    db.execute("CREATE VIEW v AS SELECT code FROM t");
    assertThatThrownBy(() -> contract(run))
        .isInstanceOf(RefusedException.class)
        .isNotInstanceOf(NotYetException.class)
        .hasMessageContaining("view public.v");
    db.execute("DROP VIEW v");
    assertThat(contract(run)).isEqualTo(run.facts);
  }

  private Object contract(StepRunner<DropColumn> run) throws SQLException {
    try (Connection c = db.dataSource().getConnection()) {
      c.setAutoCommit(false);
      Target target = new Target("billing/drop", "public", "control");
      return run.support.preflight(run.migration, target, DropColumn.CONTRACT, run.facts, c);
    }
  }
}
