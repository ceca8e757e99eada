package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.ds.PGSimpleDataSource;

/** What went wrong elsewhere, in tools for the same purpose. */
@PostgresTest
@Timeout(300)
@Tag("long")
class KnownDefectsTest {

  private TestDatabase database;

  @BeforeEach
  void create() {
    database = TestDatabase.create("defects");
  }

  @AfterEach
  void drop() {
    database.close();
  }

  private static WatchedPool.Shape executes(String sql) {
    return connection -> {
      try (Statement statement = connection.createStatement()) {
        statement.execute(sql);
      }
    };
  }

  /**
   * The next cursor was the last row of an UPDATE ... RETURNING, whose order is the plan's: rows
   * were skipped, and others changed twice. Here rows lie in another order than their keys, and the
   * planner may only join by hashing and read whole tables.
   */
  @Test
  void aCursorFromAnUnorderedReturning() throws Exception {
    database.execute(
        "CREATE TABLE work (id bigint PRIMARY KEY, n int NOT NULL DEFAULT 0)",
        "INSERT INTO work SELECT i FROM generate_series(1, 1000) i ORDER BY md5(i::text)");
    Members.install(database.dataSource());
    Backfill backfill =
        Backfill.of("billing/work")
            .table("work")
            .set("n", "n + 1")
            .oncePerKey()
            .pace(pace -> pace.fullSpeed().rows(70, 70))
            .build();
    try (WatchedPool pool =
            new WatchedPool(
                database.dataSource(),
                executes(
                    "SET enable_indexscan = off; SET enable_indexonlyscan = off; SET"
                        + " enable_bitmapscan = off; SET enable_nestloop = off; SET"
                        + " enable_mergejoin = off"));
        Orchestrator member =
            Members.member(pool.dataSource(), "1")
                .timing(Members::patient)
                .thisBuild(backfill, Backfill.Code.UNAWARE)
                .build()) {
      member.advance();
      Eventually.until("it is done", () -> member.drive().settled());
    }
    assertThat(database.rows("SELECT n, count(*) FROM work GROUP BY n").toString())
        .isEqualTo("[[1, 1000]]");
  }

  /**
   * The old column was dropped although the backfill had not been finished, or rows had come to
   * differ since. Here a row is changed past the triggers just before the contract.
   */
  @Test
  void aContractWithoutProof() throws Exception {
    database.execute(Representative.tables());
    Members.install(database.dataSource());
    RenameColumn rename = Representative.RENAME;
    Orchestrator old =
        Members.member(database.dataSource(), "1")
            .timing(Members::patient)
            .thisBuild(rename, RenameColumn.Code.USES_OLD_NAME)
            .build();
    old.advance();
    Eventually.until(
        "nothing but code is missing",
        () ->
            old.drive().migration(rename.id()).orElseThrow().state().reached()
                == RenameColumn.ENFORCE);
    database.execute(
        "ALTER TABLE people DISABLE TRIGGER ALL",
        "UPDATE people SET name = 'past the triggers' WHERE id = 177",
        "DO $$DECLARE t name; BEGIN FOR t IN SELECT tgname FROM pg_trigger WHERE tgrelid ="
            + " 'people'::regclass AND NOT tgisinternal LOOP EXECUTE format('ALTER TABLE people"
            + " ENABLE ALWAYS TRIGGER %I', t); END LOOP; END$$");
    old.close();
    try (Orchestrator member =
        Members.member(database.dataSource(), "2")
            .timing(Members::patient)
            .thisBuild(rename, RenameColumn.Code.USES_NEW_NAME)
            .build()) {
      member.advance();
      member.forgetRelease("billing", "1");
      MigrationReport[] last = new MigrationReport[1];
      Eventually.until(
          "it has contracted, or said why not",
          () -> {
            last[0] = member.drive().migration(rename.id()).orElseThrow();
            return last[0].status() == MigrationStatus.FAILED
                || last[0].state().reached() == RenameColumn.CONTRACT;
          });
      if (last[0].status() == MigrationStatus.FAILED) {
        assertThat(last[0].lastError()).contains("177");
        assertThat(database.<String>queryOne("SELECT name FROM people WHERE id = 177"))
            .isEqualTo("past the triggers");
      } else {
        assertThat(database.<String>queryOne("SELECT full_name FROM people WHERE id = 177"))
            .isEqualTo("past the triggers");
      }
    }
  }

