package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.RowFunction;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.Repeat;
import dev.zerodowntime.orchestrator.spi.RowChange;
import dev.zerodowntime.orchestrator.spi.Scan;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Each kind of change, along keys of several types, with a ledger and without. */
@PostgresTest
@Timeout(60)
class PostgresScanSqlKindsTest {

  private static final int ROWS = 50;

  private final TestDatabase db;

  PostgresScanSqlKindsTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void clean() {
    db.execute(
        "DROP SCHEMA IF EXISTS public CASCADE",
        "CREATE SCHEMA public",
        // Columns are called as those of the table that is changed: no name may be captured.
        "CREATE TABLE other (id int PRIMARY KEY, n int, v text)",
        "INSERT INTO other SELECT i, i * 2, 'other' || i FROM generate_series(0, 9) i");
  }

  static Stream<Arguments> keys() {
    return Stream.of(
        Arguments.of("bigint", new String[] {"k", "bigint", "n * 1000000000000"}),
        Arguments.of("uuid", new String[] {"k", "uuid", "gen_random_uuid()"}),
        Arguments.of(
            "default", new String[] {"k", "text", "CASE n % 2 WHEN 0 THEN 'a' ELSE 'B' END || n"}),
        Arguments.of("C", new String[] {"k", "text COLLATE \"C\"", "chr(60 + n)"}),
        Arguments.of("icu", new String[] {"k", "text COLLATE \"de-x-icu\"", "chr(200 + n)"}),
        Arguments.of(
            "composite", new String[] {"a", "integer", "n / 10", "b k", "text", "'x' || n"}));
  }

  private List<Scan.KeyColumn> table(String[] key) {
    List<Scan.KeyColumn> keys = new ArrayList<>();
    String columns = "";
    String values = "";
    String names = "";
    for (int i = 0; i < key.length; i += 3) {
      String name = Sql.quote(key[i]);
      columns += name + " " + key[i + 1] + " NOT NULL, ";
      values += key[i + 2] + ", ";
      names += (names.isEmpty() ? "" : ", ") + name;
      keys.add(new Scan.KeyColumn(name, key[i + 1].replaceFirst(" COLLATE.*", "")));
    }
    String ledger = "";
    for (int i = 0; i < keys.size(); i++) {
      ledger += (i == 0 ? "" : ", ") + keys.get(i).name() + " AS k" + i;
    }
    db.execute(
        "CREATE TABLE t (" + columns + "n int, v text, UNIQUE (" + names + "))",
        "INSERT INTO t SELECT "
            + values
            + "CASE WHEN n % 10 <> 3 THEN n END, NULL FROM generate_series(1, "
            + ROWS
            + ") n",
        "CREATE TABLE ledger AS SELECT " + ledger + " FROM t WITH NO DATA",
        "ALTER TABLE ledger ADD PRIMARY KEY (" + ScanParts.numbered("k", keys.size()) + ")",
        "CREATE TABLE copies AS SELECT " + names + ", v FROM t WITH NO DATA",
        "CREATE UNIQUE INDEX ON copies (" + names + ")");
    return keys;
  }

  private static BackfillStep step(
      List<Scan.KeyColumn> keys, String pending, RowChange change, boolean ledger) {
    String where = pending;
    if (ledger) {
      List<String> same = new ArrayList<>();
      for (Scan.KeyColumn key : keys) {
        same.add("ledger.k" + same.size() + " = t." + key.name());
      }
      where = "NOT EXISTS (SELECT FROM ledger WHERE " + String.join(" AND ", same) + " OFFSET 0)";
    }
    return new BackfillStep(
        "s",
        "s",
        new Scan("\"public\".\"t\"", keys, where),
        change,
        ledger ? new Repeat.OncePerLedger("\"public\".\"ledger\"") : Repeat.HARMLESS,
        null,
        true);
  }

  private static RowChange compute(RowFunction function) {
    return new RowChange.Compute(
        List.of("\"n\"", "\"v\""), List.of(new RowChange.Column("\"v\"", "text")), function);
  }

