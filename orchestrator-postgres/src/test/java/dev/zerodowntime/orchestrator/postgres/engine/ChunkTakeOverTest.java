package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.operation.Backfill;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/** Workers that are gone, or frozen: others go on with what they had, and they change nothing. */
class ChunkTakeOverTest extends BackfillFixture {

  private final Backfill declared = backfill(10).set("n", "n + 1").oncePerKey().build();

  private long looks(Statements statements) {
    return statements.executed().stream().filter(s -> s.contains("SELECT chunk, from_key")).count();
  }

  @Test
  void aClaimIsRespectedUntilItExpires() throws Exception {
    work(100);
    Statements statements = new Statements(database.newDataSource());
    statements.after(
        sql -> {
          if (sql.startsWith("INSERT INTO") && sql.contains(".backfill (")) {
            database.execute("UPDATE orchestrator.control SET paused = true");
          }
        });
    joined(member(declared)).close();
    try (Orchestrator job = job(statements.dataSource()).build()) {
      job.drive();
      database.execute(
          "INSERT INTO orchestrator.backfill_chunk (migration, target_schema, step, chunk, to_key,"
              + " token, worker, expires_at, batch_rows) SELECT migration, target_schema, step, 1,"
              + " '[\"40\"]', 'x', 'gone', now() + interval '1 day', 10 FROM orchestrator.backfill",
          "UPDATE orchestrator.backfill SET chunks = 1, cursor_key = '[\"40\"]'",
          "UPDATE orchestrator.control SET paused = false");
      statements.forget();
      CompletableFuture<AdvanceReport> driven = driving(job);
      Eventually.until("it has looked for work again and again", () -> looks(statements) > 5);
      assertThat(driven).isNotDone();
      assertThat(changed()).isZero();
      database.execute("UPDATE orchestrator.backfill_chunk SET expires_at = now()");
      assertReached(got(driven));
    }
    everyRowOnce();
    assertThat(database.queryLong("SELECT rows_done FROM orchestrator.backfill")).isEqualTo(100);
  }

  /** A worker that stands still at a certain statement while others end the backfill. */
  private void frozen(Predicate<String> at) throws Exception {
    work(100);
    Statements statements = new Statements(database.newDataSource());
    Checkpoint checkpoint = new Checkpoint(at);
    statements.after(checkpoint);
    try (Orchestrator job =
            job(database.newDataSource())
                .timing(t -> steady(t).lease(Duration.ofMillis(300)))
                .build();
        Orchestrator frozen =
            member(statements.dataSource(), declared)
                .timing(t -> steady(t).lease(Duration.ofMillis(300)))
                .role(Role.MEMBER)
                .background(true)
                .backfillWorkers(1)
                .build()) {
      frozen.advance();
      // It is begun, and left to the other one.
      CompletableFuture<AdvanceReport> driven = driving(job);
      if (!driven.isDone()) {
        Eventually.until("somebody works on it", () -> changed() > 0 || driven.isDone());
      }
      assertReached(got(driven));
      everyRowOnce();
      checkpoint.open();
      statements.forget();
      Eventually.until(
          "the other one goes on looking for work",
          () ->
              statements.executed().stream().filter(s -> s.contains("IN ('RUNNING'")).count() > 2);
    }
    everyRowOnce();
    assertThat(database.rows("SELECT * FROM orchestrator.backfill_chunk")).isEmpty();
    assertThat(database.queryLong("SELECT rows_done FROM orchestrator.backfill")).isEqualTo(100);
  }

  @Test
  void frozenBeforeItsBatch() throws Exception {
    boolean[] claimed = new boolean[1];
    frozen(
        sql -> {
          claimed[0] |= sql.startsWith("INSERT INTO") && sql.contains("backfill_chunk");
          return claimed[0] && sql.equals("commit");
        });
  }

  /** The server ends its session, and with it what it has changed. */
  @Test
  void frozenInItsBatch() throws Exception {
    frozen(sql -> sql.startsWith("/* orchestrator"));
  }
}
