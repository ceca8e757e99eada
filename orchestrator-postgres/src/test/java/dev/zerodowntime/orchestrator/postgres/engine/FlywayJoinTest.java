package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.BackfillWindow;
import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.LoadSignal;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.Timing;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.operation.CreateTable;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.operation.DropTable;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.flywaydb.database.postgresql.PostgreSQLConfigurationExtension;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The application's own Flyway, and places in its order. */
@PostgresTest
class FlywayJoinTest {

  private TestDatabase database;

  @TempDir Path scripts;

  @BeforeEach
  void create() {
    database = TestDatabase.create("join");
  }

  @AfterEach
  void drop() {
    database.close();
  }

  /** Gates that no fresh database could ever open. */
  private static final UnaryOperator<Timing> SLOW =
      timing ->
          Members.patient(timing).soak(Duration.ofDays(1)).startupBudget(Duration.ofSeconds(20));

  private static final CreateIndex BY_NAME =
      CreateIndex.of("billing/users-by-name")
          .flyway("2.1")
          .table("users")
          .name("users_by_name")
          .columns("name")
          .build();

  private Flyway flyway(Orchestrator member, UnaryOperator<FluentConfiguration> more) {
    FluentConfiguration configuration =
        Flyway.configure()
            .dataSource(database.dataSource())
            .cleanDisabled(false)
            .locations("filesystem:" + scripts);
    member.joinFlyway(more.apply(configuration));
    return configuration.load();
  }

  private Flyway flyway(Orchestrator member) {
    return flyway(member, each -> each);
  }

  private void script(String name, String sql) {
    FlywayJoinScenario.script(scripts, name, sql);
  }

  private List<List<Object>> columns(String table) {
    return database.rows(
        "SELECT attname::text FROM pg_attribute WHERE attrelid = '"
            + table
            + "'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY 1");
  }

  private List<List<Object>> history() {
    return database.rows(
        "SELECT version, success FROM flyway_schema_history ORDER BY installed_rank");
  }

  private List<List<Object>> phases() {
    return database.rows("SELECT id, status FROM orchestrator.migration ORDER BY ordinal");
  }

  @Test
  void aFreshDatabaseHasTheNewShapeAtOnce() {
    FlywayJoinScenario.scripts(scripts);
    try (Orchestrator member =
        Members.member(database.dataSource(), "1")
            .timing(SLOW)
            .thisBuild(FlywayJoinScenario.FULL_NAME, RenameColumn.Code.USES_NEW_NAME)
            .thisBuild(FlywayJoinScenario.REGION, AddColumn.Code.READS)
            .build()) {
      flyway(member).migrate();

      assertThat(history())
          .containsExactly(
              List.of("1", true),
              List.of("2", true),
              List.of("2.1", true),
              List.of("2.2", true),
              List.of("3", true));
      assertThat(columns("users"))
          .containsExactly(List.of("full_name"), List.of("id"), List.of("region"));
      assertThat(phases())
          .containsExactly(List.of("billing/full-name", "DONE"), List.of("billing/region", "DONE"));
      // Rows of other tables, which scripts have brought, are nobody's before us.
      assertThat(member.status().toString()).doesNotContain("builds before us");
      assertThat(member.fit()).isTrue();
    }
  }

  /** Rows that scripts have brought are nobody's, as long as no build has ever been there. */
  @Test
  void aFreshDatabaseMayHaveRows() {
    script(
        "V1__users.sql",
        "CREATE TABLE users (id bigint PRIMARY KEY, name text, junk int);"
            + " INSERT INTO users VALUES (1, 'ann', 1);");
    script("V3__index.sql", "CREATE INDEX users_by_name ON users (full_name, region);");
    DropColumn junk =
        DropColumn.of("billing/junk").flyway("2.3").table("users").column("junk").build();
    try (Orchestrator member =
        Members.member(database.dataSource(), "1")
            .timing(SLOW)
            .thisBuild(FlywayJoinScenario.FULL_NAME, RenameColumn.Code.USES_NEW_NAME)
            .thisBuild(FlywayJoinScenario.REGION, AddColumn.Code.READS)
            .thisBuild(junk, DropColumn.Code.UNUSED)
            .build()) {
      flyway(member).migrate();
      assertThat(phases()).hasSize(3).allMatch(each -> each.get(1).equals("DONE"));
      assertThat(database.rows("SELECT * FROM users")).containsExactly(List.of(1L, "ann", "eu"));
      assertThat(member.fit()).isTrue();
    }
  }

