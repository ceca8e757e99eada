package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.sql.Connection;
import java.sql.Statement;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Partitions come and go while an index of their table is being built. */
@PostgresTest
@Timeout(120)
class PartitionsMeanwhileTest {

  private static final CreateIndex BY_N =
      CreateIndex.of("billing/by-n").table("events").name("events_by_n").columns("n").build();

  private TestDatabase database;
  private Orchestrator member;
  private Orchestrator driver;

  /** A transaction that has written to the first partition: its build waits for it. */
  private Connection writer;

  @BeforeEach
  void build() throws Exception {
    database = TestDatabase.create("partitions");
    database.execute(
        "CREATE TABLE events (id bigint, n int) PARTITION BY LIST (id)",
        "CREATE TABLE a PARTITION OF events FOR VALUES IN (1)",
        "CREATE TABLE b PARTITION OF events FOR VALUES IN (2)",
        "CREATE TABLE c PARTITION OF events FOR VALUES IN (3)",
        "CREATE TABLE d PARTITION OF events FOR VALUES IN (4)",
        "INSERT INTO events SELECT 1 + n % 4, n FROM generate_series(1, 40) n");
    Members.install(database.dataSource());
    writer = database.dataSource().getConnection();
    writer.setAutoCommit(false);
    try (Statement s = writer.createStatement()) {
      s.execute("UPDATE a SET n = n + 1");
    }
    // Who is younger than the lock budget isn't taken for one to wait for.
    Eventually.until(
        "the writer's transaction is old",
        () ->
            database.queryLong(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND"
                        + " state = 'idle in transaction' AND xact_start < clock_timestamp() -"
                        + " interval '300 ms'")
                == 1);
    member =
        Members.member(database.dataSource(), "1")
            .role(Role.MEMBER)
            .timing(Members::patient)
            .thisBuild(BY_N, CreateIndex.Code.UNAWARE)
            .build();
    member.advance();
    driver =
        Members.driver(database.dataSource()).timing(Members::turnedAway).background(true).build();
    // Creating the index of the whole needs a moment without writers.
    driver.advance();
  }

  @AfterEach
  void drop() throws Exception {
    writer.close();
    driver.close();
    member.close();
    database.close();
  }

  /** Keeps the build of a partition's index waiting from when it begins. */
  private void whileTheFirstIsBuilt(Runnable change) throws Exception {
    Eventually.until(
        "it waits for the writer, and says so",
        () ->
            database.queryLong(
                    "SELECT count(*) FROM orchestrator.migration WHERE step = 'create-index' AND"
                        + " wait LIKE 'not queueing behind%'")
                == 1);
    // Reads don't stand in the way of it, but in that of the build's last wait.
    try (Connection reader = database.dataSource().getConnection();
        Statement s = reader.createStatement()) {
      reader.setAutoCommit(false);
      reader.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      s.execute("SELECT n FROM a");
      writer.commit();
      Eventually.until("it is being built", () -> indexes("a") == 1);
      change.run();
      reader.commit();
    }
    Eventually.until(
        "it is done",
        () ->
            database.queryLong("SELECT count(*) FROM orchestrator.migration WHERE status = 'DONE'")
                == 1);
    assertThat(
            database.queryLong(
                "SELECT count(*) FROM pg_index WHERE indexrelid = 'events_by_n'::regclass AND"
                    + " indisvalid"))
        .isEqualTo(1);
    assertThat(
            database.queryLong("SELECT count(*) FROM orchestrator.event WHERE outcome = 'FAILED'"))
        .isZero();
  }

  private long indexes(String table) {
    return database.queryLong(
        "SELECT count(*) FROM pg_index WHERE indrelid = to_regclass('" + table + "')");
  }

  @Test
  void whatComesIsCoveredAndWhatGoesIsLeftAlone() throws Exception {
    whileTheFirstIsBuilt(
        () ->
            database.execute(
                "DROP TABLE b",
                "ALTER TABLE events DETACH PARTITION c",
                "ALTER TABLE d RENAME TO renamed",
                "CREATE TABLE e PARTITION OF events FOR VALUES IN (5)"));
    assertThat(indexes("a") + indexes("renamed") + indexes("e")).isEqualTo(3);
    assertThat(indexes("c")).isZero();
    driver.rollback("billing/by-n");
    Eventually.until("it is gone", () -> indexes("events") + indexes("a") + indexes("e") == 0);
  }

  /** What can't be mended is not tried for ever. */
  @Test
  void whatFailsForAnotherReasonFails() throws Exception {
    Eventually.until(
        "it waits",
        () ->
            database.queryLong(
                    "SELECT count(*) FROM orchestrator.migration WHERE step = 'create-index'")
                == 1);
    // Its name is taken, after the check.
    database.execute(
        "DO $$ BEGIN EXECUTE format('CREATE TABLE %I (n int)', (SELECT facts::jsonb #>>"
            + " '{parts,1,name}' FROM orchestrator.migration)); END $$");
    writer.commit();
    Eventually.until(
        "it has failed",
        () ->
            database.queryLong(
                    "SELECT count(*) FROM orchestrator.migration WHERE status = 'FAILED' AND"
                        + " last_error LIKE '%is taken by table public.events_by_n_b_%'")
                == 1);
  }
}
