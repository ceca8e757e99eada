package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.WidenColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A wider type under the same name, on a real server. */
@PostgresTest
class PostgresWidenColumnTest {

  /** Everything that a column can have and keep. */
  private static final String[] RICH = {
    "CREATE TABLE parents (code varchar(10) COLLATE \"C\" PRIMARY KEY)",
    "INSERT INTO parents SELECT 'c' || n FROM generate_series(1, 50) n",
    "CREATE TABLE rich (id bigint PRIMARY KEY, \"My c\" varchar(10) COLLATE \"C\" NOT NULL DEFAULT"
        + " 'c1' CONSTRAINT filled CHECK (\"My c\" <> ''), other int, UNIQUE (\"My c\"), CONSTRAINT"
        + " two CHECK (length(\"My c\") < 9 OR other > 0) NO INHERIT, CONSTRAINT up FOREIGN KEY"
        + " (\"My c\") REFERENCES parents ON UPDATE CASCADE)",
    "ALTER TABLE rich ADD CONSTRAINT later CHECK (\"My c\" <> 'never') NOT VALID",
    "CREATE INDEX rich_c ON rich (other, \"My c\" varchar_pattern_ops DESC) INCLUDE (id)",
    "CREATE TABLE children (c varchar(10) COLLATE \"C\" CONSTRAINT down REFERENCES rich (\"My c\"))",
    "COMMENT ON COLUMN rich.\"My c\" IS 'it''s'",
    "COMMENT ON CONSTRAINT filled ON rich IS 'not \\ empty'",
    "COMMENT ON INDEX rich_c IS 'by c'",
    "CREATE STATISTICS both_of (dependencies) ON other, \"My c\" FROM rich",
    "ALTER TABLE rich ALTER \"My c\" SET STATISTICS 50, ALTER \"My c\" SET STORAGE MAIN, ALTER \"My"
        + " c\" SET COMPRESSION pglz, ALTER \"My c\" SET (n_distinct = -0.5)",
    "GRANT SELECT (\"My c\"), UPDATE (\"My c\") ON rich TO PUBLIC",
    "INSERT INTO rich SELECT n, 'c' || n, n FROM generate_series(1, 40) n",
    "INSERT INTO children SELECT 'c' || n FROM generate_series(1, 30) n",
    "ANALYZE rich",
  };

  private final TestDatabase db;

  PostgresWidenColumnTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void schema() {
    db.execute("DROP SCHEMA IF EXISTS public, control CASCADE", "CREATE SCHEMA public");
  }

  private StepRunner<WidenColumn> runner(UnaryOperator<WidenColumn.Builder> how) {
    return new StepRunner<>(
        db,
        new PostgresWidenColumn(),
        how.apply(WidenColumn.of("billing/wide").table("rich").column("My c").type("varchar(200)"))
            .build());
  }

  /** The files of a table and its indexes. */
  private String files(String table) {
    return db.rows(
            "SELECT relname::text, pg_relation_filenode(oid) FROM pg_class WHERE oid = '"
                + table
                + "'::regclass OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = '"
                + table
                + "'::regclass) ORDER BY 1")
        .toString();
  }

  private List<String> catalog() {
    return RenameColumnCatalog.of(db, "public", "rich");
  }

  private List<String> plain(String alter) {
    db.execute(RICH);
    db.execute(alter);
    List<String> plain = catalog();
    schema();
    return plain;
  }

  @ParameterizedTest
  @CsvSource({"varchar(200)", "text", "varchar"})
  void everythingElseStaysAsItWas(String type) throws SQLException {
    List<String> plain =
        plain(
            "ALTER TABLE rich ALTER \"My c\" TYPE "
                + type
                + " COLLATE \"C\", ALTER \"My c\" SET STORAGE MAIN, ALTER \"My c\" SET COMPRESSION"
                + " pglz");
    db.execute(RICH);
    String files = files("rich");
    StepRunner<WidenColumn> run = runner(b -> b.type(type)).preflight();
    assertThat(run.up(WidenColumn.DONE))
        .containsExactly("widen", "validate-check:filled", "validate-check:two", "analyze");
    assertThat(catalog()).isEqualTo(plain);
    assertThat(files("rich")).isEqualTo(files);
    assertThat(run.leftovers()).isEmpty();
    assertThat(
            db.queryLong("SELECT count(*) FROM pg_stats WHERE attname = 'My c' AND n_distinct < 0"))
        .isEqualTo(1);
    db.execute(
        "ALTER TABLE rich DROP CONSTRAINT up",
        "UPDATE rich SET \"My c\" = repeat('x', 150) WHERE id = 40");
    assertThatThrownBy(() -> db.execute("UPDATE rich SET \"My c\" = '' WHERE id = 1"))
        .hasMessageContaining("filled");
  }

