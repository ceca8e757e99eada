package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.Repeat;
import dev.zerodowntime.orchestrator.spi.RowChange;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.ScanSql;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Walking along keys of any type, and changing rows on the way. */
@Timeout(120)
class MysqlScanSqlTest {

  /** Definition and values of a key's column. */
  private static final String[][] KEYS = {
    {"tinyint", "-128", "-1", "0", "1", "127"},
    {"bigint", "-9223372036854775808", "-1", "0", "9007199254740993", "9223372036854775807"},
    {"bigint unsigned", "0", "1", "9223372036854775808", "18446744073709551615"},
    {"int(6) unsigned zerofill", "0", "7", "1234567"},
    {"decimal(30,10)", "-1.5", "0", "0.0000000001", "12345678901234567890.0123456789"},
    {"decimal(9,0) unsigned", "0", "1", "999999999"},
    {
      "varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
      "''",
      "' lead'",
      "'a'",
      "'B'",
      "'c\\\\'",
      "'d''quote'",
      "'müller'",
      "'Z'",
      "'日本'",
      "'😀'",
      "'z\\n'"
    },
    {"varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", "'a'", "'A'", "'ä'", "'Ä'", "'zz'"},
    {
      "char(10) CHARACTER SET latin1 COLLATE latin1_german2_ci", "'a'", "'ä'", "'ß'", "'€'", "'Zoë'"
    },
    {"varchar(10) CHARACTER SET latin1 COLLATE latin1_bin", "'a'", "'ä'", "'B'", "'ÿ'"},
    {"varchar(10) CHARACTER SET ascii", "'a'", "'~'", "'!'"},
    {"varchar(10) CHARACTER SET ucs2 COLLATE ucs2_bin", "'a'", "'日'", "'ä'"},
    {"varchar(10) CHARACTER SET sjis COLLATE sjis_japanese_ci", "'a'", "'日本'", "'ソ'", "'~'"},
    {"binary(4)", "x'00000000'", "x'00ff0000'", "x'27225c00'", "x'ffffffff'"},
    {"varbinary(8)", "''", "x'00'", "x'0000'", "x'275c'", "x'ff'"},
    {
      "date",
      "'0000-00-00'",
      "'0001-01-01'",
      "'0069-12-31'",
      "'0099-12-31'",
      "'0100-01-01'",
      "'1000-01-01'",
      "'2024-00-00'",
      "'2024-02-29'",
      "'9999-12-31'"
    },
    {
      "datetime",
      "'0000-00-00 00:00:00'",
      "'0001-01-01 00:00:00'",
      "'0001-01-01 00:00:01'",
      "'0099-12-31 23:59:59'",
      "'0100-01-01 00:00:00'",
      "'2001-01-01 00:00:00'",
      "'2024-03-31 02:30:00'",
      "'9999-12-31 23:59:59'"
    },
    {
      "datetime(6)",
      "'2024-00-00 00:00:00'",
      "'2024-03-31 02:30:00.123456'",
      "'2024-03-31 02:30:00.123457'",
      "'2024-10-27 02:30:00'"
    },
    {"time", "'-838:59:59'", "'-00:00:01'", "'00:00:00'", "'23:59:59'", "'838:59:59'"},
    {"time(3)", "'-00:00:00.001'", "'00:00:00.001'", "'12:00:00.5'"},
    {"year", "0", "1901", "1999", "2155"},
    {
      "uuid",
      "'00000000-0000-0000-0000-000000000000'",
      "'f47ac10b-58cc-4372-a567-0e02b2c3d479'",
      "'123e4567-e89b-12d3-a456-426655440000'",
      "'ffffffff-ffff-ffff-ffff-ffffffffffff'"
    },
  };

