package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.Export;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.operation.ChangeColumnType;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.operation.PhasePlan;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.operation.SetDefault;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.flywaydb.core.api.migration.BaseJavaMigration;
import org.flywaydb.core.api.migration.Context;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is exported, refused and written; that it makes the same is the contract's to show. */
@PostgresTest
@Timeout(120)
class ExportTest {

  private static final String ID = "billing/users-full-name";

  private static final String TABLE =
      "CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL, zip text)";

  private static final String ROWS =
      "INSERT INTO users SELECT i, 'name ' || i, i FROM generate_series(1, 30) i";

  @TempDir private Path folder;
  private TestDatabase database;

  @BeforeEach
  void create() {
    database = TestDatabase.create("export");
    database.execute(TABLE, ROWS);
    Members.install(database.dataSource());
  }

  @AfterEach
  void drop() {
    database.close();
  }

  private static RenameColumn rename(Duration retention) {
    return RenameColumn.of(ID)
        .table("users")
        .from("name")
        .to("full_name")
        .retention(retention)
        .build();
  }

  private <C extends Enum<C> & CodeStage> void drive(Migration<C> migration, List<C> stages) {
    for (C stage : stages) {
      try (Orchestrator member =
          Members.member(database.dataSource(), migration.id() + stage)
              .timing(Members::patient)
              .thisBuild(migration, stage)
              .build()) {
        assertThat(member.advance().admitted()).isTrue();
        member.drive(Duration.ofSeconds(5));
      }
    }
  }

  private void renamed() {
    drive(
        rename(Duration.ZERO),
        List.of(RenameColumn.Code.USES_OLD_NAME, RenameColumn.Code.USES_NEW_NAME));
  }

  private Orchestrator job() {
    return Members.driver(database.dataSource()).build();
  }

  @Test
  void aRenameReadsAsAPersonWouldWriteIt() throws IOException {
    renamed();
    try (Orchestrator job = job()) {
      Export export = job.export(ID);
      Export.Script script = export.script(ID).orElseThrow();
      assertThat(script.operation()).isEqualTo("RenameColumn");
      assertThat(script.fileName()).isEqualTo("V{version}__billing_users_full_name.sql");
      assertThat(script.sql().split("\n\n")[1])
          .isEqualTo("ALTER TABLE users RENAME COLUMN name TO full_name;\n");
      assertThat(script.sql())
          .startsWith(
              "-- billing/users-full-name: RenameColumn, finished "
                  + script.finishedAt().toString().substring(0, 19));
      Path into = folder.resolve("db/migration");
      assertThat(export.at(ID, "39.1").write(into))
          .containsExactly(into.resolve("V39.1__billing_users_full_name.sql"));
      assertThat(Files.readString(into.resolve("V39.1__billing_users_full_name.sql")))
          .isEqualTo(script.sql());
      assertThat(job.export().at(ID, "39.1").write(into)).as("the same once more").hasSize(1);
    }
  }

  @Test
  void whatIsNotFinishedSaysWhatItWaitsFor() {
    drive(
        rename(Duration.ofDays(7)),
        List.of(RenameColumn.Code.USES_OLD_NAME, RenameColumn.Code.USES_NEW_NAME));
    try (Orchestrator job = job()) {
      assertThatThrownBy(() -> job.export(ID))
          .isInstanceOf(RefusedException.class)
          .hasMessageContainingAll(ID, "has not reached PURGE", "is at CONTRACT", "RETENTION");
      assertThat(job.export().scripts()).isEmpty();
      assertThat(job.export().left()).isEmpty();
      job.abandon(ID);
      assertThatThrownBy(() -> job.export(ID)).hasMessageContaining("ABANDONED");
      assertThatThrownBy(() -> job.export("billing/unheard-of"))
          .isInstanceOf(DeclarationException.class)
          .hasMessageContaining("billing/unheard-of");
    }
  }

  /** Usable it is; but a rollback may still come. */
  @Test
  void whatIsOnItsWayBackIsNotFinished() {
    CreateIndex index =
        CreateIndex.of("billing/users-zip").table("users").name("users_zip").columns("zip").build();
    drive(index, List.of(CreateIndex.Code.UNAWARE));
    try (Orchestrator job = job()) {
      assertThat(job.export(index.id()).scripts()).hasSize(1);
      job.pauseAll("to see it on its way");
      job.rollback(index.id());
      assertThatThrownBy(() -> job.export(index.id()))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("it is at DONE");
      assertThat(job.export().scripts()).isEmpty();
    }
  }

