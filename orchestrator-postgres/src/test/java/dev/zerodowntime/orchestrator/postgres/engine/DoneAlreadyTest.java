package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.operation.SetNotNull;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Steps that would block, and that somebody has done already. */
@PostgresTest
@Timeout(120)
class DoneAlreadyTest {

  private static final SetNotNull TITLE =
      SetNotNull.of("billing/titled")
          .table("drafts")
          .column("title")
          .approvalBefore("DONE")
          .build();

  /** They need no lock, so nobody who has one is waited for. */
  @Test
  void nobodyIsInTheirWay(TestDatabase database) throws Exception {
    database.execute(
        "CREATE TABLE drafts (id bigint PRIMARY KEY, title text)",
        "INSERT INTO drafts SELECT n, 't' FROM generate_series(1, 300) n");
    Members.install(database.dataSource());
    try (Orchestrator member =
        Members.member(database.dataSource(), "1")
            .thisBuild(TITLE, SetNotNull.Code.CONFORMS)
            .build()) {
      member.advance();
      Eventually.until(
          "it enforces",
          () -> member.drive().migration(TITLE.id()).orElseThrow().phase().equals("ENFORCE"));
      member.approve(TITLE.id(), "DONE");
    }
    database.execute(
        database.server().majorVersion() >= 18
            ? "ALTER TABLE drafts VALIDATE CONSTRAINT drafts_title_not_null"
            : "DO 'DECLARE c text; BEGIN SELECT conname INTO c FROM pg_constraint WHERE conrelid ="
                + " ''drafts''::regclass AND contype = ''c''; ALTER TABLE drafts ALTER title SET"
                + " NOT NULL; EXECUTE format(''ALTER TABLE drafts DROP CONSTRAINT %I'', c); END'");
    try (Connection reader = database.dataSource().getConnection();
        Statement s = reader.createStatement();
        Orchestrator member =
            Members.member(database.dataSource(), "2")
                .timing(timing -> Members.quick(timing).lockBudget(Duration.ofMillis(1)))
                .thisBuild(TITLE, SetNotNull.Code.CONFORMS)
                .build()) {
      reader.setAutoCommit(false);
      s.execute("SELECT count(*), pg_sleep(0.1) FROM drafts");
      member.advance();
      Eventually.until("it is done", () -> member.drive().settled());
      assertThat(
              database.queryLong(
                  "SELECT count(*) FROM orchestrator.event WHERE outcome = 'BLOCKED'"))
          .isZero();
      reader.rollback();
    }
  }
}
