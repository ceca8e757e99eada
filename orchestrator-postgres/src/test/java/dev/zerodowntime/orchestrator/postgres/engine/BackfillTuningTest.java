package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.BackfillProgress;
import dev.zerodowntime.orchestrator.BackfillWindow;
import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.operation.Backfill;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What people change while a backfill runs holds from the next batch on, by call and by SQL. After
 * its first batch it rests for so long that nothing else happens in a test.
 */
class BackfillTuningTest extends BackfillFixture {

  private static final int BATCH = 10;
  private static final int ROWS = 90;

  private final Backfill declared =
      backfill(BATCH).pace(pace -> pace.pause(Duration.ofDays(1))).set("n", "1").build();

  private void set(String columns) {
    database.execute("UPDATE orchestrator.backfill SET " + columns);
  }

  private interface Body {
    void run(Orchestrator person, CompletableFuture<AdvanceReport> driven) throws Exception;
  }

  /** A backfill that rests after its first batch, in the hands of a person; then it ends. */
  private void resting(Body body) throws Exception {
    resting(ROWS, body);
  }

  private void resting(int rows, Body body) throws Exception {
    work(rows);
    try (Orchestrator person = joined(member(declared));
        Orchestrator job = job(database.newDataSource()).backfillWorkers(2).build()) {
      CompletableFuture<AdvanceReport> driven = driving(job);
      Eventually.until("its first batch is done", () -> changed() == BATCH);
      body.run(person, driven);
    }
    everyRowOnce();
  }

  @Test
  void nothingIsChangedWhereNothingHasBegun() {
    work(1);
    try (Orchestrator person = joined(member(declared))) {
      assertThat(person.backfill(ID).progress()).isEmpty();
      for (Runnable each :
          List.<Runnable>of(
              () -> person.backfill(ID).pause(),
              () -> person.backfill(ID).resume(),
              () -> person.backfill(ID).reset(),
              () -> person.backfill(ID).tune(UnaryOperator.identity()))) {
        assertThatThrownBy(each::run)
            .isInstanceOf(DeclarationException.class)
            .hasMessageContainingAll(ID, "has begun", "pace(...)");
      }
      assertThatThrownBy(() -> person.backfill("billing/unknown").pause())
          .isInstanceOf(DeclarationException.class);
      assertThat(events("BACKFILL_PAUSE")).isEmpty();
    }
  }

  /** However many threads there are: there is one pause between the batches of one worker. */
  @Test
  void pauseLengthBySql() throws Exception {
    resting(
        (person, driven) -> {
          assertThat(driven).isNotDone();
          assertThat(changed()).isEqualTo(BATCH);
          assertThat(live()).isEqualTo(1);
          set("pause_ms = 0");
          assertReached(got(driven));
        });
  }

  @Test
  void pauseLengthAndRowsByCall() throws Exception {
    resting(
        (person, driven) -> {
          person.backfill(ID).tune(pace -> pace.rows(20, 20).pause(Duration.ZERO));
          assertReached(got(driven));
          assertThat(batches()).containsExactly(10L, 20L, 20L, 20L, 20L);
          assertThat(events("BACKFILL_PACE"))
              .singleElement()
              .asString()
              .contains("minRows=10", "minRows=20");
        });
  }

  @Test
  void rowsBySqlAndBackToThePolicy() throws Exception {
    resting(
        (person, driven) -> {
          set("min_rows = 40, max_rows = 40, pause_ms = 0");
          assertReached(got(driven));
          assertThat(batches()).startsWith(10L, 40L).hasSize(3);
          assertThat(progress(person).pace().minRows()).isEqualTo(40);
        });
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void pausedAndResumed(boolean sql) throws Exception {
    resting(
        (person, driven) -> {
          if (sql) {
            set("paused = true, pause_ms = 0");
          } else {
            person.backfill(ID).pause();
            person.backfill(ID).tune(pace -> pace.pause(Duration.ZERO));
          }
          // The call returns, since nothing can be done.
          AdvanceReport report = got(driven);
          assertThat(of(report).phase()).isEqualTo("NOT_STARTED");
          assertThat(of(report).waits()).extracting(Wait::kind).contains(Wait.Kind.PAUSED);
          BackfillProgress progress = progress(person);
          assertThat(progress.paused()).isTrue();
          assertThat(progress.waiting()).contains("paused");
          assertThat(progress.toString()).contains("PAUSED");
          assertThat(of(person).toString()).contains("a person has paused this backfill");
          try (Orchestrator other = job(database.newDataSource()).build()) {
            other.drive();
            assertThat(changed()).isEqualTo(BATCH);
            assertThat(live()).isZero();
            if (sql) {
              set("paused = false");
            } else {
              person.backfill(ID).resume();
            }
            assertReached(other.drive());
          }
          assertThat(progress(person).waiting()).isNull();
          if (!sql) {
            assertThat(events("BACKFILL_PAUSE")).hasSize(1);
            assertThat(events("BACKFILL_RESUME")).hasSize(1);
          }
        });
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "min_rows = 0|minRows must lie between 1 and 10000, but is 0",
        "min_rows = 50, max_rows = 40|minRows 50 must not be greater than maxRows 40",
        "run_window = 'soon'|soon",
        "run_window = 'soon', workers = 0, target_ms = 0|correct the column"
      })
  void nonsenseHoldsItAndIsSaid(String nonsense, String said) throws Exception {
    resting(
        (person, driven) -> {
          set(nonsense);
          AdvanceReport report = got(driven);
          assertThat(of(report).phase()).isEqualTo("NOT_STARTED");
          assertThat(of(report).waits().toString()).contains(said, "correct the column");
          assertThat(of(person).toString()).contains(said);
          assertThat(database.<String>queryOne("SELECT waiting FROM orchestrator.backfill"))
              .contains(said);
          assertThat(progress(person).toString()).contains(said);
          assertThat(changed()).isEqualTo(BATCH);
          set(
              "min_rows = NULL, max_rows = NULL, workers = NULL, target_ms = NULL, run_window ="
                  + " NULL, pause_ms = 0");
          try (Orchestrator other = job(database.newDataSource()).build()) {
            assertReached(other.drive());
          }
          assertThat(of(person).lastError()).isNull();
        });
  }

