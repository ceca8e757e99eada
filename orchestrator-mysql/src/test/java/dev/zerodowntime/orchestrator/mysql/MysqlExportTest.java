package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer.Flavor;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.AddForeignKey;
import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.operation.PhasePlan;
import java.nio.file.Path;
import java.util.List;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the contract's operations have no example of. */
@Timeout(120)
class MysqlExportTest {

  private static final String[] TABLES = {
    "CREATE TABLE towns (zip varchar(10) PRIMARY KEY, name varchar(20))",
    "INSERT INTO towns VALUES ('1', 'town 1'), ('2', 'town 2'), ('3', 'town 3')",
    "CREATE TABLE users (id int PRIMARY KEY, name varchar(20), zip varchar(10), changed timestamp"
        + " NOT NULL DEFAULT '2001-02-03 04:05:06' ON UPDATE CURRENT_TIMESTAMP, KEY users_zip"
        + " (zip))",
    "INSERT INTO users (id, name, zip) VALUES (1, 'a', '1'), (2, 'b', '2'), (3, 'c', '3'), (4, 'd',"
        + " NULL)",
    "CREATE TABLE names (user_id int PRIMARY KEY, name varchar(20))",
    "INSERT INTO names VALUES (2, 'old')"
  };

  @TempDir private Path folder;