  @ParameterizedTest
  @EnumSource
  void walksAlongKeysOfEachType(MysqlServer.Flavor flavor) throws Exception {
    MysqlServer server = MysqlServer.get(flavor);
    try (MysqlDatabase db = MysqlDatabase.create(server, "scan")) {
      // Whatever the connection's character set: one that lacks most of the keys' characters, too.
      for (String options : List.of("", "characterEncoding=ISO8859_1", "useServerPrepStmts=true")) {
        var source = server.dataSource(db.name(), options);
        try (Connection c = source.getConnection()) {
          for (String[] key : KEYS) {
            if (key[0].equals("uuid") && flavor != MysqlServer.Flavor.MARIADB) {
              continue;
            }
            db.execute(
                "SET SESSION sql_mode = 'ALLOW_INVALID_DATES'",
                "CREATE TABLE t (k " + key[0] + " NOT NULL PRIMARY KEY, v int)",
                "INSERT INTO t (k) VALUES ("
                    + String.join("), (", Arrays.copyOfRange(key, 1, key.length))
                    + ")");
            try (Statement mode = c.createStatement()) {
              // Zeros in dates are walked over in any case, but not changed where forbidden.
              mode.execute(
                  "SET SESSION sql_mode = "
                      + (key[0].startsWith("date") ? "'STRICT_ALL_TABLES'" : "DEFAULT"));
            }
            walk(db, c, key[0], key.length - 1);
            db.execute("DROP TABLE t");
          }
        }
      }
    }
  }

  private void walk(MysqlDatabase db, Connection c, String what, int rows) throws SQLException {
    MysqlScanSql sql = new MysqlScanSql(MysqlVersion.of(c));
    Scan scan = new Scan(table(db, "t"), key(c, db, "t"), "v IS NULL");
    BackfillStep step =
        BackfillStep.assign("s", "s", scan, scan.table() + ".v = coalesce(v, 0) + 1", null, true);
    List<String> last = first(c, sql.lastKey(scan), List.of());
    List<String> after = null;
    List<String> walked = new ArrayList<>();
    while (true) {
      List<Object> range = sql.range(scan, after, last);
      range.add(0);
      List<String> next = first(c, sql.keyAt(scan, after != null), range);
      range.set(range.size() - 1, 1);
      List<String> end = first(c, sql.chunkEnd(scan, after != null), range);
      assertThat(end == null).as(what).isEqualTo(next == null);
      if (next == null) {
        break;
      }
      assertThat(end).as(what).containsExactly(next.get(0), "1");
      List<Object> chunk = sql.range(scan, after, next);
      assertThat(first(c, sql.countPending(scan, after != null), chunk))
          .as(what + next)
          .containsExactly("1");
      assertThat(change(c, sql.updateAll(step, after != null), chunk)).as(what + next).isEqualTo(1);
      assertThat(first(c, sql.countPending(scan, after != null), chunk))
          .as(what + next)
          .containsExactly("0");
      assertThat(change(c, sql.updateOne(step), sql.key(scan, next))).as(what + next).isZero();
      walked.add(next.get(0));
      after = next;
      assertThat(walked).as(what).hasSizeLessThanOrEqualTo(rows);
    }
    assertThat(walked).as(what).hasSize(rows);
    assertThat(db.rows("SELECT DISTINCT v FROM t")).as(what).containsExactly(List.of("1"));
    // In the order of the column.
    List<String> order = new ArrayList<>();
    String text = ScanParts.selected(scan);
    db.rows("SELECT " + text + " FROM t ORDER BY k").forEach(row -> order.add(row.get(0)));
    assertThat(walked).as(what).isEqualTo(order);
  }

  @ParameterizedTest
  @EnumSource
  void zerosInDatesAreNotPassedOver(MysqlServer.Flavor flavor) throws Exception {
    try (MysqlDatabase db = MysqlDatabase.create(MysqlServer.get(flavor), "scan");
        Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      db.execute(
          "CREATE TABLE t (k date PRIMARY KEY, v int)",
          "SET SESSION sql_mode = ''",
          "INSERT INTO t (k) VALUES (0), ('2024-00-01'), ('2024-01-00'), ('2024-01-01')");
      s.execute("SET SESSION sql_mode = 'TRADITIONAL'");
      MysqlScanSql sql = new MysqlScanSql(MysqlVersion.of(c));
      Scan scan = new Scan(table(db, "t"), key(c, db, "t"), "v IS NULL");
      List<String> after = List.of("0000-00-00");
      List<Object> range = sql.range(scan, after, List.of("2024-01-01"));
      assertThat(first(c, sql.countPending(scan, true), range)).containsExactly("3");
      assertThat(first(c, sql.countPending(scan, false), sql.range(scan, null, after)))
          .containsExactly("1");
      BackfillStep step = BackfillStep.assign("s", "s", scan, scan.table() + ".v = 1", null, true);
      assertThatThrownBy(() -> change(c, sql.updateAll(step, true), range))
          .isInstanceOfSatisfying(
              SQLException.class,
              e -> assertThat(MysqlErrors.classify(e)).isEqualTo(SqlErrorKind.DATA));
    }
  }