  @Test
  void resettingByCallCorrectsNonsense() throws Exception {
    resting(
        (person, driven) -> {
          set("run_window = 'soon'");
          got(driven);
          person.backfill(ID).reset();
          person.backfill(ID).tune(pace -> pace.pause(Duration.ZERO));
          try (Orchestrator other = job(database.newDataSource()).build()) {
            assertReached(other.drive());
          }
        });
  }

  /** A window that closed an hour ago, whatever time it is. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void window(boolean sql) throws Exception {
    resting(
        (person, driven) -> {
          String closed = window(-3) + "-" + window(-1) + " UTC";
          if (sql) {
            set("pause_ms = 0, run_window = '" + closed + "'");
          } else {
            person
                .backfill(ID)
                .tune(p -> p.pause(Duration.ZERO).window(BackfillWindow.parse(closed)));
          }
          AdvanceReport report = got(driven);
          assertThat(of(report).waits().toString()).contains("outside its window " + closed);
          assertThat(of(person).toString()).contains("outside its window");
          assertThat(changed()).isEqualTo(BATCH);
          if (sql) {
            set("run_window = ''");
          } else {
            person.backfill(ID).tune(p -> p.window(BackfillWindow.ALWAYS));
          }
          try (Orchestrator other = job(database.newDataSource()).build()) {
            assertReached(other.drive());
          }
        });
  }

  @Test
  void moreWorkersAndFewer() throws Exception {
    // Enough for a chunk each.
    resting(
        5 * ROWS,
        (person, driven) -> {
          set("workers = 3");
          Eventually.until("each of three has done one batch", () -> changed() == 3 * BATCH);
          assertThat(live()).isEqualTo(3);
          person.backfill(ID).tune(pace -> pace.workers(1));
          Eventually.until("two have left", () -> live() == 1);
          assertThat(changed()).isEqualTo(3 * BATCH);
          set("pause_ms = 0");
          assertReached(got(driven));
        });
  }

  /**
   * A worker without a chunk has read what is said now, and waits for one; it gets the one that
   * another gave back because it has read more.
   */
  @Test
  void whatWasReadBeforeAChunkWasFreeIsReadAgain() throws Exception {
    work(ROWS);
    Statements statements = new Statements(database.newDataSource());
    AtomicReference<Thread> busy = new AtomicReference<>();
    AtomicBoolean armed = new AtomicBoolean();
    CountDownLatch stale = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    statements.after(
        sql -> {
          if (within("BatchAttempt", "batch")) {
            busy.compareAndSet(null, Thread.currentThread());
          } else if (Thread.currentThread() != busy.get()
              && within("BackfillWorker", "read")
              && armed.compareAndSet(true, false)) {
            stale.countDown();
            await(go);
          }
        });
    try (Orchestrator person = joined(member(declared));
        Orchestrator job = job(statements.dataSource()).backfillWorkers(2).build()) {
      CompletableFuture<AdvanceReport> driven = driving(job);
      Eventually.until("its first batch is done", () -> changed() == BATCH);
      armed.set(true);
      await(stale);
      person
          .backfill(ID)
          .tune(
              pace ->
                  pace.pause(Duration.ZERO)
                      .window(BackfillWindow.parse(window(-3) + "-" + window(-1) + " UTC")));
      Eventually.until("the chunk is given back", () -> live() == 0);
      go.countDown();
      got(driven);
      assertThat(changed()).isEqualTo(BATCH);
      person.backfill(ID).tune(pace -> pace.window(BackfillWindow.ALWAYS));
      try (Orchestrator other = job(database.newDataSource()).build()) {
        assertReached(other.drive());
      }
    } finally {
      go.countDown();
    }
    everyRowOnce();
  }

  private String window(int hours) {
    return database.queryOne(
        "SELECT to_char(now() AT TIME ZONE 'UTC' + interval '" + hours + " hours', 'HH24:MI')");
  }

  private static boolean within(String type, String method) {
    return StackWalker.getInstance()
        .walk(
            frames ->
                frames.anyMatch(
                    each ->
                        each.getClassName().endsWith("." + type)
                            && each.getMethodName().equals(method)));
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