  @Test
  void everythingIsCheckedBeforeAnythingIsWritten() throws IOException {
    drive(
        CreateIndex.of("billing/users-zip").table("users").name("users_zip").columns("zip").build(),
        List.of(CreateIndex.Code.UNAWARE));
    renamed();
    try (Orchestrator job = job()) {
      Export export = job.export();
      assertThat(export.scripts())
          .extracting(Export.Script::id)
          .containsExactly("billing/users-zip", ID);
      assertThatThrownBy(() -> export.at(ID, "39-1"))
          .hasMessageContainingAll("39-1", "numbers with dots");
      assertThatThrownBy(() -> export.at("billing/other", "39.1"))
          .hasMessageContainingAll("billing/other", ID);
      refused(export.at(ID, "39.1"), "billing/users-zip has no version");
      Export both = export.at(ID, "39.1").at("billing/users-zip", "39_1");
      refused(both, ID + " is that of V39_1__billing_users_zip.sql");
      Export good = export.at(ID, "39.1").at("billing/users-zip", "39.2");
      Files.writeString(folder.resolve("V039.02__by_hand.sql"), "SELECT 1;");
      refused(good, "V039.02__by_hand.sql");
      Files.delete(folder.resolve("V039.02__by_hand.sql"));
      Files.writeString(folder.resolve("V39.2__billing_users_zip.sql"), "SELECT 1;");
      refused(good, "V39.2__billing_users_zip.sql is there, with another text");
      Files.delete(folder.resolve("V39.2__billing_users_zip.sql"));
      assertThat(good.write(folder)).hasSize(2);
    }
  }

  private void refused(Export export, String why) throws IOException {
    assertThatThrownBy(() -> export.write(folder))
        .isInstanceOf(DeclarationException.class)
        .hasMessageContaining(why);
    try (var files = Files.list(folder)) {
      assertThat(files.filter(each -> each.toString().contains("full_name"))).isEmpty();
    }
  }

  /** Flyway would take it for a placeholder. */
  @Test
  void aDollarBraceIsNoPlaceholder() throws IOException {
    SetDefault migration =
        SetDefault.of("billing/users-zip-default")
            .table("users")
            .column("zip")
            .defaultSql("'${none}'")
            .build();
    drive(migration, List.of(SetDefault.Code.UNAWARE));
    try (Orchestrator job = job();
        TestDatabase fresh = TestDatabase.create("export_fresh")) {
      job.export().at(migration.id(), "2").write(folder);
      Files.writeString(folder.resolve("V1__users.sql"), TABLE + ";");
      flyway(fresh).load().migrate();
      fresh.execute("INSERT INTO users VALUES (1, 'x')");
      assertThat(fresh.<String>queryOne("SELECT zip FROM users")).isEqualTo("${none}");
    }
  }

  private FluentConfiguration flyway(TestDatabase target) {
    return Flyway.configure().dataSource(target.dataSource()).locations("filesystem:" + folder);
  }

  @Test
  void anotherSchemaIsSaidAndNamesAreQuotedWhereTheyMustBe() {
    database.execute(
        "CREATE SCHEMA \"Tenant\"",
        "CREATE TABLE \"Tenant\".\"order\" (id bigint PRIMARY KEY, zip text)");
    AddColumn migration =
        AddColumn.of("billing/order-user")
            .schema("Tenant")
            .table("order")
            .column("user", "text")
            .fillWithSql("'?'")
            .notNull()
            .build();
    drive(migration, List.of(AddColumn.Code.READS));
    try (Orchestrator job = job()) {
      assertThat(sql(job, migration.id()))
          .contains(
              "ALTER TABLE \"Tenant\".\"order\" ADD COLUMN \"user\" text;",
              "UPDATE \"Tenant\".\"order\" SET \"user\" = '?';",
              "ALTER TABLE \"Tenant\".\"order\" ALTER COLUMN \"user\" SET NOT NULL;");
    }
  }

  private static String sql(Orchestrator job, String id) {
    return job.export(id).script(id).orElseThrow().sql();
  }

