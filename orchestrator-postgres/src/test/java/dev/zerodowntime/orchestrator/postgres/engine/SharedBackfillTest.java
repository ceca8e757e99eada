package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.testing.Threads;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Several processes, of every kind, work on one backfill at the same time. */
class SharedBackfillTest extends BackfillFixture {

  private static final int ROWS = 3_000;

  private final Backfill declared =
      backfill(50)
          .pace(pace -> pace.workers(3))
          .set("n", "n + 1")
          .oncePerKey()
          .allowTriggers("gate")
          .approvalBefore("BACKFILL")
          .build();

  /**
   * Rows are changed once the gate is opened again; whoever claims is noted, with how many have
   * claims.
   */
  private void gated() {
    work(
        ROWS,
        "CREATE TABLE gate (open boolean)",
        "INSERT INTO gate VALUES (true)",
        "CREATE TABLE changes (id bigint)",
        "CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN WHILE NOT (SELECT open"
            + " FROM gate) LOOP PERFORM pg_sleep(0.005); END LOOP; INSERT INTO changes VALUES"
            + " (OLD.id); RETURN NEW; END'",
        "CREATE TRIGGER gate BEFORE UPDATE ON work FOR EACH ROW EXECUTE FUNCTION gate()");
    database.execute(
        // Preflight may try what is to be done.
        "CREATE FUNCTION begun() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE gate SET open ="
            + " false; RETURN NULL; END'",
        "CREATE TRIGGER begun AFTER INSERT ON orchestrator.backfill FOR EACH ROW EXECUTE FUNCTION"
            + " begun()",
        "CREATE TABLE claims (worker text, live int)",
        "CREATE FUNCTION claimed() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO claims"
            + " SELECT NEW.worker, count(*) FROM orchestrator.backfill_chunk WHERE token IS NOT"
            + " NULL AND expires_at > clock_timestamp(); RETURN NULL; END'",
        "CREATE TRIGGER claimed AFTER INSERT OR UPDATE ON orchestrator.backfill_chunk FOR EACH ROW"
            + " EXECUTE FUNCTION claimed()");
  }

  private void open() {
    database.execute("UPDATE gate SET open = true");
  }

  private void allAtOnceAndEachRowOnce() {
    everyRowOnce();
    assertThat(database.queryLong("SELECT count(*) FROM changes")).isEqualTo(ROWS);
    assertThat(database.queryLong("SELECT count(DISTINCT id) FROM changes")).isEqualTo(ROWS);
    assertThat(database.queryLong("SELECT max(live) FROM claims")).isEqualTo(3);
    assertThat(database.queryLong("SELECT rows_done FROM orchestrator.backfill")).isEqualTo(ROWS);
    assertThat(database.rows("SELECT * FROM orchestrator.backfill_chunk")).isEmpty();
  }

  private void threeAreAtIt() throws InterruptedException {
    Eventually.until("three have claims", () -> live() == 3);
    assertThat(
            database.queryLong(
                "SELECT count(DISTINCT worker) FROM orchestrator.backfill_chunk WHERE token IS NOT"
                    + " NULL"))
        .isEqualTo(3);
  }

  /** In the background of a member that drives, of one that only works, and in a job. */
  @Test
  void byMembersAndAJob() throws Exception {
    gated();
    try (Orchestrator leading =
            joined(member(database.pool(8), declared).background(true).backfillWorkers(1));
        Orchestrator working =
            joined(
                member(database.pool(8), declared)
                    .role(Role.MEMBER)
                    .background(true)
                    .backfillWorkers(2));
        Orchestrator job = joined(job(database.pool(8)).background(true).backfillWorkers(2))) {
      job.approve(ID, "BACKFILL");
      threeAreAtIt();
      open();
      Eventually.until("it is done", () -> of(leading).phase().equals("BACKFILL"));
      assertThat(of(working).lastError()).isNull();
      assertThat(database.queryLong("SELECT count(DISTINCT worker) FROM claims"))
          .isGreaterThanOrEqualTo(3);
    }
    allAtOnceAndEachRowOnce();
  }

  /** The processes of one job, each with threads of its own; more threads than there may be. */
  @Test
  void byThreadsOfOneCall() throws Exception {
    gated();
    joined(member(declared)).close();
    try (Orchestrator job = job(database.pool(12)).backfillWorkers(5).build()) {
      job.advance();
      job.approve(ID, "BACKFILL");
      CompletableFuture<AdvanceReport> driven = driving(job);
      threeAreAtIt();
      open();
      assertReached(got(driven));
      assertThat(progress(job).rowsChanged()).isEqualTo(ROWS);
    }
    allAtOnceAndEachRowOnce();
  }

  /** What a member had is gone on with at once: nothing here expires. */
  @Test
  void othersGoOnWhereAClosedOneStopped() throws Exception {
    gated();
    try (Orchestrator leading = joined(member(database.pool(8), declared).background(true))) {
      Orchestrator leaving =
          joined(
              member(database.pool(8), declared)
                  .role(Role.MEMBER)
                  .background(true)
                  .backfillWorkers(2));
      leading.approve(ID, "BACKFILL");
      threeAreAtIt();
      CompletableFuture<Void> closed = CompletableFuture.runAsync(leaving::close, Threads.ONE_EACH);
      open();
      closed.get();
      Eventually.until("it is done", () -> of(leading).phase().equals("BACKFILL"));
    }
    allAtOnceAndEachRowOnce();
  }

  /** It gives back what it has at the end of a batch, of which there are many left. */
  @Test
  void whoIsClosedStopsAtTheEndOfABatch() throws Exception {
    work(ROWS);
    Statements statements = new Statements(database.newDataSource());
    Checkpoint checkpoint = new Checkpoint(sql -> sql.startsWith("/* orchestrator"));
    statements.after(checkpoint);
    Backfill one = backfill(50).set("n", "1").build();
    Orchestrator leaving = member(statements.dataSource(), one).background(true).build();
    CompletableFuture<AdvanceReport> joining =
        CompletableFuture.supplyAsync(leaving::advance, Threads.ONE_EACH);
    checkpoint.awaitArrival();
    CompletableFuture<Void> closing = CompletableFuture.runAsync(leaving::close, Threads.ONE_EACH);
    Eventually.until("it is being closed", () -> closed(leaving));
    checkpoint.open();
    closing.get();
    joining.exceptionally(e -> null).get();
    assertThat(changed()).isEqualTo(50);
    assertThat(
            database.rows("SELECT token, rows_done FROM orchestrator.backfill_chunk").stream()
                .map(List::toString))
        .containsExactly("[null, 50]");
    try (Orchestrator job = job(database.newDataSource()).build()) {
      assertReached(job.drive());
    }
    everyRowOnce();
  }

  private static boolean closed(Orchestrator leaving) {
    try {
      leaving.status();
      return false;
    } catch (IllegalStateException e) {
      return true;
    }
  }
}
