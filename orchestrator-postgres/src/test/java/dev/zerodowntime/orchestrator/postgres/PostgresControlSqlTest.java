package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.ControlSql;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The control tables, on a real server. */
@PostgresTest
class PostgresControlSqlTest {

  private final TestDatabase db;
  private final ControlSql sql = new PostgresControlSql();

  PostgresControlSqlTest(TestDatabase db) {
    this.db = db;
  }

  @Test
  void tablesInstallWithACommentEach() {
    String schema = sql.quote("Control \"tables\"");
    db.execute("CREATE SCHEMA " + schema);
    int number = 0;
    for (ControlSql.Version version : sql.versions(schema)) {
      assertThat(version.number()).isEqualTo(++number);
      db.execute(version.statements().toArray(String[]::new));
    }
    assertThat(
            db.rows(
                "SELECT relname::text FROM pg_class WHERE relnamespace = '"
                    + schema.replace("'", "''")
                    + "'::regnamespace AND relkind = 'r' AND obj_description(oid) IS NOT NULL ORDER"
                    + " BY 1"))
        .extracting(row -> row.get(0))
        .containsExactly(
            "application",
            "approval",
            "backfill",
            "backfill_chunk",
            "control",
            "event",
            "fleet",
            "lease",
            "member",
            "migration",
            "pinned_member",
            "release");
    assertThat(
            db.rows(
                "SELECT DISTINCT format_type(atttypid, atttypmod) FROM pg_attribute a JOIN pg_class"
                    + " c ON c.oid = attrelid WHERE relnamespace = '"
                    + schema
                    + "'::regnamespace AND relkind = 'r' AND attnum > 0 ORDER BY 1"))
        .extracting(row -> row.get(0))
        .containsExactly(
            "bigint", "boolean", "double precision", "integer", "text", "timestamp with time zone");
    assertThat(db.queryLong("SELECT count(*) FROM " + schema + ".fleet")).isEqualTo(1);
    assertThat(db.queryLong("SELECT count(*) FROM " + schema + ".lease WHERE token IS NULL"))
        .isEqualTo(1);
    assertThat(db.queryLong("SELECT count(*) FROM " + schema + ".control")).isZero();
    String insert =
        sql.insertIfAbsent(
            schema + ".application", List.of("name", "first_seen_at"), List.of("name"));
    db.execute(insert.replaceFirst("\\?", "'a'").replaceFirst("\\?", "'2001-01-01'"));
    db.execute(insert.replaceFirst("\\?", "'a'").replaceFirst("\\?", "'2002-02-02'"));
    assertThat(
            db.<Object>queryOne(
                "SELECT to_char(first_seen_at, 'YYYY') FROM " + schema + ".application"))
        .isEqualTo("2001");
    db.execute("SELECT * FROM " + schema + ".fleet " + sql.forShare());
  }

  @Test
  void times() {
    long now = db.queryLong("SELECT " + sql.millis(sql.now()));
    assertThat(Math.abs(now - System.currentTimeMillis())).isLessThan(60_000);
    assertThat(db.queryLong("SELECT " + sql.millis(sql.time(now)))).isEqualTo(now);
    assertThat(db.queryLong("SELECT " + sql.millis(sql.later(90_000))))
        .isBetween(now + 90_000, now + 120_000);
    assertThat(db.<Boolean>queryOne("SELECT " + sql.time(now) + " <= " + sql.now())).isTrue();
  }

