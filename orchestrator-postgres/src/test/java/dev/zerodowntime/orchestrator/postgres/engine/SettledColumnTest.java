package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** While the tombstone is there, the column is the first migration's alone. */
@PostgresTest
class SettledColumnTest {

  private static RenameColumn first(Duration retention) {
    return RenameColumn.of("billing/full-name")
        .table("users")
        .from("name")
        .to("full_name")
        .retention(retention)
        .build();
  }

  private static final RenameColumn RENAMED_AGAIN =
      RenameColumn.of("billing/display-name")
          .table("users")
          .from("full_name")
          .to("display_name")
          .build();

  private static final DropColumn DROPPED =
      DropColumn.of("billing/drop-name").table("users").column("full_name").build();

  @Test
  void aRenamedColumnIsNotRenamedOrDroppedAgainBeforePurge(TestDatabase database) {
    database.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY, name text)",
        "INSERT INTO users VALUES (1, 'Bob')");
    Members.install(database.dataSource());
    RenameColumn kept = first(Duration.ofDays(7));
    try (Orchestrator old =
        Members.member(database.dataSource(), "1")
            .thisBuild(kept, RenameColumn.Code.USES_OLD_NAME)
            .build()) {
      old.advance();
    }
    try (Orchestrator next =
        Members.member(database.dataSource(), "2")
            .thisBuild(kept, RenameColumn.Code.USES_NEW_NAME)
            .build()) {
      next.advance();
      assertThat(next.drive().migration(kept.id()).orElseThrow().phase()).isEqualTo("CONTRACT");
    }
    try (Orchestrator both =
        Members.member(database.dataSource(), "3")
            .thisBuild(kept, RenameColumn.Code.USES_NEW_NAME)
            .thisBuild(RENAMED_AGAIN, RenameColumn.Code.USES_OLD_NAME)
            .build()) {
      refused(database, both, RENAMED_AGAIN.id());
    }
    try (Orchestrator both =
        Members.member(database.dataSource(), "3")
            .thisBuild(kept, RenameColumn.Code.USES_NEW_NAME)
            .thisBuild(DROPPED, DropColumn.Code.USES)
            .build()) {
      refused(database, both, DROPPED.id());
    }
    database.execute("INSERT INTO users (id, full_name) VALUES (2, 'Ann')");

    RenameColumn purged = first(Duration.ZERO);
    try (Orchestrator next =
        Members.member(database.dataSource(), "4")
            .thisBuild(purged, RenameColumn.Code.USES_NEW_NAME)
            .build()) {
      next.advance();
      assertThat(next.drive().migration(kept.id()).orElseThrow().phase()).isEqualTo("PURGE");
    }
    try (Orchestrator both =
        Members.member(database.dataSource(), "5")
            .thisBuild(purged, RenameColumn.Code.USES_NEW_NAME)
            .thisBuild(RENAMED_AGAIN, RenameColumn.Code.USES_OLD_NAME)
            .build()) {
      both.advance();
      assertThat(both.drive().migration(RENAMED_AGAIN.id()).orElseThrow().phase())
          .isEqualTo("ENFORCE");
    }
    database.execute("INSERT INTO users (id, full_name) VALUES (3, 'Joe')");
    assertThat(database.queryLong("SELECT count(*) FROM users WHERE display_name = full_name"))
        .isEqualTo(3);
  }

  private static void refused(TestDatabase database, Orchestrator member, String second) {
    Untouched.refuses(
        database,
        DeclarationException.class,
        ErrorCode.CONFLICTING_MIGRATIONS,
        member::advance,
        "billing/full-name",
        second,
        "column full_name of public.users",
        "has reached PURGE",
        "it is at CONTRACT");
  }
}
