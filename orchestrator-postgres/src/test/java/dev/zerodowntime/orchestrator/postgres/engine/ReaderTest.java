package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.State;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresServer;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.PrimaryAndStandby;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.ds.PGSimpleDataSource;

/** Named replicas are covered by the promise too: a real standby, which replays what it gets. */
@PostgresTest
@Timeout(180)
class ReaderTest {

  private static final String ID = "billing/region";
  private static final AddColumn REGION =
      AddColumn.of(ID).table("users").column("region", "text").build();
  private static final String THERE =
      "SELECT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('users') AND attname"
          + " = 'region')";

  private static PrimaryAndStandby servers;

  @BeforeAll
  static void start() throws Exception {
    Assumptions.assumeTrue(
        PostgresServer.get().kind().startsWith("embedded"),
        "NO STANDBY: this test starts two embedded servers of its own");
    servers = PrimaryAndStandby.start();
  }

  @AfterAll
  static void stop() throws Exception {
    if (servers != null) {
      servers.close();
    }
  }

  @BeforeEach
  void table() throws SQLException, InterruptedException {
    PrimaryAndStandby.execute(servers.primary(), "CREATE TABLE users (id bigint PRIMARY KEY)");
    Members.install(servers.primary());
    await("the table is there on the standby", "SELECT to_regclass('users') IS NOT NULL");
  }

  @AfterEach
  void clean() throws SQLException {
    PrimaryAndStandby.execute(
        servers.primary(), "DROP TABLE users", "DROP SCHEMA orchestrator CASCADE");
  }

  private static void await(String what, String sql) throws InterruptedException {
    Eventually.until(
        what,
        () -> {
          try {
            return PrimaryAndStandby.is(servers.standby(), sql);
          } catch (SQLException e) {
            throw new IllegalStateException(e);
          }
        });
  }

  /** An application is known, and the migration declared; nothing is entered yet. */
  private static Orchestrator declared() {
    Orchestrator member =
        Members.member(servers.primary(), "1")
            .role(Role.MEMBER)
            .timing(Members::patient)
            .thisBuild(REGION, AddColumn.Code.UNAWARE)
            .build();
    member.advance();
    return member;
  }

  private static Orchestrator job(DataSource replica) {
    return Members.driver(servers.primary())
        .timing(Members::turnedAway)
        .reader("replica-1", replica)
        .build();
  }

  private static MigrationReport driven(Orchestrator driver) {
    return driver.drive().migration(ID).orElseThrow();
  }

  private static void drivenUntilExpanded(Orchestrator driver) throws InterruptedException {
    Eventually.until("it goes on", () -> driven(driver).state().lower() >= AddColumn.EXPAND);
  }

  /** A standby that nobody named, one that is named, and one that has stopped following. */
  @Test
  void theDoctorLooksAtReplicas() throws Exception {
    try (Orchestrator unaware = Members.driver(servers.primary()).build();
        Orchestrator named = job(servers.standby())) {
      Eventually.until(
          "it follows", () -> unaware.doctor().toString().contains("1 standby follows"));
      assertThat(unaware.doctor().toString()).contains("WARN    replicas: 1 standby", "(standby)");
      Eventually.until(
          "it has replayed all",
          () -> named.doctor().toString().contains("OK      reader replica-1: has replayed all"));
      assertThat(named.doctor().toString()).doesNotContain("standby follows");
      PrimaryAndStandby.execute(servers.standby(), "SELECT pg_wal_replay_pause()");
      try {
        await("replay stands still", "SELECT pg_get_wal_replay_pause_state() = 'paused'");
        PrimaryAndStandby.execute(servers.primary(), "INSERT INTO users VALUES (4711)");
        assertThat(named.doctor().toString()).contains("WARN    reader replica-1: has replayed ");
      } finally {
        PrimaryAndStandby.execute(servers.standby(), "SELECT pg_wal_replay_resume()");
      }
    }
  }

  @Test
  void aPhaseIsReachedWhenItIsReplayed() throws Exception {
    try (Orchestrator member = declared();
        Orchestrator job = job(servers.standby())) {
      PrimaryAndStandby.execute(servers.standby(), "SELECT pg_wal_replay_pause()");
      try {
        await("replay stands still", "SELECT pg_get_wal_replay_pause_state() = 'paused'");
        Eventually.until(
            "the primary has the column", () -> driven(job) != null && there(servers.primary()));
        MigrationReport waiting = driven(job);
        assertThat(waiting.state()).isEqualTo(new State(0, AddColumn.EXPAND, Direction.UP));
        assertThat(FleetFixture.waits(waiting, Wait.Kind.REPLICA))
            .contains("replica replica-1 has not replayed");
        assertThat(there(servers.standby())).isFalse();
      } finally {
        PrimaryAndStandby.execute(servers.standby(), "SELECT pg_wal_replay_resume()");
      }
      drivenUntilExpanded(job);
      assertThat(there(servers.standby())).isTrue();
      assertThat(member.fit()).isTrue();
    }
  }

  /** Replaying the lock would make the query wait, or cancel it. */
  @Test
  void aLongQueryOnAReplicaIsLetEnd() throws Exception {
    try (Orchestrator member = declared();
        Orchestrator job = job(servers.standby());
        Connection report = servers.standby().getConnection();
        Statement query = report.createStatement()) {
      report.setAutoCommit(false);
      query.execute("SET application_name = 'nightly report'");
      query.executeQuery("SELECT count(*) FROM users").close();
      // Younger ones may end within the budget, and are not looked out for.
      await(
          "it is older than the lock budget",
          "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE application_name = 'nightly report'"
              + " AND clock_timestamp() - xact_start > interval '1 second')");
      assertThat(FleetFixture.waits(driven(job), Wait.Kind.REPLICA))
          .contains("replica replica-1", "nightly report");
      assertThat(there(servers.primary())).isFalse();
      query.executeQuery("SELECT count(*) FROM users").close();
      report.commit();
      drivenUntilExpanded(job);
      assertThat(member.fit()).isTrue();
    }
  }

  /** It fails closed: nobody knows what runs there. */
  @Test
  void aReplicaThatDoesNotAnswerHoldsEverything() throws Exception {
    PGSimpleDataSource gone = new PGSimpleDataSource();
    gone.setPortNumbers(new int[] {1});
    try (Orchestrator member = declared()) {
      try (Orchestrator job = job(gone)) {
        MigrationReport waiting = driven(job);
        assertThat(FleetFixture.waits(waiting, Wait.Kind.REPLICA))
            .contains("replica replica-1 can't be asked");
        assertThat(there(servers.primary())).isFalse();
      }
      try (Orchestrator job = job(servers.standby())) {
        drivenUntilExpanded(job);
      }
      assertThat(member.fit()).isTrue();
    }
  }

  private static boolean there(DataSource server) {
    try {
      return PrimaryAndStandby.is(server, THERE);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }
}
