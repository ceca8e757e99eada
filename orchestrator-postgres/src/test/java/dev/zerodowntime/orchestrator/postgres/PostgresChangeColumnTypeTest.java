package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.ChangeColumnType;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.sql.Connection;
import java.sql.Statement;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A second column of another type, on a real server. */
@PostgresTest
class PostgresChangeColumnTypeTest {

  private final TestDatabase db;

  PostgresChangeColumnTypeTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void schema() {
    db.execute(
        "DROP SCHEMA IF EXISTS public, \"" + RenameColumnRunner.CONTROL + "\" CASCADE",
        "CREATE SCHEMA public",
        "CREATE SEQUENCE numbers START 99",
        "SELECT nextval('numbers')",
        "CREATE TABLE t (id int PRIMARY KEY, \"O ld\" int NOT NULL DEFAULT nextval('numbers')"
            + " CONSTRAINT positive CHECK (\"O ld\" > 0), other int, CONSTRAINT one UNIQUE (\"O"
            + " ld\"))",
        "ALTER SEQUENCE numbers OWNED BY t.\"O ld\"",
        "CREATE INDEX both_of ON t (other, \"O ld\" DESC)",
        "COMMENT ON COLUMN t.\"O ld\" IS 'kept'",
        "INSERT INTO t SELECT n, n * 2, n FROM generate_series(1, 20) n",
        "CREATE TABLE w (id int PRIMARY KEY, o text)",
        "INSERT INTO w SELECT n, ' V' || n || ' ' FROM generate_series(1, 20) n",
        "INSERT INTO w VALUES (99, NULL)");
  }

  private static ChangeColumnType.Builder numbers() {
    return ChangeColumnType.of("tests/type")
        .table("t")
        .from("O ld")
        .to("ne w")
        .type("bigint")
        .up("\"O ld\"::bigint")
        .down("t.\"ne w\"::int")
        .defaultSql("nextval('numbers')");
  }

  private static ChangeColumnType.Builder words() {
    return ChangeColumnType.of("tests/type")
        .table("w")
        .from("o")
        .to("n")
        .type("varchar(12)")
        .up("lower(trim(o))")
        .down("upper(n)");
  }

  private RenameColumnRunner<ChangeColumnType> runner(ChangeColumnType.Builder builder) {
    return new RenameColumnRunner<>(db, new PostgresChangeColumnType(), builder.build());
  }

  private String row(int id) {
    return db.rows("SELECT o, n FROM w WHERE id = " + id).get(0).toString();
  }

  @Test
  void thePhasesAreThoseOfARename() {
    assertThat(
            List.of(
                ChangeColumnType.EXPAND,
                ChangeColumnType.BACKFILL,
                ChangeColumnType.VERIFY,
                ChangeColumnType.ENFORCE,
                ChangeColumnType.CONTRACT,
                ChangeColumnType.PURGE))
        .containsExactly(
            RenameColumn.EXPAND,
            RenameColumn.BACKFILL,
            RenameColumn.VERIFY,
            RenameColumn.ENFORCE,
            RenameColumn.CONTRACT,
            RenameColumn.PURGE);
  }

