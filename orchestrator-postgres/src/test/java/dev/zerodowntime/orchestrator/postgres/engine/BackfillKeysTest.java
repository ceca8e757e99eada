package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.testing.Threads;
import java.sql.Connection;
import java.sql.Statement;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Any key, however sparse, and whatever an application does to the rows meanwhile. */
class BackfillKeysTest extends BackfillFixture {

  private static final int ROWS = 400;

  /** Runs an application's statements, round and round, until told to stop. */
  private CompletableFuture<Void> application(AtomicBoolean stop, String... statements) {
    return CompletableFuture.runAsync(
        () -> {
          try (Connection c = database.dataSource().getConnection();
              Statement s = c.createStatement()) {
            while (!stop.get()) {
              for (String each : statements) {
                s.execute(each);
              }
            }
          } catch (java.sql.SQLException e) {
            throw new IllegalStateException(e);
          }
        },
        Threads.ONE_EACH);
  }

  /** Rows of before are changed once wherever they go; those that come are left alone. */
  @Test
  void rowsComeGoAndMove() throws Exception {
    work(1_500, "ALTER TABLE work ADD old boolean NOT NULL DEFAULT true", "CREATE SEQUENCE s");
    database.execute("ALTER TABLE work ALTER old SET DEFAULT false");
    Backfill declared =
        backfill(20).pace(p -> p.workers(2)).set("n", "n + 1").oncePerLedger().build();
    AtomicBoolean stop = new AtomicBoolean();
    joined(member(declared)).close();
    CompletableFuture<Void> application =
        application(
            stop,
            "UPDATE work SET id = 3000000000 + nextval('s') WHERE id = (SELECT min(id) FROM work)",
            "UPDATE work SET id = -nextval('s') WHERE id = (SELECT id FROM work WHERE id BETWEEN"
                + " 1000 AND 1500 ORDER BY id DESC LIMIT 1)",
            "DELETE FROM work WHERE id = (SELECT min(id) FROM work WHERE id > 500)",
            "INSERT INTO work (id) VALUES (5000000000 + nextval('s')), (-5000000000 +"
                + " nextval('s'))");
    try (Orchestrator job = job(database.pool(8)).backfillWorkers(2).build()) {
      assertReached(job.drive());
    } finally {
      stop.set(true);
      application.get();
    }
    assertThat(database.rows("SELECT * FROM work WHERE old AND n <> 1")).isEmpty();
    assertThat(database.rows("SELECT * FROM work WHERE NOT old AND n <> 0")).isEmpty();
    assertThat(events("STEP").toString()).containsPattern("0 of \\d+ rows left or different");
  }

  /** It ends although rows are added all the time, and its figure says what was looked at. */
  @Test
  void rowsAreAppended() throws Exception {
    work(1_000, "CREATE SEQUENCE s START 2000");
    Backfill declared = backfill(50).set("n", "1").build();
    AtomicBoolean stop = new AtomicBoolean();
    try (Orchestrator member = joined(member(declared))) {
      CompletableFuture<Void> application =
          application(stop, "INSERT INTO work VALUES (nextval('s'), 1)");
      try {
        assertReached(member.drive());
      } finally {
        stop.set(true);
        application.get();
      }
    }
    everyRowOnce();
    List<List<Object>> figure =
        database.rows(
            "SELECT outcome, substring(detail FROM '0 of (\\d+) rows left or different')::bigint"
                + " >= 1000 FROM orchestrator.event WHERE step = 'change-rows'");
    assertThat(Set.copyOf(figure)).containsExactly(List.of("VERIFIED", true));
  }
}