  private static void shout(List<RowFunction.Row> rows) {
    for (RowFunction.Row row : rows) {
      String n = row.get("n");
      row.set("v", n == null ? null : "java" + n);
    }
  }

  /** Changed once, by whatever statement; a second walk finds nothing. */
  private void everyRow(BackfillStep step, long expected) throws SQLException {
    boolean java = step.change() instanceof RowChange.Compute;
    assertThat(
            BackfillWalk.run(db.dataSource(), step, java ? BackfillWalk::free : BackfillWalk::all))
        .isEqualTo(expected);
    assertThat(BackfillWalk.run(db.dataSource(), step)).isZero();
    if (step.repeat() instanceof Repeat.OncePerLedger) {
      assertThat(db.queryLong("SELECT count(*) FROM ledger")).isEqualTo(expected);
      db.execute("TRUNCATE ledger");
      assertThat(BackfillWalk.run(db.dataSource(), step)).isEqualTo(expected);
      assertThat(db.queryLong("SELECT count(*) FROM ledger")).isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @MethodSource("keys")
  void assigns(String name, String[] key) throws SQLException {
    List<Scan.KeyColumn> keys = table(key);
    everyRow(step(keys, "v IS NULL AND n > 0", new RowChange.Assign("v = 'n' || t.n"), false), 45);
    assertThat(db.queryLong("SELECT count(*) FROM t WHERE v = 'n' || n")).isEqualTo(45);
    db.execute("UPDATE t SET n = 0");
    everyRow(step(keys, "true", new RowChange.Assign("n = n + 1"), true), ROWS);
    assertThat(db.queryLong("SELECT count(*) FROM t WHERE n = 2")).isEqualTo(ROWS);
  }

  @ParameterizedTest
  @MethodSource("keys")
  void assignsFromJoinedTables(String name, String[] key) throws SQLException {
    List<Scan.KeyColumn> keys = table(key);
    RowChange.Join join = new RowChange.Join("other o", "o.id = t.n % 10");
    String matched = "EXISTS (SELECT FROM other o WHERE o.id = t.n % 10)";
    everyRow(
        step(keys, "v IS NULL AND " + matched, new RowChange.Assign("v = o.v || t.n", join), false),
        45);
    assertThat(db.queryLong("SELECT count(*) FROM t WHERE v = 'other' || n % 10 || n"))
        .isEqualTo(45);
    db.execute("UPDATE t SET n = coalesce(n, 0)");
    everyRow(step(keys, "true", new RowChange.Assign("v = t.v || '+'", join), true), ROWS);
    assertThat(db.queryLong("SELECT count(*) FROM t WHERE v LIKE '%++' AND v NOT LIKE '%+++'"))
        .isEqualTo(45);
  }

  @ParameterizedTest
  @MethodSource("keys")
  void computes(String name, String[] key) throws SQLException {
    List<Scan.KeyColumn> keys = table(key);
    everyRow(
        step(keys, "v IS NULL AND n > 0", compute(PostgresScanSqlKindsTest::shout), false), 45);
    assertThat(db.queryLong("SELECT count(*) FROM t WHERE v = 'java' || n")).isEqualTo(45);
    assertThat(db.queryLong("SELECT count(*) FROM t WHERE v IS NULL")).isEqualTo(5);
    RowChange more =
        compute(
            rows ->
                rows.forEach(row -> row.set("v", row.get("v") == null ? "" : row.get("v") + "+")));
    everyRow(step(keys, "true", more, true), ROWS);
    assertThat(db.queryLong("SELECT count(*) FROM t WHERE v LIKE 'java%++' OR v = '+'"))
        .isEqualTo(ROWS);
  }

  @ParameterizedTest
  @MethodSource("keys")
  void copies(String name, String[] key) throws SQLException {
    List<Scan.KeyColumn> keys = table(key);
    List<String> columns = new ArrayList<>(keys.stream().map(Scan.KeyColumn::name).toList());
    List<String> same = columns.stream().map(each -> "c." + each + " = t." + each).toList();
    List<String> values = new ArrayList<>(columns);
    columns.add("\"v\"");
    values.add("'copy' || n");
    RowChange copy =
        new RowChange.Copy(
            "\"public\".\"copies\"",
            columns,
            values,
            keys.stream().map(Scan.KeyColumn::name).toList());
    String there =
        "NOT EXISTS (SELECT FROM copies c WHERE "
            + String.join(" AND ", same)
            + " AND c.v IS NOT DISTINCT FROM 'copy' || t.n)";
    everyRow(step(keys, there, copy, false), ROWS);
    db.execute(
        "DELETE FROM copies WHERE v = 'copy7'", "UPDATE copies SET v = 'old' WHERE v = 'copy8'");
    assertThat(BackfillWalk.run(db.dataSource(), step(keys, there, copy, false))).isEqualTo(2);
    db.execute("TRUNCATE copies");
    everyRow(step(keys, "true", copy, true), ROWS);
    assertThat(db.queryLong("SELECT count(*) FROM copies WHERE v LIKE 'copy%'")).isEqualTo(45);
    assertThat(db.queryLong("SELECT count(*) FROM copies")).isEqualTo(ROWS);
  }

  /** An explicit cast would cut them off. */
  @Test
  void valuesThatAreTooLongAreRejected() throws SQLException {
    List<Scan.KeyColumn> keys = table(new String[] {"k", "int", "n"});
    db.execute("ALTER TABLE t ALTER v TYPE varchar(3)");
    RowChange change =
        new RowChange.Compute(
            List.of("\"n\""),
            List.of(new RowChange.Column("\"v\"", "character varying")),
            rows -> rows.forEach(row -> row.set("v", "toolong")));
    assertThatThrownBy(() -> BackfillWalk.run(db.dataSource(), step(keys, "true", change, false)))
        .hasMessageContaining("too long");
  }

  /** For each kind: a locked row is left out, and waited for alone. */
  @Test
  void lockedRowsAreSkippedByEachKind() throws SQLException {
    List<Scan.KeyColumn> keys = table(new String[] {"k", "int", "n"});
    RowChange.Copy copy =
        new RowChange.Copy(
            "copies", List.of("\"k\"", "\"v\""), List.of("k", "'x'"), List.of("\"k\""));
    for (RowChange change :
        List.of(
            new RowChange.Assign("v = 'x'"),
            new RowChange.Assign("v = 'x'", new RowChange.Join("other o", "o.id = t.k % 10")),
            compute(rows -> rows.forEach(row -> row.set("v", "x"))),
            copy)) {
      for (boolean ledger : new boolean[] {false, true}) {
        db.execute("UPDATE t SET v = NULL", "TRUNCATE ledger, copies");
        BackfillStep step =
            step(
                keys,
                change == copy
                    ? "NOT EXISTS (SELECT FROM copies c WHERE c.k = t.k)"
                    : "v IS DISTINCT FROM 'x'",
                change,
                ledger);
        try (Connection app = db.dataSource().getConnection();
            Connection c = db.dataSource().getConnection();
            Statement a = app.createStatement();
            Statement s = c.createStatement()) {
          app.setAutoCommit(false);
          a.execute("UPDATE t SET v = 'app' WHERE k = 9");
          assertThat(BackfillWalk.run(db.dataSource(), step)).isEqualTo(ROWS - 1);
          c.setAutoCommit(false);
          s.execute("SET LOCAL lock_timeout = 1");
          assertThatThrownBy(() -> BackfillWalk.one(c, step, List.of("9")))
              .hasMessageContaining("lock timeout");
          c.rollback();
          if (change != copy && !(change instanceof RowChange.Compute)) {
            s.execute("SET LOCAL lock_timeout = 1");
            assertThatThrownBy(() -> BackfillWalk.all(c, step, false, List.of("50")))
                .hasMessageContaining("lock timeout");
            c.rollback();
          }
          app.commit();
          assertThat(BackfillWalk.one(c, step, List.of("9"))).isEqualTo(1);
          assertThat(BackfillWalk.one(c, step, List.of("9"))).isZero();
          c.commit();
        }
      }
    }
  }
}
