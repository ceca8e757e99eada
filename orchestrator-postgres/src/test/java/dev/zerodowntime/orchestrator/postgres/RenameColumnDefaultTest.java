package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumnInCode;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Defaults that a domain brings, and defaults that change while the column is renamed. */
@PostgresTest
class RenameColumnDefaultTest {

  private final TestDatabase db;

  RenameColumnDefaultTest(TestDatabase db) {
    this.db = db;
  }

  private void table(String column) {
    db.execute(
        "DROP SCHEMA IF EXISTS public, \"" + RenameColumnRunner.CONTROL + "\" CASCADE",
        "CREATE SCHEMA public",
        "CREATE DOMAIN d AS text DEFAULT 'x'",
        "CREATE DOMAIN v AS text DEFAULT clock_timestamp()::text",
        "CREATE TABLE t (id int PRIMARY KEY, o " + column + ")",
        "INSERT INTO t VALUES (1, 'a')");
  }

  private RenameColumnRunner<RenameColumn> byTrigger() {
    return new RenameColumnRunner<>(
        db,
        new PostgresRenameColumn(),
        RenameColumn.of("tests/default").table("t").from("o").to("n").build());
  }

  private RenameColumnRunner<RenameColumnInCode> inCode() {
    return new RenameColumnRunner<>(
        db,
        new PostgresRenameColumnInCode(),
        RenameColumnInCode.of("tests/default").table("t").from("o").to("n").build());
  }

  private long file() {
    return db.queryLong("SELECT pg_relation_filenode('t')");
  }

  private List<List<Object>> rows(String columns) {
    return db.rows("SELECT " + columns + " FROM t ORDER BY id");
  }

  private static List<Object> row(Object... values) {
    return Arrays.asList(values);
  }

  private Object defaultOf(String column) {
    return db.queryOne(
        "SELECT (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d WHERE d.adrelid ="
            + " a.attrelid AND d.adnum = a.attnum) FROM pg_attribute a WHERE a.attrelid ="
            + " 't'::regclass AND a.attname = '"
            + column
            + "'");
  }

  @Test
  void aDomainsDefaultIsNoValueThatSomebodyGave() {
    table("d");
    long file = file();
    RenameColumnRunner<RenameColumn> runner = byTrigger();
    runner.go(RenameColumn.EXPAND);
    assertThat(rows("n")).as("rows left as they were").containsExactly(row((Object) null));
    db.execute(
        "INSERT INTO t (id, o) VALUES (2, 'Bob'), (3, NULL), (4, DEFAULT)",
        "INSERT INTO t (id) VALUES (5)");
    runner.go(RenameColumn.ENFORCE);
    db.execute(
        "INSERT INTO t (id, n) VALUES (6, 'Bob'), (7, NULL), (8, DEFAULT)",
        "UPDATE t SET n = DEFAULT WHERE id = 3");
    for (int i = 0; i < 2; i++) {
      assertThat(rows("o, n"))
          .containsExactly(
              row("a", "a"),
              row("Bob", "Bob"),
              row("x", "x"),
              row("x", "x"),
              row("x", "x"),
              row("Bob", "Bob"),
              row(null, null),
              row("x", "x"));
      runner.go(RenameColumn.CONTRACT);
      db.execute(
          "DELETE FROM t WHERE id IN (5, 7)",
          "INSERT INTO t (id) VALUES (5)",
          "INSERT INTO t (id, n) VALUES (7, NULL)");
      runner.go(RenameColumn.ENFORCE);
    }
    runner.go(RenameColumn.PURGE);
    assertThat(defaultOf("n")).as("the domain's, as before").isNull();
    db.execute("INSERT INTO t (id) VALUES (9)");
    assertThat(db.<String>queryOne("SELECT n FROM t WHERE id = 9")).isEqualTo("x");
    assertThat(file()).isEqualTo(file);
  }

