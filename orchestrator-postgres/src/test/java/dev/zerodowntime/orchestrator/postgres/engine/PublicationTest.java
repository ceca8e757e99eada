package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.operation.DropTable;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumnByView;
import dev.zerodowntime.orchestrator.operation.RenameColumnInCode;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Published tables: what subscribers would miss is confirmed by a person, what would break the
 * publication is refused.
 */
@PostgresTest
@Timeout(120)
@Tag("long")
class PublicationTest {

  private TestDatabase database;

  @BeforeEach
  void create() {
    database = TestDatabase.create("published");
    database.execute(Representative.tables());
    Members.install(database.dataSource());
  }

  @AfterEach
  void drop() {
    database.close();
  }

  /** Declares one, with nobody left to hold it back. */
  private <C extends Enum<C> & CodeStage> Orchestrator driver(Migration<C> migration, C oldest) {
    try (Orchestrator member =
        Members.member(database.dataSource(), "1")
            .role(Role.MEMBER)
            .timing(Members::patient)
            .thisBuild(migration, oldest)
            .build()) {
      member.advance();
    }
    Orchestrator driver = Members.driver(database.dataSource()).timing(Members::patient).build();
    driver.advance();
    driver.forgetRelease("billing", "1");
    return driver;
  }

  private static MigrationReport driven(Orchestrator driver, Migration<?> migration) {
    MigrationReport report = driver.drive().migration(migration.id()).orElseThrow();
    assertThat(report.lastError()).as(report.toString()).isNull();
    return report;
  }

  private static void waits(
      Orchestrator driver, Migration<?> migration, String phase, String... says) {
    MigrationReport report = driven(driver, migration);
    assertThat(report.phase()).isEqualTo(phase);
    assertThat(FleetFixture.waits(report, Wait.Kind.APPROVAL)).contains(says);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "CREATE PUBLICATION \"Pub 1\" FOR TABLE users, people, legacy, parts",
        "CREATE PUBLICATION \"Pub 1\" FOR ALL TABLES"
      })
  void aNewColumnIsConfirmed(String publication) {
    database.execute(publication);
    AddColumn add = Representative.ADD;
    try (Orchestrator driver = driver(add, AddColumn.Code.UNAWARE)) {
      waits(driver, add, "NOT_STARTED", "[Pub 1]", "\"users\"", "\"region\"", "subscriber");
      driver.approve(add.id(), "EXPAND");
      assertThat(driven(driver, add).finished()).isTrue();
      driver.rollback(add.id());
      waits(driver, add, "EXPAND", "[Pub 1]", "\"zdo_old_");
      driver.approve(add.id(), "NOT_STARTED");
      assertThat(driven(driver, add).phase()).isEqualTo("NOT_STARTED");
    }
  }

  @Test
  void aRenameIsConfirmedTwice() {
    database.execute("CREATE PUBLICATION p FOR TABLE people");
    RenameColumn rename = Representative.RENAME;
    try (Orchestrator driver = driver(rename, RenameColumn.Code.USES_OLD_NAME)) {
      waits(driver, rename, "NOT_STARTED", "[p]", "\"people\"", "\"full_name\"");
      driver.approve(rename.id(), "EXPAND");
      waits(driver, rename, "ENFORCE", "[p]", "\"zdo_old_");
      driver.approve(rename.id(), "CONTRACT");
      assertThat(driven(driver, rename).phase()).isEqualTo("CONTRACT");
    }
  }

  @Test
  void aRenameInCodeIsConfirmedTwice() {
    database.execute("CREATE PUBLICATION p FOR ALL TABLES");
    RenameColumnInCode rename =
        RenameColumnInCode.of("billing/in-code").table("people").from("name").to("alias").build();
    try (Orchestrator driver = driver(rename, RenameColumnInCode.Code.OLD)) {
      waits(driver, rename, "NOT_STARTED", "[p]", "\"alias\"");
      driver.approve(rename.id(), "EXPAND");
      waits(driver, rename, "RELAX", "[p]", "\"zdo_old_");
      driver.approve(rename.id(), "CONTRACT");
      assertThat(driven(driver, rename).phase()).isEqualTo("CONTRACT");
    }
  }

  @Test
  void aQuarantineIsConfirmed() {
    database.execute("CREATE PUBLICATION p FOR TABLE legacy");
    DropColumn remove = Representative.DROP;
    try (Orchestrator driver = driver(remove, DropColumn.Code.USES)) {
      waits(driver, remove, "RELAX", "[p]", "\"legacy\"", "\"zdo_old_");
      driver.approve(remove.id(), "CONTRACT");
      assertThat(driven(driver, remove).phase()).isEqualTo("CONTRACT");
      driver.rollback(remove.id());
      assertThat(driven(driver, remove).phase()).isEqualTo("NOT_STARTED");
    }
  }

  /** Subscribers have no need of it. */
  @Test
  void anIndexNeedsNoWord() {
    database.execute("CREATE PUBLICATION p FOR ALL TABLES");
    try (Orchestrator driver = driver(Representative.INDEX, CreateIndex.Code.UNAWARE)) {
      assertThat(driven(driver, Representative.INDEX).finished()).isTrue();
    }
  }

  /** What is in the list is sent, and nothing else. */
  @Test
  void aColumnListKeepsNewColumnsOut() {
    Assumptions.assumeTrue(database.server().majorVersion() >= 15, "lists came with PostgreSQL 15");
    database.execute("CREATE PUBLICATION p FOR TABLE users (id, zip) WHERE (id > 5)");
    AddColumn add = Representative.ADD;
    try (Orchestrator driver = driver(add, AddColumn.Code.UNAWARE)) {
      assertThat(driven(driver, add).finished()).isTrue();
      driver.rollback(add.id());
      assertThat(driven(driver, add).phase()).isEqualTo("NOT_STARTED");
    }
  }

  private <C extends Enum<C> & CodeStage> void refused(
      Migration<C> migration, C oldest, String... says) {
    try (Orchestrator member =
        Members.member(database.dataSource(), "1").thisBuild(migration, oldest).build()) {
      Untouched.refuses(database, RefusedException.class, ErrorCode.REFUSED, member::advance, says);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"(id, fax)", "WHERE (fax <> '')"})
  void aColumnThatThePublicationNamesIsRefused(String part) {
    Assumptions.assumeTrue(database.server().majorVersion() >= 15, "both came with PostgreSQL 15");
    database.execute(
        "CREATE PUBLICATION p FOR TABLE legacy " + part + " WITH (publish = 'insert')");
    refused(Representative.DROP, DropColumn.Code.USES, "fax", "publication p");
    refused(
        RenameColumn.of("billing/fax").table("legacy").from("fax").to("telefax").build(),
        RenameColumn.Code.USES_OLD_NAME,
        "fax",
        "publication p");
    refused(
        RenameColumnByView.of("billing/fax").table("legacy").from("fax").to("telefax").build(),
        RenameColumnByView.Code.USES_OLD_NAME,
        "fax",
        "publication p");
  }

  @Test
  void aTableThatIsPublishedByNameStays() {
    database.execute("CREATE PUBLICATION p FOR TABLE legacy");
    refused(
        DropTable.of("billing/gone").table("legacy").build(), DropTable.Code.USES, "legacy", "p");
    refused(
        RenameColumnByView.of("billing/fax").table("legacy").from("fax").to("telefax").build(),
        RenameColumnByView.Code.USES_OLD_NAME,
        "legacy",
        "[p]");
  }
}