  @Test
  void allTheWayUpTheNewColumnHasEverything() {
    RenameColumnRunner<ChangeColumnType> runner = runner(numbers());
    List<String> before = RenameColumnCatalog.of(db, "public", "t");
    runner.go(ChangeColumnType.CONTRACT);
    db.execute("INSERT INTO t (id) VALUES (30)", "INSERT INTO t (id, \"ne w\") VALUES (31, 77)");
    assertThat(db.queryLong("SELECT \"ne w\" FROM t WHERE id = 30")).isEqualTo(100);
    // And back, to what was there, and up again.
    runner.go(0);
    assertThat(RenameColumnCatalog.of(db, "public", "t"))
        .usingElementComparator(
            (a, b) -> a.replaceAll("[0-9]+", "").compareTo(b.replaceAll("[0-9]+", "")))
        .isEqualTo(before);
    assertThat(db.queryLong("SELECT sum(\"O ld\") FROM t WHERE id >= 30")).isEqualTo(177);
    runner.go(ChangeColumnType.PURGE);
    db.execute(
        "INSERT INTO t (id, other, \"ne w\") VALUES (40, 1, 3000000000)",
        "INSERT INTO t (id) VALUES (41)");
    assertThatThrownBy(() -> db.execute("INSERT INTO t (id, \"ne w\") VALUES (50, -1)"))
        .hasMessageContaining("positive");
    assertThatThrownBy(() -> db.execute("INSERT INTO t (id, \"ne w\") VALUES (50, 2)"))
        .hasMessageContaining("one");
    assertThatThrownBy(() -> db.execute("INSERT INTO t (id, \"ne w\") VALUES (50, NULL)"))
        .hasMessageContaining("null value");
    assertThat(
            db.rows(
                "SELECT attname::text, format_type(atttypid, atttypmod), attnotnull,"
                    + " col_description(attrelid, attnum) FROM pg_attribute WHERE attrelid ="
                    + " 't'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"))
        .hasToString(
            "[[id, integer, true, null], [other, integer, false, null], [ne w, bigint, true,"
                + " kept]]");
    assertThat(
            db.<String>queryOne(
                "SELECT string_agg(indexrelid::regclass::text, ',' ORDER BY"
                    + " indexrelid::regclass::text) FROM pg_index WHERE indrelid = 't'::regclass AND"
                    + " indisvalid"))
        .isEqualTo("both_of,one,t_pkey");
    assertThat(db.<String>queryOne("SELECT pg_get_serial_sequence('t', 'ne w')"))
        .isEqualTo("public.numbers");
    assertThat(
            db.queryLong(
                "SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE"
                    + " nspname = '"
                    + RenameColumnRunner.CONTROL
                    + "'"))
        .isZero();
  }

  /** Neither conversion is the exact reverse of the other. */
  @Test
  void everyWriteIsConvertedBothWaysAndNoneIsConvertedTwice() {
    RenameColumnRunner<ChangeColumnType> runner = runner(words());
    runner.go(ChangeColumnType.EXPAND);
    db.execute(
        "INSERT INTO w (id, o) VALUES (30, ' Ann ')",
        "UPDATE w SET o = o || 'x' WHERE id = 1",
        // Not copied yet, and not what this is about.
        "UPDATE w SET id = -2 WHERE id = 2");
    assertThat(row(30)).isEqualTo("[ Ann , ann]");
    assertThat(row(1)).isEqualTo("[ V1 x, v1 x]");
    assertThat(row(-2)).isEqualTo("[ V2 , null]");
    runner.go(ChangeColumnType.ENFORCE);
    assertThat(row(-2)).isEqualTo("[ V2 , v2]");
    assertThat(row(99)).isEqualTo("[null, null]");
    db.execute(
        "INSERT INTO w (id, n) VALUES (31, 'New')",
        "UPDATE w SET n = 'Mine' WHERE id = 3",
        "UPDATE w SET n = n WHERE id = 4",
        "UPDATE w SET n = NULL WHERE id = 5",
        "UPDATE w SET o = NULL WHERE id = 6",
        "INSERT INTO w (id, n) VALUES (7, 'up') ON CONFLICT (id) DO UPDATE SET n = excluded.n",
        "INSERT INTO w (id, o) VALUES (8, ' Up') ON CONFLICT (id) DO UPDATE SET o = excluded.o");
    assertThat(row(31)).isEqualTo("[NEW, New]");
    assertThat(row(3)).isEqualTo("[MINE, Mine]");
    assertThat(row(4)).isEqualTo("[ V4 , v4]");
    assertThat(row(5)).isEqualTo("[null, null]");
    assertThat(row(6)).isEqualTo("[null, null]");
    assertThat(row(7)).isEqualTo("[UP, up]");
    assertThat(row(8)).isEqualTo("[ Up, up]");
    // What new code wrote survives another look at every row.
    runner.go(ChangeColumnType.EXPAND);
    runner.go(ChangeColumnType.CONTRACT);
    db.execute("UPDATE w SET n = 'Later' WHERE id = 32 OR id = 3");
    runner.go(ChangeColumnType.ENFORCE);
    assertThat(row(31)).isEqualTo("[NEW, New]");
    assertThat(row(3)).isEqualTo("[LATER, Later]");
    assertThat(row(4)).isEqualTo("[ V4 , v4]");
  }

