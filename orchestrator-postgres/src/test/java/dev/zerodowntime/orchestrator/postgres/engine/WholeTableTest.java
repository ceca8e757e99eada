package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumnByView;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A migration that changes its table as a whole has it to itself. */
@PostgresTest
class WholeTableTest {

  private static final RenameColumnByView RENAME =
      RenameColumnByView.of("billing/full-name")
          .table("users")
          .from("name")
          .to("full_name")
          .build();

  private static final AddColumn ADD =
      AddColumn.of("billing/region").table("users").column("region", "text").build();

  private TestDatabase database;

  @BeforeEach
  void create() {
    database = TestDatabase.create("whole table");
  }

  @AfterEach
  void drop() {
    database.close();
  }

  @Test
  void nothingElseChangesTheTableWhileItIsAView() {
    database.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY, name text)",
        "INSERT INTO users VALUES (1, 'Bob')");
    Members.install(database.dataSource());
    try (Orchestrator old =
        Members.member(database.dataSource(), "1")
            .thisBuild(RENAME, RenameColumnByView.Code.USES_OLD_NAME)
            .build()) {
      old.advance();
      assertThat(old.drive().migration(RENAME.id()).orElseThrow().phase()).isEqualTo("EXPAND");
    }
    database.execute("UPDATE users SET full_name = 'Ann' WHERE name = 'Bob'");
    try (Orchestrator both =
        Members.member(database.dataSource(), "2")
            .thisBuild(RENAME, RenameColumnByView.Code.USES_OLD_NAME)
            .thisBuild(ADD, AddColumn.Code.UNAWARE)
            .build()) {
      Untouched.refuses(
          database,
          DeclarationException.class,
          ErrorCode.CONFLICTING_MIGRATIONS,
          both::advance,
          "billing/full-name",
          "billing/region",
          "table public.users",
          "has reached CONTRACT",
          "it is at EXPAND");
    }
    try (Orchestrator next =
        Members.member(database.dataSource(), "3")
            .thisBuild(RENAME, RenameColumnByView.Code.USES_NEW_NAME)
            .build()) {
      next.advance();
      assertThat(next.drive().migration(RENAME.id()).orElseThrow().phase()).isEqualTo("CONTRACT");
    }
    try (Orchestrator both =
        Members.member(database.dataSource(), "4")
            .thisBuild(RENAME, RenameColumnByView.Code.USES_NEW_NAME)
            .thisBuild(ADD, AddColumn.Code.WRITES)
            .build()) {
      both.advance();
      both.drive();
    }
    assertThat(database.rows("SELECT full_name, region FROM users").toString())
        .isEqualTo("[[Ann, null]]");
  }

  /** Its purge has to find the table. */
  @Test
  void aTableIsNoViewWhileAColumnOfItIsInQuarantine() {
    database.execute("CREATE TABLE users (id bigint PRIMARY KEY, name text, gone text)");
    Members.install(database.dataSource());
    DropColumn drop =
        DropColumn.of("billing/gone")
            .table("users")
            .column("gone")
            .retention(Duration.ofDays(7))
            .build();
    try (Orchestrator member =
        Members.member(database.dataSource(), "1")
            .thisBuild(drop, DropColumn.Code.UNUSED)
            .build()) {
      member.advance();
      assertThat(member.drive().migration(drop.id()).orElseThrow().phase()).isEqualTo("CONTRACT");
    }
    try (Orchestrator both =
        Members.member(database.dataSource(), "2")
            .thisBuild(drop, DropColumn.Code.UNUSED)
            .thisBuild(RENAME, RenameColumnByView.Code.USES_OLD_NAME)
            .build()) {
      Untouched.refuses(
          database,
          DeclarationException.class,
          ErrorCode.CONFLICTING_MIGRATIONS,
          both::advance,
          "billing/gone",
          "billing/full-name",
          "table public.users",
          "has reached PURGE");
    }
  }
}