  /**
   * Neither the hour nor the load may decide what shape a new database has, nor may Flyway's own
   * snapshots, which CREATE INDEX CONCURRENTLY would wait for.
   */
  @Test
  void inAFreshDatabaseThereIsNobodyToGiveWayTo() throws Exception {
    FlywayJoinScenario.scripts(scripts);
    script(
        "V1__users.sql",
        "CREATE TABLE users (id bigint PRIMARY KEY, name text); CREATE INDEX by_old_name ON users"
            + " (name); INSERT INTO users VALUES (1, 'a');");
    LocalTime later = LocalTime.now(ZoneOffset.UTC).truncatedTo(ChronoUnit.MINUTES).plusHours(6);
    BackfillWindow closed =
        BackfillWindow.daily(later.toString(), later.plusHours(1).toString(), ZoneOffset.UTC);
    RenameColumn name =
        RenameColumn.of("billing/full-name")
            .flyway("2.1")
            .table("users")
            .from("name")
            .to("full_name")
            .pace(pace -> pace.window(closed))
            .build();
    CreateIndex index =
        CreateIndex.of("billing/users-by-id")
            .flyway("2.2")
            .table("users")
            .name("users_by_id")
            .columns("id", "full_name")
            .build();
    AddColumn elsewhere =
        AddColumn.of("billing/countries-name")
            .table("countries")
            .column("name", "text")
            .notNull()
            .fillWithSql("code")
            .pace(pace -> pace.window(closed))
            .build();
    script("V3__index.sql", "CREATE INDEX users_by_name ON users (full_name);");
    try (Orchestrator member =
        Members.member(database.dataSource(), "1")
            .loadSignal(new LoadSignal("queue", "jobs", 1, () -> 2))
            .thisBuild(name, RenameColumn.Code.USES_NEW_NAME)
            .thisBuild(index, CreateIndex.Code.NEEDS)
            .thisBuild(elsewhere, AddColumn.Code.UNAWARE, AddColumn.Code.WRITES)
            .build()) {
      flyway(member).migrate();
      assertThat(history()).hasSize(5);
      assertThat(columns("users")).containsExactly(List.of("full_name"), List.of("id"));
      // What has no place moves in phases, and keeps to its hours.
      assertThat(phases())
          .containsExactly(
              List.of("billing/full-name", "DONE"),
              List.of("billing/users-by-id", "DONE"),
              List.of("billing/countries-name", "ACTIVE"));
      Eventually.until(
          "its batches wait",
          () ->
              member
                  .drive()
                  .migration("billing/countries-name")
                  .orElseThrow()
                  .waits()
                  .toString()
                  .contains("outside its window"));
    }
  }

  /** When Flyway has ended, its transactions are over, which a build would have to wait for. */
  @ParameterizedTest
  @EnumSource
  void anIndexThatTheBuildNeedsIsThereAfterwards(Environment environment) {
    script(
        "V1__users.sql",
        "CREATE TABLE users (id bigint PRIMARY KEY, name text); INSERT INTO users VALUES (1, 'a');");
    try (Orchestrator first =
        Members.member(database.dataSource(), "1").environment(environment).build()) {
      flyway(first).migrate();
      assertThat(first.fit()).isTrue();
    }
    script("V2__more.sql", "CREATE TABLE more ();");
    try (Orchestrator second =
        Members.member(database.dataSource(), "2")
            .environment(environment)
            .thisBuild(BY_NAME, CreateIndex.Code.NEEDS)
            .build()) {
      flyway(second).migrate();
      assertThat(second.fit()).isTrue();
      assertThat(phases()).containsExactly(List.of("billing/users-by-name", "DONE"));
    }
  }