  /** One script does for all of them, if it means each's own schema. */
  @Test
  void aMigrationOfManySchemasHasOneScriptWithoutAny() {
    for (String tenant : List.of("a", "b")) {
      database.execute(
          "CREATE SCHEMA " + tenant, "CREATE TABLE " + tenant + ".invoices (id bigint)");
    }
    try (Orchestrator member =
        Members.member(database.dataSource(), "1")
            .timing(Members::patient)
            .thisBuild(note("a"), AddColumn.Code.READS)
            .thisBuild(note("b"), AddColumn.Code.READS)
            .build()) {
      assertThat(member.advance().admitted()).isTrue();
      member.drive(Duration.ofSeconds(5));
    }
    try (Orchestrator job = job()) {
      assertThat(sql(job, "billing/note"))
          .endsWith("\n\nALTER TABLE invoices ADD COLUMN note text DEFAULT '-';\n");
    }
  }

  private static AddColumn note(String schema) {
    return AddColumn.of("billing/note")
        .schema(schema)
        .table("invoices")
        .column("note", "text")
        .defaultSql("'-'")
        .build();
  }

  /** Of a plan's author. */
  private enum Levels implements CodeStage {
    OLD,
    NEW
  }

  @Test
  void aPlanIsWhatItsStepsSay() {
    PhasePlan<Levels> plan =
        PhasePlan.of("billing/levels", Levels.class)
            .table("users")
            .phase(
                "EXPAND",
                phase ->
                    phase
                        .ddl("add-level", "ALTER TABLE {schema}.users ADD level int")
                        .probe(
                            "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid ="
                                + " '{schema}.users'::regclass AND attname = 'level')")
                        .undo("ALTER TABLE {schema}.users DROP level")
                        .online(
                            "index-level",
                            "CREATE INDEX CONCURRENTLY users_level ON {schema}.users (level)")
                        .probe("SELECT to_regclass('{schema}.users_level') IS NOT NULL")
                        .undo("DROP INDEX CONCURRENTLY {schema}.users_level"))
            .phase(
                "FILL",
                phase ->
                    phase
                        .backfill("fill-level", rows -> rows.set("level", "length(name)"))
                        .verify("all-have-a-level", "level IS NULL"))
            .stage(Levels.OLD, "NOT_STARTED", "FILL")
            .stage(Levels.NEW, "FILL", "FILL")
            .build();
    drive(plan, List.of(Levels.OLD));
    try (Orchestrator job = job();
        TestDatabase fresh = TestDatabase.create("export_fresh")) {
      assertThat(sql(job, plan.id()))
          .endsWith(
              """

              ALTER TABLE users ADD level int;

              CREATE INDEX users_level ON users (level);

              UPDATE users SET level = length(name);
              """);
      fresh.execute(TABLE, ROWS);
      job.export().at(plan.id(), "2").write(folder);
      flyway(fresh).baselineOnMigrate(true).load().migrate();
      String levels = "SELECT sum(level) FROM users";
      assertThat(fresh.queryLong(levels)).isPositive().isEqualTo(database.queryLong(levels));
    }
  }

  /** A condition's bare names mean the table, whatever the joined one's columns are called. */
  @Test
  void aBackfillThatJoinsIsOneUpdate() {
    String towns = "CREATE TABLE towns (zip text PRIMARY KEY, name text)";
    String some = "INSERT INTO towns SELECT i, 'town ' || i FROM generate_series(1, 20) i";
    database.execute(towns, some);
    Backfill migration =
        Backfill.of("billing/users-towns")
            .table("users")
            .join("towns", "towns.zip = users.zip")
            .set("name", "towns.name")
            .where("name <> 'name 7' AND zip <> '9'")
            .build();
    drive(migration, List.of(Backfill.Code.UNAWARE));
    try (Orchestrator job = job();
        TestDatabase fresh = TestDatabase.create("export_fresh")) {
      fresh.execute(TABLE, ROWS, towns, some);
      job.export().at(migration.id(), "2").write(folder);
      flyway(fresh).baselineOnMigrate(true).load().migrate();
      assertThat(fresh.rows("SELECT * FROM users ORDER BY 1"))
          .isEqualTo(database.rows("SELECT * FROM users ORDER BY 1"))
          .isNotEqualTo(fresh.rows("SELECT id, 'name ' || id, zip FROM users ORDER BY 1"));
    }
  }

