package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.IllegalTransitionException;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Calls that name something nobody knows, or that lead nowhere. */
@PostgresTest
class BadCallTest {

  private static final String ID = "billing/region";

  private TestDatabase database;

  @BeforeEach
  void createDatabase() {
    database = TestDatabase.create("bad_declaration");
    database.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY, zip text)",
        "INSERT INTO users VALUES (1, '1')");
    Members.install(database.dataSource());
    advance();
  }

  private static AddColumn region(String type) {
    return AddColumn.of(ID).table("users").column("region", type).build();
  }

  private OrchestratorBuilder release(String release) {
    return Members.member(database.dataSource(), release);
  }

  private void declarationRefused(ErrorCode code, OrchestratorBuilder builder, String... says) {
    try (Orchestrator member = builder.build()) {
      Untouched.refuses(database, DeclarationException.class, code, member::advance, says);
      assertThat(
              database.queryLong("SELECT count(*) FROM orchestrator.migration WHERE reached > 0"))
          .isLessThanOrEqualTo(1);
    }
  }

  private Orchestrator member;

  private void advance() {
    member = release("1").thisBuild(region("text"), AddColumn.Code.UNAWARE).build();
    member.advance();
  }

  @AfterEach
  void close() {
    member.close();
    database.close();
  }

  @Test
  void aForeignMigrationNobodyHasDeclared() {
    declarationRefused(
        ErrorCode.UNKNOWN_MIGRATION,
        release("2")
            .thisBuild(region("text"), AddColumn.Code.UNAWARE)
            .thisBuild(Migration.ref("shop/other", AddColumn.class), AddColumn.Code.UNAWARE),
        "shop/other",
        "Deploy the application that owns it first");
  }

  @Test
  void aMigrationNobodyKnows() {
    Untouched.refuses(
        database,
        DeclarationException.class,
        ErrorCode.UNKNOWN_MIGRATION,
        () -> member.pause("billing/typo"),
        "billing/typo",
        "status()");
  }

  @Test
  void aPhaseTheOperationDoesNotHave() {
    Untouched.refuses(
        database,
        DeclarationException.class,
        ErrorCode.UNKNOWN_PHASE,
        () -> member.rollback(ID, "CONTRACT"),
        "AddColumn",
        "CONTRACT",
        "BACKFILL");
  }

  @Test
  void aRollbackThatWouldGoUp() {
    member.rollback(ID);
    member.drive();
    IllegalTransitionException refused =
        Untouched.refuses(
            database,
            IllegalTransitionException.class,
            ErrorCode.ILLEGAL_TRANSITION,
            () -> member.rollback(ID, "ENFORCE"),
            "AddColumn",
            "NOT_STARTED",
            "ENFORCE");
    assertThat(refused.operation()).isEqualTo("AddColumn");
    assertThat(refused.from()).isEqualTo("NOT_STARTED");
    assertThat(refused.to()).isEqualTo("ENFORCE");
  }

  @Test
  void aReleaseNobodyKnows() {
    Untouched.refuses(
        database,
        DeclarationException.class,
        ErrorCode.INVALID_DECLARATION,
        () -> member.forgetRelease("billing", "0.9"),
        "0.9",
        "billing",
        "status()");
  }
}