  /** Flyway's own lock is a transaction by default, which a build would wait for. */
  @Test
  void anIndexThatAScriptWaitsForIsBuiltBesideALockOfTheSession() {
    script(
        "V1__users.sql",
        "CREATE TABLE users (id bigint PRIMARY KEY, name text); INSERT INTO users VALUES (1, 'a');");
    try (Orchestrator first =
        Members.member(database.dataSource(), "1").environment(Environment.DEVELOPMENT).build()) {
      flyway(first).migrate();
    }
    script(
        "V3__more.sql",
        "ALTER INDEX users_by_name SET (fillfactor = 90); ALTER TABLE users ADD x int;");
    try (Orchestrator second =
        Members.member(database.dataSource(), "2")
            .environment(Environment.DEVELOPMENT)
            .thisBuild(BY_NAME, CreateIndex.Code.NEEDS)
            .build()) {
      flyway(
              second,
              each -> {
                each.getConfigurationExtension(PostgreSQLConfigurationExtension.class)
                    .setTransactionalLock(false);
                return each;
              })
          .migrate();
      assertThat(second.fit()).isTrue();
      assertThat(columns("users")).hasSize(3);
    }
  }

  /** A developer's second start: nobody else is there who would drive. */
  @Test
  void inDevelopmentWhatAScriptWaitsForIsDrivenFirst() {
    script(
        "V1__users.sql",
        "CREATE TABLE users (id bigint PRIMARY KEY, name text); INSERT INTO users VALUES (1, 'a');"
            + "CREATE TABLE other (id bigint PRIMARY KEY, a text); INSERT INTO other VALUES (1);");
    RenameColumn held = RenameColumn.of("billing/held").table("other").from("a").to("b").build();
    try (Orchestrator first =
        Members.member(database.dataSource(), "1")
            .environment(Environment.DEVELOPMENT)
            .thisBuild(held, RenameColumn.Code.USES_OLD_NAME)
            .build()) {
      flyway(first).migrate();
      assertThat(first.status().migrations().get(0).phase()).isEqualTo("ENFORCE");
    }
    script("V3__index.sql", "CREATE INDEX users_by_name ON users (full_name);");
    try (Orchestrator second =
        Members.member(database.dataSource(), "2")
            .environment(Environment.DEVELOPMENT)
            .thisBuild(held, RenameColumn.Code.USES_OLD_NAME)
            .thisBuild(FlywayJoinScenario.FULL_NAME, RenameColumn.Code.USES_NEW_NAME)
            .build()) {
      flyway(second).migrate();
      assertThat(second.fit()).isTrue();
      // This build is not there yet, and its other migration must not leave it behind.
      assertThat(columns("other")).hasSize(3);
      assertThat(columns("users")).containsExactly(List.of("full_name"), List.of("id"));
    }
  }

  @Test
  void upToATargetNobodyJoins() {
    FlywayJoinScenario.scripts(scripts);
    try (Orchestrator member = FlywayJoinScenario.member(database.dataSource())) {
      flyway(member, each -> each.target("1")).migrate();
      assertThat(member.fit()).isFalse();
      assertThat(columns("users")).hasSize(2);
      flyway(member).migrate();
      assertThat(member.fit()).isTrue();
    }
  }

