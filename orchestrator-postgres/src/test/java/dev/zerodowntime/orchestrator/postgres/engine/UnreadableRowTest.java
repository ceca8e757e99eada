package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.DatabaseException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Control tables that somebody damaged, or that a newer library wrote: nothing moves on a guess.
 */
@PostgresTest
@Tag("long")
class UnreadableRowTest {

  private static final AddColumn REGION =
      AddColumn.of("billing/region").table("users").column("region", "text").build();

  /** What a message must name, by table: which row it is. */
  private static final Map<String, String> NAMES =
      Map.of(
          "migration", "billing/region",
          "release", "billing 1",
          "member", "billing 1",
          "pinned_member", "a report",
          "application", "billing");

  private TestDatabase database;
  private Orchestrator alive;

  @BeforeEach
  void create() {
    database = TestDatabase.create("unreadable");
    database.execute("CREATE TABLE users (id bigint PRIMARY KEY)", "INSERT INTO users VALUES (1)");
    Members.install(database.dataSource());
    alive =
        Members.member(database.dataSource(), "1")
            .timing(Members::patient)
            .touches("users")
            .thisBuild(REGION, AddColumn.Code.UNAWARE)
            .build();
    alive.pauseAll("so that something is left to do");
    alive.advance();
    alive.pin("billing", "a report");
  }

  @AfterEach
  void drop() {
    alive.close();
    database.close();
  }

  static Stream<Arguments> columns() {
    return Stream.of(
            "migration.columns",
            "migration.operation",
            "migration.lifecycle",
            "migration.policy",
            "migration.after",
            "migration.facts",
            "release.stages",
            "release.declared",
            "release.finished",
            "member.stages",
            "member.finished",
            "pinned_member.stages",
            "member.touches",
            "member.readers",
            "release.touches")
        .map(each -> each.split("\\."))
        .flatMap(
            each ->
                Stream.of("'{broken'", "'17'").map(value -> Arguments.of(each[0], each[1], value)));
  }

  @ParameterizedTest
  @MethodSource("columns")
  void isNamed(String table, String column, String value) {
    database.execute(
        "UPDATE orchestrator.control SET paused = false",
        "UPDATE orchestrator." + table + " SET " + column + " = " + value);
    refusedByAll(table);
  }

  static Stream<Arguments> words() {
    return Stream.of(
        Arguments.of("direction = 'SIDEWAYS'"),
        Arguments.of("status = 'DREAMING'"),
        Arguments.of("reached = 7, entering = 2"),
        Arguments.of("reached = -1"),
        Arguments.of("lifecycle = '{}'"),
        Arguments.of("policy = '{\"pace\":{\"maxRows\":0}}'"));
  }

  @ParameterizedTest
  @MethodSource("words")
  void valuesThatMakeNoSenseAreNamedToo(String change) {
    database.execute(
        "UPDATE orchestrator.control SET paused = false",
        "UPDATE orchestrator.migration SET " + change);
    refusedByAll("migration");
  }

  private void refusedByAll(String table) {
    try (Orchestrator next =
        Members.member(database.dataSource(), "2")
            .timing(Members::patient)
            .touches("users")
            .thisBuild(REGION, AddColumn.Code.UNAWARE)
            .build()) {
      Untouched.refuses(
          database,
          DatabaseException.class,
          ErrorCode.UNREADABLE_ROW,
          next::advance,
          NAMES.get(table),
          "\"orchestrator\"." + table,
          "mend the row");
      Untouched.refuses(
          database,
          DatabaseException.class,
          ErrorCode.UNREADABLE_ROW,
          next::status,
          NAMES.get(table));
    }
    Untouched.refuses(
        database,
        DatabaseException.class,
        ErrorCode.UNREADABLE_ROW,
        alive::drive,
        NAMES.get(table));
  }

  @ParameterizedTest
  @ValueSource(strings = {"cursor_key", "end_key"})
  void aBackfillsKeyIsNamed(String column) {
    database.execute(
        "UPDATE orchestrator.control SET paused = false",
        "INSERT INTO users SELECT generate_series(2, 50)");
    AddColumn filled =
        AddColumn.of("billing/filled")
            .table("users")
            .column("half", "int")
            .notNull()
            .fillWithSql("id / 2")
            .batchRows(10)
            .build();
    Statements statements = new Statements(database.newDataSource());
    statements.after(
        sql -> {
          if (sql.contains("UPDATE \"public\".\"users\"")) {
            database.execute("UPDATE orchestrator.control SET paused = true");
          }
        });
    try (Orchestrator other =
        Members.member(statements.dataSource(), "2")
            .application("shop")
            .timing(Members::patient)
            .thisBuild(filled, AddColumn.Code.UNAWARE)
            .build()) {
      alive.unpin("billing", "a report");
      other.advance();
      other.drive();
      assertThat(database.queryLong("SELECT count(*) FROM users WHERE half IS NULL")).isPositive();
      database.execute(
          "UPDATE orchestrator.control SET paused = false",
          "UPDATE orchestrator.backfill SET " + column + " = '{broken'");
      Untouched.refuses(
          database,
          DatabaseException.class,
          ErrorCode.UNREADABLE_ROW,
          other::drive,
          "billing/filled",
          "\"orchestrator\".backfill",
          "mend the row");
    }
  }

  @Test
  void tablesForNewerReadersAreRefused() {
    database.execute("UPDATE orchestrator.control SET version = 99, min_reader = 98");
    try (Orchestrator next = Members.member(database.dataSource(), "2").build()) {
      Untouched.refuses(
          database,
          DatabaseException.class,
          ErrorCode.CONTROL_TABLES,
          next::advance,
          "schema orchestrator",
          "version 99",
          "version 98",
          "newer");
    }
  }

  @Test
  void newerTablesForOldReadersAreFine() {
    database.execute(
        "ALTER TABLE orchestrator.migration ADD COLUMN tomorrow text",
        "CREATE TABLE orchestrator.invented (id int)",
        "UPDATE orchestrator.control SET version = 99, min_reader = 1, paused = false");
    try (Orchestrator next =
        Members.member(database.dataSource(), "2")
            .timing(Members::patient)
            .touches("users")
            .thisBuild(REGION, AddColumn.Code.UNAWARE)
            .build()) {
      assertThat(next.advance().admitted()).isTrue();
      assertThat(database.queryLong("SELECT version FROM orchestrator.control")).isEqualTo(99);
    }
  }

  @Test
  void aMissingControlTableIsNamed() {
    database.execute("DROP TABLE orchestrator.member");
    Untouched.refuses(
        database,
        DatabaseException.class,
        ErrorCode.CONTROL_TABLES,
        alive::advance,
        "orchestrator.member",
        "backup");
  }
}
