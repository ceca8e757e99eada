package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.AddForeignKey;
import dev.zerodowntime.orchestrator.operation.AddUnique;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Nothing of ours stays in a connection that goes back to a pool: no setting, no lock, no
 * transaction, after whatever happened to it.
 */
@PostgresTest
@Timeout(120)
class SessionStateTest {

  private static final AddColumn REGION =
      AddColumn.of("billing/region").table("users").column("region", "text").build();

  private TestDatabase database;
  private WatchedPool application;
  private WatchedPool ddl;

  @BeforeEach
  void create() {
    database = TestDatabase.create("session");
    database.execute(Representative.tables());
    application = new WatchedPool(database.dataSource());
    ddl = new WatchedPool(database.dataSource());
  }

  @AfterEach
  void nothingIsLeft() throws SQLException {
    try {
      assertThat(application.leaks()).as("application's connections").isEmpty();
      assertThat(ddl.leaks()).as("connections for DDL").isEmpty();
      assertThat(ddl.returned()).isPositive();
    } finally {
      application.close();
      ddl.close();
      database.close();
    }
  }

  private OrchestratorBuilder member(String release) {
    return Members.member(application.dataSource(), release)
        .ddlDataSource(ddl.dataSource())
        .timing(Members::patient);
  }

  private void install() {
    try (Orchestrator job = member("job").role(Role.DRIVER).build()) {
      job.advance();
      job.adopted("billing");
    }
  }

  private static MigrationReport driven(Orchestrator driver, String id) {
    return driver.drive().migration(id).orElseThrow();
  }

  private static void drivenUntil(Orchestrator driver, String id, String phase)
      throws InterruptedException {
    Eventually.until(
        phase,
        () -> {
          MigrationReport report = driven(driver, id);
          return report.state().atRest() && report.phase().equals(phase);
        });
  }

  /** Installation, heartbeats, plans, scripts, all kinds of steps, the way back, the farewell. */
  @Test
  void whenAllGoesWell() throws Exception {
    install();
    try (Orchestrator member =
        Representative.declared(member("1"))
            .timing(
                timing ->
                    Members.patient(timing).heartbeat(Duration.ofMillis(50), Duration.ofMinutes(1)))
            .background(true)
            .build()) {
      assertThat(member.advance().admitted()).isTrue();
      assertThat(member.plan()).isNotEmpty();
      assertThat(member.status().migrations()).isNotEmpty();
      Representative.IDS.forEach(id -> assertThat(member.finishScript(id)).isNotBlank());
      member.pauseAll("to see that it goes on");
      member.resumeAll();
    }
    try (Orchestrator driver = member("job").role(Role.DRIVER).build()) {
      driver.advance();
      driver.forgetRelease("billing", "1");
      Representative.forth(driver);
      Representative.IDS.forEach(id -> assertThat(driver.rollbackScript(id)).isNotBlank());
      Representative.back(driver);
    }
  }

  @Test
  void whenPreflightRefuses() {
    install();
    AddColumn bad =
        AddColumn.of("billing/bad")
            .table("users")
            .column("size", "int")
            .notNull()
            .fillWithSql("zip::int")
            .build();
    try (Orchestrator member = member("1").thisBuild(bad, AddColumn.Code.UNAWARE).build()) {
      assertThat(catchThrowable(member::advance)).isInstanceOf(RefusedException.class);
      assertThat(catchThrowable(member::plan)).isInstanceOf(RefusedException.class);
    }
  }

  /** A statement under a lock that the database objects to. */
  @Test
  void whenDdlFails() {
    install();
    try (Orchestrator member = member("1").thisBuild(REGION, AddColumn.Code.UNAWARE).build()) {
      database.execute(
          "CREATE FUNCTION no() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN IF EXISTS (SELECT"
              + " FROM pg_event_trigger_ddl_commands() WHERE object_identity = 'public.users') THEN"
              + " RAISE 'no'; END IF; END$$",
          "CREATE EVENT TRIGGER no ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE"
              + " FUNCTION no()");
      member.advance();
      member.drive();
      assertThat(member.status().migrations().get(0).status()).isEqualTo(MigrationStatus.FAILED);
    }
  }

