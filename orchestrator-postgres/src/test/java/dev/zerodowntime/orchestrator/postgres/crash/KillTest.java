package dev.zerodowntime.orchestrator.postgres.crash;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.postgres.engine.AdvanceOnce;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.testing.crash.Doomed;
import dev.zerodowntime.orchestrator.testing.crash.Spawn;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Two processes work on one backfill that must not be repeated, while the application writes; one
 * or the other is killed again and again, and replaced. {@code -Dkill.seed=n} repeats the choices
 * of another run.
 */
@PostgresTest
@Tag("crash")
@Timeout(900)
class KillTest {

  private static final int ROWS = Integer.getInteger("kill.rows", 30_000);
  private static final int KILLS = Integer.getInteger("kill.kills", 50);
  private static final int PROCESSES = 2;

  /** What rows hold that are not the backfill's business. */
  private static final int NOT_MEANT = 100;

  private static final int FEWEST_TAKEN_OVER = 5;
  private static final long LOOK_NANOS = 2_000_000;
  private static final long LONGEST_LIFE_NANOS = 90_000_000;
  private static final long LONGEST_CLAIM_NANOS = 8_000_000;

  private static Spawn spawn;

  private final long seed = Long.getLong("kill.seed", System.nanoTime() % 1_000_000);
  private final AtomicInteger kills = new AtomicInteger();
  private final AtomicInteger early = new AtomicInteger();

  @BeforeAll
  static void jars(@TempDir Path directory) throws IOException {
    spawn = new Spawn(DoomedProcess.class, AdvanceOnce.libraryOnly(), directory);
  }

  @ParameterizedTest
  @EnumSource(Backfill.Once.class)
  void everyRowExactlyOnce(Backfill.Once once) throws Exception {
    long start = System.nanoTime();
    try (TestDatabase database = TestDatabase.create("kill " + once)) {
      prepare(database);
      Writer writer = new Writer(database, once);
      ExecutorService threads = Executors.newFixedThreadPool(PROCESSES + 1);
      try {
        spawn.first("kill-first", arguments(database, once));
        Future<?> writing = threads.submit(writer);
        List<Future<?>> places = new ArrayList<>();
        for (int i = 0; i < PROCESSES; i++) {
          Place place = new Place(database, once, i);
          places.add(threads.submit(place));
        }
        for (Future<?> place : places) {
          place.get();
        }
        writer.stopped = true;
        writing.get();
      } finally {
        writer.stopped = true;
        threads.shutdownNow();
        threads.awaitTermination(1, TimeUnit.MINUTES);
      }
      check(database, once, writer, start);
    }
  }

  private static String[] arguments(TestDatabase database, Backfill.Once once) {
    String password = database.password();
    return new String[] {
      database.url(), database.user(), password == null ? "" : password, once.name()
    };
  }

  private static void prepare(TestDatabase database) {
    database.execute(
        "CREATE TABLE items (id bigint PRIMARY KEY, original int UNIQUE, n int NOT NULL, hits int"
            + " NOT NULL DEFAULT 0)",
        "INSERT INTO items SELECT i * 10, i, 0 FROM generate_series(1, " + ROWS + ") i",
        "ANALYZE items",
        // What processes did, by another witness than their own control tables.
        "CREATE TABLE batches (process text, chunk bigint, number int)",
        "CREATE INDEX ON batches (process)",
        """
        CREATE FUNCTION count_batch() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          INSERT INTO batches SELECT current_setting('application_name'),
            substring(current_query() FROM 'chunk=([0-9]+)')::bigint, count(*)
            FROM changed HAVING count(*) > 0;
          RETURN NULL;
        END $$\
        """,
        "CREATE TRIGGER count_batch AFTER UPDATE ON items REFERENCING NEW TABLE AS changed"
            + " FOR EACH STATEMENT WHEN (current_setting('application_name') LIKE 'kill-%')"
            + " EXECUTE FUNCTION count_batch()");
    try (Orchestrator job =
        Orchestrator.builder(database.dataSource())
            .application("billing")
            .release("job")
            .role(Role.DRIVER)
            .background(false)
            .timing(Doomed::quick)
            .build()) {
      job.advance();
      job.adopted("billing");
    }
  }

