package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.BackfillProgress;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.Timing;
import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.testing.Threads;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;

/** One table, {@code work (id, n)}, and backfills of small batches over it. */
@PostgresTest
@Timeout(120)
abstract class BackfillFixture {

  static final String ID = "billing/work";

  TestDatabase database;

  @BeforeEach
  void createDatabase() {
    database = TestDatabase.create("backfill");
  }

  @AfterEach
  void dropDatabase() {
    database.close();
  }

  /**
   * Keys from 1 on, with nothing done. How a walk is cut into chunks follows the estimate of the
   * rows, which autovacuum would make in some runs and not in others.
   */
  void work(int rows, String... more) {
    database.execute(
        "CREATE TABLE work (id bigint PRIMARY KEY, n int NOT NULL DEFAULT 0)"
            + " WITH (autovacuum_enabled = off)",
        "INSERT INTO work SELECT generate_series(1, " + rows + ")");
    database.execute(more);
    Members.install(database.dataSource());
  }

  /** Batches of that many rows, however slow the machine is: no size here follows the clock. */
  static Backfill.Builder backfill(int batch) {
    return Backfill.of(ID)
        .table("work")
        .pace(pace -> pace.fullSpeed().target(Duration.ofMinutes(10)).rows(batch, batch));
  }

  /** Nobody takes over a claim in these tests unless they say so; nothing is cut short. */
  static Timing steady(Timing timing) {
    return Members.patient(timing)
        .lease(Duration.ofMinutes(5))
        .lockBudget(Duration.ofMinutes(1))
        .tick(Duration.ofMillis(30));
  }

  OrchestratorBuilder member(DataSource source, Backfill declared) {
    return Members.member(source, "1")
        .timing(BackfillFixture::steady)
        .backfillWorkers(0)
        .thisBuild(declared, Backfill.Code.UNAWARE);
  }

  OrchestratorBuilder member(Backfill declared) {
    return member(database.newDataSource(), declared);
  }

  OrchestratorBuilder job(DataSource source) {
    return Members.driver(source).timing(BackfillFixture::steady).backfillWorkers(0);
  }

  static Orchestrator joined(OrchestratorBuilder builder) {
    Orchestrator member = builder.build();
    assertThat(member.advance().admitted()).isTrue();
    return member;
  }

  static MigrationReport of(AdvanceReport report) {
    return report.migration(ID).orElseThrow();
  }

  static MigrationReport of(Orchestrator any) {
    return any.status().migrations().get(0);
  }

  static BackfillProgress progress(Orchestrator any) {
    return any.backfill(ID).progress().get(0);
  }

  static CompletableFuture<AdvanceReport> driving(Orchestrator driver) {
    return CompletableFuture.supplyAsync(driver::drive, Threads.ONE_EACH);
  }

  static AdvanceReport got(CompletableFuture<AdvanceReport> driven) throws Exception {
    return driven.get(60, TimeUnit.SECONDS);
  }

  static void assertReached(AdvanceReport report) {
    MigrationReport found = of(report);
    assertThat(found.lastError()).isNull();
    assertThat(found.phase()).as(report.toString()).isEqualTo("BACKFILL");
  }

  void everyRowOnce() {
    assertThat(database.rows("SELECT * FROM work WHERE n <> 1")).isEmpty();
  }

  long changed() {
    return database.queryLong("SELECT count(*) FROM work WHERE n <> 0");
  }

  long live() {
    return database.queryLong(
        "SELECT count(*) FROM orchestrator.backfill_chunk WHERE token IS NOT NULL AND expires_at >"
            + " clock_timestamp()");
  }

  /** Rows that were written by one transaction, in the order of their keys. */
  List<Long> batches() {
    return database.rows("SELECT count(*) FROM work GROUP BY xmin::text ORDER BY min(id)").stream()
        .map(each -> (Long) each.get(0))
        .toList();
  }

  List<String> events(String kind) {
    return database
        .rows("SELECT detail FROM orchestrator.event WHERE kind = '" + kind + "' ORDER BY id")
        .stream()
        .map(each -> (String) each.get(0))
        .toList();
  }
}
