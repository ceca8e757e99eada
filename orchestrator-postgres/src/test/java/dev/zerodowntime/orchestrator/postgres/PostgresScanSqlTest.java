package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.Scan;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Walking along keys of any type. */
@PostgresTest
@Timeout(60)
class PostgresScanSqlTest {

  private final TestDatabase db;
  private final PostgresScanSql sql = new PostgresScanSql();

  PostgresScanSqlTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void clean() {
    db.execute("DROP SCHEMA IF EXISTS public CASCADE", "CREATE SCHEMA public");
  }

  private static BackfillStep step(String table, String pending, String set, String... keys) {
    List<Scan.KeyColumn> columns = new ArrayList<>();
    for (int i = 0; i < keys.length; i += 2) {
      columns.add(new Scan.KeyColumn(Sql.quote(keys[i]), keys[i + 1]));
    }
    return BackfillStep.assign(
        "s", "s", new Scan("\"public\"." + Sql.quote(table), columns, pending), set, null, true);
  }

  /** Each row is visited exactly once, in chunks of two. */
  private void walk(BackfillStep step, int rows) throws SQLException {
    Scan scan = step.scan();
    try (Connection c = db.dataSource().getConnection()) {
      List<String> last = StepRunner.key(c, sql.lastKey(scan), List.of());
      List<String> after = List.of();
      long seen = 0;
      int chunks = 0;
      while (true) {
        boolean bounded = !after.isEmpty();
        List<Object> range = new ArrayList<>(after);
        range.addAll(last);
        range.add(2);
        List<String> end = StepRunner.key(c, sql.chunkEnd(scan, bounded), range);
        if (end == null) {
          break;
        }
        // After the key comes how many there are.
        assertThat(Integer.parseInt(end.get(scan.keys().size()))).isBetween(1, 2);
        end = end.subList(0, scan.keys().size());
        List<Object> chunk = new ArrayList<>(after);
        chunk.addAll(end);
        long pending =
            Long.parseLong(StepRunner.key(c, sql.countPending(scan, bounded), chunk).get(0));
        try (PreparedStatement update = c.prepareStatement(sql.update(step, bounded))) {
          StepRunner.bind(update, chunk);
          assertThat(update.executeUpdate()).isEqualTo((int) pending);
        }
        seen += pending;
        chunks++;
        after = end;
      }
      assertThat(seen).isEqualTo(rows);
      assertThat(chunks).isEqualTo((rows + 1) / 2);
      assertThat(after).isEqualTo(last);
    }
  }

  @Test
  void keysOfAnyType() throws SQLException {
    db.execute(
        "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')",
        "CREATE DOMAIN code AS varchar(9)",
        "CREATE COLLATION nd (provider = icu, locale = 'und-u-ks-level2', deterministic = false)");
    String[][] types = {
      {"bigint", "1", "-9", "10", "2", "9007199254740993"},
      {"text", "'10'", "'9'", "''", "E'a\\'\\\\b'", "'é'"},
      {"text COLLATE \"nd\"", "'a'", "'B'", "'c'"},
      {"char(5)", "'a'", "'b  '", "'abcde'"},
      {"code", "'x'", "'y'", "'z'"},
      {"uuid", "gen_random_uuid()", "gen_random_uuid()", "gen_random_uuid()"},
      {
        "timestamptz",
        "now()",
        "now() - interval '1 microsecond'",
        "'infinity'",
        "'-infinity'",
        "'0044-03-15 BC'"
      },
      {"numeric", "1.10", "'NaN'", "1e-20", "123456789012345678901234567890"},
      {"float8", "0.1", "1e-300", "'Infinity'", "0.30000000000000004"},
      {"bytea", "'\\x00ff'", "'\\x'", "'\\x27'"},
      {"mood", "'happy'", "'sad'", "'ok'"},
      {"inet", "'10.0.0.1'", "'9.0.0.1'", "'::1'"},
      {"boolean", "true", "false"},
      {"date", "'2020-02-29'", "'1999-01-01'"},
      {"interval", "'1 day'", "'25 hours'", "'-1 month'"},
      {"int[]", "'{1,2}'", "'{1}'", "'{}'"},
    };
    for (String[] type : types) {
      db.execute("DROP TABLE IF EXISTS t", "CREATE TABLE t (k " + type[0] + " PRIMARY KEY, v int)");
      for (int i = 1; i < type.length; i++) {
        db.execute("INSERT INTO t VALUES (" + type[i] + ")");
      }
      walk(
          step("t", "v IS NULL", "v = 1", "k", type[0].replaceFirst(" COLLATE.*", "")),
          type.length - 1);
      assertThat(db.queryLong("SELECT count(*) FROM t WHERE v = 1"))
          .as(type[0])
          .isEqualTo(type.length - 1);
    }
  }