  /** Rows that a proof finds, a backfill that a trigger objects to, a build over bad rows. */
  @Test
  void whenRowsAreInTheWay() throws Exception {
    install();
    AddForeignKey key = Representative.KEY;
    CreateIndex build =
        CreateIndex.of("billing/failing")
            .table("parts")
            .name("parts_failing")
            .expression("1 / (size - 7)")
            .build();
    AddUnique unique =
        AddUnique.of("billing/unique").table("people").name("people_name").columns("name").build();
    try (Orchestrator member =
            member("1")
                .thisBuild(key, AddForeignKey.Code.CONFORMS)
                .thisBuild(build, CreateIndex.Code.UNAWARE)
                .thisBuild(unique, AddUnique.Code.CONFORMS)
                .thisBuild(Representative.ADD, AddColumn.Code.UNAWARE)
                .role(Role.MEMBER)
                .build();
        Orchestrator driver = member("job").role(Role.DRIVER).build()) {
      member.advance();
      database.execute(
          "ALTER TABLE customers DISABLE TRIGGER ALL",
          "DELETE FROM customers WHERE id = 200",
          "UPDATE people SET name = 'twice' WHERE id IN (10, 200)");
      database.execute(
          "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF NEW.id = 150 THEN"
              + " RAISE 'no'; END IF; RETURN NEW; END$$",
          "CREATE TRIGGER no BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION no()");
      Eventually.until(
          "all four fail",
          () ->
              driver.drive(Duration.ofMillis(200)).migrations().stream()
                  .allMatch(each -> each.status() == MigrationStatus.FAILED));
    }
  }

  /** Somebody takes a lock just after we looked: the statement's own limit ends it. */
  @Test
  void whenALockIsNotHadInTime() throws Exception {
    install();
    Statements between = new Statements(ddl.dataSource());
    try (Connection reader = database.dataSource().getConnection();
        Statement read = reader.createStatement();
        Orchestrator member =
            member("1")
                .ddlDataSource(between.dataSource())
                .timing(Members::turnedAway)
                .thisBuild(REGION, AddColumn.Code.UNAWARE)
                .build()) {
      reader.setAutoCommit(false);
      AtomicBoolean once = new AtomicBoolean();
      between.after(
          sql -> {
            if (sql.contains("synchronous_commit") && once.compareAndSet(false, true)) {
              try {
                read.execute("LOCK TABLE users IN ACCESS SHARE MODE");
              } catch (SQLException e) {
                throw new IllegalStateException(e);
              }
            }
          });
      member.advance();
      Eventually.until(
          "its attempt has ended",
          () ->
              member.drive() != null
                  && database.queryLong(
                          "SELECT count(*) FROM orchestrator.event WHERE outcome IN"
                              + " ('LOCK_TIMEOUT', 'CANCELLED')")
                      > 0);
      reader.rollback();
      drivenUntil(member, REGION.id(), "DONE");
    }
  }

  private boolean waits(String statement) {
    return database.queryLong(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND"
                + " wait_event_type = 'Lock' AND query LIKE '/* orchestrator %"
                + statement
                + "%'")
        > 0;
  }

  private void signal(String function, String statement) {
    database.queryOne(
        "SELECT count("
            + function
            + "(pid)) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '/*"
            + " orchestrator %"
            + statement
            + "%' AND pid <> pg_backend_pid()");
  }

  /** What is left of the build is removed by a session that is looked at too. */
  @ParameterizedTest
  @ValueSource(strings = {"pg_cancel_backend", "pg_terminate_backend"})
  void whenABuildIsEndedFromOutside(String function) throws Exception {
    install();
    try (Connection writer = database.dataSource().getConnection();
        Statement write = writer.createStatement();
        Orchestrator member =
            member("1")
                .thisBuild(Representative.INDEX, CreateIndex.Code.UNAWARE)
                .role(Role.MEMBER)
                .build();
        Orchestrator driver = member("job").role(Role.DRIVER).background(true).build()) {
      writer.setAutoCommit(false);
      write.execute("UPDATE parts SET size = size");
      member.advance();
      driver.advance();
      Eventually.until("the build waits", () -> waits("CREATE INDEX"));
      signal(function, "CREATE INDEX");
      Eventually.until("it has ended", () -> !waits("CREATE INDEX"));
      writer.commit();
      Eventually.until(
          "it is built",
          () ->
              database.queryLong("SELECT count(*) FROM orchestrator.migration WHERE reached = 1")
                  == 1);
    }
  }
}