  private void check(TestDatabase database, Backfill.Once once, Writer writer, long start) {
    long lost = database.queryLong("SELECT count(*) FROM items WHERE original > 0 AND n < 1");
    long twice =
        database.queryLong(
            "SELECT count(*) FROM items WHERE n > CASE WHEN original > 0 THEN 1 ELSE "
                + NOT_MEANT
                + " END");
    long takenOver =
        database.queryLong(
            "SELECT count(*) FROM (SELECT chunk FROM batches GROUP BY chunk HAVING count(DISTINCT"
                + " process) > 1) each");
    System.out.printf(
        "kill: %d kills, %d rows, %d lost, %d twice%n"
            + "  %s, %d more before their first batch, %d batches of %d processes, %d chunks taken"
            + " over, the application wrote %d times, kill.seed=%d, %d s%n",
        kills.get(),
        ROWS,
        lost,
        twice,
        once,
        early.get(),
        database.queryLong("SELECT count(*) FROM batches"),
        database.queryLong("SELECT count(DISTINCT process) FROM batches"),
        takenOver,
        writer.writes,
        seed,
        TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start));
    assertThat(lost).isZero();
    assertThat(twice).isZero();
    assertThat(database.queryLong("SELECT count(*) FROM items WHERE original > 0 AND n = 1"))
        .isEqualTo(ROWS);
    assertThat(database.queryLong("SELECT count(*) FROM items WHERE original IS NULL AND n = 100"))
        .isEqualTo(writer.inserted);
    assertThat(database.queryLong("SELECT sum(hits) FROM items")).isEqualTo(writer.hits);
    assertThat(database.queryLong("SELECT sum(number) FROM batches")).isEqualTo(ROWS);
    assertThat(kills.get()).isGreaterThanOrEqualTo(KILLS);
    assertThat(takenOver).isGreaterThanOrEqualTo(Math.min(KILLS / 2, FEWEST_TAKEN_OVER));
    assertThat(database.queryLong("SELECT count(*) FROM pg_class WHERE relname LIKE 'zdo_ledger%'"))
        .isZero();
  }

  /** Where one process after the other lives, and dies. */
  private final class Place implements Runnable {
    private final TestDatabase database;
    private final Backfill.Once once;
    private final int number;
    private final Random random;
    private int generation;

    Place(TestDatabase database, Backfill.Once once, int number) {
      this.database = database;
      this.once = once;
      this.number = number;
      this.random = new Random(seed * PROCESSES + number);
    }

    @Override
    public void run() {
      try (Connection connection = database.dataSource().getConnection()) {
        while (kills.get() < KILLS && !over(connection)) {
          live(connection);
        }
        survive(connection);
      } catch (SQLException | IOException e) {
        throw new IllegalStateException(e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    private void live(Connection connection)
        throws IOException, InterruptedException, SQLException {
      boolean atOnce = random.nextInt(8) == 0;
      long life =
          (long) (random.nextDouble() * (atOnce ? LONGEST_CLAIM_NANOS : LONGEST_LIFE_NANOS));
      String name = nextName();
      Process process = spawn.start(name, arguments(database, once));
      try {
        String sign =
            atOnce
                ? "SELECT 1 FROM pg_stat_activity WHERE application_name = ? AND query LIKE"
                    + " '%backfill_chunk%' LIMIT 1"
                : "SELECT 1 FROM batches WHERE process = ? LIMIT 1";
        while (!found(connection, sign, name)) {
          if (!process.isAlive()) {
            throw new AssertionError(name + " ended by itself: " + spawn.said(name));
          }
          if (over(connection)) {
            return;
          }
          LockSupport.parkNanos(LOOK_NANOS);
        }
        LockSupport.parkNanos(life);
        if (!process.isAlive()) {
          throw new AssertionError(name + " ended by itself: " + spawn.said(name));
        }
      } finally {
        process.destroyForcibly().waitFor();
      }
      boolean worked = found(connection, "SELECT 1 FROM batches WHERE process = ? LIMIT 1", name);
      if (over(connection)) {
        return;
      }
      (worked ? kills : early).incrementAndGet();
    }

    /** The last of them, which nobody kills any more. */
    private void survive(Connection connection)
        throws IOException, InterruptedException, SQLException {
      // As a person does who has waited long enough.
      update(connection, "UPDATE orchestrator.backfill SET pause_ms = 0, max_rows = 500");
      String name = nextName();
      Process process = spawn.start(name, arguments(database, once));
      try {
        while (!reached(connection)) {
          if (!process.isAlive()) {
            throw new AssertionError(name + " ended by itself: " + spawn.said(name));
          }
          LockSupport.parkNanos(10 * LOOK_NANOS);
        }
        process.getOutputStream().close();
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(spawn.said(name)).isZero();
      } finally {
        process.destroyForcibly().waitFor();
      }
    }

    private String nextName() {
      generation++;
      return "kill-" + number + "-" + generation;
    }

    private boolean over(Connection connection) throws SQLException {
      return found(
          connection,
          "SELECT 1 FROM orchestrator.backfill WHERE state = 'DONE' AND migration = ?",
          Doomed.ID);
    }

    private boolean reached(Connection connection) throws SQLException {
      return found(
          connection,
          "SELECT 1 FROM orchestrator.migration WHERE reached = 1 AND id = ?",
          Doomed.ID);
    }
  }

  private static boolean found(Connection connection, String sql, String parameter)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setString(1, parameter);
      try (ResultSet row = statement.executeQuery()) {
        return row.next();
      }
    }
  }

  private static int update(Connection connection, String sql, Object... parameters)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < parameters.length; i++) {
        statement.setObject(i + 1, parameters[i]);
      }
      return statement.executeUpdate();
    }
  }

  /** The application: changes other columns, adds rows; gives rows other keys where it may. */
  private final class Writer implements Runnable {
    private static final long PAUSE_NANOS = 3_000_000;
    private static final String BEGUN = "SELECT 1 FROM orchestrator.backfill WHERE migration = ?";

    private final TestDatabase database;
    private final boolean ledger;
    private final Random random = new Random(seed);
    private volatile boolean stopped;
    private long writes;
    private long hits;
    private long inserted;

    Writer(TestDatabase database, Backfill.Once once) {
      this.database = database;
      this.ledger = once == Backfill.Once.PER_LEDGER;
    }

    @Override
    public void run() {
      try (Connection connection = database.dataSource().getConnection()) {
        // Rows that are there when it begins are meant, too.
        while (!stopped && !found(connection, BEGUN, Doomed.ID)) {
          LockSupport.parkNanos(LOOK_NANOS);
        }
        while (!stopped) {
          write(connection);
          LockSupport.parkNanos(PAUSE_NANOS);
        }
      } catch (SQLException e) {
        throw new IllegalStateException(e);
      }
    }

    private void write(Connection connection) throws SQLException {
      writes++;
      // A key that nobody has: among the others, or behind them.
      long key = writes * 10 + (ledger ? 5 : 10L * ROWS);
      if (writes % 3 == 0) {
        inserted +=
            update(
                connection, "INSERT INTO items (id, n) VALUES (?, " + NOT_MEANT + ")", (Long) key);
      } else if (ledger && writes % 3 == 1) {
        long scattered = (writes * 7919 % ROWS) * 10 + 7;
        update(
            connection,
            "UPDATE items SET id = ? WHERE original = ? AND NOT EXISTS (SELECT FROM items o WHERE"
                + " o.id = ?)",
            scattered,
            1 + random.nextInt(ROWS),
            scattered);
      } else {
        hits +=
            update(
                connection,
                "UPDATE items SET hits = hits + 1 WHERE original = ?",
                1 + random.nextInt(ROWS));
      }
    }
  }
}