  @Test
  void compositeKeysGoAlongTheIndex() throws SQLException {
    db.execute(
        "CREATE TABLE \"a t\" (\"B k\" text, a int, v text, PRIMARY KEY (\"B k\", a))",
        "INSERT INTO \"a t\" SELECT chr(65 + n % 3), n, NULL FROM generate_series(1, 3000) n",
        "VACUUM ANALYZE \"a t\"");
    BackfillStep step =
        step("a t", "v IS NULL", "v = \"B k\" || \"a t\".a", "B k", "text", "a", "integer");
    walk(
        step("a t", "v IS NULL AND a <= 101", "v = 'x'", "B k", "text", "a", "integer"), 101, true);
    String explain = sql.chunkEnd(step.scan(), true);
    for (String value : new String[] {"'A'", "'3'", "'C'", "'9'", "'10'"}) {
      explain = explain.replaceFirst("\\?", value);
    }
    String plan = db.rows("EXPLAIN " + explain).toString();
    assertThat(plan)
        .contains("Index Only Scan")
        .doesNotContain("Sort Key: (")
        .doesNotContain("Seq Scan");
    assertThat(estimate(step.scan())).isBetween(2900L, 3100L);
  }

  private void walk(BackfillStep step, int pending, boolean some) throws SQLException {
    try (Connection c = db.dataSource().getConnection();
        PreparedStatement update = c.prepareStatement(sql.update(step, false))) {
      StepRunner.bind(update, StepRunner.key(c, sql.lastKey(step.scan()), List.of()));
      assertThat(update.executeUpdate()).isEqualTo(pending);
    }
  }

  @Test
  void lockedRowsAreSkippedAndChildrenAreNotHeldUp() throws SQLException {
    db.execute(
        "CREATE TABLE t (k int PRIMARY KEY, v int)",
        "CREATE TABLE child (t int REFERENCES t)",
        "INSERT INTO t SELECT generate_series(1, 10)");
    BackfillStep step = step("t", "v IS NULL", "v = k", "k", "integer");
    try (Connection app = db.dataSource().getConnection();
        Connection c = db.dataSource().getConnection();
        Statement a = app.createStatement();
        PreparedStatement update = c.prepareStatement(sql.update(step, false))) {
      app.setAutoCommit(false);
      c.setAutoCommit(false);
      a.execute("UPDATE t SET v = 99 WHERE k = 3");
      a.execute("INSERT INTO child VALUES (5)");
      update.setObject(1, "10");
      // Row 5 is only referred to: no reason to leave it out.
      assertThat(update.executeUpdate()).isEqualTo(9);
      // A new child of a row in the chunk doesn't wait for the chunk.
      a.execute("SET LOCAL lock_timeout = '2s'");
      a.execute("INSERT INTO child VALUES (7)");
      c.commit();
      app.rollback();
      try (Statement s = c.createStatement();
          PreparedStatement one = c.prepareStatement(sql.updateOne(step))) {
        sql.limit(c, 0, 1);
        try (ResultSet row = s.executeQuery("SHOW lock_timeout")) {
          row.next();
          assertThat(row.getString(1)).isEqualTo("1ms");
        }
        one.setObject(1, "3");
        assertThat(one.executeUpdate()).isEqualTo(1);
        assertThat(one.executeUpdate()).isZero();
        c.commit();
      }
    }
    Scan left = new Scan(step.scan().table(), step.scan().keys(), "v > 7");
    try (Connection c = db.dataSource().getConnection()) {
      assertThat(StepRunner.key(c, sql.pending(left, false, ""), List.of("10", 5)))
          .containsExactly("8");
      assertThat(StepRunner.key(c, sql.pending(left, true, "k <> 9"), List.of("8", "10", 5)))
          .containsExactly("10");
    }
  }

  private long estimate(Scan scan) throws SQLException {
    try (Connection c = db.dataSource().getConnection()) {
      return sql.estimate(c, scan);
    }
  }

  @Test
  void estimatesCountNothing() throws SQLException {
    db.execute("CREATE TABLE t (k int PRIMARY KEY) WITH (autovacuum_enabled = off)");
    Scan scan = step("t", "true", "k = k", "k", "integer").scan();
    assertThat(estimate(scan)).isZero();
    db.execute("INSERT INTO t SELECT generate_series(1, 1000)");
    assertThat(estimate(scan)).isEqualTo(-1);
    db.execute("ANALYZE t", "INSERT INTO t SELECT generate_series(1001, 2000)");
    assertThat(estimate(scan)).isBetween(1500L, 2500L);
    assertThat(estimate(step("gone", "true", "k = k", "k", "integer").scan())).isEqualTo(-1);
  }
}
