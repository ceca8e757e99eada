package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.operation.DropTable;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Declarations that contradict themselves, each other, or what has already started. */
@PostgresTest
@Tag("long")
class BadDeclarationTest {

  private static final String ID = "billing/region";

  private TestDatabase database;

  @BeforeEach
  void create() {
    database = TestDatabase.create("bad_declaration");
    database.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY, zip text)",
        "INSERT INTO users VALUES (1, '1')");
    Members.install(database.dataSource());
  }

  @AfterEach
  void drop() {
    database.close();
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

  @Nested
  class InOneBuild {
    @Test
    void anIdIsUsedTwice() {
      Untouched.refuses(
          database,
          DeclarationException.class,
          ErrorCode.DUPLICATE_ID,
          () ->
              release("1")
                  .thisBuild(region("text"), AddColumn.Code.UNAWARE)
                  .thisBuild(Migration.ref(ID, DropColumn.class), DropColumn.Code.USES),
          ID,
          "twice",
          "an id of its own");
    }

    @Test
    void anIdIsUsedTwiceForTheSameSchema() {
      declarationRefused(
          ErrorCode.DUPLICATE_ID,
          release("1")
              .thisBuild(region("text"), AddColumn.Code.UNAWARE)
              .thisBuild(inPublic("text"), AddColumn.Code.UNAWARE),
          ID,
          "public",
          "Remove one");
    }

    @Test
    void anIdHasOtherStagesInAnotherSchema() {
      Untouched.refuses(
          database,
          DeclarationException.class,
          ErrorCode.INVALID_DECLARATION,
          () ->
              release("1")
                  .thisBuild(region("text"), AddColumn.Code.UNAWARE)
                  .thisBuild(inPublic("text"), AddColumn.Code.READS),
          ID,
          "AddColumn at UNAWARE",
          "AddColumn at READS",
          "the same stages");
    }

    private AddColumn inPublic(String type) {
      return AddColumn.of(ID).schema("public").table("users").column("region", type).build();
    }

    @Test
    void itComesAfterOneThatNobodyDeclares() {
      AddColumn ghost = AddColumn.of("billing/ghost").table("users").column("g", "text").build();
      declarationRefused(
          ErrorCode.UNKNOWN_MIGRATION,
          release("1")
              .thisBuild(
                  AddColumn.of(ID).table("users").column("region", "text").after(ghost).build(),
                  AddColumn.Code.UNAWARE),
          ID,
          "billing/ghost",
          "Declare that one");
    }

    @Test
    void twoComeAfterEachOther() {
      AddColumn a = AddColumn.of("billing/a").table("users").column("a", "text").build();
      AddColumn b = AddColumn.of("billing/b").table("users").column("b", "text").after(a).build();
      declarationRefused(
          ErrorCode.INVALID_DECLARATION,
          release("1")
              .thisBuild(
                  AddColumn.of("billing/a").table("users").column("a", "text").after(b).build(),
                  AddColumn.Code.UNAWARE)
              .thisBuild(b, AddColumn.Code.UNAWARE),
          "billing/a",
          "after itself",
          "billing/b");
    }

    @Test
    void itTouchesATableThatIsNotThere() {
      declarationRefused(
          ErrorCode.INVALID_DECLARATION,
          release("1").touches("user"),
          "touches(\"user\")",
          "no table or view");
    }

    @Test
    void noStageIsNamed() {
      Untouched.refuses(
          database,
          DeclarationException.class,
          ErrorCode.INVALID_DECLARATION,
          () -> release("1").thisBuild(region("text")),
          ID,
          "code stage");
    }

    @Test
    void anIdHasNoOwner() {
      Untouched.refuses(
          database,
          DeclarationException.class,
          ErrorCode.INVALID_DECLARATION,
          () -> AddColumn.of("region"),
          "\"region\"",
          "owner");
    }

    @Test
    void aPhaseForApprovalDoesNotExist() {
      Untouched.refuses(
          database,
          DeclarationException.class,
          ErrorCode.UNKNOWN_PHASE,
          () ->
              AddColumn.of(ID)
                  .table("users")
                  .column("a", "text")
                  .approvalBefore("CONTRACT")
                  .build(),
          "CONTRACT",
          "AddColumn",
          "EXPAND");
    }

    @Test
    void notNullWithoutValues() {
      Untouched.refuses(
          database,
          DeclarationException.class,
          ErrorCode.INVALID_DECLARATION,
          () -> AddColumn.of(ID).table("users").column("a", "text").notNull().build(),
          ID,
          "NOT NULL",
          "fillWithSql");
    }

    @Test
    void applicationOrReleaseIsMissing() {
      Untouched.refuses(
          database,
          DeclarationException.class,
          ErrorCode.INVALID_DECLARATION,
          () -> release(" ").build(),
          "release");
      Untouched.refuses(
          database,
          DeclarationException.class,
          ErrorCode.INVALID_DECLARATION,
          () -> release("1").application(null).build(),
          "application");
      Untouched.refuses(
          database,
          DeclarationException.class,
          ErrorCode.INVALID_DECLARATION,
          () -> release("1").controlSchema("s".repeat(64)).build(),
          "control schema",
          "63");
    }
  }

  @Nested
  class OnOneColumn {

    private final DropColumn drop =
        DropColumn.of("billing/drop").table("users").column("region").build();

    @Test
    void twoUnfinishedMigrationsAreRefused() {
      declarationRefused(
          ErrorCode.CONFLICTING_MIGRATIONS,
          release("1")
              .thisBuild(region("text"), AddColumn.Code.UNAWARE)
              .thisBuild(drop, DropColumn.Code.USES),
          ID,
          "billing/drop",
          "column region of public.users",
          "DONE",
          "NOT_STARTED");
    }

    @Test
    void whatTakesTheWholeTableSharesItWithNobody() {
      declarationRefused(
          ErrorCode.CONFLICTING_MIGRATIONS,
          release("1")
              .thisBuild(region("text"), AddColumn.Code.UNAWARE)
              .thisBuild(DropTable.of("billing/gone").table("users").build(), DropTable.Code.USES),
          ID,
          "billing/gone",
          "table public.users, and one of them as a whole");
    }

    @Test
    void theSecondIsAcceptedWhenTheFirstHasSettled() {
      try (Orchestrator first =
          release("1").thisBuild(region("text"), AddColumn.Code.WRITES).build()) {
        first.advance();
        assertThat(first.drive(Duration.ofSeconds(10)).settled()).isTrue();
      }
      try (Orchestrator second =
          release("2")
              .thisBuild(region("text"), AddColumn.Code.WRITES)
              .thisBuild(drop, DropColumn.Code.USES)
              .build()) {
        assertThat(second.advance().migration("billing/drop")).isPresent();
      }
    }

    @Test
    void anotherTableOrSchemaIsNoConflict() {
      database.execute(
          "CREATE TABLE orders (region text)",
          "CREATE SCHEMA b",
          "CREATE TABLE b.users (region text)");
      try (Orchestrator member =
          release("1")
              .thisBuild(region("text"), AddColumn.Code.UNAWARE)
              .thisBuild(
                  DropColumn.of("billing/o").table("orders").column("region").build(),
                  DropColumn.Code.USES)
              .thisBuild(
                  DropColumn.of("billing/b").schema("b").table("users").column("region").build(),
                  DropColumn.Code.USES)
              .build()) {
        assertThat(member.advance().migrations()).hasSize(3);
      }
    }
  }

  @Nested
  class Changed {

    @Test
    void aPolicyMayAlwaysChangeAndIsAnEvent() {
      AddColumn slow =
          AddColumn.of(ID).table("users").column("region", "text").batchRows(10).build();
      try (Orchestrator first =
              release("1").thisBuild(region("text"), AddColumn.Code.UNAWARE).build();
          Orchestrator second = release("2").thisBuild(slow, AddColumn.Code.UNAWARE).build()) {
        first.advance();
        first.drive();
        assertThat(second.advance().admitted()).isTrue();
      }
      String policy = database.queryOne("SELECT policy FROM orchestrator.migration");
      assertThat(policy).containsPattern("\"maxRows\": ?10\\b");
      assertThat(
              database.queryLong("SELECT count(*) FROM orchestrator.event WHERE kind = 'POLICY'"))
          .isEqualTo(1);
    }

    @Test
    void aReleaseStringStandsForOneSetOfStages() {
      try (Orchestrator first =
          release("1").thisBuild(region("text"), AddColumn.Code.UNAWARE).build()) {
        first.advance();
      }
      declarationRefused(
          ErrorCode.RELEASE_CHANGED,
          release("1").thisBuild(region("text"), AddColumn.Code.WRITES),
          "Release 1 of billing",
          ID,
          "UNAWARE",
          "WRITES",
          "release string of its own");
      declarationRefused(
          ErrorCode.RELEASE_CHANGED,
          release("1"),
          "Release 1 of billing",
          ID,
          "UNAWARE",
          "nothing");
    }

    @Test
    void aBuildThatIsRefusedLeavesNothingToDriveBehind() {
      try (Orchestrator first =
          release("1").thisBuild(region("text"), AddColumn.Code.UNAWARE).build()) {
        first.advance();
      }
      declarationRefused(
          ErrorCode.RELEASE_CHANGED,
          release("1")
              .thisBuild(region("text"), AddColumn.Code.UNAWARE)
              .thisBuild(
                  AddColumn.of("billing/never").table("users").column("never", "text").build(),
                  AddColumn.Code.UNAWARE),
          "billing/never",
          "nothing");
      assertThat(database.rows("SELECT id FROM orchestrator.migration"))
          .containsExactly(List.of(ID));
    }

    /** A process of the release before that restarts says nothing new. */
    @Test
    void anEarlierReleaseThatRestartsChangesNoPolicy() {
      AddColumn before = AddColumn.of(ID).table("users").column("region", "text").build();
      AddColumn gated =
          AddColumn.of(ID).table("users").column("region", "text").approvalBefore("EXPAND").build();
      try (Orchestrator first = release("1").thisBuild(before, AddColumn.Code.UNAWARE).build()) {
        first.pauseAll("to look at the policy only");
        first.advance();
      }
      try (Orchestrator second = release("2").thisBuild(gated, AddColumn.Code.UNAWARE).build()) {
        second.advance();
      }
      try (Orchestrator again = release("1").thisBuild(before, AddColumn.Code.UNAWARE).build()) {
        again.advance();
      }
      String policy = database.queryOne("SELECT policy FROM orchestrator.migration");
      assertThat(policy).contains("EXPAND");
    }
  }

  /** What was a mistake is undone, and done again under another name. */
  @Test
  void aMigrationThatWasRolledBackIsNoLongerInTheWay() {
    AddColumn mistake =
        AddColumn.of("billing/one")
            .table("users")
            .column("c", "int")
            .notNull()
            .fillWithSql("1")
            .build();
    AddColumn again =
        AddColumn.of("billing/two")
            .table("users")
            .column("c", "text")
            .notNull()
            .fillWithSql("'x'")
            .build();
    try (Orchestrator first = release("1").thisBuild(mistake, AddColumn.Code.UNAWARE).build()) {
      first.advance();
      first.drive(Duration.ofSeconds(10));
      declarationRefused(
          ErrorCode.CONFLICTING_MIGRATIONS,
          release("2").thisBuild(again, AddColumn.Code.UNAWARE),
          "billing/one",
          "billing/two",
          "rollback(\"billing/one\")");
      first.rollback("billing/one");
      first.drive(Duration.ofMillis(200));
    }
    try (Orchestrator second = release("2").thisBuild(again, AddColumn.Code.UNAWARE).build()) {
      second.advance();
      second.drive(Duration.ofMillis(200));
      assertThat(
              database.queryLong(
                  "SELECT count(*) FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname"
                      + " = 'c' AND atttypid = 'text'::regtype"))
          .isEqualTo(1);
      Untouched.refuses(
          database,
          DeclarationException.class,
          ErrorCode.CONFLICTING_MIGRATIONS,
          () -> second.resume("billing/one"),
          "billing/one",
          "billing/two");
    }
  }
}
