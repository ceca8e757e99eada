package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.MigrationPlan;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Shortcut;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.operation.CreateTable;
import dev.zerodowntime.orchestrator.operation.SetNotNull;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a table without rows, or a new one, needs no ceremony for; and where it is said. */
@PostgresTest
@Timeout(120)
class ShortcutTest {

  private static final CreateIndex INDEX =
      CreateIndex.of("billing/drafts-title")
          .table("drafts")
          .name("drafts_title")
          .columns("title")
          .build();

  private static final SetNotNull TITLE =
      SetNotNull.of("billing/drafts-titled").table("drafts").column("title").build();

  private static final AddColumn SIZE =
      AddColumn.of("billing/drafts-size")
          .table("drafts")
          .column("size", "bigint")
          .notNull()
          .fillWithSql("id * 2")
          .batchPause(Duration.ZERO)
          .approvalBefore("ENFORCE")
          .build();

  private final TestDatabase database;

  ShortcutTest(TestDatabase database) {
    this.database = database;
  }

  @BeforeEach
  void drafts() {
    database.execute(
        "DROP SCHEMA IF EXISTS public, orchestrator CASCADE",
        "CREATE SCHEMA public",
        "CREATE TABLE elsewhere (id int)",
        "CREATE TABLE drafts (id bigint PRIMARY KEY, title text)");
    Members.install(database.dataSource());
  }

  private void rows() {
    database.execute(
        "INSERT INTO drafts (id, title) SELECT n, 't' || n FROM generate_series(1, 2500) n");
  }

  private List<List<Object>> steps(String migration) {
    return database.rows(
        "SELECT step::text, outcome::text FROM orchestrator.event WHERE kind = 'STEP' AND migration"
            + " = '"
            + migration
            + "' ORDER BY id");
  }

  @Test
  void theUsualStepsFindEverythingDone() throws Exception {
    try (Orchestrator member =
        Members.member(database.dataSource(), "1")
            .thisBuild(TITLE, SetNotNull.Code.CONFORMS)
            .build()) {
      assertThat(member.plan().get(0).shortcuts())
          .extracting(Shortcut::kind)
          .contains(Shortcut.Kind.EMPTY_TABLE);
      assertThat(member.plan().toString())
          .contains("shortcut: the table is empty: NOT NULL is set by one statement");
      member.advance();
      Eventually.until("it is proved", () -> member.drive().settled());
      assertThat(steps(TITLE.id()))
          .startsWith(List.of("not-null-at-once", "APPLIED"), List.of("verify-rows", "VERIFIED"))
          .filteredOn(each -> each.get(1).equals("APPLIED"))
          .hasSize(1);
      assertThat(
              database.<Boolean>queryOne(
                  "SELECT attnotnull FROM pg_attribute WHERE attrelid = 'drafts'::regclass AND"
                      + " attname = 'title'"))
          .isTrue();
    }
  }

  /** CREATE INDEX CONCURRENTLY would wait for the end of every one of them. */
  @Test
  void anOldTransactionElsewhereKeepsNobodyWaiting() throws Exception {
    try (Connection old = database.dataSource().getConnection();
        Statement s = old.createStatement();
        Orchestrator member =
            Members.member(database.dataSource(), "1")
                .thisBuild(INDEX, CreateIndex.Code.NEEDS)
                .build()) {
      old.setAutoCommit(false);
      s.execute("INSERT INTO elsewhere VALUES (1)");
      assertThat(member.advance().settled()).isTrue();
      assertThat(steps(INDEX.id()))
          .containsExactly(
              List.of("create-index-at-once", "APPLIED"), List.of("create-index", "FOUND_DONE"));
      old.rollback();
    }
  }

