package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.testing.Threads;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.ds.PGSimpleDataSource;

/** The synchronous standby dies between a statement and its commit. */
@PostgresTest
@Timeout(120)
class DeadStandbyTest {

  private static final AddColumn REGION =
      AddColumn.of("billing/region").table("users").column("region", "text").build();

  private TestDatabase database;

  /** What looks on commits without waiting for anybody. */
  private PGSimpleDataSource local;

  @BeforeEach
  void create() {
    database = TestDatabase.create("dead_standby");
    database.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY)",
        "INSERT INTO users VALUES (1)",
        "CREATE TABLE probe (n int)");
    Members.install(database.dataSource());
    local = database.newDataSource();
    local.setOptions("-c synchronous_commit=local -c lock_timeout=300");
  }

  @AfterEach
  void drop() {
    revive();
    database.close();
  }

  private void local(String... statements) {
    try (Connection c = local.getConnection();
        Statement s = c.createStatement()) {
      for (String sql : statements) {
        s.execute(sql);
      }
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private void revive() {
    local("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()");
  }

  /** Returns when somebody's commit really waits. */
  private CompletableFuture<Void> die() {
    local("ALTER SYSTEM SET synchronous_standby_names = 'ghost'", "SELECT pg_reload_conf()");
    CompletableFuture<Void> application =
        CompletableFuture.runAsync(
            () -> {
              while (waiting("INSERT INTO probe") == 0 && !Thread.interrupted()) {
                database.execute("INSERT INTO probe VALUES (1)");
                if (database.queryLong("SELECT count(*) FROM probe WHERE n = 2") > 0) {
                  return;
                }
              }
            },
            Threads.ONE_EACH);
    try {
      Eventually.until("a commit waits for the standby", () -> waiting("INSERT INTO probe") > 0);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    return application;
  }

  private long waiting(String statement) {
    return database.queryLong(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event ="
            + " 'SyncRep' AND query LIKE '%"
            + statement
            + "%'");
  }

  @Test
  void noLockIsHeldInACommitThatWaits() throws Exception {
    Statements ddl = new Statements(database.newDataSource());
    try (Orchestrator member =
            Members.member(database.newDataSource(), "1")
                .role(Role.MEMBER)
                .timing(Members::patient)
                .thisBuild(REGION, AddColumn.Code.UNAWARE)
                .build();
        Orchestrator driver =
            Members.driver(database.newDataSource())
                .ddlDataSource(ddl.dataSource())
                // The standby dies within the transaction, which isn't to be ended for that.
                .timing(timing -> Members.patient(timing).lockBudget(Duration.ofSeconds(10)))
                .background(true)
                .build()) {
      member.advance();
      AtomicBoolean once = new AtomicBoolean();
      CompletableFuture<CompletableFuture<Void>> died = new CompletableFuture<>();
      ddl.after(
          sql -> {
            if (sql.contains("ADD COLUMN \"region\"")
                && sql.startsWith("/* orchestrator")
                && once.compareAndSet(false, true)) {
              died.complete(die());
            }
          });
      // Whoever drives waits as well.
      CompletableFuture<Object> driving =
          CompletableFuture.supplyAsync(driver::advance, Threads.ONE_EACH);
      CompletableFuture<Void> application = died.get();
      Eventually.until(
          "the column is there for everybody: its commit waited for nobody",
          () ->
              database.queryLong(
                      "SELECT count(*) FROM pg_attribute WHERE attrelid = 'users'::regclass AND"
                          + " attname = 'region'")
                  == 1);
      local("SELECT region FROM users");
      Eventually.until(
          "who asks hears what it waits for",
          () -> {
            MigrationReport report = member.status().migrations().get(0);
            local("SELECT region FROM users");
            return FleetFixture.waits(report, Wait.Kind.REPLICA).contains("synchronous standby");
          });
      assertThat(FleetFixture.waits(member.status().migrations().get(0), Wait.Kind.REPLICA))
          .contains("synchronous_standby_names = 'ghost'");
      local("INSERT INTO probe VALUES (2)");
      revive();
      application.get();
      driving.get();
      Eventually.until(
          "it is done",
          () ->
              database.queryLong(
                      "SELECT count(*) FROM orchestrator.migration WHERE status = 'DONE'")
                  == 1);
    }
  }
}