  /**
   * The timeout was set on one connection of a pool, and the statement ran on another; and an
   * online build was ended by the timeout meant for others, and left an invalid index. Here the
   * server itself notes under which limits each statement runs, over pools with limits of their
   * own.
   */
  @Test
  void limitsOfTheWrongConnection() throws Exception {
    database.execute(Representative.tables());
    database.execute(
        "CREATE TABLE public.limits (what text, lock_ms int, statement_ms int, commit_to text)",
        "CREATE FUNCTION note_limits() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN INSERT"
            + " INTO public.limits SELECT current_query(), (SELECT setting::int FROM pg_settings"
            + " WHERE name = 'lock_timeout'), (SELECT setting::int FROM pg_settings WHERE name ="
            + " 'statement_timeout'), current_setting('synchronous_commit') FROM"
            + " pg_event_trigger_ddl_commands() WHERE object_identity LIKE 'public.%' OR object_type"
            + " = 'trigger'; END$$",
        "CREATE EVENT TRIGGER note_limits ON ddl_command_end WHEN TAG IN ('ALTER TABLE', 'CREATE"
            + " TRIGGER', 'CREATE INDEX') EXECUTE FUNCTION note_limits()");
    try (WatchedPool pool =
        new WatchedPool(
            database.dataSource(),
            executes("SET lock_timeout = 7000; SET statement_timeout = 9000"))) {
      Members.install(pool.dataSource());
      Representative.declareAndLeave(
          pool.dataSource(), builder -> builder.timing(Members::patient));
      try (Orchestrator driver =
          Members.driver(pool.dataSource()).timing(Members::patient).build()) {
        Representative.forth(driver);
        Representative.back(driver);
      }
      assertThat(pool.leaks()).isEmpty();
    }
    String online =
        "(what LIKE '%CREATE INDEX CONCURRENTLY%' OR what LIKE '%VALIDATE CONSTRAINT%')";
    assertThat(database.queryLong("SELECT count(*) FROM limits WHERE " + online)).isPositive();
    assertThat(database.queryLong("SELECT count(*) FROM limits WHERE NOT " + online))
        .isGreaterThan(10);
    assertThat(
            database.rows(
                "SELECT * FROM limits WHERE "
                    + online
                    + " AND (lock_ms <> 0 OR statement_ms <> 0)"))
        .as("online builds and validations wait as long as it takes")
        .isEmpty();
    assertThat(
            database.rows(
                "SELECT * FROM limits WHERE NOT "
                    + online
                    + " AND (lock_ms NOT BETWEEN 1 AND @ OR statement_ms NOT BETWEEN 1 AND @ OR"
                        .replace("@", Long.toString(Members.LOCK_BUDGET.toMillis()))
                    + " commit_to <> 'local')"))
        .as("what takes a lock that queries wait for is bounded on its own connection")
        .isEmpty();
  }

  private interface Meanwhile {
    void happens() throws Exception;
  }

  private void build(DataSource source, Meanwhile meanwhile) throws Exception {
    Members.install(source);
    try (Connection writer = database.dataSource().getConnection();
        Statement write = writer.createStatement();
        Orchestrator member =
            Members.member(source, "1")
                .role(Role.MEMBER)
                .timing(
                    timing ->
                        Members.patient(timing)
                            .heartbeat(Duration.ofMillis(20), Duration.ofMinutes(5)))
                .background(true)
                .thisBuild(Representative.INDEX, CreateIndex.Code.UNAWARE)
                .build();
        Orchestrator driver =
            Members.driver(source).timing(Members::patient).background(true).build()) {
      writer.setAutoCommit(false);
      write.execute("UPDATE parts SET size = size + 1 WHERE id = 1");
      member.advance();
      driver.advance();
      Eventually.until(
          "the build has waited for longer than any limit",
          () ->
              database.queryLong(
                      "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                          + " AND wait_event_type = 'Lock' AND query LIKE '%CREATE INDEX"
                          + " CONCURRENTLY%' AND clock_timestamp() - query_start > interval '1"
                          + " second'")
                  == 1);
      meanwhile.happens();
      writer.commit();
      Eventually.until(
          "it is built",
          () ->
              database.queryLong(
                      "SELECT count(*) FROM orchestrator.migration WHERE reached = 1 AND entering"
                          + " = 1")
                  == 1);
    }
    assertThat(
            database.queryLong(
                "SELECT count(*) FROM pg_index WHERE indisvalid AND indexrelid ="
                    + " 'parts_by_size'::regclass"))
        .isEqualTo(1);
    assertThat(
            database.rows(
                "SELECT kind, outcome, detail FROM orchestrator.event WHERE kind IN ('REPAIR',"
                    + " 'FAILED') OR outcome IN ('LOCK_TIMEOUT', 'CANCELLED', 'DEADLOCK')"))
        .as("it was built at the first attempt")
        .isEmpty();
  }