  /** Somebody is just writing the first rows: it is not waited for with a lock. */
  @Test
  void whatCantBeDoneAtOnceIsDoneAsUsual() throws Exception {
    try (Connection writer = database.dataSource().getConnection();
        Statement s = writer.createStatement();
        Orchestrator member =
            Members.member(database.dataSource(), "1")
                .timing(timing -> Members.quick(timing).lockBudget(Duration.ofMillis(200)))
                .thisBuild(INDEX, CreateIndex.Code.UNAWARE)
                .build()) {
      writer.setAutoCommit(false);
      s.execute("INSERT INTO drafts VALUES (1, 'first')");
      member.advance();
      assertThat(steps(INDEX.id())).containsExactly(List.of("create-index-at-once", "SKIPPED"));
      writer.commit();
      Eventually.until("it is built", () -> member.drive().settled());
      assertThat(steps(INDEX.id()))
          .containsExactly(
              List.of("create-index-at-once", "SKIPPED"), List.of("create-index", "APPLIED"));
    }
  }

  @Test
  void rowsThatHaveComeAreFilledAndProved() throws Exception {
    try (Orchestrator member =
        Members.member(database.dataSource(), "1").thisBuild(SIZE, AddColumn.Code.WRITES).build()) {
      member.advance();
      rows();
      member.approve(SIZE.id(), "ENFORCE");
      Eventually.until(
          "it enforces",
          () -> member.drive().migration(SIZE.id()).orElseThrow().phase().equals("ENFORCE"));
      assertThat(steps(SIZE.id()))
          .contains(List.of("not-null-at-once", "SKIPPED"))
          .doesNotContain(List.of("not-null-at-once", "APPLIED"));
      assertThat(database.queryLong("SELECT count(*) FROM drafts WHERE size = id * 2"))
          .isEqualTo(2500);
      assertThat(
              database.<Boolean>queryOne(
                  "SELECT attnotnull FROM pg_attribute WHERE attrelid = 'drafts'::regclass AND"
                      + " attname = 'size'"))
          .isTrue();
    }
  }

  @Test
  void theReportSaysItUntilItIsDone() throws Exception {
    AddColumn flag =
        AddColumn.of("billing/drafts-flag")
            .table("drafts")
            .column("flag", "text")
            .notNull()
            .defaultSql("'n'")
            .build();
    rows();
    try (Orchestrator member =
        Members.member(database.dataSource(), "1").thisBuild(flag, AddColumn.Code.WRITES).build()) {
      String report = member.advance().toString();
      assertThat(report).contains("shortcut: fast default: rows that are there get the default");
      assertThat(report.contains("shortcut: this server's version: PostgreSQL 18"))
          .isEqualTo(database.server().majorVersion() >= 18);
      assertThat(report).doesNotContain("the table is empty");
    }
    try (Orchestrator member =
        Members.member(database.dataSource(), "2").thisBuild(flag, AddColumn.Code.READS).build()) {
      Eventually.until("it is done", () -> member.drive().settled());
      assertThat(member.drive().toString()).doesNotContain("shortcut");
    }
  }

  @Test
  void aTableThatTheSameBuildCreatesIsNew() {
    CreateTable create =
        CreateTable.of("billing/notes")
            .table("notes")
            .column("id", "bigint")
            .column("body", "text")
            .primaryKey("id")
            .build();
    CreateIndex index =
        CreateIndex.of("billing/notes-body")
            .table("notes")
            .name("notes_body")
            .columns("body")
            .after(create)
            .build();
    try (Orchestrator member =
        Members.member(database.dataSource(), "1")
            .thisBuild(create, CreateTable.Code.NEEDS)
            .thisBuild(index, CreateIndex.Code.NEEDS)
            .build()) {
      List<MigrationPlan> plans = member.plan();
      assertThat(plans).hasSize(2);
      assertThat(plans.get(0).shortcuts()).isEmpty();
      assertThat(plans.get(1).rows()).isZero();
      assertThat(plans.get(1).toString())
          .contains("shortcut: the table is new: migration billing/notes creates notes");
      assertThat(member.advance().settled()).isTrue();
      assertThat(steps(index.id())).contains(List.of("create-index-at-once", "APPLIED"));
      assertThat(member.plan().get(1).shortcuts())
          .extracting(Shortcut::kind)
          .containsExactly(Shortcut.Kind.EMPTY_TABLE);
    }
  }
}
