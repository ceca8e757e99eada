package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumnInCode;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Upserts while uniqueness goes from one column to the other. */
@PostgresTest
class RenameColumnUpsertTest {

  private static final int CLIENTS = 12;

  private final TestDatabase db;
  private final Queue<String> errors = new ConcurrentLinkedQueue<>();
  private final AtomicLong queries = new AtomicLong();
  private final AtomicLong round = new AtomicLong();
  private volatile boolean stop;

  RenameColumnUpsertTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void table() {
    db.execute(
        "DROP TABLE IF EXISTS t",
        "DROP SCHEMA IF EXISTS \"" + RenameColumnRunner.CONTROL + "\" CASCADE",
        "CREATE TABLE t (id bigserial PRIMARY KEY, o text CONSTRAINT uniq UNIQUE)",
        "INSERT INTO t (o) SELECT 'row ' || g FROM generate_series(1, 60000) g");
  }

  private RenameColumnRunner<RenameColumn> runner() {
    return new RenameColumnRunner<>(
        db,
        new PostgresRenameColumn(),
        RenameColumn.of("tests/upsert").table("t").from("o").to("n").build());
  }

  /** Everybody goes for the same few keys, that are new every few milliseconds. */
  private List<Thread> load(String column) {
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < CLIENTS; i++) {
      Thread thread =
          new Thread(
              () -> {
                try (Connection c = db.dataSource().getConnection();
                    PreparedStatement upsert =
                        c.prepareStatement(
                            "INSERT INTO t ("
                                + column
                                + ") VALUES (?) ON CONFLICT ("
                                + column
                                + ") DO UPDATE SET "
                                + column
                                + " = excluded."
                                + column)) {
                  while (!stop) {
                    upsert.setString(1, "key " + round.get() + " " + queries.get() % 3);
                    upsert.executeUpdate();
                    if (queries.incrementAndGet() % 40 == 0) {
                      round.incrementAndGet();
                    }
                  }
                } catch (Exception e) {
                  errors.add(String.valueOf(e.getMessage()));
                }
              });
      thread.start();
      threads.add(thread);
    }
    return threads;
  }

  private void end(List<Thread> threads) throws InterruptedException {
    Thread.sleep(300);
    stop = true;
    for (Thread thread : threads) {
      thread.join();
    }
  }

  @Test
  void oldCodeUpsertsUntilEnforce() throws Exception {
    RenameColumnRunner<RenameColumn> runner = runner();
    List<Thread> threads = load("o");
    runner.go(RenameColumn.ENFORCE);
    Thread.sleep(1_500);
    runner.go(RenameColumn.EXPAND);
    runner.go(RenameColumn.ENFORCE);
    end(threads);
    assertThat(errors).isEmpty();
    assertThat(queries.get()).isGreaterThan(1_000);
    System.out.println("upserts on the old name up to ENFORCE: " + queries + ", 0 failed");
  }

  @Test
  void newCodeUpsertsFromContractOn() throws Exception {
    RenameColumnRunner<RenameColumn> runner = runner();
    runner.go(RenameColumn.CONTRACT);
    List<Thread> threads = load("n");
    Thread.sleep(1_000);
    runner.go(RenameColumn.PURGE);
    end(threads);
    assertThat(errors).isEmpty();
    assertThat(queries.get()).isGreaterThan(1_000);
  }

  /** That this test can fail: what a unique double would do. */
  @Test
  void aUniqueDoubleWouldMakeThemFail() throws Exception {
    RenameColumnRunner<RenameColumn> runner = runner();
    runner.go(RenameColumn.VERIFY);
    List<Thread> threads = load("o");
    db.execute("CREATE UNIQUE INDEX CONCURRENTLY double ON t (n)");
    for (int i = 0; i < 100 && errors.isEmpty(); i++) {
      Thread.sleep(100);
    }
    end(threads);
    assertThat(errors).anyMatch(message -> message.contains("double"));
  }

  @Test
  void uniquenessHoldsAllTheTime() {
    RenameColumnRunner<RenameColumn> runner = runner();
    runner.beforeEach(
        step -> {
          boolean fails = false;
          boolean there =
              db.queryLong(
                      "SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname"
                          + " = 'o'")
                  == 1;
          try {
            db.execute("INSERT INTO t (" + (there ? "o" : "n") + ") VALUES ('row 77')");
          } catch (IllegalStateException e) {
            fails = e.getMessage().contains("uniq");
          }
          assertThat(fails).as("before " + step.name()).isTrue();
        });
    runner.go(RenameColumn.CONTRACT);
    runner.go(RenameColumn.ENFORCE);
    runner.go(RenameColumn.PURGE);
  }

  @Test
  void stages() {
    PostgresRenameColumn support = new PostgresRenameColumn();
    RenameColumn migration = RenameColumn.of("tests/upsert").table("t").from("o").to("n").build();
    RenameColumnRunner<RenameColumn> runner = runner();
    runner.preflight();
    assertThat(support.stages(migration, runner.facts()).get(2).span()).isEqualTo(new Span(5, 6));
    db.execute("ALTER TABLE t DROP CONSTRAINT uniq");
    runner.preflight();
    assertThat(support.stages(migration, runner.facts()).get(2).span()).isEqualTo(new Span(4, 6));
    assertThat(support.recaptures(RenameColumn.EXPAND)).isTrue();
    assertThat(new PostgresRenameColumnInCode().recaptures(RenameColumnInCode.ENFORCE)).isTrue();
    assertThat(new Target("a/b", "public", "c").schema()).isEqualTo("public");
  }
}
