package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Event triggers that somebody else has in the database. */
@PostgresTest
@Timeout(120)
class EventTriggerTest {

  private TestDatabase database;

  @BeforeEach
  void create() {
    database = TestDatabase.create("event_trigger");
    database.execute(Representative.tables());
    Members.install(database.dataSource());
  }

  @AfterEach
  void drop() {
    database.close();
  }

  /** Its function names its table without a schema: it runs with our sessions' search path. */
  @Test
  void oneThatLogs() throws Exception {
    database.execute(
        "CREATE TABLE ddl_log (id serial PRIMARY KEY, tag text, what text)",
        "CREATE FUNCTION log_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO"
            + " ddl_log (tag, what) SELECT command_tag, object_identity FROM"
            + " pg_event_trigger_ddl_commands(); END$$",
        "CREATE FUNCTION log_drop() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO"
            + " ddl_log (tag, what) SELECT tg_tag, object_identity FROM"
            + " pg_event_trigger_dropped_objects(); END$$",
        "CREATE FUNCTION log_rewrite() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN INSERT"
            + " INTO ddl_log (tag, what) VALUES ('rewrite',"
            + " pg_event_trigger_table_rewrite_oid()::regclass::text); END$$",
        "CREATE EVENT TRIGGER log_ddl ON ddl_command_end EXECUTE FUNCTION log_ddl()",
        "CREATE EVENT TRIGGER log_drop ON sql_drop EXECUTE FUNCTION log_drop()",
        "CREATE EVENT TRIGGER log_rewrite ON table_rewrite EXECUTE FUNCTION log_rewrite()");
    Representative.declareAndLeave(
        database.dataSource(), builder -> builder.timing(Members::patient));
    try (Orchestrator driver =
        Members.driver(database.dataSource()).timing(Members::patient).build()) {
      Representative.forth(driver);
      Representative.back(driver);
    }
    assertThat(database.queryLong("SELECT count(*) FROM ddl_log WHERE tag = 'CREATE INDEX'"))
        .isEqualTo(1);
    assertThat(database.queryLong("SELECT count(*) FROM ddl_log WHERE tag = 'rewrite'")).isZero();
    // What preflight tries out is rolled back, and leaves no lines.
    assertThat(
            database.queryLong(
                "SELECT count(*) FROM ddl_log WHERE what LIKE 'pg_temp%' OR tag = 'CREATE TABLE'"))
        .isZero();
  }

  /** It says so of real tables only; the step fails as a whole, and goes on when it may. */
  @Test
  void oneThatForbidsAStep() {
    database.execute(
        "CREATE FUNCTION frozen() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN IF EXISTS"
            + " (SELECT FROM pg_event_trigger_ddl_commands() WHERE schema_name = 'public') THEN"
            + " RAISE EXCEPTION 'no DDL before Monday'; END IF; END$$",
        "CREATE EVENT TRIGGER \"Freeze all\" ON ddl_command_end EXECUTE FUNCTION frozen()");
    AddColumn add = Representative.ADD;
    try (Orchestrator member =
        Members.member(database.dataSource(), "1")
            .timing(Members::patient)
            .thisBuild(add, AddColumn.Code.UNAWARE)
            .build()) {
      List<List<Object>> before = Untouched.of(database);
      member.advance();
      MigrationReport failed = member.drive().migration(add.id()).orElseThrow();
      assertThat(failed.status()).isEqualTo(MigrationStatus.FAILED);
      assertThat(failed.lastError())
          .contains(
              "add-column",
              "no DDL before Monday",
              "frozen()",
              "event trigger \"Freeze all\"",
              "ALTER TABLE");
      assertThat(Untouched.of(database).stream().filter(row -> !before.contains(row)).toList())
          .as("what is new is the member alone")
          .hasSize(1);
      database.execute("ALTER EVENT TRIGGER \"Freeze all\" DISABLE");
      member.resume(add.id());
      assertThat(member.drive().migration(add.id()).orElseThrow().state().reached())
          .isEqualTo(AddColumn.ENFORCE);
    }
  }

  /** Not even on a temporary table: then nothing can be tried out. */
  @Test
  void oneThatForbidsEverything() {
    database.execute(
        "CREATE FUNCTION frozen() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION"
            + " 'no DDL before Monday'; END$$",
        "CREATE EVENT TRIGGER \"Freeze all\" ON ddl_command_start WHEN TAG IN ('ALTER TABLE', 'CREATE"
            + " TABLE') EXECUTE FUNCTION frozen()");
    for (AddColumn add :
        List.of(
            Representative.ADD,
            AddColumn.of("billing/plain").table("users").column("level", "int").build())) {
      try (Orchestrator member =
          Members.member(database.dataSource(), "1")
              .timing(Members::patient)
              .thisBuild(add, AddColumn.Code.UNAWARE)
              .build()) {
        Untouched.refuses(
            database,
            RefusedException.class,
            ErrorCode.REFUSED,
            member::advance,
            add.id(),
            "event trigger \"Freeze all\"",
            "no DDL before Monday",
            "ALTER EVENT TRIGGER \"Freeze all\" DISABLE");
      }
    }
  }
}