  @ParameterizedTest
  @EnumSource
  void readsNothingBesideARangeOfACompositeKey(MysqlServer.Flavor flavor) throws Exception {
    try (MysqlDatabase db = MysqlDatabase.create(MysqlServer.get(flavor), "scan");
        Connection c = db.dataSource().getConnection()) {
      db.execute(
          "CREATE TABLE d (n int PRIMARY KEY)",
          "INSERT INTO d VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)",
          "CREATE TABLE `t``x` (a int, `b``'` varchar(20) CHARACTER SET latin1, c datetime(3), v"
              + " int, w int, PRIMARY KEY (a, `b``'`, c), KEY (v))",
          "INSERT INTO `t``x` (a, `b``'`, c) SELECT x.n, char(97 + y.n USING latin1), '2024-01-01' +"
              + " INTERVAL (z.n * 10 + u.n) SECOND FROM d x, d y, d z, d u",
          "ANALYZE TABLE `t``x`");
      MysqlScanSql sql = new MysqlScanSql(MysqlVersion.of(c));
      Scan scan = new Scan(table(db, "t`x"), key(c, db, "t`x"), "v IS NULL");
      assertThat(scan.keys()).hasSize(3);
      BackfillStep step =
          BackfillStep.assign("s", "s", scan, scan.table() + ".v = a, w = v", null, true);
      List<String> after = null;
      List<String> last = first(c, sql.lastKey(scan), List.of());
      int changed = 0;
      int chunks = 0;
      while (true) {
        List<Object> at = sql.range(scan, after, last);
        at.add(369);
        c.createStatement().execute("FLUSH STATUS");
        List<String> end = first(c, sql.keyAt(scan, after != null), at);
        assertThat(reads(c)).isLessThan(400);
        if (end == null) {
          end = last;
        }
        List<Object> range = sql.range(scan, after, end);
        c.createStatement().execute("FLUSH STATUS");
        changed += change(c, sql.updateAll(step, after != null), range);
        // Those of the range, the derived rows, and each of them by its key, noted and changed.
        assertThat(reads(c)).isLessThan(2500);
        chunks++;
        if (end.equals(last)) {
          break;
        }
        after = end;
      }
      assertThat(changed).isEqualTo(10_000);
      assertThat(chunks).isEqualTo(28);
      assertThat(sql.estimate(c, scan)).isBetween(8_000L, 12_000L);
      assertThat(sql.estimate(c, new Scan(table(db, "gone"), scan.keys(), "TRUE"))).isEqualTo(-1);
    }
  }