  @Test
  void whereThereAreRowsItIsOnlyRegisteredAndTheScriptAfterItWaits() {
    FlywayJoinScenario.scripts(scripts);
    database.execute("CREATE TABLE users (id bigint PRIMARY KEY, name text)");
    database.execute("INSERT INTO users VALUES (1, 'ann')");
    try (Orchestrator member =
        Members.member(database.dataSource(), "1")
            .thisBuild(
                FlywayJoinScenario.FULL_NAME,
                RenameColumn.Code.USES_OLD_NAME,
                RenameColumn.Code.USES_NEW_NAME)
            .thisBuild(FlywayJoinScenario.REGION, AddColumn.Code.UNAWARE, AddColumn.Code.READS)
            .build()) {
      UnaryOperator<FluentConfiguration> before =
          each -> each.baselineOnMigrate(true).baselineVersion("1");
      assertThatThrownBy(() -> flyway(member, before).migrate())
          .satisfies(
              e ->
                  assertThat(FlywayJoinScenario.deepest(e))
                      .isInstanceOf(DeclarationException.class)
                      .hasMessageContainingAll(
                          "V3__index.sql",
                          "users",
                          "billing/full-name",
                          "NOT_STARTED",
                          "was not run",
                          "alongside billing/full-name"));
      assertThat(columns("users")).containsExactly(List.of("id"), List.of("name"));
      assertThat(history())
          .containsExactly(
              List.of("1", true), List.of("2", true), List.of("2.1", true), List.of("2.2", true));
      assertThat(phases())
          .containsExactly(
              List.of("billing/full-name", "ACTIVE"), List.of("billing/region", "ACTIVE"));

      // It moves in phases, as ever; then the script is welcome.
      member.advance();
      member.adopted("billing");
      member.drive();
    }
    try (Orchestrator next =
        Members.member(database.dataSource(), "2")
            .thisBuild(FlywayJoinScenario.FULL_NAME, RenameColumn.Code.USES_NEW_NAME)
            .thisBuild(FlywayJoinScenario.REGION, AddColumn.Code.READS)
            .build()) {
      next.advance();
      next.drive();
      // The new shape is there; the script names a column that the old one's purge still needs.
      assertThat(phases())
          .containsExactly(
              List.of("billing/full-name", "ACTIVE"), List.of("billing/region", "DONE"));
      assertThatThrownBy(() -> flyway(next).migrate()).hasStackTraceContaining("is at CONTRACT");
      script("V2.3__other.sql", "CREATE INDEX users_id ON users (id);");
      assertThatThrownBy(() -> flyway(next, each -> each.outOfOrder(true)).migrate())
          .hasStackTraceContaining("V3__index.sql names users");
      database.execute("UPDATE orchestrator.migration SET since = since - interval '8 days'");
      next.drive();
      flyway(next, each -> each.outOfOrder(true)).migrate();
      assertThat(history()).hasSize(6).allMatch(each -> each.get(1).equals(true));
      assertThat(database.rows("SELECT full_name, region FROM users"))
          .containsExactly(List.of("ann", "eu"));
    }
  }

  @Test
  void aScriptMayConsent() {
    rowsAndAHalfDoneRename();
    script(
        "V5__other.sql",
        "-- orchestrator: alongside billing/other\nCOMMENT ON TABLE users IS 'x';");
    try (Orchestrator member = old()) {
      assertThatThrownBy(() -> flyway(member).migrate())
          .hasStackTraceContaining("V5__other.sql names users");
      script(
          "V5__other.sql",
          "-- orchestrator: alongside billing/full-name\nCOMMENT ON TABLE users IS 'x';");
      flyway(member).migrate();
      assertThat(database.<String>queryOne("SELECT obj_description('users'::regclass)"))
          .isEqualTo("x");
    }
  }

  @Test
  void whatDoesNotNameTheTableRuns() {
    rowsAndAHalfDoneRename();
    script(
        "V5__other.sql",
        "-- not for users\nCREATE TABLE users_too (id int); /* users */ INSERT INTO users_too"
            + " SELECT length('users');");
    try (Orchestrator member = old()) {
      flyway(member).migrate();
      assertThat(database.queryLong("SELECT id FROM users_too")).isEqualTo(5);
    }
  }

