package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.EndBlockers;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** Sessions in the way of DDL are ended where somebody has said so, and no others. */
@PostgresTest
class EndBlockersTest {

  private static final EndBlockers SOON = EndBlockers.olderThan(Duration.ofMillis(300));

  private static final AddColumn COLUMN =
      AddColumn.of("billing/level").table("users").column("level", "int").build();

  private TestDatabase database;
  private String role;

  @BeforeEach
  void create() {
    database = TestDatabase.create("end_blockers");
    role = database.name() + "_app";
    database.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY)",
        "INSERT INTO users VALUES (1)",
        "CREATE ROLE " + role + " LOGIN",
        "GRANT ALL ON users TO " + role);
    Members.install(database.dataSource());
  }

  @AfterEach
  void drop() {
    database.execute("DROP OWNED BY " + role);
    database.close();
    try (TestDatabase other = TestDatabase.create("end_blockers_role")) {
      other.execute("DROP ROLE " + role);
    }
  }

  private Connection application(String... statements) throws SQLException {
    PGSimpleDataSource source = database.newDataSource();
    source.setUser(role);
    return open(source.getConnection(), statements);
  }

  private static Connection open(Connection connection, String... statements) throws SQLException {
    connection.setAutoCommit(false);
    try (Statement statement = connection.createStatement()) {
      for (String each : statements) {
        statement.execute(each);
      }
    }
    return connection;
  }

  private OrchestratorBuilder member() {
    return Members.member(database.dataSource(), "1")
        .timing(Members::turnedAway)
        .thisBuild(COLUMN, AddColumn.Code.UNAWARE);
  }

  private static String phase(Orchestrator member) {
    return member.drive(Duration.ofMillis(200)).migration("billing/level").orElseThrow().phase();
  }

  private long ended() {
    return database.queryLong(
        "SELECT count(*) FROM orchestrator.event WHERE kind = 'END_SESSION' AND outcome = 'ENDED'"
            + " AND detail LIKE '%idle in transaction%'");
  }

  private void leftAlone(Connection inTheWay, EndBlockers policy, String why) throws Exception {
    try (inTheWay;
        Orchestrator member = member().endBlockers(policy).build()) {
      member.advance();
      Eventually.until(
          "it says why",
          () -> {
            member.drive(Duration.ofMillis(200));
            Object wait = database.queryOne("SELECT wait FROM orchestrator.migration");
            return wait != null && wait.toString().contains(why);
          });
      open(inTheWay, "SELECT FROM users");
      assertThat(ended()).isZero();
    }
  }

  @Test
  void whoIsInTheWayForLongIsEndedAndWrittenDown() throws Exception {
    try (Connection inTheWay = application("SELECT FROM users");
        Orchestrator member = member().endBlockers(SOON).build()) {
      member.advance();
      Eventually.until("it is added", () -> !phase(member).equals("NOT_STARTED"));
      // Who is still on the way out at the next attempt is told once more.
      assertThat(ended()).isPositive();
      assertThatThrownBy(() -> open(inTheWay, "SELECT FROM users"))
          .isInstanceOf(SQLException.class);
    }
  }

  @Test
  void byDefaultNobodyIsEnded() throws Exception {
    try (Connection inTheWay = application("SELECT FROM users");
        Orchestrator member = member().build()) {
      member.advance();
      Eventually.until(
          "it waits",
          () -> {
            member.drive(Duration.ofMillis(200));
            return database.queryLong(
                    "SELECT count(*) FROM orchestrator.migration WHERE wait LIKE 'not queueing"
                        + " behind%'")
                == 1;
          });
      open(inTheWay, "SELECT FROM users");
      assertThat(ended()).isZero();
    }
  }

  @Test
  void whoIsYoungerIsWaitedFor() throws Exception {
    leftAlone(
        application("SELECT FROM users"),
        EndBlockers.olderThan(Duration.ofMinutes(10)),
        "is ended when it is older than 600 s");
  }

  @Test
  void superusersAreLeftAlone() throws Exception {
    leftAlone(
        open(database.dataSource().getConnection(), "SELECT FROM users"), SOON, "is a superuser");
  }

  @Test
  void backupsAreLeftAlone() throws Exception {
    leftAlone(
        application("SET application_name = 'pg_dump'", "SELECT FROM users"),
        SOON,
        "it is a backup: pg_dump");
  }

  @Test
  void whoHasLockedATableIsLeftAlone() throws Exception {
    leftAlone(
        application("LOCK TABLE users IN SHARE MODE"), SOON, "it has locked a table explicitly");
  }

  @Test
  void preparedTransactionsAreLeftAlone() throws Exception {
    try (Connection other =
        application("SELECT FROM users", "PREPARE TRANSACTION '" + role + "'")) {
      leftAlone(application(), SOON, "ROLLBACK PREPARED ends it");
    } finally {
      database.execute("ROLLBACK PREPARED '" + role + "'");
    }
  }

  @Test
  void aPolicyThatWouldEndEverybodyIsRefused() {
    assertThatThrownBy(() -> EndBlockers.olderThan(Duration.ZERO))
        .isInstanceOf(DeclarationException.class)
        .hasMessageContaining("PT0S");
    assertThatThrownBy(() -> SOON.mostRows(-1))
        .isInstanceOf(DeclarationException.class)
        .hasMessageContaining("-1 rows");
  }
}