  @ParameterizedTest
  @EnumSource
  void othersLocksAreNotWaitedFor(MysqlServer.Flavor flavor) throws Exception {
    try (MysqlDatabase db = MysqlDatabase.create(MysqlServer.get(flavor), "scan");
        Connection c = db.dataSource().getConnection();
        Connection app = db.dataSource().getConnection();
        Statement a = app.createStatement()) {
      db.execute(
          "CREATE TABLE t (k int PRIMARY KEY, name varchar(10), v varchar(10), touched timestamp NOT"
              + " NULL DEFAULT '2001-02-03 04:05:06' ON UPDATE CURRENT_TIMESTAMP, KEY (v))",
          "INSERT INTO t (k, name) VALUES (1,'a'), (2,'b'), (3,'c'), (4,'d'), (5,'e'), (6,'f')",
          "CREATE TABLE copied (id int PRIMARY KEY, n varchar(10))",
          "CREATE TABLE o (k int, other varchar(10), name varchar(10))",
          "INSERT INTO o VALUES (1,'one','x'), (2,'two','x'), (2,'two','y'), (3,'three','x')");
      MysqlScanSql sql = new MysqlScanSql(MysqlVersion.of(c));
      Scan scan = new Scan(table(db, "t"), key(c, db, "t"), "NOT (v <=> name)");
      String t = scan.table();
      BackfillStep step =
          BackfillStep.assign(
              "s",
              "s",
              scan,
              t + ".v = " + t + ".name, " + t + ".touched = " + t + ".touched",
              null,
              true);
      c.setAutoCommit(false);
      c.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
      app.setAutoCommit(false);
      a.execute("UPDATE t SET name = 'NEW' WHERE k = 3");
      List<Object> all = sql.range(scan, null, List.of("6"));
      sql.limit(c, 1000, 20);
      assertThatThrownBy(() -> change(c, sql.updateAll(step, false), all))
          .isInstanceOfSatisfying(
              SQLException.class,
              e -> assertThat(MysqlErrors.classify(e)).isEqualTo(SqlErrorKind.LOCK_TIMEOUT));
      c.rollback();
      assertThat(change(c, sql.update(step, false), all)).isEqualTo(5);
      // It is named as left, and nothing else is held up.
      List<Object> five = sql.range(scan, null, List.of("6"));
      five.add(5);
      assertThat(first(c, sql.pending(scan, false, ""), five)).containsExactly("3");
      c.commit();
      // One row is waited for; a lock wait ends, and is told as one.
      sql.limit(c, 0, 200);
      assertThatThrownBy(() -> change(c, sql.updateOne(step), sql.key(scan, List.of("3"))))
          .isInstanceOfSatisfying(
              SQLException.class,
              e -> assertThat(MysqlErrors.classify(e)).isEqualTo(SqlErrorKind.LOCK_TIMEOUT));
      c.rollback();
      app.commit();
      // The newest version is what counts: no update is lost.
      assertThat(change(c, sql.updateOne(step), sql.key(scan, List.of("3")))).isEqualTo(1);
      c.commit();
      assertThat(db.rows("SELECT k FROM t WHERE NOT (v <=> name)")).isEmpty();
      // Only the application's own change was noted there.
      assertThat(db.rows("SELECT k FROM t WHERE touched <> '2001-02-03 04:05:06'"))
          .containsExactly(List.of("3"));

      // Rows that aren't pending, and rows outside the range, aren't locked afterwards.
      db.execute("UPDATE t SET v = NULL WHERE k IN (2, 4)");
      assertThat(change(c, sql.updateAll(step, true), sql.range(scan, List.of("1"), List.of("5"))))
          .isEqualTo(2);
      db.execute("SET innodb_lock_wait_timeout = 1", "UPDATE t SET name = 'E' WHERE k = 1");
      db.execute("SET innodb_lock_wait_timeout = 1", "UPDATE t SET name = 'E' WHERE k = 6");
      db.execute("SET innodb_lock_wait_timeout = 1", "INSERT INTO t (k) VALUES (-1), (7)");
      c.commit();

      // Computed from another table; of several rows that match, any; with columns of one name.
      BackfillStep joined =
          new BackfillStep(
              "j",
              "j",
              new Scan(
                  t, scan.keys(), "EXISTS (SELECT 1 FROM o WHERE o.k = t.k AND t.v <> o.other)"),
              new RowChange.Assign(
                  t + ".v = o.other, " + t + ".touched = " + t + ".touched",
                  new RowChange.Join("o", "o.k = t.k")),
              Repeat.HARMLESS,
              null,
              true);
      assertThat(change(c, sql.updateAll(joined, false), all)).isEqualTo(3);
      assertThat(change(c, sql.updateAll(joined, false), all)).isZero();
      c.commit();
      assertThat(db.rows("SELECT v FROM t WHERE k IN (1, 2, 3) ORDER BY k"))
          .containsExactly(List.of("one"), List.of("two"), List.of("three"));

      // Copied: new, newer, and not at all where it is locked.
      String into = table(db, "copied");
      BackfillStep copy =
          new BackfillStep(
              "c",
              "c",
              new Scan(
                  t,
                  scan.keys(),
                  "NOT EXISTS (SELECT 1 FROM copied i WHERE i.id = t.k AND i.n <=> t.name)"),
              new RowChange.Copy(
                  into, List.of("`id`", "`n`"), List.of("t.k", "t.name"), List.of("`id`")),
              Repeat.HARMLESS,
              null,
              true);
      db.execute("INSERT INTO copied VALUES (2, 'old'), (5, 'e')");
      a.execute("UPDATE t SET name = 'locked' WHERE k = 6");
      change(c, sql.update(copy, false), all);
      c.commit();
      assertThatThrownBy(() -> change(c, sql.updateAll(copy, false), all))
          .isInstanceOf(SQLException.class);
      c.rollback();
      app.commit();
      change(c, sql.updateAll(copy, false), all);
      c.commit();
      assertThat(
              db.rows(
                  "SELECT t.k FROM t LEFT JOIN copied i ON i.id = t.k AND i.n <=> t.name WHERE i.id"
                      + " IS NULL AND t.k < 7"))
          .isEmpty();
      assertThat(db.rows("SELECT count(*) FROM copied")).containsExactly(List.of("7"));
    }
  }