  /** What the catalog of the server says of lines like these is not known to us. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // former | new | whether the way back restores it
        "varchar(10)    | varchar(11)     | false",
        "varchar(10)    | text            | false",
        "varchar        | text            | true",
        "text           | varchar         | true",
        "numeric(8,2)   | numeric(9,2)    | false",
        "numeric(8,2)   | numeric         | false",
        "varbit(5)      | varbit(9)       | false",
        "varbit(5)      | varbit          | false",
        "cidr           | inet            | false",
        "time(0)        | time(3)         | false",
        "timestamp(0)   | timestamp       | false",
        "timestamptz(3) | timestamptz(6)  | false",
        "interval(2)    | interval        | false",
        "varchar(10)[]  | varchar(20)[]   | refused",
        "int            | bigint          | refused",
        "smallint       | int             | refused",
        "char(5)        | char(9)         | refused",
        "char(5)        | text            | refused",
        "text           | varchar(10)     | refused",
        "varchar(10)    | varchar(9)      | refused",
        "numeric(8,2)   | numeric(9,3)    | refused",
        "numeric(8,2)   | numeric(7,2)    | refused",
        "inet           | cidr            | refused",
        "varbit(9)      | varbit(5)       | refused",
        "real           | double precision| refused",
        "date           | timestamp       | refused",
        "json           | jsonb           | refused",
      })
  void theServerDecides(String former, String type, String back) throws SQLException {
    db.execute(
        "CREATE TABLE t (id int PRIMARY KEY, c " + former + ", d int)",
        "INSERT INTO t (id, d) SELECT n, n FROM generate_series(1, 9) n");
    if (back.equals("refused")) {
      refused(
          b -> b.table("t").column("c").type(type), "rewrite the whole table", "ChangeColumnType");
      return;
    }
    StepRunner<WidenColumn> run = runner(b -> b.table("t").column("c").type(type)).preflight();
    String files = files("t");
    run.up(WidenColumn.DONE);
    assertThat(files("t")).isEqualTo(files);
    assertThat(run.facts.get("back")).isEqualTo(Boolean.valueOf(back));
    run.down(WidenColumn.DONE);
    run.up(WidenColumn.DONE);
    assertThat(files("t")).isEqualTo(files);
  }

  @Test
  void timestampsDependOnTheTimeZone() throws SQLException {
    db.execute("CREATE TABLE t (id int PRIMARY KEY, c timestamp)");
    StepRunner<WidenColumn> run = runner(b -> b.table("t").column("c").type("timestamptz"));
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      s.execute("SET TimeZone TO 'UTC'");
      run.preflight(c);
      assertThat(run.facts.get("back")).isEqualTo(true);
      s.execute("SET TimeZone TO 'Europe/Berlin'");
      assertThatThrownBy(() -> run.preflight(c)).hasMessageContaining("rewrite the whole table");
    }
    // Whoever runs it elsewhere must not be a moment off: the step itself sees to that.
    DdlStep widen = (DdlStep) run.steps(WidenColumn.DONE, Direction.UP).get(0);
    db.execute("INSERT INTO t VALUES (1, '2026-01-01 00:00')");
    assertThatThrownBy(() -> atOnce(widen, "SET TimeZone TO 'Europe/Berlin'"))
        .hasMessageContaining("more than a change of the catalog");
    assertThat(db.<Boolean>queryOne(widen.done().sql())).isFalse();
    atOnce(widen, "SET TimeZone TO 'UTC'");
    assertThat(db.<Boolean>queryOne(widen.done().sql())).isTrue();
  }

  private void atOnce(DdlStep step, String before) throws SQLException {
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      s.execute(before);
      c.setAutoCommit(false);
      for (String sql : step.sql()) {
        s.execute(sql);
      }
      c.commit();
    }
  }

  @Test
  void theStepFailsRatherThanBuildAnIndexThatCameLater() throws SQLException {
    db.execute(RICH);
    StepRunner<WidenColumn> run = runner(b -> b).preflight();
    db.execute("CREATE INDEX late ON rich (lower(\"My c\"))");
    String files = files("rich");
    List<String> before = catalog();
    DdlStep widen = (DdlStep) run.steps(WidenColumn.DONE, Direction.UP).get(0);
    assertThatThrownBy(() -> atOnce(widen, "SELECT 1"))
        .hasMessageContaining("more than a change of the catalog")
        .hasMessageContaining("late");
    assertThat(files("rich")).isEqualTo(files);
    assertThat(catalog()).isEqualTo(before);
  }

  /** By itself the server would look at every row for the checks, under ACCESS EXCLUSIVE. */
  @Test
  void noRowIsLookedAtUnderTheLock() throws SQLException {
    db.execute(RICH);
    StepRunner<WidenColumn> run = runner(b -> b).preflight();
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      s.execute("SET client_min_messages = debug1");
      c.setAutoCommit(false);
      StringBuilder said = new StringBuilder();
      for (String sql : run.steps(WidenColumn.DONE, Direction.UP).get(0).sql()) {
        s.execute(sql);
        said.append(said(s));
      }
      assertThat(said.toString())
          .doesNotContain("verifying table")
          .doesNotContain("building index")
          .doesNotContain("validating foreign key");
      c.rollback();
      s.execute("ALTER TABLE rich ALTER \"My c\" TYPE varchar(200) COLLATE \"C\"");
      assertThat(said(s)).contains("verifying table");
      c.rollback();
    }
  }

  private static String said(Statement s) throws SQLException {
    StringBuilder said = new StringBuilder();
    for (SQLWarning each = s.getWarnings(); each != null; each = each.getNextWarning()) {
      said.append(each.getMessage()).append('\n');
    }
    s.clearWarnings();
    return said.toString();
  }

  /** Tables at the other end of foreign keys are locked too: said, and no more than said. */
  @Test
  void partnersAreLockedAsDeclared() throws SQLException {
    db.execute(RICH);
    DdlStep widen =
        (DdlStep) runner(b -> b).preflight().steps(WidenColumn.DONE, Direction.UP).get(0);
    assertThat(widen.tables())
        .containsExactly("\"public\".\"rich\"", "public.children", "public.parents");
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      c.setAutoCommit(false);
      for (String sql : widen.sql()) {
        s.execute(sql);
      }
      assertThat(
              db.rows(
                  "SELECT DISTINCT relation::regclass::text FROM pg_locks WHERE mode ="
                      + " 'AccessExclusiveLock' AND relation IN ('rich'::regclass,"
                      + " 'parents'::regclass, 'children'::regclass) ORDER BY 1"))
          .hasSize(3);
      c.rollback();
    }
  }

  @Test
  void onTheWayBackACheckStandsForTheFormerType() throws SQLException {
    db.execute(
        "CREATE TABLE t (id int PRIMARY KEY, c varchar(10), n numeric(4,2))",
        "INSERT INTO t SELECT n, 'v' || n, n FROM generate_series(1, 20) n");
    StepRunner<WidenColumn> run = runner(b -> b.table("t").column("c").type("text")).preflight();
    run.up(WidenColumn.DONE);
    db.execute("UPDATE t SET c = repeat('x', 11) WHERE id IN (7, 8)");
    List<Step> back = run.steps(WidenColumn.DONE, Direction.DOWN);
    assertThat(run.support.consent(run.migration, run.facts, WidenColumn.DONE, Direction.DOWN))
        .hasValueSatisfying(
            lost ->
                assertThat(lost)
                    .contains("\"c\" stays text", "character varying(10)", "a check accepts"));
    assertThat(run.support.consent(run.migration, run.facts, WidenColumn.DONE, Direction.UP))
        .isEmpty();
    VerifyStep verify = (VerifyStep) back.get(0);
    assertThat(run.count(verify.sql().get(0))).isEqualTo(2);
    db.execute("UPDATE t SET c = 'x' WHERE id = 7", "UPDATE t SET c = NULL WHERE id = 8");
    assertThat(run.down(WidenColumn.DONE))
        .containsExactly("verify-fits", "add-check", "validate-check");
    db.execute("INSERT INTO t VALUES (21, repeat('é', 10)), (22, NULL)");
    assertThatThrownBy(() -> db.execute("INSERT INTO t VALUES (23, repeat('x', 11))"))
        .hasMessageContaining("zdo_fits_");
    // Registered again by a process that knows no more than the row; and the way up once more.
    String before = run.facts.toString();
    try (Connection c = db.dataSource().getConnection()) {
      c.setAutoCommit(false);
      run.facts = run.support.preflight(run.migration, run.target, 1, run.facts, c);
      c.rollback();
    }
    assertThat(run.facts.toString()).isEqualTo(before);
    run.up(WidenColumn.DONE);
    db.execute("INSERT INTO t VALUES (23, repeat('x', 11))");
    assertThat(run.leftovers()).isEmpty();
  }

  @Test
  void numbersFitByTheirValue() throws SQLException {
    db.execute(
        "CREATE TABLE t (n numeric(4,2) PRIMARY KEY)",
        "INSERT INTO t SELECT n FROM generate_series(1, 20) n");
    StepRunner<WidenColumn> run = runner(b -> b.table("t").column("n").type("numeric")).preflight();
    run.up(WidenColumn.DONE);
    db.execute("INSERT INTO t VALUES (30.5), (31.250), (32.125)");
    String wrong = run.steps(WidenColumn.DONE, Direction.DOWN).get(0).sql().get(0);
    assertThat(run.count(wrong)).isEqualTo(1);
    db.execute("DELETE FROM t WHERE n = 32.125");
    run.down(WidenColumn.DONE);
    assertThatThrownBy(() -> db.execute("INSERT INTO t VALUES (100)"))
        .hasMessageContaining("overflow");
  }

  @Test
  void aTableWithoutAKeyIsCheckedByTheServerAlone() throws SQLException {
    db.execute("CREATE TABLE t (c varchar(3))", "INSERT INTO t VALUES ('abc'), (NULL)");
    StepRunner<WidenColumn> run = runner(b -> b.table("t").column("c").type("text")).preflight();
    run.up(WidenColumn.DONE);
    assertThat(run.down(WidenColumn.DONE)).containsExactly("add-check", "validate-check");
  }

  @Test
  void whatIsWideAlreadyIsLeftAlone() throws SQLException {
    db.execute(RICH);
    StepRunner<WidenColumn> run = runner(b -> b.type("character varying(10)")).preflight();
    assertThat(run.up(WidenColumn.DONE)).containsExactly("already-wide");
    assertThat(run.down(WidenColumn.DONE)).isEmpty();
    assertThat(run.support.consent(run.migration, run.facts, WidenColumn.DONE, Direction.DOWN))
        .isEmpty();
  }

  private void refused(UnaryOperator<WidenColumn.Builder> how, String... parts) {
    assertThatThrownBy(() -> runner(how).preflight())
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains("billing/wide").contains(parts));
  }

  private void refusedWith(String ddl, String undo, String... parts) {
    db.execute(ddl);
    refused(b -> b, parts);
    db.execute(undo);
  }

  @Test
  void whatIsInTheWayIsNamed() {
    db.execute(RICH);
    refusedWith(
        "CREATE INDEX low ON rich (lower(\"My c\"))", "DROP INDEX low", "index low", "DropIndex");
    refusedWith(
        "CREATE INDEX part ON rich (other) WHERE \"My c\" <> 'x'", "DROP INDEX part", "index part");
    refusedWith("CREATE VIEW v AS SELECT * FROM rich", "DROP VIEW v", "view public.v");
    refusedWith(
        "ALTER TABLE rich ADD g text GENERATED ALWAYS AS (\"My c\" || 'x') STORED",
        "ALTER TABLE rich DROP g",
        "column g of table public.rich");
    refusedWith(
        "CREATE POLICY p ON rich USING (\"My c\" = '')", "DROP POLICY p ON rich", "policy p on");
    refusedWith(
        "CREATE RULE r AS ON UPDATE TO rich WHERE NEW.\"My c\" = 'x' DO INSTEAD NOTHING",
        "DROP RULE r ON rich",
        "rule r on");
    db.execute("CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'");
    refusedWith(
        "CREATE TRIGGER tr AFTER UPDATE OF \"My c\" ON rich FOR EACH ROW EXECUTE FUNCTION log()",
        "DROP TRIGGER tr ON rich",
        "trigger tr on");
    refusedWith(
        "CREATE FUNCTION named() RETURNS varchar LANGUAGE sql AS 'SELECT \"My c\" FROM rich'",
        "DROP FUNCTION named()",
        "function public.named()",
        "allowFunctions(\"named\")");
    refusedWith(
        "CREATE TABLE holds (r rich)", "DROP TABLE holds", "column r of table public.holds");
    if (db.server().majorVersion() >= 15) {
      refusedWith(
          "CREATE PUBLICATION pub FOR TABLE rich (id, \"My c\")",
          "DROP PUBLICATION pub",
          "publication");
    }
    refusedWith("CREATE TABLE heir () INHERITS (rich)", "DROP TABLE heir", "inherit");
  }

  @Test
  void badInputIsRefusedByName() {
    db.execute(RICH);
    db.execute("CREATE TABLE parted (a varchar(3)) PARTITION BY LIST (a)");
    refused(b -> b.table("nobody"), "no table \"nobody\"");
    refused(b -> b.column("my c"), "no column \"my c\"", "[id, My c, other]");
    refused(b -> b.table("parted").column("a"), "partitioned table");
    refused(b -> b.type("nonsense"), "\"nonsense\"", "does not exist");
    refused(b -> b.type("text NOT NULL"), "\"text NOT NULL\"", "syntax error");
    refused(b -> b.type("int"), "cannot be cast automatically", "ChangeColumnType");
    assertThatThrownBy(() -> WidenColumn.of("a/b").table("t").column("c").build())
        .hasMessageContaining("no new type");
  }
}
