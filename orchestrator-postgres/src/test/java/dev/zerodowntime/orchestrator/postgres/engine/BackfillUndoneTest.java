package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.operation.Backfill;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/** A backfill is rolled back while another process works on it: that process changes no more. */
class BackfillUndoneTest extends BackfillFixture {

  private final Backfill declared = backfill(20).set("n", "1").build();

  private void isStopped(Predicate<String> at) throws Exception {
    work(1_000);
    Statements statements = new Statements(database.newDataSource());
    Checkpoint checkpoint = new Checkpoint(at);
    try (Orchestrator begun = joined(member(declared));
        Orchestrator job = job(database.newDataSource()).build()) {
      // So that it has begun, and nobody works on it.
      Statements first = new Statements(database.newDataSource());
      try (Orchestrator other = job(first.dataSource()).build()) {
        first.after(
            sql -> {
              if (sql.startsWith("INSERT INTO") && sql.contains(".backfill (")) {
                begun.pauseAll("later");
              }
            });
        other.drive();
      }
      assertThat(progress(begun).rowsSeen()).isZero();
      begun.resumeAll();
      statements.after(checkpoint);
      try (Orchestrator worker =
          member(statements.dataSource(), declared)
              .role(dev.zerodowntime.orchestrator.Role.MEMBER)
              .background(true)
              .backfillWorkers(1)
              .build()) {
        worker.advance();
        checkpoint.awaitArrival();
        begun.rollback(ID);
        CompletableFuture<AdvanceReport> driven = driving(job);
        Eventually.until(
            "it is turned round, or waits for the worker",
            () ->
                driven.isDone()
                    || database.queryLong(
                            "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT"
                                + " oid FROM pg_database WHERE datname = current_database()) OR NOT"
                                + " granted AND locktype = 'transactionid'")
                        > 0);
        checkpoint.open();
        assertThat(of(got(driven)).phase()).isEqualTo("NOT_STARTED");
        long changed = changed();
        assertThat(changed).isLessThanOrEqualTo(20);
        statements.forget();
        Eventually.until(
            "the worker has looked for work again and again",
            () ->
                statements.executed().stream().filter(s -> s.contains("IN ('RUNNING'")).count()
                    > 2);
        assertThat(changed()).isEqualTo(changed);
        assertThat(database.rows("SELECT * FROM orchestrator.backfill_chunk")).isEmpty();
      }
    }
  }

  @Test
  void betweenTwoBatches() throws Exception {
    isStopped(sql -> sql.startsWith("UPDATE") && sql.contains("backfill_chunk"));
  }

  @Test
  void inTheMiddleOfABatch() throws Exception {
    isStopped(sql -> sql.startsWith("/* orchestrator"));
  }

  @Test
  void whileItClaims() throws Exception {
    isStopped(sql -> sql.startsWith("INSERT INTO") && sql.contains("backfill_chunk"));
  }

  @Test
  void betweenItsClaimAndItsFirstBatch() throws Exception {
    boolean[] claimed = new boolean[1];
    isStopped(
        sql -> {
          claimed[0] |= sql.startsWith("INSERT INTO") && sql.contains("backfill_chunk");
          return claimed[0] && sql.equals("commit");
        });
  }
}