  @ParameterizedTest
  @EnumSource
  void computedValuesAreWrittenInOneStatement(MysqlServer.Flavor flavor) throws Exception {
    try (MysqlDatabase db = MysqlDatabase.create(MysqlServer.get(flavor), "scan");
        Connection c = db.dataSource().getConnection();
        Connection app = db.dataSource().getConnection();
        Statement a = app.createStatement()) {
      db.execute(
          "CREATE TABLE t (a varchar(20) CHARACTER SET latin1, b datetime(6), txt varchar(60), num"
              + " decimal(10,3), j json, e enum('x','y'), PRIMARY KEY (a, b))",
          "INSERT INTO t (a, b, txt) VALUES ('ä''\"\\\\', '2024-01-01 00:00:00.000001', 'one'), ('ä''\"\\\\',"
              + " '2024-01-01 00:00:00.000002', NULL), ('z', '2024-01-02', 'three'), ('zz',"
              + " '2024-01-02', 'locked')");
      MysqlScanSql sql = new MysqlScanSql(MysqlVersion.of(c));
      Scan scan = new Scan(table(db, "t"), key(c, db, "t"), "num IS NULL");
      BackfillStep step =
          new BackfillStep(
              "s",
              "s",
              scan,
              new RowChange.Compute(
                  List.of("`txt`"),
                  List.of(
                      new RowChange.Column("`txt`", ""),
                      new RowChange.Column("`num`", ""),
                      new RowChange.Column("`j`", ""),
                      new RowChange.Column("`e`", "")),
                  null),
              Repeat.HARMLESS,
              null,
              true);
      c.setAutoCommit(false);
      c.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
      app.setAutoCommit(false);
      a.execute("SELECT * FROM t WHERE a = 'zz' FOR UPDATE");
      List<ScanSql.Computed> rows = new ArrayList<>();
      List<String> last = first(c, sql.lastKey(scan), List.of());
      try (PreparedStatement read = c.prepareStatement(sql.read(step, false))) {
        bind(read, sql.range(scan, null, last));
        try (ResultSet row = read.executeQuery()) {
          while (row.next()) {
            String text = row.getString(3);
            rows.add(
                new ScanSql.Computed(
                    List.of(row.getString(1), row.getString(2)),
                    Arrays.asList(
                        text == null ? "\"quoted\" \\ 'x' 😀\n\u0001" : null,
                        "1234567.125",
                        "{\"a\": [1, null]}",
                        "y")));
          }
        }
      }
      assertThat(rows).hasSize(3);
      assertThat(sql.write(c, "/* tag */ ", step, rows)).isEqualTo(3);
      // Again, the same values: found is what counts.
      assertThat(sql.write(c, "/* tag */ ", step, rows)).isEqualTo(3);
      c.commit();
      app.rollback();
      assertThat(db.rows("SELECT txt, num, e, json_extract(j, '$.a[0]') FROM t ORDER BY a, b"))
          .containsExactly(
              // By the rules of latin1_swedish_ci.
              Arrays.asList(null, "1234567.125", "y", "1"),
              Arrays.asList("locked", null, null, null),
              Arrays.asList(null, "1234567.125", "y", "1"),
              Arrays.asList("\"quoted\" \\ 'x' 😀\n\u0001", "1234567.125", "y", "1"));
      // What doesn't fit is an error, and nothing is written.
      for (String wrong : List.of("1e10", "abc", "")) {
        assertThatThrownBy(
                () ->
                    sql.write(
                        c,
                        "",
                        step,
                        List.of(new ScanSql.Computed(last, Arrays.asList("t", wrong, null, null)))))
            .isInstanceOfSatisfying(
                SQLException.class,
                e -> assertThat(MysqlErrors.classify(e)).isEqualTo(SqlErrorKind.DATA));
        c.rollback();
      }
      try (PreparedStatement read = c.prepareStatement(sql.readOne(step))) {
        bind(read, sql.key(scan, List.of("zz", "2024-01-02 00:00:00.000000")));
        try (ResultSet row = read.executeQuery()) {
          assertThat(row.next()).isTrue();
          assertThat(row.getString(3)).isEqualTo("locked");
          assertThat(row.next()).isFalse();
        }
      }
      c.rollback();
    }
  }

