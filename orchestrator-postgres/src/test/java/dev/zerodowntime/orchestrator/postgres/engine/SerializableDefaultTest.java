package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.testing.Threads;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.ds.PGSimpleDataSource;

/** Sessions whose default is SERIALIZABLE ask the control tables what somebody else changes. */
@PostgresTest
@Timeout(120)
class SerializableDefaultTest {

  private static final CreateIndex BY_ZIP =
      CreateIndex.of("billing/by-zip").table("users").name("users_by_zip").columns("zip").build();

  /** The heartbeat of the same driver does, now and then. */
  @Test
  void aSerializationFailureIsNoFailureOfTheStep() throws Exception {
    try (TestDatabase database = TestDatabase.create("serializable")) {
      database.execute(
          "CREATE TABLE users (id bigint PRIMARY KEY, zip text)",
          "INSERT INTO users VALUES (1, 'z')");
      Members.install(database.dataSource());
      PGSimpleDataSource serializable = database.newDataSource();
      serializable.setOptions("-c default_transaction_isolation=serializable");
      Statements ddl = new Statements(serializable);
      AtomicReference<CompletableFuture<Void>> changed = new AtomicReference<>();
      ddl.after(
          sql -> {
            if (sql.contains("pg_try_advisory_lock") && changed.get() == null) {
              changed.set(change(database));
            }
          });
      try (Orchestrator member =
          Members.member(database.dataSource(), "1")
              .ddlDataSource(ddl.dataSource())
              .timing(Members::patient)
              .thisBuild(BY_ZIP, CreateIndex.Code.UNAWARE)
              .build()) {
        member.advance();
        Eventually.until(
            "it is done",
            () ->
                member.drive().migrations().get(0).status() == MigrationStatus.DONE
                    || database.queryLong(
                            "SELECT count(*) FROM orchestrator.migration WHERE status = 'FAILED'")
                        == 1);
        assertThat(member.status().migrations().get(0).lastError()).isNull();
        assertThat(member.status().migrations().get(0).status()).isEqualTo(MigrationStatus.DONE);
      }
      changed.get().get();
      assertThat(
              database.queryLong(
                  "SELECT count(*) FROM orchestrator.event WHERE detail LIKE '%could not serialize%'"))
          .isPositive();
    }
  }

  /** Of the lease's row, which is committed as soon as somebody waits for it. */
  private static CompletableFuture<Void> change(TestDatabase database) {
    try {
      Connection holder = database.dataSource().getConnection();
      holder.setAutoCommit(false);
      try (Statement statement = holder.createStatement()) {
        statement.execute("UPDATE orchestrator.lease SET id = id");
      }
      return CompletableFuture.runAsync(
          () -> {
            try (holder) {
              Eventually.until(
                  "somebody asks for the lease",
                  () ->
                      database.queryLong(
                              "SELECT count(*) FROM pg_stat_activity WHERE datname ="
                                  + " current_database() AND wait_event_type = 'Lock' AND query LIKE"
                                  + " '%lease%FOR SHARE%'")
                          > 0);
              holder.commit();
            } catch (SQLException | InterruptedException e) {
              throw new IllegalStateException(e);
            }
          },
          Threads.ONE_EACH);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }
}
