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

/** People change their mind while an index is being built. */
@PostgresTest
@Timeout(120)
class OnlineBuildTest {

  private static final String ID = "billing/by-zip";
  private static final CreateIndex BY_ZIP =
      CreateIndex.of(ID).table("users").name("users_by_zip").columns("zip").build();

  private TestDatabase database;
  private Orchestrator member;
  private Orchestrator driver;

  /** A transaction that has written to the table: a build waits for it. */
  private Connection writer;

  @BeforeEach
  void build() throws Exception {
    database = TestDatabase.create("online");
    database.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY, zip text)",
        "INSERT INTO users VALUES (1, 'z')");
    Members.install(database.dataSource());
    writer = database.dataSource().getConnection();
    writer.setAutoCommit(false);
    try (Statement s = writer.createStatement()) {
      s.execute("UPDATE users SET zip = 'y'");
    }
    member =
        Members.member(database.dataSource(), "1")
            .role(Role.MEMBER)
            .timing(Members::patient)
            .thisBuild(BY_ZIP, CreateIndex.Code.UNAWARE)
            .build();
    member.advance();
    driver =
        Members.driver(database.dataSource()).timing(Members::patient).background(true).build();
    driver.advance();
    Eventually.until("the build waits for the writer", () -> indexes("NOT indisvalid") == 1);
  }

  @AfterEach
  void drop() throws Exception {
    writer.close();
    driver.close();
    member.close();
    database.close();
  }

  private long indexes(String condition) {
    return database.queryLong(
        "SELECT count(*) FROM pg_index WHERE indexrelid = to_regclass('users_by_zip') AND "
            + condition);
  }

  private boolean restsAt(String phase) {
    return database.queryLong(
            "SELECT count(*) FROM orchestrator.migration WHERE entering = reached AND reached = "
                + BY_ZIP.lifecycle().position(phase))
        == 1;
  }

  /** The result that came in while it was paused is of no account after a roll-back. */
  @Test
  void whatWasBuiltBeforeARollBackDoesNotCountAfterwards() throws Exception {
    driver.pause(ID);
    writer.commit();
    Eventually.until("the build ends by itself", () -> indexes("indisvalid") == 1);
    driver.rollback(ID);
    Eventually.until("it is back", () -> restsAt("NOT_STARTED"));
    assertThat(indexes("true")).isZero();
    driver.resume(ID);
    Eventually.until("it is done", () -> restsAt("DONE"));
    assertThat(indexes("indisvalid")).isEqualTo(1);
  }

  /** Dropping what is being built would be a deadlock, and the build its victim. */
  @Test
  void aRollBackLetsTheBuildEndFirst() throws Exception {
    driver.rollback(ID);
    Eventually.until(
        "the driver has turned round",
        () ->
            database.queryLong(
                    "SELECT count(*) FROM orchestrator.migration WHERE direction = 'DOWN'")
                == 1);
    writer.commit();
    Eventually.until("it is back", () -> restsAt("NOT_STARTED"));
    assertThat(indexes("true")).isZero();
    assertThat(
            database.queryLong(
                "SELECT count(*) FROM orchestrator.event WHERE detail LIKE '%DEADLOCK%' OR outcome"
                    + " IN ('DEADLOCK', 'FAILED')"))
        .isZero();
  }

  /** At once, not when somebody resumes it: what is left costs every write. */
  @Test
  void whatAFailedBuildLeavesIsRemovedAtOnce() throws Exception {
    driver.pauseAll("to declare another");
    writer.commit();
    database.execute(
        "CREATE TABLE bad (id bigint PRIMARY KEY, n int)", "INSERT INTO bad VALUES (1, 0)");
    CreateIndex failing =
        CreateIndex.of("billing/failing")
            .table("bad")
            .name("bad_index")
            .expression("1 / n")
            .build();
    try (Orchestrator other =
        Members.member(database.dataSource(), "2")
            .role(Role.MEMBER)
            .timing(Members::patient)
            .thisBuild(failing, CreateIndex.Code.UNAWARE)
            .build()) {
      other.advance();
      driver.resumeAll();
      Eventually.until(
          "it has failed",
          () ->
              database.queryLong(
                      "SELECT count(*) FROM orchestrator.migration WHERE status = 'FAILED'")
                  == 1);
      assertThat(database.queryLong("SELECT count(*) FROM pg_class WHERE relname = 'bad_index'"))
          .isZero();
    }
  }
}
