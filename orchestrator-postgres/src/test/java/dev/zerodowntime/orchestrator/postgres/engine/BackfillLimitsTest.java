package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.RowFunction;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.testing.Threads;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.ds.PGSimpleDataSource;

/** Limits of the load that are set while a backfill runs hold from the next batch on. */
class BackfillLimitsTest extends BackfillFixture {

  private static final int BATCH = 10;

  /** A replica that is there until it isn't. */
  private PGSimpleDataSource replica(AtomicBoolean away) {
    PGSimpleDataSource there = database.newDataSource();
    PGSimpleDataSource replica =
        new PGSimpleDataSource() {
          @Override
          public Connection getConnection() throws SQLException {
            if (away.get()) {
              throw new SQLException("nobody is there", "08001");
            }
            return there.getConnection();
          }
        };
    return replica;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void lagIsLimitedAndNoMore(boolean sql) throws Exception {
    AtomicBoolean away = new AtomicBoolean();
    Backfill declared =
        backfill(BATCH).pace(pace -> pace.pause(Duration.ofDays(1))).set("n", "1").build();
    work(90);
    try (Orchestrator person = joined(member(declared).reader("eu", replica(away)));
        Orchestrator job = job(database.newDataSource()).reader("eu", replica(away)).build()) {
      CompletableFuture<AdvanceReport> driven = driving(job);
      Eventually.until("its first batch is done", () -> changed() == BATCH);
      // Nobody has asked for the lag so far.
      away.set(true);
      if (sql) {
        database.execute("UPDATE orchestrator.backfill SET max_lag_ms = 10000, pause_ms = 0");
      } else {
        person.backfill(ID).tune(pace -> pace.maxLag(Duration.ofSeconds(10)).pause(Duration.ZERO));
      }
      AdvanceReport report = got(driven);
      assertThat(of(report).phase()).isEqualTo("NOT_STARTED");
      assertThat(of(report).waits())
          .anySatisfy(
              wait -> {
                assertThat(wait.kind()).isEqualTo(Wait.Kind.LOAD);
                assertThat(wait.what())
                    .contains("replica eu can't be asked", "nobody is there", "max_lag_ms to -1");
              });
      assertThat(progress(person).waiting()).contains("replica eu can't be asked");
      assertThat(changed()).isEqualTo(BATCH);
      // Whoever drives again is held as well.
      assertThat(of(job.drive()).waits().toString()).contains("replica eu can't be asked");
      assertThat(changed()).isEqualTo(BATCH);
      if (sql) {
        database.execute("UPDATE orchestrator.backfill SET max_lag_ms = -1");
      } else {
        person.backfill(ID).tune(pace -> pace.maxLag(null));
      }
      job.drive();
      everyRowOnce();
      assertThat(progress(person).waiting()).isNull();
      // Only that the phase is reached there too is waited for.
      away.set(false);
      assertReached(job.drive());
    }
  }

  /** Two sessions wait for a row of every batch, from before it commits. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void waitingSessionsAreLimited(boolean sql) throws Exception {
    List<Integer> sizes = new ArrayList<>();
    List<CompletableFuture<?>> others = new ArrayList<>();
    List<Consumer<Integer>> between = new ArrayList<>();
    RowFunction function =
        rows -> {
          sizes.add(rows.size());
          between.get(0).accept(sizes.size());
          // Those of the batch before have their lock by now, and may not look like it yet.
          others.forEach(CompletableFuture::join);
          for (int i = 0; i < 2; i++) {
            others.add(
                CompletableFuture.runAsync(
                    () ->
                        database.execute(
                            "UPDATE work SET n = n WHERE id = " + rows.get(0).get("id")),
                    Threads.ONE_EACH));
          }
          Eventually.until(
              "both wait",
              () ->
                  database.queryLong(
                          "SELECT count(*) FROM pg_stat_activity WHERE datname ="
                              + " current_database() AND wait_event_type = 'Lock' AND query LIKE"
                              + " 'UPDATE work SET n = n %'")
                      == 2);
          rows.forEach(row -> row.set("n", "1"));
        };
    Backfill declared =
        backfill(16).compute(List.of("id"), List.of("n"), "one", function).where("n = 0").build();
    work(60);
    try (Orchestrator member = joined(member(declared))) {
      between.add(
          batch -> {
            if (batch == 2 && sql) {
              database.execute("UPDATE orchestrator.backfill SET max_waiting = 1");
            } else if (batch == 2) {
              member.backfill(ID).tune(pace -> pace.maxWaiting(1));
            }
          });
      assertReached(member.drive());
    }
    for (CompletableFuture<?> each : others) {
      each.join();
    }
    // The first batch of a function is a small one. The limit is set during the second batch and
    // holds for the third.
    assertThat(sizes).startsWith(10, 16, 16, 8, 4);
    everyRowOnce();
  }

  @Test
  void withoutALimitNobodyIsAsked() throws Exception {
    AtomicBoolean away = new AtomicBoolean();
    work(20);
    try (Orchestrator member =
        joined(member(backfill(BATCH).set("n", "1").build()).reader("eu", replica(away)))) {
      away.set(true);
      member.drive();
      everyRowOnce();
    }
  }
}
