package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.io.StringReader;
import java.sql.Connection;
import java.sql.Statement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.postgresql.PGConnection;

/** The sync trigger: whoever writes which column how, both hold the same image, the one meant. */
@PostgresTest
class RenameColumnSyncTest {

  private final TestDatabase db;

  RenameColumnSyncTest(TestDatabase db) {
    this.db = db;
  }

  private RenameColumnRunner<RenameColumn> table(String column, String... rows) {
    db.execute(
        "DROP TABLE IF EXISTS t",
        "CREATE COLLATION IF NOT EXISTS ci (provider = icu, locale = 'und-u-ks-level2',"
            + " deterministic = false)",
        "DROP SCHEMA IF EXISTS \"" + RenameColumnRunner.CONTROL + "\" CASCADE",
        "CREATE TABLE t (id int PRIMARY KEY, other int DEFAULT 0, o " + column + ")");
    db.execute(rows);
    return new RenameColumnRunner<>(
        db,
        new PostgresRenameColumn(),
        RenameColumn.of("tests/sync").table("t").from("o").to("n").build());
  }

  /** The row's value in both columns, which are the same image. */
  private Object value(int id) {
    assertThat(
            db.queryLong(
                "SELECT count(*) FROM t WHERE id = " + id + " AND record_image_ne(ROW(o), ROW(n))"))
        .as("columns differ: " + db.rows("SELECT * FROM t WHERE id = " + id))
        .isZero();
    return db.queryOne("SELECT n::text FROM t WHERE id = " + id);
  }