  /**
   * A build was ended by the short timeout of its session, again and again, and each time left an
   * invalid index. Here pool and role both have limits that are shorter than what it waits for.
   */
  @Test
  void aBuildThatIsEndedByTheShortTimeout() throws Exception {
    database.execute(Representative.tables());
    PGSimpleDataSource limited = database.newDataSource();
    limited.setOptions("-c lock_timeout=100 -c statement_timeout=900");
    try (WatchedPool pool = new WatchedPool(limited)) {
      build(pool.dataSource(), () -> {});
      assertThat(pool.leaks()).isEmpty();
    }
  }

  /**
   * A migration waited for itself without end: the tool's own transaction, idle with a snapshot,
   * was older than the build it had started. Here every connection of the pool begins transactions
   * by itself and keeps snapshots, while heartbeats and reports go on.
   */
  @Test
  void aBuildThatWaitsForOurOwnSnapshot() throws Exception {
    database.execute(Representative.tables());
    try (WatchedPool pool =
        new WatchedPool(
            database.dataSource(),
            connection -> {
              connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
              connection.setAutoCommit(false);
              executes("SET application_name = 'ours'").give(connection);
              connection.commit();
            })) {
      // One that goes on between two statements of ours has ended a little later.
      build(
          pool.dataSource(),
          () ->
              Eventually.until(
                  "none of our transactions is left open",
                  () ->
                      database
                          .rows(
                              "SELECT pid FROM pg_stat_activity WHERE application_name = 'ours' AND"
                                  + " state LIKE 'idle in transaction%' AND clock_timestamp() -"
                                  + " xact_start > interval '500 milliseconds'")
                          .isEmpty()));
      assertThat(pool.leaks()).isEmpty();
    }
  }

  private static final String SHAPE =
      "SELECT a.attname::text, a.attnotnull, (SELECT count(*) FROM pg_trigger t WHERE t.tgrelid ="
          + " a.attrelid), (SELECT array_agg(pg_get_constraintdef(k.oid) ORDER BY k.conname)::text"
          + " FROM pg_constraint k WHERE k.conrelid = a.attrelid) FROM pg_attribute a WHERE"
          + " a.attrelid = 'users'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY"
          + " a.attnum";

  /**
   * After a failure the position of the next action was written down too far by one, and what was
   * between was never done. Here every statement of a migration is failed once in turn, and another
   * process goes on.
   */
  @Test
  void aResumptionThatLeavesOutAStep() throws Exception {
    List<List<Object>> undisturbed = null;
    for (int failing = 0; ; failing++) {
      try (TestDatabase each = TestDatabase.create("resumed")) {
        boolean failed = resumed(each, failing);
        List<List<Object>> shape = each.rows(SHAPE);
        if (undisturbed == null) {
          undisturbed = shape;
        }
        assertThat(shape).as("statement " + failing + " failed").isEqualTo(undisturbed);
        assertThat(each.queryLong("SELECT count(*) FROM users WHERE region = upper(zip)"))
            .isEqualTo(250);
        if (failing > 0 && !failed) {
          assertThat(failing).as("statements that were failed").isGreaterThan(5);
          return;
        }
      }
    }
  }

  private static boolean resumed(TestDatabase each, int failing) throws Exception {
    each.execute(Representative.tables());
    Members.install(each.dataSource());
    each.execute(
        "CREATE SEQUENCE nth",
        "CREATE FUNCTION fail() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN IF current_query()"
            + " LIKE '/* orchestrator %' AND nextval('nth') = "
            + failing
            + " THEN RAISE EXCEPTION 'this one fails'; END IF; END$$",
        "CREATE EVENT TRIGGER fail ON ddl_command_start EXECUTE FUNCTION fail()");
    AddColumn add = Representative.ADD;
    try (Orchestrator member =
        Members.member(each.dataSource(), "1")
            .role(Role.MEMBER)
            .timing(Members::patient)
            .thisBuild(add, AddColumn.Code.UNAWARE)
            .build()) {
      member.advance();
    }
    boolean failed = false;
    for (int process = 0; ; process++) {
      try (Orchestrator driver =
          Members.driver(each.dataSource()).timing(Members::patient).build()) {
        if (process == 0) {
          driver.forgetRelease("billing", "1");
        }
        MigrationReport report = driver.drive().migration(add.id()).orElseThrow();
        if (report.finished()) {
          return failed;
        }
        if (report.status() == MigrationStatus.FAILED) {
          assertThat(report.lastError()).contains("this one fails");
          failed = true;
          driver.resume(add.id());
        }
        assertThat(process).isLessThan(50);
      }
    }
  }
}
