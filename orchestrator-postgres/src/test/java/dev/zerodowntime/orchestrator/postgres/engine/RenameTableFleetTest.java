package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.RenameTable;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A table with two names: who touches it, and what comes after it. */
@PostgresTest
class RenameTableFleetTest {

  private static final RenameTable RENAME =
      RenameTable.of("billing/members").from("users").to("members").build();

  private static final AddColumn ADD =
      AddColumn.of("billing/region")
          .table("members")
          .column("region", "text")
          .after(RENAME)
          .build();

  private TestDatabase database;

  @BeforeEach
  void create() {
    database = TestDatabase.create("renamed table");
    database.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY, name text)",
        "INSERT INTO users VALUES (1, 'Bob')");
    Members.install(database.dataSource());
  }

  @AfterEach
  void drop() {
    database.close();
  }

  private static String phase(AdvanceReport report, String id) {
    return report.migration(id).orElseThrow().phase();
  }

  @Test
  void whatComesNextWaitsForTheOldNameToBeGone() {
    try (Orchestrator old =
        Members.member(database.dataSource(), "1")
            .touches("users", "members")
            .thisBuild(RENAME, RenameTable.Code.OLD)
            .thisBuild(ADD, AddColumn.Code.UNAWARE)
            .build()) {
      old.advance();
      AdvanceReport report = old.drive();
      assertThat(phase(report, RENAME.id())).isEqualTo("EXPAND");
      assertThat(phase(report, ADD.id())).isEqualTo("NOT_STARTED");
      assertThat(report.toString()).contains("also has its old name", "billing/members");
      database.execute("UPDATE members SET name = 'Ann'", "INSERT INTO users VALUES (2, 'Eve')");
    }
    try (Orchestrator next =
        Members.member(database.dataSource(), "2")
            .touches("users", "members")
            .thisBuild(RENAME, RenameTable.Code.NEW)
            .thisBuild(ADD, AddColumn.Code.UNAWARE)
            .build()) {
      next.advance();
      next.drive();
      AdvanceReport report = next.drive();
      assertThat(phase(report, RENAME.id())).isEqualTo("CONTRACT");
      assertThat(phase(report, ADD.id())).isNotEqualTo("NOT_STARTED");
    }
    assertThat(database.rows("SELECT * FROM members ORDER BY id").toString())
        .isEqualTo("[[1, Ann, null], [2, Eve, null]]");
  }
}