  @ParameterizedTest
  @EnumSource
  void keysThatNobodyCanWalkAlong(MysqlServer.Flavor flavor) throws Exception {
    try (MysqlDatabase db = MysqlDatabase.create(MysqlServer.get(flavor), "scan")) {
      for (String type :
          List.of(
              "float", "double", "bit(8)", "enum('a')", "set('a')", "timestamp", "text", "blob")) {
        boolean prefix = type.equals("text") || type.equals("blob");
        db.execute(
            "CREATE TABLE t (k "
                + type
                + " NOT NULL, PRIMARY KEY (k"
                + (prefix ? "(9)" : "")
                + "))");
        try (Connection c = db.dataSource().getConnection()) {
          assertThatThrownBy(() -> key(c, db, "t")).as(type).hasMessageContaining("column \"k\"");
        }
        db.execute("DROP TABLE t");
      }
    }
  }

  private static List<Scan.KeyColumn> key(Connection c, MysqlDatabase db, String table)
      throws SQLException {
    return PrimaryKey.of(c, "app/x", db.name(), table);
  }

  private static String table(MysqlDatabase db, String name) {
    return Sql.qualified(db.name(), name);
  }

  private static long reads(Connection c) throws SQLException {
    try (Statement s = c.createStatement();
        ResultSet row = s.executeQuery("SHOW SESSION STATUS LIKE 'Handler\\_read%'")) {
      long sum = 0;
      while (row.next()) {
        sum += row.getLong(2);
      }
      return sum;
    }
  }

  private static List<String> first(Connection c, String sql, List<Object> parameters)
      throws SQLException {
    try (PreparedStatement statement = c.prepareStatement(sql)) {
      bind(statement, parameters);
      try (ResultSet row = statement.executeQuery()) {
        if (!row.next()) {
          return null;
        }
        List<String> columns = new ArrayList<>();
        for (int i = 1; i <= row.getMetaData().getColumnCount(); i++) {
          columns.add(row.getString(i));
        }
        return columns;
      }
    }
  }

  private static int change(Connection c, String sql, List<Object> parameters) throws SQLException {
    try (PreparedStatement statement = c.prepareStatement(sql)) {
      bind(statement, parameters);
      return statement.executeUpdate();
    }
  }

  /** As the engine does. */
  private static void bind(PreparedStatement statement, List<Object> parameters)
      throws SQLException {
    for (int i = 0; i < parameters.size(); i++) {
      Object each = parameters.get(i);
      if (each instanceof byte[] bytes) {
        statement.setBytes(i + 1, bytes);
      } else if (each instanceof BigDecimal number) {
        statement.setBigDecimal(i + 1, number);
      } else if (each instanceof Integer number) {
        statement.setInt(i + 1, number);
      } else {
        statement.setString(i + 1, (String) each);
      }
    }
  }
}
