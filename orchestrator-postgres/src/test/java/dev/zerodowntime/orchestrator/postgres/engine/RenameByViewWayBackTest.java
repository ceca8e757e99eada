package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.operation.RenameColumnByView;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What people built on the view meanwhile is in its way back; named before anything is tried. */
@PostgresTest
class RenameByViewWayBackTest {

  private static final RenameColumnByView RENAME =
      RenameColumnByView.of("billing/by-view").table("users").from("name").to("full_name").build();

  private TestDatabase database;

  @BeforeEach
  void create() {
    database = TestDatabase.create("view_back");
    database.execute(
        "CREATE TABLE users (id int PRIMARY KEY, name text)", "INSERT INTO users VALUES (1, 'n')");
    Members.install(database.dataSource());
  }

  @AfterEach
  void drop() {
    database.close();
  }

  private MigrationReport driven(Orchestrator member) {
    return member.drive().migration(RENAME.id()).orElseThrow();
  }

  private Orchestrator expanded() {
    Orchestrator member =
        Members.member(database.dataSource(), "1")
            .timing(Members::patient)
            .thisBuild(RENAME, RenameColumnByView.Code.USES_OLD_NAME)
            .build();
    member.advance();
    assertThat(driven(member).state().reached()).isEqualTo(RenameColumnByView.EXPAND);
    return member;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "CREATE VIEW report AS SELECT full_name FROM users | view report | DROP VIEW report",
        "CREATE MATERIALIZED VIEW m AS SELECT 1 FROM users | materialized view m | DROP MATERIALIZED VIEW m",
        "CREATE TABLE holds (u users) | column u of table holds | DROP TABLE holds",
        "CREATE FUNCTION f() RETURNS SETOF users LANGUAGE sql AS 'TABLE users' | function f() | DROP FUNCTION f",
        "ALTER VIEW users RENAME TO other | no longer the view | ALTER VIEW other RENAME TO users"
      })
  void isRefusedByName(String ddl, String says, String undo) {
    try (Orchestrator member = expanded()) {
      database.execute(ddl);
      member.rollback(RENAME.id());
      MigrationReport refused = driven(member);
      assertThat(refused.status()).isEqualTo(MigrationStatus.FAILED);
      assertThat(refused.state().atRest()).isTrue();
      assertThat(refused.phase()).isEqualTo("EXPAND");
      assertThat(refused.lastError().replace("public.", ""))
          .contains(says)
          .doesNotContain("SQLSTATE");
      database.execute(undo);
      member.resume(RENAME.id());
      member.rollback(RENAME.id());
      assertThat(driven(member).phase()).isEqualTo("NOT_STARTED");
      assertThat(
              database.<String>queryOne(
                  "SELECT relkind::text FROM pg_class WHERE relname = 'users'"))
          .isEqualTo("r");
    }
  }

  /** What goes with the table, not with the view, is no hindrance. */
  @Test
  void whatFollowsTheTableIsNotInTheWay() {
    try (Orchestrator member = expanded()) {
      String hidden =
          database.queryOne("SELECT relname::text FROM pg_class WHERE relname LIKE 'zdo_table%'");
      database.execute(
          "CREATE VIEW report AS SELECT name FROM " + hidden,
          "ALTER TABLE " + hidden + " ADD full_size int",
          "CREATE INDEX ON " + hidden + " (name)");
      member.rollback(RENAME.id());
      MigrationReport back = driven(member);
      assertThat(back.phase()).as(back.toString()).isEqualTo("NOT_STARTED");
      assertThat(database.queryLong("SELECT count(*) FROM report")).isEqualTo(1);
    }
  }
}
