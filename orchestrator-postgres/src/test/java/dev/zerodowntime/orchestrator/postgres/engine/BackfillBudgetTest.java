package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.testing.Threads;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A batch locks its rows until it commits: no longer than the lock budget, whatever rows cost. */
@PostgresTest
class BackfillBudgetTest {

  private static final String ID = "billing/filled";

  private TestDatabase database;

  @BeforeEach
  void create() {
    database = TestDatabase.create("backfill_budget");
  }

  @AfterEach
  void drop() {
    database.close();
  }

  private void users(int rows) {
    database.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY)",
        "INSERT INTO users SELECT generate_series(1, " + rows + ")");
    Members.install(database.dataSource());
  }

  private static AddColumn filled(String sql, String... approvals) {
    return AddColumn.of(ID)
        .table("users")
        .column("filled", "text")
        .notNull()
        .fillWithSql(sql)
        .batchPause(Duration.ZERO)
        .approvalBefore(approvals)
        .build();
  }

  private Orchestrator member(AddColumn migration, Duration lockBudget) {
    Orchestrator member =
        Members.member(database.dataSource(), "1")
            .timing(t -> Members.patient(t).lockBudget(lockBudget))
            .thisBuild(migration, AddColumn.Code.WRITES)
            .build();
    assertThat(member.advance().admitted()).isTrue();
    return member;
  }

  private static String phase(AdvanceReport report) {
    MigrationReport found = report.migration(ID).orElseThrow();
    assertThat(found.lastError()).isNull();
    return found.phase();
  }

  /** Rows that were written by one transaction, in the order of their keys. */
  private List<Long> batches() {
    return database.rows("SELECT count(*) FROM users GROUP BY xmin::text ORDER BY min(id)").stream()
        .map(each -> (Long) each.get(0))
        .toList();
  }

  private long slowRows() {
    return database.queryLong("SELECT count(*) FROM orchestrator.event WHERE kind = 'SLOW_ROW'");
  }

  private void nothingFailed() {
    assertThat(database.rows("SELECT detail FROM orchestrator.event WHERE kind = 'FAILED'"))
        .isEmpty();
  }

  @Test
  void theServerIsToldTheBudget() {
    users(10);
    try (Orchestrator member =
        member(filled("current_setting('statement_timeout')"), Duration.ofSeconds(7))) {
      assertThat(phase(member.drive())).isEqualTo("ENFORCE");
    }
    assertThat(database.rows("SELECT DISTINCT filled FROM users")).containsExactly(List.of("7s"));
    assertThat(slowRows()).isZero();
  }

  @Test
  void beginsWithTheFewestRowsAndGrows() {
    // A third of them is more than the first two batches: if the server has counted them by then,
    // that is how large a chunk is.
    users(30_000);
    AddColumn patient =
        AddColumn.of(ID)
            .table("users")
            .column("filled", "text")
            .notNull()
            .fillWithSql("'x'")
            .pace(pace -> pace.fullSpeed().target(Duration.ofMinutes(10)))
            .build();
    try (Orchestrator member = member(patient, Duration.ofMinutes(1))) {
      assertThat(phase(member.drive())).isEqualTo("ENFORCE");
    }
    assertThat(batches()).startsWith(1_000L, 4_000L);
  }

  @Test
  void shrinksUntilABatchOfSlowRowsFits() {
    users(120);
    database.execute(
        "CREATE FUNCTION slow(id bigint) RETURNS text LANGUAGE plpgsql AS"
            + " 'BEGIN PERFORM pg_sleep(0.01); RETURN id; END'");
    try (Orchestrator member = member(filled("slow(id)"), Duration.ofMillis(200))) {
      assertThat(phase(member.drive())).isEqualTo("ENFORCE");
    }
    // Each of them takes a twentieth of the budget at least.
    assertThat(batches()).hasSizeGreaterThan(5).allMatch(each -> each <= 20);
    assertThat(database.rows("SELECT detail FROM orchestrator.event WHERE kind = 'WAIT'"))
        .isEmpty();
    assertThat(database.queryLong("SELECT rows_done FROM orchestrator.backfill")).isEqualTo(120);
    nothingFailed();
  }

  @Test
  void aRowThatAloneIsTooSlowIsLetThroughAndNotedOnce() {
    users(10);
    database.execute(
        "CREATE FUNCTION slow(id bigint) RETURNS text LANGUAGE plpgsql AS 'BEGIN IF id IN (3, 7)"
            + " THEN PERFORM pg_sleep(0.4); END IF; RETURN current_setting(''statement_timeout'');"
            + " END'");
    try (Orchestrator member = member(filled("slow(id)"), Duration.ofMillis(200))) {
      assertThat(phase(member.drive())).isEqualTo("ENFORCE");
    }
    assertThat(database.rows("SELECT filled FROM users WHERE id IN (3, 7)"))
        .containsOnly(List.of("0"));
    assertThat(database.rows("SELECT filled FROM users")).contains(List.of("200ms"));
    assertThat(slowRows()).isEqualTo(1);
    assertThat(
            database.<String>queryOne(
                "SELECT detail FROM orchestrator.event WHERE kind = 'SLOW_ROW'"))
        .contains("row with key [3]", "users", "lock budget of 200 ms");
    nothingFailed();
  }

  @Test
  void aLimitForTheApplicationDoesNotStopReadsAndACancelledOneIsTriedAgain() throws Exception {
    users(10);
    try (Orchestrator member = member(filled("'x'", "BACKFILL"), Duration.ofSeconds(1));
        Connection application = database.dataSource().getConnection();
        Statement statement = application.createStatement()) {
      assertThat(phase(member.drive())).isEqualTo("EXPAND");
      database.execute("ALTER DATABASE " + database.name() + " SET statement_timeout = '500ms'");
      application.setAutoCommit(false);
      statement.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE");
      member.approve(ID, "BACKFILL");
      CompletableFuture<AdvanceReport> driven =
          CompletableFuture.supplyAsync(member::drive, Threads.ONE_EACH);
      String waiting =
          "FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
              + " AND query LIKE '%users%' AND query_start < clock_timestamp() - interval '1 s'";
      Eventually.until(
          "a read outlasts the database's limit",
          () -> database.queryLong("SELECT count(*) " + waiting) == 1);
      database.rows("SELECT pg_cancel_backend(pid) " + waiting);
      Eventually.until(
          "it says that it was cancelled",
          () ->
              database.queryLong(
                      "SELECT count(*) FROM orchestrator.migration WHERE wait LIKE 'CANCELLED%'")
                  == 1);
      application.rollback();
      driven.get(60, TimeUnit.SECONDS);
      Eventually.until("it is filled", () -> phase(member.drive()).equals("ENFORCE"));
    }
    assertThat(database.<Object>queryOne("SELECT wait FROM orchestrator.migration")).isNull();
    nothingFailed();
  }

  @Test
  void aRowThatOthersHoldIsWaitedForNoLongerThanTheBudget() throws Exception {
    users(10);
    try (Orchestrator member = member(filled("'x'", "BACKFILL"), Duration.ofSeconds(1));
        Connection application = database.dataSource().getConnection();
        Statement statement = application.createStatement()) {
      assertThat(phase(member.drive())).isEqualTo("EXPAND");
      database.execute("ALTER DATABASE " + database.name() + " SET statement_timeout = '400ms'");
      application.setAutoCommit(false);
      statement.execute("SELECT FROM users WHERE id = 4 FOR UPDATE");
      member.approve(ID, "BACKFILL");
      assertThat(phase(member.drive())).isEqualTo("EXPAND");
      assertThat(database.<String>queryOne("SELECT wait FROM orchestrator.migration"))
          .contains("row with key [4]", "locked by somebody else");
      application.rollback();
      Eventually.until("it is filled", () -> phase(member.drive()).equals("ENFORCE"));
    }
    assertThat(database.queryLong("SELECT rows_done FROM orchestrator.backfill")).isEqualTo(10);
    nothingFailed();
  }
}