  @Test
  void namesInsideFunctionsAndQuotesAndRepeatableScriptsCount() {
    rowsAndAHalfDoneRename();
    try (Orchestrator member = old()) {
      for (String sql :
          List.of(
              "DO $$ BEGIN EXECUTE 'ALTER TABLE USERS ADD note text'; END $$;",
              "ALTER TABLE public.\"users\" ADD note text;",
              "ALTER TABLE Users ADD note text; -- E'",
              "CREATE VIEW v AS SELECT * FROM users;",
              "CREATE VIEW v AS SELECT * FROM ${prefix}sers;",
              "DO 'BEGIN ALTER TABLE users ADD note text; END';",
              "/*! ALTER TABLE users ADD note text */;",
              "SELECT 'a--b', 'it\\'s'; ALTER TABLE users ADD note text;")) {
        script("R__view.sql", sql);
        assertThatThrownBy(
                () -> flyway(member, each -> each.placeholders(Map.of("prefix", "u"))).migrate())
            .as(sql)
            .hasStackTraceContaining("R__view.sql names users");
      }
      assertThat(columns("users")).hasSize(3);
    }
  }

  private static Orchestrator old(TestDatabase database) {
    return Members.member(database.dataSource(), "1")
        .timing(Members::patient)
        .thisBuild(FlywayJoinScenario.FULL_NAME, RenameColumn.Code.USES_OLD_NAME)
        .build();
  }

  private Orchestrator old() {
    return old(database);
  }

  private void rowsAndAHalfDoneRename() {
    database.execute("CREATE TABLE users (id bigint PRIMARY KEY, name text)");
    database.execute("INSERT INTO users VALUES (1, 'ann')");
    try (Orchestrator member = old()) {
      flyway(member, each -> each.baselineOnMigrate(true).baselineVersion("1")).migrate();
      member.adopted("billing");
      member.drive();
    }
    assertThat(columns("users")).hasSize(3);
  }

  /** Later scripts find the shape that this build's code can work with, and the build is let in. */
  @Test
  void noFurtherThanThisBuildFits() {
    script("V1__users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, name text);");
    try (Orchestrator member = old()) {
      flyway(member).migrate();
      assertThat(columns("users"))
          .containsExactly(List.of("full_name"), List.of("id"), List.of("name"));
      assertThat(member.fit()).isTrue();
      assertThat(member.status().migrations().get(0).phase()).isEqualTo("ENFORCE");
    }
  }

  /** Whoever is counted is looked after, even where there are no rows. */
  @Test
  void noFurtherThanTheFleetFits() {
    script("V1__users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, name text);");
    try (Orchestrator before =
            Members.member(database.dataSource(), "0").timing(Members::patient).build();
        Orchestrator member =
            Members.member(database.dataSource(), "1")
                .timing(SLOW)
                .thisBuild(FlywayJoinScenario.FULL_NAME, RenameColumn.Code.USES_NEW_NAME)
                .build()) {
      before.advance();
      flyway(member).migrate();
      assertThat(member.status().migrations().get(0).phase()).isEqualTo("ENFORCE");
      assertThat(columns("users")).hasSize(3);
      assertThat(history()).containsExactly(List.of("1", true), List.of("2.1", true));
    }
  }