  @Test
  void sessionsAreFoundWhileTheyLast() throws SQLException {
    String name;
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement();
        var row = s.executeQuery("SELECT " + sql.session())) {
      row.next();
      name = row.getString(1);
      assertThat(name).matches("\\d+@\\d{16}");
      assertThat(left("'" + name + "'")).isTrue();
      assertThat(left("'" + name + "0'")).as("the same process id, another session").isFalse();
      // Others' start times are hidden from plain users.
      db.execute("DROP ROLE IF EXISTS zdo_plain", "CREATE ROLE zdo_plain");
      s.execute("SET ROLE zdo_plain");
      try (Connection plain = db.dataSource().getConnection();
          Statement p = plain.createStatement()) {
        p.execute("SET ROLE zdo_plain");
        try (var r = p.executeQuery("SELECT " + sql.sessionLeft("'" + name + "'"))) {
          r.next();
          assertThat(r.getBoolean(1)).isTrue();
        }
      }
    }
    db.execute("DROP ROLE zdo_plain");
    for (int i = 0; i < 100 && left("'" + name + "'"); i++) {
      Thread.onSpinWait();
    }
    assertThat(left("'" + name + "'")).isFalse();
    assertThat(left("NULL")).isFalse();
    assertThat(left("NULL::text")).isFalse();
    assertThat(left("''")).isFalse();
    assertThat(
            db.rows(
                "SELECT m.id, "
                    + sql.sessionLeft("m.session")
                    + " FROM (VALUES (1, NULL), (2, '1@1')) m(id, session)"))
        .containsExactly(List.of(1, false), List.of(2, false));
  }

  private boolean left(String session) {
    return db.queryOne("SELECT " + sql.sessionLeft(session));
  }

  @Test
  void rowsOfTheApplicationsAreSeen() throws SQLException {
    try (TestDatabase empty = TestDatabase.create("rows");
        Connection c = empty.dataSource().getConnection()) {
      assertThat(sql.hasRows(c, "control")).isFalse();
      empty.execute(
          "CREATE SCHEMA control",
          "CREATE TABLE control.x AS SELECT 1",
          "CREATE TABLE flyway_schema_history AS SELECT 1",
          "CREATE TABLE \"My flyway_schema_history 2\" AS SELECT 1",
          "CREATE TABLE databasechangelog AS SELECT 1",
          "CREATE TABLE \"DATABASECHANGELOGLOCK\" AS SELECT 1",
          "CREATE TABLE empty (id int)",
          "CREATE TABLE emptied AS SELECT 1",
          "DELETE FROM emptied");
      assertThat(sql.hasRows(c, "control")).isFalse();
      empty.execute(
          "CREATE SCHEMA \"Odd\"",
          "CREATE TABLE \"Odd\".\"p p\" (id int) PARTITION BY LIST (id)",
          "CREATE TABLE \"Odd\".\"p 1\" PARTITION OF \"Odd\".\"p p\" DEFAULT",
          "INSERT INTO \"Odd\".\"p p\" VALUES (1)");
      assertThat(sql.hasRows(c, "control")).isTrue();
      assertThat(sql.hasRows(c, "Odd")).as("nothing else but the former control schema").isTrue();
    }
  }

  @Test
  void rowsOfOneTableAreSeenAndNotSeeingThemIsNoProof() throws SQLException {
    try (TestDatabase db = TestDatabase.create("rows");
        Connection c = db.dataSource().getConnection()) {
      db.execute(
          "CREATE SCHEMA \"Odd\"",
          "CREATE TABLE \"Odd\".\"p %s\" (id int) PARTITION BY LIST (id)",
          "CREATE TABLE \"Odd\".\"p 1\" PARTITION OF \"Odd\".\"p %s\" DEFAULT",
          "CREATE VIEW \"Odd\".v AS SELECT * FROM \"Odd\".\"p 1\"",
          "CREATE TABLE \"p %s\" AS SELECT 1");
      for (String each : List.of("p %s", "p 1", "v", "nothing")) {
        assertThat(sql.tableHasRows(c, "Odd", each)).as(each).isFalse();
      }
      db.execute("INSERT INTO \"Odd\".\"p 1\" VALUES (1)");
      for (String each : List.of("p %s", "p 1", "v")) {
        assertThat(sql.tableHasRows(c, "Odd", each)).as(each).isTrue();
      }
      db.execute("CREATE TABLE empty (id int)");
      try (Statement statement = c.createStatement()) {
        // A role that may not read them.
        statement.execute("SET ROLE pg_read_all_stats");
        assertThat(sql.tableHasRows(c, "Odd", "p 1")).isTrue();
        assertThat(sql.tableHasRows(c, "Odd", "v")).isTrue();
        assertThat(sql.tableHasRows(c, "public", "empty")).isFalse();
      }
    }
  }
}
