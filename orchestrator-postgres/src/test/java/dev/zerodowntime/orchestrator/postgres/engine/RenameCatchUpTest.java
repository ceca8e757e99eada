package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A rename that another migration and a person's hand come in between. */
@PostgresTest
class RenameCatchUpTest {

  private static final RenameColumn FULL_NAME =
      RenameColumn.of("billing/full-name")
          .table("users")
          .from("name")
          .to("full_name")
          .retention(Duration.ZERO)
          .build();

  private static final AddColumn SHOUT =
      AddColumn.of("billing/shout")
          .table("users")
          .column("shout", "text")
          .notNull()
          .fillWithSql("upper(coalesce(name, ''))")
          .build();

  @Test
  void waitsForTheFillAndCatchesUpWithTheTable(TestDatabase database) {
    database.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY, name text CONSTRAINT named CHECK (name <>"
            + " 'x'))",
        "CREATE INDEX users_name ON users (name)",
        "INSERT INTO users VALUES (1, 'Bob')");
    Members.install(database.dataSource());
    try (Orchestrator first =
        member(database, "1", RenameColumn.Code.USES_OLD_NAME, AddColumn.Code.UNAWARE)) {
      first.advance();
      AdvanceReport report = first.drive();
      assertThat(of(report, FULL_NAME.id()).phase()).isEqualTo("ENFORCE");
      assertThat(of(report, SHOUT.id()).phase()).isEqualTo("ENFORCE");
    }
    try (Orchestrator second =
        member(database, "2", RenameColumn.Code.USES_NEW_NAME, AddColumn.Code.UNAWARE)) {
      second.advance();
      MigrationReport rename = of(second.drive(), FULL_NAME.id());
      assertThat(rename.phase()).isEqualTo("ENFORCE");
      assertThat(rename.waits())
          .anySatisfy(
              wait -> {
                assertThat(wait.kind()).isEqualTo(Wait.Kind.ORDER);
                assertThat(wait.what())
                    .isEqualTo(
                        "migration billing/shout fills a column from \"name\" until it is DONE");
              });
    }
    database.execute(
        "ALTER TABLE users DROP CONSTRAINT named",
        "CREATE UNIQUE INDEX users_lower ON users (id, name)",
        "ALTER TABLE users ALTER name SET DEFAULT 'nobody'",
        "ALTER TABLE users DISABLE TRIGGER ALL",
        "ALTER TABLE users ENABLE TRIGGER ALL");
    try (Orchestrator third =
        member(database, "3", RenameColumn.Code.USES_NEW_NAME, AddColumn.Code.READS)) {
      third.advance();
      AdvanceReport report = third.drive(Duration.ofSeconds(30));
      assertThat(of(report, SHOUT.id()).phase()).isEqualTo("DONE");
      assertThat(of(report, FULL_NAME.id()).phase()).isEqualTo("PURGE");
    }
    database.execute(
        "INSERT INTO users (id, full_name, shout) VALUES (2, 'x', '')",
        "INSERT INTO users (id, shout) VALUES (3, '')");
    assertThat(database.<String>queryOne("SELECT full_name FROM users WHERE id = 3"))
        .isEqualTo("nobody");
    assertThat(
            database
                .rows(
                    "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid ="
                        + " 'users'::regclass ORDER BY 1")
                .toString())
        .contains("INDEX users_name ON public.users USING btree (full_name)")
        .contains("UNIQUE INDEX users_lower ON public.users USING btree (id, full_name)");
    assertThat(
            database.queryLong(
                "SELECT count(*) FROM pg_constraint WHERE conrelid = 'users'::regclass AND contype"
                    + " = 'c'"))
        .isZero();
  }

  private static Orchestrator member(
      TestDatabase database, String release, RenameColumn.Code name, AddColumn.Code shout) {
    return Members.member(database.dataSource(), release)
        .thisBuild(FULL_NAME, name)
        .thisBuild(SHOUT, shout)
        .build();
  }

  private static MigrationReport of(AdvanceReport report, String id) {
    return report.migration(id).orElseThrow();
  }
}