  @Test
  void everyKindOfOperationHasItsPlace() {
    script(
        "V1__tables.sql",
        "CREATE TABLE users (id bigint PRIMARY KEY, name text, junk int NOT NULL);"
            + " CREATE TABLE old (id int);");
    script("V3__all.sql", "INSERT INTO orders (id) VALUES (1); CREATE TABLE old (id text);");
    try (Orchestrator member =
        Members.member(database.dataSource(), "1")
            .timing(SLOW)
            .thisBuild(
                CreateTable.of("billing/orders")
                    .flyway("2.1")
                    .table("orders")
                    .column("id", "bigint")
                    .primaryKey("id")
                    .build(),
                CreateTable.Code.values()[CreateTable.Code.values().length - 1])
            .thisBuild(
                CreateIndex.of("billing/index")
                    .flyway("2.2")
                    .table("users")
                    .name("users_name")
                    .columns("name")
                    .build(),
                CreateIndex.Code.NEEDS)
            .thisBuild(
                DropColumn.of("billing/junk").flyway("2.3").table("users").column("junk").build(),
                DropColumn.Code.UNUSED)
            .thisBuild(
                DropTable.of("billing/old").flyway("2.4").table("old").build(),
                DropTable.Code.UNUSED)
            .build()) {
      flyway(member).migrate();
      assertThat(phases()).hasSize(4).allMatch(each -> each.get(1).equals("DONE"));
      assertThat(columns("users")).containsExactly(List.of("id"), List.of("name"));
      assertThat(
              database.queryLong(
                  "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND"
                      + " relname IN ('old', 'users_name', 'orders')"))
          .isEqualTo(3);
      assertThat(
              database.queryLong(
                  "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND"
                      + " relkind = 'r' AND relname NOT IN ('old', 'users', 'orders',"
                      + " 'flyway_schema_history')"))
          .isZero();
    }
  }

  @Test
  void placesAreChecked() {
    RenameColumn first = FlywayJoinScenario.FULL_NAME;
    assertThatThrownBy(() -> RenameColumn.of("billing/x").flyway("2.x"))
        .isInstanceOf(DeclarationException.class)
        .hasMessageContainingAll("billing/x", "2.x", "39.1");
    AddColumn same =
        AddColumn.of("billing/same").flyway("2_1").table("users").column("s", "int").build();
    AddColumn earlier =
        AddColumn.of("billing/early").flyway("1.9").table("users").column("s", "int").build();
    AddColumn after =
        AddColumn.of("billing/after")
            .flyway("1.9")
            .table("orders")
            .column("s", "int")
            .after(first)
            .build();
    RenameColumn unplaced =
        RenameColumn.of(first.id()).table("users").from("name").to("full_name").build();
    AddColumn placed =
        AddColumn.of("billing/placed").flyway("3").table("users").column("s", "int").build();
    for (AddColumn wrong : List.of(same, earlier, after, placed)) {
      try (Orchestrator member =
          Members.member(database.dataSource(), "1")
              .thisBuild(wrong == placed ? unplaced : first, RenameColumn.Code.USES_OLD_NAME)
              .thisBuild(wrong, AddColumn.Code.UNAWARE)
              .build()) {
        assertThatThrownBy(() -> flyway(member))
            .isInstanceOf(DeclarationException.class)
            .hasMessageContainingAll(first.id(), wrong.id());
      }
    }
    try (Orchestrator member = old()) {
      assertThatThrownBy(() -> flyway(member, each -> each.group(true)))
          .hasMessageContaining("group=true");
      FluentConfiguration twice = Flyway.configure().dataSource(database.dataSource());
      member.joinFlyway(twice);
      assertThatThrownBy(() -> member.joinFlyway(twice)).hasMessageContaining("joined before");
    }
  }

  @Test
  void theApplicationsOwnMigrationsAndCallbacksStay() {
    FlywayJoinScenario.scripts(scripts);
    script("afterMigrate.sql", "CREATE TABLE called ();");
    try (Orchestrator member = FlywayJoinScenario.member(database.dataSource())) {
      flyway(member).migrate();
      assertThat(columns("called")).isEmpty();
    }
  }