  /** With all that a column may have. */
  @Test
  void anotherTypeKeepsWhatTheColumnHas() {
    String[] parcels = {
      "CREATE TABLE parcels (id serial PRIMARY KEY, weight int NOT NULL DEFAULT 1 CONSTRAINT heavy"
          + " CHECK (weight > 0), CONSTRAINT parcels_weight UNIQUE (weight))",
      "CREATE INDEX parcels_heaviest ON parcels (weight DESC NULLS LAST)",
      "COMMENT ON COLUMN parcels.weight IS 'it''s heavy'",
      "ALTER TABLE parcels ALTER weight SET STATISTICS 77",
      "INSERT INTO parcels (weight) SELECT i FROM generate_series(1, 30) i"
    };
    database.execute(parcels);
    ChangeColumnType type =
        ChangeColumnType.of("billing/grams")
            .table("parcels")
            .from("weight")
            .to("grams")
            .type("bigint")
            .up("weight::bigint * 1000")
            .down("(grams / 1000)::int")
            .defaultSql("1000")
            .retention(Duration.ZERO)
            .build();
    drive(type, List.of(ChangeColumnType.Code.values()));
    try (Orchestrator job = job();
        TestDatabase fresh = TestDatabase.create("export_fresh")) {
      fresh.execute(parcels);
      Export export = job.export(type.id());
      for (Export.Script each : export.scripts()) {
        fresh.execute(each.sql());
      }
      assertThat(fresh.rows(PARCELS)).hasSizeGreaterThan(8).isEqualTo(database.rows(PARCELS));
      assertThat(fresh.rows("SELECT id, grams FROM parcels ORDER BY 1"))
          .isEqualTo(database.rows("SELECT id, grams FROM parcels ORDER BY 1"));
    }
  }

  private static final String PARCELS =
      """
      SELECT concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
          a.attstattarget, pg_get_expr(d.adbin, d.adrelid), col_description(a.attrelid, a.attnum))
        FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attrelid = 'parcels'::regclass AND NOT a.attisdropped AND a.attnum > 0
      UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index
        WHERE indrelid = 'parcels'::regclass
      UNION ALL SELECT conname || ' ' || pg_get_constraintdef(oid) || convalidated
        FROM pg_constraint WHERE conrelid = 'parcels'::regclass
      UNION ALL SELECT format('%s %s %s %s', seqrelid::regclass, seqtypid::regtype, seqmax,
          pg_get_serial_sequence('parcels', 'id')) FROM pg_sequence
        WHERE seqrelid = 'parcels_id_seq'::regclass
      UNION ALL SELECT 'next ' || last_value FROM parcels_id_seq
      ORDER BY 1
      """;

  /** Flyway tells Java from SQL by its history: docs/operating.md says what to do there. */
  @Test
  void sqlTakesThePlaceOfAJavaMigrationOfItsVersion() throws IOException {
    renamed();
    Files.writeString(folder.resolve("V1__users.sql"), TABLE + ";");
    flyway(database)
        .baselineOnMigrate(true)
        .javaMigrations(new V39_1__Placeholder())
        .load()
        .migrate();
    written();
    assertThatThrownBy(() -> flyway(database).load().validate())
        .isInstanceOf(FlywayException.class)
        .hasMessageContaining("39.1");
    database.execute("UPDATE flyway_schema_history SET type = 'SQL' WHERE version = '39.1'");
    flyway(database).load().repair();
    theSameHereAndInANewDatabase();
  }

  /** Where Flyway knows nothing of it yet. */
  @Test
  void aDatabaseThatHasItAlreadyOnlyNotesTheScript() throws IOException {
    renamed();
    Files.writeString(folder.resolve("V1__users.sql"), TABLE + ";");
    Files.writeString(folder.resolve("V40__later.sql"), "CREATE TABLE later (id int);");
    flyway(database).baselineOnMigrate(true).load().migrate();
    written();
    flyway(database).target("39.1").outOfOrder(true).skipExecutingMigrations(true).load().migrate();
    theSameHereAndInANewDatabase();
  }

  private void written() {
    try (Orchestrator job = job()) {
      job.export().at(ID, "39.1").write(folder);
    }
  }

  private void theSameHereAndInANewDatabase() {
    flyway(database).load().validate();
    assertThat(flyway(database).load().migrate().migrationsExecuted).isZero();
    assertThat(database.queryLong("SELECT count(full_name) FROM users")).isEqualTo(30);
    try (TestDatabase fresh = TestDatabase.create("export_fresh")) {
      assertThat(flyway(fresh).load().migrate().migrationsExecuted).isGreaterThan(1);
      fresh.execute("INSERT INTO users (id, full_name) VALUES (1, 'x')");
    }
  }

  /** What an application's place in Flyway's order may be. */
  private static final class V39_1__Placeholder extends BaseJavaMigration {
    @Override
    public void migrate(Context context) {}
  }
}
