package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Names are taken literally, whatever they are: everything is quoted, always. */
@PostgresTest
@Tag("long")
class AnyNameTest {

  private TestDatabase database;

  @BeforeEach
  void create() {
    database = TestDatabase.create("names");
  }

  @AfterEach
  void drop() {
    database.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "select",
        "User",
        "two words",
        "with \"quotes\"",
        "with 'apostrophe'",
        "back\\slash",
        "semi;colon--comment",
        "dot.ted",
        "größe",
        "名前",
        "🙂",
        "100%s $1 ? {}",
        "63_bytes_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
      })
  void anyNameWorks(String name) {
    String quoted = '"' + name.replace("\"", "\"\"") + '"';
    String old = name.length() > 60 ? name.substring(0, 60) + "old" : name + " old";
    String oldQuoted = '"' + old.replace("\"", "\"\"") + '"';
    database.execute(
        "CREATE SCHEMA " + quoted,
        "CREATE TABLE "
            + quoted
            + "."
            + quoted
            + " (id int PRIMARY KEY, "
            + oldQuoted
            + " text NOT NULL)",
        "INSERT INTO " + quoted + "." + quoted + " VALUES (1, 'kept')");
    Members.install(database.dataSource());
    AddColumn add =
        AddColumn.of("billing/add")
            .schema(name)
            .table(name)
            .column(name, "text")
            .notNull()
            .fillWithSql("'v' || id")
            .build();
    String index = name.length() > 60 ? name.substring(0, 60) + "idx" : name + " idx";
    CreateIndex create =
        CreateIndex.of("billing/index")
            .schema(name)
            .table(name)
            .name(index)
            .columns(name)
            .after(add)
            .build();
    DropColumn drop =
        DropColumn.of("billing/drop")
            .schema(name)
            .table(name)
            .column(old)
            .retention(Duration.ZERO)
            .build();
    try (Orchestrator member =
        Members.member(database.dataSource(), "1")
            .thisBuild(add, AddColumn.Code.READS)
            .thisBuild(create, CreateIndex.Code.UNAWARE)
            .thisBuild(drop, DropColumn.Code.UNUSED)
            .build()) {
      member.advance();
      AdvanceReport report = member.drive(Duration.ofSeconds(30));
      assertThat(report.settled()).as(report.toString()).isTrue();
    }
    assertThat(database.rows("SELECT * FROM " + quoted + "." + quoted).toString())
        .isEqualTo("[[1, v1]]");
    assertThat(
            database.queryLong(
                "SELECT count(*) FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid WHERE"
                    + " i.indisvalid AND c.relname = '"
                    + index.replace("'", "''")
                    + "'"))
        .isEqualTo(1);
  }

  @Test
  void theControlSchemaMayHaveAnyName() {
    String schema = "Größe \"of\" it's";
    try (Orchestrator member =
        Members.member(database.dataSource(), "1").controlSchema(schema).build()) {
      member.advance();
    }
    assertThat(
            database.queryLong(
                "SELECT count(*) FROM pg_tables WHERE schemaname = 'Größe \"of\" it''s' AND"
                    + " tablename = 'control'"))
        .isEqualTo(1);
  }
}