  /** Control tables that stay behind would say that everything is done. */
  @Test
  void cleanTakesTheControlTablesAlong() {
    FlywayJoinScenario.scripts(scripts);
    try (Orchestrator member = FlywayJoinScenario.member(database.dataSource())) {
      Flyway alone = flyway(member);
      alone.migrate();
      assertThatThrownBy(alone::clean)
          .isInstanceOf(FlywayException.class)
          .hasRootCauseInstanceOf(DeclarationException.class)
          .hasStackTraceContaining("schemas(...)");
      assertThat(columns("users")).hasSize(3);
    }
    try (Orchestrator member = FlywayJoinScenario.member(database.dataSource())) {
      flyway(member, each -> each.schemas("public", "orchestrator")).clean();
    }
    try (Orchestrator member = FlywayJoinScenario.member(database.dataSource())) {
      flyway(member, each -> each.schemas("public", "orchestrator")).migrate();
      assertThat(columns("users")).hasSize(3);
      assertThat(phases()).allMatch(each -> each.get(1).equals("DONE"));
    }
  }

  /** The same database is made from scratch with the declarations, and with what they come to. */
  @Test
  void declarationsAreReplacedByWhatTheyComeTo() {
    FlywayJoinScenario.scripts(scripts);
    try (Orchestrator member = FlywayJoinScenario.member(database.dataSource())) {
      flyway(member).migrate();
      List<Path> written = member.export().write(scripts);
      assertThat(written)
          .map(each -> each.getFileName().toString())
          .containsExactly("V2.1__billing_full_name.sql", "V2.2__billing_region.sql");
    }
    String shape =
        "SELECT attname::text, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute WHERE"
            + " attrelid = 'users'::regclass AND attnum > 0 AND NOT attisdropped UNION ALL SELECT"
            + " indexrelid::regclass::text, pg_get_indexdef(indexrelid), indisvalid FROM pg_index"
            + " WHERE indrelid = 'users'::regclass ORDER BY 1";
    List<List<Object>> declared = database.rows(shape);
    assertThat(declared).hasSize(5);
    try (TestDatabase other = TestDatabase.create("join")) {
      Flyway.configure()
          .dataSource(other.dataSource())
          .locations("filesystem:" + scripts)
          .load()
          .migrate();
      assertThat(other.rows(shape)).isEqualTo(declared);
    }
    // Where it was carried out, Flyway takes the script for it, and runs nothing.
    Flyway alone =
        Flyway.configure()
            .dataSource(database.dataSource())
            .locations("filesystem:" + scripts)
            .load();
    assertThat(alone.migrate().migrationsExecuted).isZero();
    assertThat(database.rows(shape)).isEqualTo(declared);
  }

  /** What a failed attempt left is gone on with; Flyway itself has no note of it. */
  @Test
  void aStartThatFailsIsRepeated() {
    script("V1__users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, name text);");
    script("V3__wrong.sql", "SELECT full_name, wrong FROM users;");
    try (Orchestrator member =
        Members.member(database.dataSource(), "1")
            .thisBuild(FlywayJoinScenario.FULL_NAME, RenameColumn.Code.USES_NEW_NAME)
            .build()) {
      assertThatThrownBy(() -> flyway(member).migrate()).hasMessageContaining("wrong");
      database.execute("DELETE FROM flyway_schema_history WHERE version = '2.1'");
      script("V3__wrong.sql", "SELECT full_name FROM users;");
      flyway(member).migrate();
      assertThat(columns("users")).containsExactly(List.of("full_name"), List.of("id"));
      assertThat(history()).hasSize(3);
    }
  }

  @Test
  void aPlaceBeforeItsTableIsRefusedAndLeavesNothing() {
    script("V0__nothing.sql", "SELECT 1;");
    try (Orchestrator member = FlywayJoinScenario.member(database.dataSource())) {
      assertThatThrownBy(() -> flyway(member).migrate())
          .hasRootCauseInstanceOf(RefusedException.class)
          .hasStackTraceContaining("users");
      assertThat(history()).containsExactly(List.of("0", true));
      FlywayJoinScenario.scripts(scripts);
      flyway(member).migrate();
      assertThat(columns("users")).hasSize(3);
    }
  }
}