  /** In quarantine the old column still has its place: a value for it is meant for the new one. */
  @ParameterizedTest
  @CsvSource({"text", "text DEFAULT 'd'", "text NOT NULL DEFAULT 'd'"})
  void anInsertWithoutColumnListLosesNothing(String column) {
    RenameColumnRunner<RenameColumn> runner = table(column, "INSERT INTO t (id) VALUES (1)");
    runner.go(RenameColumn.CONTRACT);
    db.execute("INSERT INTO t VALUES (2, 2, 'given')", "INSERT INTO t (id, n) VALUES (3, 'named')");
    assertThat(db.<String>queryOne("SELECT n FROM t WHERE id = 2")).isEqualTo("given");
    assertThat(db.<String>queryOne("SELECT n FROM t WHERE id = 3")).isEqualTo("named");
    runner.go(RenameColumn.ENFORCE);
    assertThat(value(2)).isEqualTo("given");
    assertThat(value(3)).isEqualTo("named");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        // declaration | default | nullable
        "text                            | NULL   | true",
        "text DEFAULT 'd'                | d      | true",
        "text NOT NULL DEFAULT 'd'       | d      | false",
        "varchar(20) DEFAULT 'd'         | d      | true",
        "text COLLATE ci DEFAULT 'd'     | d      | true",
      })
  void everyKindOfInsert(String column, String byDefault, boolean nullable) throws Exception {
    RenameColumnRunner<RenameColumn> runner = table(column);
    String none = "NULL".equals(byDefault) ? null : byDefault;
    for (int phase : new int[] {RenameColumn.EXPAND, RenameColumn.ENFORCE}) {
      runner.go(phase);
      db.execute("TRUNCATE t");
      db.execute(
          "INSERT INTO t (id, o) VALUES (1, 'old')",
          "INSERT INTO t (id) VALUES (2)",
          "INSERT INTO t (id, n) VALUES (4, 'new')",
          "INSERT INTO t (id, o) SELECT g, 'm' || g FROM generate_series(5, 6) g",
          "INSERT INTO t (id, n) SELECT g, 'm' || g FROM generate_series(7, 8) g",
          "INSERT INTO t (id, o) VALUES (9, DEFAULT), (10, 'x')",
          "INSERT INTO t (id, n) VALUES (11, DEFAULT), (12, 'x')",
          "INSERT INTO t (id, n) VALUES (1, 'again') ON CONFLICT (id) DO UPDATE SET n = excluded.n"
              + " || t.o",
          "INSERT INTO t (id, o) VALUES (4, 'again') ON CONFLICT (id) DO UPDATE SET o = excluded.o"
              + " || t.n");
      if (nullable) {
        db.execute(
            "INSERT INTO t (id, o) VALUES (3, NULL)", "INSERT INTO t (id, n) VALUES (13, NULL)");
        assertThat(value(3)).isNull();
        assertThat(value(13)).isNull();
      }
      try (Connection c = db.dataSource().getConnection()) {
        c.unwrap(PGConnection.class)
            .getCopyAPI()
            .copyIn("COPY t (id, o) FROM STDIN", new StringReader("20\tcopied\n"));
        c.unwrap(PGConnection.class)
            .getCopyAPI()
            .copyIn("COPY t (id, n) FROM STDIN", new StringReader("21\tcopied\n"));
        c.unwrap(PGConnection.class)
            .getCopyAPI()
            .copyIn("COPY t (id) FROM STDIN", new StringReader("22\n"));
        try (Statement s = c.createStatement()) {
          s.execute("SET session_replication_role = replica");
          s.execute("INSERT INTO t (id, o) VALUES (30, 'r')");
          s.execute("INSERT INTO t (id, n) VALUES (31, 'r')");
          s.execute("UPDATE t SET n = 'rr' WHERE id = 30");
        }
      }
      assertThat(value(1)).isEqualTo("againold");
      assertThat(value(2)).isEqualTo(none);
      assertThat(value(4)).isEqualTo("againnew");
      assertThat(value(6)).isEqualTo("m6");
      assertThat(value(8)).isEqualTo("m8");
      assertThat(value(9)).isEqualTo(none);
      assertThat(value(11)).isEqualTo(none);
      assertThat(value(12)).isEqualTo("x");
      assertThat(value(20)).isEqualTo("copied");
      assertThat(value(21)).isEqualTo("copied");
      assertThat(value(22)).isEqualTo(none);
      assertThat(value(30)).isEqualTo("rr");
      assertThat(value(31)).isEqualTo("r");
      db.execute("UPDATE t SET n = DEFAULT WHERE id = 4", "UPDATE t SET o = DEFAULT WHERE id = 12");
      assertThat(value(4)).isEqualTo(none);
      assertThat(value(12)).isEqualTo(none);
      assertThat(db.queryLong("SELECT count(*) FROM t WHERE n LIKE '%zdo%' COLLATE \"C\""))
          .isZero();
    }
    runner.go(RenameColumn.CONTRACT);
    db.execute(
        "TRUNCATE t", "INSERT INTO t (id) VALUES (1)", "INSERT INTO t (id, n) VALUES (2, 'x')");
    runner.go(RenameColumn.ENFORCE);
    assertThat(value(1)).isEqualTo(none);
    assertThat(value(2)).isEqualTo("x");
  }

  /** NULL, the default, and a value are told apart for every type that has a value to spare. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "varchar(12)    | a",
        "char(20)       | a",
        "text[]         | {a}",
        "json           | {}",
        "jsonb          | {}",
        "bytea          | abc",
        "uuid           | 00000000-0000-0000-0000-000000000000",
        "numeric        | 1.0",
        "numeric(12,2)  | 1.00",
        "numeric(20,20) | 0.10000000000000000000",
        "numeric(15)    | 1",
        "bigint         | 1",
        "integer        | 1",
        "float8         | 1",
        "timestamp      | 2026-01-02 03:04:05",
        "timestamp(0)   | 2026-01-02 03:04:05",
        "timestamptz(3) | infinity",
        "date           | 2026-01-02",
      })
  void sentinels(String type, String value) {
    table(type + " DEFAULT '" + value + "'").go(RenameColumn.ENFORCE);
    db.execute(
        "INSERT INTO t (id) VALUES (1)",
        "INSERT INTO t (id, o) VALUES (2, NULL)",
        "INSERT INTO t (id, n) VALUES (3, NULL)",
        "INSERT INTO t (id, n) VALUES (4, '" + value + "')",
        "UPDATE t SET n = DEFAULT WHERE id = 2");
    assertThat(value(1)).isEqualTo(value(4)).isNotNull();
    assertThat(value(2)).isEqualTo(value(4));
    assertThat(value(3)).isNull();
  }

  /** What {@code =} calls equal. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "text COLLATE ci | Bob             | BOB",
        "numeric         | 1.0             | 1.00",
        "json            | {\"a\": 1}      | {\"a\":1}",
        "float8          | 0               | -0",
        "char(5)         | a               | b",
      })
  void updatesByImage(String column, String one, String two) {
    RenameColumnRunner<RenameColumn> runner =
        table(column, "INSERT INTO t (id, o) SELECT g, '" + one + "' FROM generate_series(1, 9) g");
    runner.go(RenameColumn.EXPAND);
    for (int round = 0; round < 2; round++) {
      db.execute(
          "UPDATE t SET o = '" + two + "' WHERE id = 1",
          "UPDATE t SET other = other + 1 WHERE id = 3");
      assertThat(value(1).toString().strip()).isEqualTo(two);
      assertThat(value(3).toString().strip()).isEqualTo(one);
      runner.go(RenameColumn.ENFORCE);
      db.execute(
          "UPDATE t SET n = '" + two + "' WHERE id = 2",
          "UPDATE t SET o = '" + two + "', n = '" + two + "' WHERE id = 4",
          "UPDATE t SET o = '" + one + "', n = '" + two + "' WHERE id = 5",
          "UPDATE t SET n = NULL WHERE id = 6",
          "UPDATE t SET o = NULL WHERE id = 7",
          "UPDATE t SET n = n, o = o WHERE id = 8");
      assertThat(value(2).toString().strip()).isEqualTo(two);
      assertThat(value(4).toString().strip()).isEqualTo(two);
      assertThat(value(5).toString().strip()).isEqualTo(two);
      assertThat(value(6)).isNull();
      assertThat(value(7)).isNull();
      assertThat(value(8).toString().strip()).isEqualTo(one);
      db.execute("UPDATE t SET o = '" + one + "'");
      runner.go(RenameColumn.CONTRACT);
      db.execute("UPDATE t SET n = '" + two + "' WHERE id = 1");
      runner.go(RenameColumn.ENFORCE);
      assertThat(value(1).toString().strip()).isEqualTo(two);
      db.execute("UPDATE t SET o = '" + one + "'");
      runner.go(RenameColumn.BACKFILL);
    }
  }

  @Test
  void aCompositeWithANullInItIsAValue() {
    db.execute("DROP TYPE IF EXISTS pair CASCADE", "CREATE TYPE pair AS (a int, b int)");
    table("pair").go(RenameColumn.ENFORCE);
    db.execute(
        "INSERT INTO t (id, n) VALUES (1, (1, NULL))",
        "INSERT INTO t (id, n) VALUES (2, (NULL, NULL))");
    assertThat(value(1)).isEqualTo("(1,)");
    assertThat(value(2)).isEqualTo("(,)");
  }

  /** Neither the backfill nor a write of other columns pays for the trigger. */
  @Test
  void firesOnlyWhereTheColumnsWouldDiffer() {
    RenameColumnRunner<RenameColumn> runner =
        table("text", "INSERT INTO t (id, o) SELECT g, 'v' || g FROM generate_series(1, 50) g");
    runner.go(RenameColumn.EXPAND);
    db.execute(
        "CREATE SEQUENCE IF NOT EXISTS fired",
        "DO $$ DECLARE f text; BEGIN SELECT pg_get_functiondef(p.oid) INTO f FROM pg_proc p JOIN"
            + " pg_trigger g ON g.tgfoid = p.oid WHERE g.tgrelid = 't'::regclass; EXECUTE"
            + " replace(f, 'BEGIN', 'BEGIN PERFORM nextval(''fired'');'); END $$");
    runner.go(RenameColumn.BACKFILL);
    db.execute("UPDATE t SET other = 1", "UPDATE t SET o = o", "INSERT INTO t (id) VALUES (99)");
    assertThat(db.<Object>queryOne("SELECT pg_sequence_last_value('fired')")).isNull();
    db.execute("UPDATE t SET o = 'w' WHERE id = 1");
    assertThat(db.queryLong("SELECT last_value FROM fired")).isEqualTo(1);
  }

  /** Every foreign key action ends with the same in both columns. */
  @Test
  void foreignKeyActions() {
    for (String action : new String[] {"CASCADE", "SET NULL", "SET DEFAULT"}) {
      RenameColumnRunner<RenameColumn> runner = table("int DEFAULT 1");
      db.execute(
          "DROP TABLE IF EXISTS p CASCADE",
          "CREATE TABLE p (k int PRIMARY KEY)",
          "INSERT INTO p SELECT generate_series(1, 9)",
          "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (o) REFERENCES p ON DELETE "
              + action
              + " ON UPDATE "
              + action,
          "INSERT INTO t (id, o) SELECT g, g FROM generate_series(2, 9) g");
      Object updated = action.equals("CASCADE") ? "12" : action.equals("SET NULL") ? null : "1";
      runner.go(RenameColumn.EXPAND);
      db.execute("UPDATE p SET k = 12 WHERE k = 2", "DELETE FROM p WHERE k = 3");
      assertThat(value(2)).as(action).isEqualTo(updated);
      runner.go(RenameColumn.ENFORCE);
      db.execute("UPDATE p SET k = 14 WHERE k = 4", "DELETE FROM p WHERE k = 5");
      if (action.equals("CASCADE")) {
        assertThat(value(4)).isEqualTo("14");
        assertThat(db.queryLong("SELECT count(*) FROM t WHERE id = 5")).isZero();
      } else {
        assertThat(value(4)).as(action).isEqualTo(updated);
        assertThat(value(5)).as(action).isEqualTo(updated);
      }
      runner.go(RenameColumn.CONTRACT);
      db.execute("UPDATE p SET k = 16 WHERE k = 6", "DELETE FROM p WHERE k = 7");
      runner.go(RenameColumn.ENFORCE);
      assertThat(value(6)).as(action).isEqualTo(action.equals("CASCADE") ? "16" : updated);
    }
  }
}
