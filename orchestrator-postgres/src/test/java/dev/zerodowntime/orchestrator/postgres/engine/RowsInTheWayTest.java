package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.operation.AddCheck;
import dev.zerodowntime.orchestrator.operation.AddForeignKey;
import dev.zerodowntime.orchestrator.operation.SetNotNull;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Rows that a new constraint would reject are counted and shown before anything is touched. */
@PostgresTest
class RowsInTheWayTest {

  private static final String ID = "billing/constraint";

  private TestDatabase database;

  @BeforeEach
  void create() {
    database = TestDatabase.create("in_the_way");
    database.execute(
        "CREATE TABLE teams (id int PRIMARY KEY)",
        "INSERT INTO teams SELECT generate_series(1, 10)",
        "CREATE TABLE users (a int, b text, size int, team int, PRIMARY KEY (b, a))",
        "CREATE INDEX ON users (team)",
        "INSERT INTO users SELECT i, 'it''s', i, 1 + i % 10 FROM generate_series(1, 500) i");
    Members.install(database.dataSource());
  }

  @AfterEach
  void drop() {
    database.close();
  }

  private <C extends Enum<C> & CodeStage> void showsThemAndGoesOn(
      Migration<C> migration, C stage, String spoil, String mend, String done) {
    String catalog =
        "SELECT md5(string_agg(c::text, '' ORDER BY c)) FROM (SELECT to_jsonb(k) - 'oid' FROM"
            + " pg_constraint k WHERE conrelid = 'users'::regclass UNION ALL SELECT"
            + " to_jsonb(attnotnull) FROM pg_attribute WHERE attrelid = 'users'::regclass) t(c)";
    String before = database.queryOne(catalog);
    try (Orchestrator member =
        Members.member(database.dataSource(), "1").thisBuild(migration, stage).build()) {
      database.execute(spoil);
      member.advance();
      MigrationReport stopped = member.drive().migration(ID).orElseThrow();
      assertThat(stopped.status()).isEqualTo(MigrationStatus.FAILED);
      assertThat(stopped.lastError())
          .contains(
              "251 rows of \"public\".\"users\"",
              "[[it's, 250], [it's, 251], [it's, 252], [it's, 253], [it's, 254]]",
              "resume(\"" + ID + "\")");
      assertThat(database.<String>queryOne(catalog)).isEqualTo(before);
      database.execute(mend);
      member.resume(ID);
      MigrationReport reached = member.drive().migration(ID).orElseThrow();
      assertThat(reached.finished()).as(reached.toString()).isTrue();
      assertThat(database.<Boolean>queryOne(done)).isTrue();
      member.rollback(ID, "NOT_STARTED");
      MigrationReport back = member.drive().migration(ID).orElseThrow();
      assertThat(back.state().reached()).as(back.toString()).isZero();
      assertThat(database.<String>queryOne(catalog)).isEqualTo(before);
    }
  }

  private static String valid(String constraint) {
    return "SELECT convalidated FROM pg_constraint WHERE conname = '" + constraint + "'";
  }

  @Test
  void check() {
    showsThemAndGoesOn(
        AddCheck.of(ID).table("users").name("sized").expression("size > 0").batchRows(100).build(),
        AddCheck.Code.CONFORMS,
        "UPDATE users SET size = -size WHERE a >= 250",
        "UPDATE users SET size = -size WHERE a >= 250",
        valid("sized"));
  }

  @Test
  void notNull() {
    showsThemAndGoesOn(
        SetNotNull.of(ID).table("users").column("size").batchRows(100).build(),
        SetNotNull.Code.CONFORMS,
        "UPDATE users SET size = NULL WHERE a >= 250",
        "UPDATE users SET size = a WHERE size IS NULL",
        "SELECT attnotnull FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname ="
            + " 'size'");
  }

  @Test
  void foreignKey() {
    showsThemAndGoesOn(
        AddForeignKey.of(ID)
            .table("users")
            .name("teamed")
            .columns("team")
            .references("teams", "id")
            .deferrable()
            .batchRows(100)
            .build(),
        AddForeignKey.Code.CONFORMS,
        "UPDATE users SET team = 11 WHERE a >= 250",
        "UPDATE users SET team = NULL WHERE team = 11",
        valid("teamed"));
  }
}