  private static MysqlDatabase database(Flavor flavor) {
    MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "export");
    database.execute(TABLES);
    return database;
  }

  private static <C extends Enum<C> & CodeStage> void finish(
      MysqlDatabase database, Migration<C> migration, C stage) {
    try (Orchestrator member =
        Members.member(database, migration.id()).thisBuild(migration, stage).build()) {
      assertThat(member.advance().migration(migration.id()).orElseThrow().finished()).isTrue();
    }
  }

  /** The script, after it made the same rows of those tables as the migration did. */
  private <C extends Enum<C> & CodeStage> String same(
      Flavor flavor, Migration<C> migration, C stage, String... queries) {
    try (MysqlDatabase with = database(flavor);
        MysqlDatabase without = database(flavor)) {
      finish(with, migration, stage);
      String sql;
      try (Orchestrator job = Members.member(with, "job").build()) {
        sql = job.export(migration.id()).at(migration.id(), "2").scripts().get(0).sql();
        job.export().at(migration.id(), "2").write(folder);
      }
      Flyway.configure()
          .dataSource(without.dataSource())
          .locations("filesystem:" + folder)
          .baselineOnMigrate(true)
          .load()
          .migrate();
      for (String query : queries) {
        List<List<String>> rows = without.rows(query);
        assertThat(rows).as(sql).isNotEmpty().isEqualTo(with.rows(query));
      }
      return sql;
    }
  }

  @ParameterizedTest
  @EnumSource
  void aBackfillThatJoinsTouchesNothingElse(Flavor flavor) {
    Backfill migration =
        Backfill.of("billing/towns")
            .table("users")
            .join("towns", "towns.zip = users.zip")
            .set("name", "towns.name")
            .where("name <> 'b'")
            .build();
    assertThat(same(flavor, migration, Backfill.Code.UNAWARE, "SELECT * FROM users ORDER BY id"))
        .contains("INNER JOIN (towns) ON (towns.zip = users.zip)", "users.changed = users.changed");
  }

  @ParameterizedTest
  @EnumSource
  void rowsAreCopiedOverOlderOnes(Flavor flavor) {
    Backfill migration =
        Backfill.of("billing/names")
            .table("users")
            .copyInto("names", "user_id")
            .set("user_id", "id")
            .set("name", "name")
            .where("id < 4")
            .build();
    same(flavor, migration, Backfill.Code.UNAWARE, "SELECT * FROM names ORDER BY user_id");
  }

  /** What was written last is left as it is. */
  @ParameterizedTest
  @EnumSource
  void aFilledColumnTouchesNothingElse(Flavor flavor) {
    AddColumn migration =
        AddColumn.of("billing/key")
            .table("users")
            .column("key", "varchar(20)")
            .defaultSql("'none'")
            .fillWithSql("CONCAT(name, '!')")
            .notNull()
            .build();
    assertThat(
            same(
                flavor,
                migration,
                AddColumn.Code.READS,
                "SELECT * FROM users ORDER BY id",
                "SHOW COLUMNS FROM users"))
        .contains("MODIFY COLUMN `key` varchar(20) NOT NULL DEFAULT 'none';");
  }

  /** Of a plan's author. */
  private enum Code implements CodeStage {
    OLD,
    NEW
  }

  private static String has(String view, String name) {
    return "SELECT EXISTS (SELECT 1 FROM information_schema."
        + view
        + " WHERE "
        + (view.equals("TRIGGERS") ? "TRIGGER" : "TABLE")
        + "_SCHEMA = '{schema}' AND "
        + name
        + ")";
  }

  /** With a trigger's body, which has semicolons of its own. */
  @ParameterizedTest
  @EnumSource
  void aPlanIsWhatItsStepsSay(Flavor flavor) {
    PhasePlan<Code> plan =
        PhasePlan.of("billing/levels", Code.class)
            .table("users")
            .allowTriggers("users_level")
            .phase(
                "EXPAND",
                phase ->
                    phase
                        .ddl(
                            "add-level",
                            "ALTER TABLE {schema}.users ADD COLUMN level int INVISIBLE,"
                                + " ALGORITHM=INSTANT")
                        .probe(has("COLUMNS", "TABLE_NAME = 'users' AND COLUMN_NAME = 'level'"))
                        .override("drop-column", "nobody knew it")
                        .undo("ALTER TABLE {schema}.users DROP COLUMN level, ALGORITHM=INSTANT")
                        .ddl(
                            "fill-new",
                            "CREATE TRIGGER {schema}.users_level BEFORE INSERT ON {schema}.users"
                                + " FOR EACH ROW BEGIN IF NEW.level IS NULL THEN SET NEW.level ="
                                + " CHAR_LENGTH(NEW.name); END IF; END")
                        .probe(has("TRIGGERS", "TRIGGER_NAME = 'users_level'"))
                        .undo("DROP TRIGGER {schema}.users_level"))
            .phase(
                "FILL",
                phase ->
                    phase
                        .backfill(
                            "fill-level",
                            rows -> rows.set("level", "CHAR_LENGTH(name)").where("level IS NULL"))
                        .verify("all-filled", "level IS NULL"))
            .stage(Code.OLD, "NOT_STARTED", "FILL")
            .stage(Code.NEW, "FILL", "FILL")
            .build();
    assertThat(
            same(
                flavor,
                plan,
                Code.NEW,
                "SELECT id, name, level, changed FROM users ORDER BY id",
                "SELECT ACTION_STATEMENT FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA ="
                    + " DATABASE() AND TRIGGER_NAME = 'users_level'"))
        .contains(
            "CREATE TRIGGER users_level BEFORE INSERT ON users FOR EACH ROW",
            "users.changed = users.changed WHERE level IS NULL;");
  }

  @ParameterizedTest
  @EnumSource
  void whatWasThereBeforeIsItsAuthorsToSay(Flavor flavor) {
    AddForeignKey migration =
        AddForeignKey.of("billing/users-towns")
            .table("users")
            .name("users_towns")
            .columns("zip")
            .references("towns", "zip")
            .build();
    try (MysqlDatabase database = database(flavor)) {
      database.execute(
          "ALTER TABLE users ADD CONSTRAINT users_towns FOREIGN KEY (zip) REFERENCES towns (zip) ON"
              + " DELETE NO ACTION ON UPDATE NO ACTION");
      finish(database, migration, AddForeignKey.Code.CONFORMS);
      try (Orchestrator job = Members.member(database, "job").build()) {
        assertThatThrownBy(() -> job.export(migration.id()))
            .isInstanceOf(RefusedException.class)
            .hasMessageContainingAll("users_towns", "was there when it began", "by hand");
      }
    }
  }
}