  @Test
  void aDomainsDefaultInCode() {
    table("d");
    long file = file();
    RenameColumnRunner<RenameColumnInCode> runner = inCode();
    runner.go(RenameColumnInCode.EXPAND);
    assertThat(rows("n")).containsExactly(row((Object) null));
    db.execute("INSERT INTO t (id) VALUES (2)");
    runner.go(RenameColumnInCode.RELAX);
    db.execute("INSERT INTO t (id) VALUES (3)", "INSERT INTO t (id, n) VALUES (4, 'Bob')");
    assertThat(rows("o, n"))
        .containsExactly(row("a", "a"), row("x", "x"), row(null, "x"), row(null, "Bob"));
    runner.go(RenameColumnInCode.ENFORCE);
    db.execute("INSERT INTO t (id) VALUES (5)");
    assertThat(rows("o, n"))
        .containsExactly(
            row("a", "a"), row("x", "x"), row("x", "x"), row("Bob", "Bob"), row("x", "x"));
    runner.go(RenameColumnInCode.PURGE);
    assertThat(defaultOf("n")).isNull();
    assertThat(file()).isEqualTo(file);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void noDomainsDefaultRewritesTheTable(boolean again) {
    table("v");
    long file = file();
    RenameColumnRunner<RenameColumn> runner = byTrigger();
    runner.go(RenameColumn.EXPAND);
    assertThat(file()).isEqualTo(file);
    assertThat(rows("n")).containsExactly(row((Object) null));
    db.execute("INSERT INTO t (id) VALUES (2)");
    assertThat(db.queryLong("SELECT count(*) FROM t WHERE id = 2 AND o = n")).isEqualTo(1);
    runner.go(again ? 0 : RenameColumn.PURGE);
    assertThat(file()).isEqualTo(file);
  }

  /** A domain's default can be overridden by none. */
  @Test
  void noneWhereTheDomainHasOne() {
    table("d DEFAULT NULL");
    RenameColumnRunner<RenameColumn> runner = byTrigger();
    runner.go(RenameColumn.ENFORCE);
    assertThat(runner.facts()).doesNotContainKeys("default", "sentinel");
    db.execute("INSERT INTO t (id) VALUES (2)", "INSERT INTO t (id, n) VALUES (3, 'Bob')");
    runner.go(RenameColumn.PURGE);
    db.execute("INSERT INTO t (id) VALUES (4)");
    assertThat(rows("n"))
        .containsExactly(row("a"), row((Object) null), row("Bob"), row((Object) null));
  }

  /** The domain is not ours: whatever becomes of it meanwhile, what is given counts. */
  @Test
  void aDomainThatGetsADefaultMeanwhile() {
    table("d");
    db.execute("ALTER DOMAIN d DROP DEFAULT");
    RenameColumnRunner<RenameColumn> runner = byTrigger();
    runner.go(RenameColumn.EXPAND);
    db.execute("ALTER DOMAIN d SET DEFAULT 'y'");
    db.execute("INSERT INTO t (id, o) VALUES (2, 'Bob')", "INSERT INTO t (id) VALUES (3)");
    runner.go(RenameColumn.ENFORCE);
    db.execute("INSERT INTO t (id, n) VALUES (4, NULL)", "INSERT INTO t (id) VALUES (5)");
    runner.go(RenameColumn.PURGE);
    db.execute("INSERT INTO t (id) VALUES (6)");
    assertThat(rows("n"))
        .containsExactly(row("a"), row("Bob"), row("y"), row((Object) null), row("y"), row("y"));
    assertThat(defaultOf("n")).isNull();

    table("d");
    db.execute("ALTER DOMAIN d DROP DEFAULT");
    RenameColumnRunner<RenameColumnInCode> code = inCode();
    code.go(RenameColumnInCode.EXPAND);
    db.execute("ALTER DOMAIN d SET DEFAULT 'y'", "INSERT INTO t (id) VALUES (2)");
    code.go(RenameColumnInCode.PURGE);
    assertThat(rows("n")).containsExactly(row("a"), row("y"));
  }

  @Test
  void aConstantNullIsNoDefault() {
    table("varchar(3) DEFAULT NULL");
    RenameColumnRunner<RenameColumn> runner = byTrigger();
    runner.go(RenameColumn.ENFORCE);
    assertThat(runner.facts()).doesNotContainKeys("default", "sentinel");
    db.execute("INSERT INTO t (id, n) VALUES (2, NULL)", "INSERT INTO t (id) VALUES (3)");
    assertThat(rows("o, n")).containsExactly(row("a", "a"), row(null, null), row(null, null));
    runner.go(RenameColumn.PURGE);
  }

  /** Whatever the default was at EXPAND, it is what it is now in the end. */
  @ParameterizedTest
  @ValueSource(ints = {RenameColumn.EXPAND, RenameColumn.VERIFY, RenameColumn.ENFORCE})
  void aDefaultThatChangesMeanwhile(int phase) {
    String[][] changes = {
      {"text DEFAULT 'd'", "DROP DEFAULT", null},
      {"text DEFAULT 'd'", "SET DEFAULT 'e'", "e"},
      {"text", "SET DEFAULT 'e'", "e"},
      {"text DEFAULT 'd' NOT NULL", "DROP DEFAULT, ALTER o DROP NOT NULL", null},
      {"d", "SET DEFAULT NULL", null},
      {"d DEFAULT NULL", "DROP DEFAULT", "x"},
    };
    for (String[] change : changes) {
      table(change[0]);
      RenameColumnRunner<RenameColumn> runner = byTrigger();
      runner.go(phase);
      db.execute("ALTER TABLE t ALTER o " + change[1]);
      if (phase < RenameColumn.ENFORCE) {
        runner.go(RenameColumn.ENFORCE);
        db.execute(
            "INSERT INTO t (id) VALUES (2)",
            "INSERT INTO t (id, n) VALUES (3, NULL)",
            "INSERT INTO t (id, o) VALUES (4, 'old')",
            "INSERT INTO t (id, n) VALUES (5, 'new')");
        assertThat(rows("o, n"))
            .as(String.join(" ", change[0], change[1]))
            .containsExactly(
                row("a", "a"),
                row(change[2], change[2]),
                row(null, null),
                row("old", "old"),
                row("new", "new"));
      }
      for (int end : new int[] {RenameColumn.CONTRACT, RenameColumn.ENFORCE, RenameColumn.PURGE}) {
        runner.go(end);
        db.execute("INSERT INTO t (id) VALUES (" + (end * 10) + ")");
        assertThat(db.<String>queryOne("SELECT n FROM t WHERE id = " + end * 10))
            .as(String.join(" ", change[0], change[1]))
            .isEqualTo(change[2]);
      }
      assertThat(String.valueOf(defaultOf("n"))).doesNotContain("~zdo");
    }
  }
}