  @Test
  void triggersFireWhateverTheReplicationRoleAndWhoeverWrites() throws Exception {
    RenameColumnRunner<ChangeColumnType> runner = runner(words());
    db.execute(
        "CREATE FUNCTION tidy(text) RETURNS text LANGUAGE sql AS 'SELECT lower(trim($1))'",
        "REVOKE ALL ON FUNCTION tidy(text) FROM PUBLIC",
        "DO $$ BEGIN CREATE ROLE \"Zdo Writer\"; EXCEPTION WHEN duplicate_object OR"
            + " unique_violation THEN NULL; END $$",
        "GRANT USAGE ON SCHEMA public TO \"Zdo Writer\"",
        "GRANT ALL ON w TO \"Zdo Writer\"");
    runner = runner(words().up("tidy(o)"));
    runner.go(ChangeColumnType.ENFORCE);
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      s.execute("SET session_replication_role = replica");
      s.execute("SET ROLE \"Zdo Writer\"");
      s.execute("SET search_path = pg_catalog");
      s.execute("INSERT INTO public.w (id, o) VALUES (40, ' Other ')");
      s.execute("UPDATE public.w SET n = 'theirs' WHERE id = 1");
    }
    assertThat(row(40)).isEqualTo("[ Other , other]");
    assertThat(row(1)).isEqualTo("[THEIRS, theirs]");
  }

  @Test
  void whatUpFailsForIsTakenFromOldCodeAndFoundByItsKey() {
    RenameColumnRunner<ChangeColumnType> runner =
        runner(words().type("int").up("trim(o, ' V')::int").down("n::text"));
    runner.go(ChangeColumnType.EXPAND);
    db.execute("INSERT INTO w (id, o) VALUES (50, 'no number')");
    assertThat(row(50)).isEqualTo("[no number, null]");
    assertThatThrownBy(() -> runner.go(ChangeColumnType.BACKFILL))
        .hasMessageContaining("invalid input syntax for type integer: \"no number\"");
    db.execute("UPDATE w SET o = '7' WHERE id = 50");
    assertThat(row(50)).isEqualTo("[7, 7]");
    runner.go(ChangeColumnType.VERIFY);
    db.execute("UPDATE w SET o = 'again none' WHERE id = 50");
    assertThatThrownBy(() -> runner.go(ChangeColumnType.CONTRACT))
        .hasMessageContaining("verify-again");
    db.execute("UPDATE w SET o = '8' WHERE id = 50");
  }

  /** What is too long fails; it is not cut off. */
  @Test
  void nothingIsCutOff() {
    RenameColumnRunner<ChangeColumnType> runner = runner(words());
    db.execute("INSERT INTO w VALUES (60, 'more than twelve')");
    assertThatThrownBy(() -> runner.go(ChangeColumnType.BACKFILL))
        .hasMessageContaining("value too long for type character varying(12)");
  }

  @Test
  void aNullThatUpMakesIsFoundWhereThereMayBeNone() {
    RenameColumnRunner<ChangeColumnType> runner = runner(numbers().up("nullif(\"O ld\", 6)"));
    runner.go(ChangeColumnType.EXPAND);
    db.execute("INSERT INTO t VALUES (90, 6000), (91, DEFAULT)", "DELETE FROM t WHERE id = 3");
    db.execute("INSERT INTO t VALUES (90, 6) ON CONFLICT (id) DO UPDATE SET \"O ld\" = 6");
    assertThatThrownBy(() -> runner.go(ChangeColumnType.BACKFILL))
        .hasMessageContaining("expression up yields NULL, and the column is NOT NULL");
    db.execute("UPDATE t SET \"O ld\" = 61 WHERE id = 90");
    runner.go(ChangeColumnType.VERIFY);
    db.execute("UPDATE t SET \"O ld\" = 6 WHERE id = 90");
    assertThatThrownBy(() -> runner.go(ChangeColumnType.ENFORCE)).hasMessageContaining("null");
  }

  /** Old code can't read it; once there is none, it is kept, and closes the way back. */
  @Test
  void whatDownFailsForIsRejectedUntilContractAndThenKept() {
    RenameColumnRunner<ChangeColumnType> runner = runner(numbers());
    runner.go(ChangeColumnType.ENFORCE);
    assertThatThrownBy(() -> db.execute("INSERT INTO t (id, \"ne w\") VALUES (70, 3000000000)"))
        .hasMessageContaining("integer out of range");
    runner.go(ChangeColumnType.CONTRACT);
    db.execute(
        "INSERT INTO t (id, \"ne w\") VALUES (70, 3000000000)",
        "UPDATE t SET \"ne w\" = 3000000001 WHERE id = 1");
    assertThat(db.queryLong("SELECT max(\"ne w\") FROM t")).isEqualTo(3000000001L);
    assertThatThrownBy(() -> runner.go(ChangeColumnType.ENFORCE))
        .hasMessageContaining("verify-back");
    db.execute("UPDATE t SET \"ne w\" = 5 WHERE id = 1", "DELETE FROM t WHERE id = 70");
    runner.go(ChangeColumnType.ENFORCE);
    assertThat(db.queryLong("SELECT \"O ld\" FROM t WHERE id = 1")).isEqualTo(5);
  }

  /** A movement may be turned round anywhere: what is asked first must be answered there too. */
  @Test
  void verificationsCanBeAskedOnEitherSideOfTheSwap() {
    RenameColumnRunner<ChangeColumnType> runner = runner(numbers());
    runner.go(ChangeColumnType.ENFORCE);
    String back = runner.steps(ChangeColumnType.CONTRACT, Direction.DOWN).get(0).sql().get(0);
    assertThat(db.queryLong(back)).isZero();
    runner.go(ChangeColumnType.CONTRACT);
    db.execute("INSERT INTO t (id, \"ne w\") VALUES (70, 3000000000)");
    String again =
        runner.steps(ChangeColumnType.CONTRACT, Direction.UP).stream()
            .filter(each -> each.name().equals("verify-again"))
            .findFirst()
            .orElseThrow()
            .sql()
            .get(0);
    assertThat(db.queryLong(again)).isZero();
  }

  @Test
  void aNullableColumnWithADefault() {
    db.execute("ALTER TABLE w ALTER o SET DEFAULT ' Dflt '");
    RenameColumnRunner<ChangeColumnType> runner = runner(words().defaultSql("'dflt'"));
    runner.go(ChangeColumnType.ENFORCE);
    db.execute(
        "INSERT INTO w (id) VALUES (80)",
        "INSERT INTO w (id, o) VALUES (81, NULL)",
        "INSERT INTO w (id, n) VALUES (82, NULL)",
        "INSERT INTO w (id, n) VALUES (83, 'x')",
        "UPDATE w SET n = DEFAULT WHERE id = 1");
    assertThat(row(80)).isEqualTo("[ Dflt , dflt]");
    assertThat(row(81)).isEqualTo("[null, null]");
    assertThat(row(82)).isEqualTo("[null, null]");
    assertThat(row(83)).isEqualTo("[X, x]");
    assertThat(row(1)).isEqualTo("[DFLT, dflt]");
    runner.go(ChangeColumnType.CONTRACT);
    db.execute("INSERT INTO w (id) VALUES (84)");
    runner.go(ChangeColumnType.ENFORCE);
    assertThat(row(84)).isEqualTo("[DFLT, dflt]");
  }

  @Test
  void thePlanSaysWhereAChangeOfTheCatalogWouldDo() {
    db.execute("ALTER TABLE w ALTER o TYPE varchar(10)");
    RenameColumnRunner<ChangeColumnType> runner = runner(words().type("varchar(20)"));
    runner.preflight();
    assertThat(runner.steps(ChangeColumnType.EXPAND, Direction.UP).get(0).summary())
        .contains("WidenColumn");
    RenameColumnRunner<ChangeColumnType> other = runner(numbers());
    other.preflight();
    assertThat(other.steps(ChangeColumnType.EXPAND, Direction.UP).get(0).summary())
        .doesNotContain("WidenColumn");
  }

  private void refused(
      ChangeColumnType.Builder builder,
      UnaryOperator<ChangeColumnType.Builder> how,
      String... parts) {
    assertThatThrownBy(() -> runner(how.apply(builder)).preflight())
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains("tests/type").contains(parts));
  }

  @Test
  void badInputIsRefusedByName() {
    refused(words(), b -> b.type("nonsense"), "\"nonsense\"", "does not exist");
    refused(words(), b -> b.type("text NOT NULL"), "syntax error");
    refused(words(), b -> b.up("lower(nobody)"), "expression up \"lower(nobody)\"", "nobody");
    refused(words(), b -> b.up("o || id"), "computed from [id, o]", "\"o\" alone");
    refused(words(), b -> b.down("'x'"), "expression down", "computed from []");
    refused(words(), b -> b.up("coalesce(o, '')"), "makes something of NULL");
    refused(words(), b -> b.down("n || now()"), "another value every time");
    refused(words(), b -> b.type("int"), "expression up", "integer");
    refused(
        words(),
        b -> b.from("id").type("bigint").up("id").down("n::int"),
        "primary key \"w_pkey\"",
        "no operation changes");
    refused(words(), b -> b.to("id"), "\"id\" is taken");
    refused(words(), b -> b.defaultSql("'x'"), "has no default", "SetDefault");
    refused(
        ChangeColumnType.of("tests/type")
            .table("t")
            .from("O ld")
            .to("n")
            .type("bigint")
            .up("\"O ld\"")
            .down("n::int"),
        b -> b,
        "nextval",
        "defaultSql");
    db.execute(
        "CREATE DOMAIN d AS text",
        "CREATE INDEX low ON w (lower(o))",
        "CREATE TABLE i (id int PRIMARY KEY, o int GENERATED ALWAYS AS IDENTITY, f int REFERENCES t"
            + " (id), p text, CHECK (length(p) > 0))",
        "CREATE INDEX pattern ON i (p text_pattern_ops)");
    refused(words(), b -> b.type("d"), "is a domain");
    refused(words(), b -> b, "index \"low\"", "after CONTRACT");
    ChangeColumnType.Builder numbers =
        ChangeColumnType.of("tests/type").table("i").to("n").type("bigint");
    refused(numbers, b -> b.from("o").up("o").down("n::int"), "identity");
    refused(numbers, b -> b.from("f").up("f").down("n::int"), "foreign key \"i_f_fkey\"");
    refused(numbers, b -> b.from("p").up("p::bigint").down("n::text"), "index \"pattern\"");
    db.execute("DROP INDEX pattern");
    refused(numbers, b -> b.from("p").up("p::bigint").down("n::text"), "check \"i_p_check\"");
    assertThatThrownBy(
            () -> ChangeColumnType.of("a/b").table("t").from("a").to("b").type("int").build())
        .hasMessageContaining("no expression up");
  }
}
