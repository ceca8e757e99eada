package dev.zerodowntime.orchestrator.postgres.junit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.ThisBuild;
import dev.zerodowntime.orchestrator.junit.DatabaseServer;
import dev.zerodowntime.orchestrator.junit.FromScratch;
import dev.zerodowntime.orchestrator.junit.PhaseWalk;
import dev.zerodowntime.orchestrator.junit.SchemaSnapshot;
import dev.zerodowntime.orchestrator.junit.ScratchDatabase;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.operation.PhasePlan;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.operation.SetNotNull;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresServer;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.ds.PGSimpleDataSource;

/** What users' own tests are made with. */
@PostgresTest
class JunitSupportTest {

  @RegisterExtension
  static final ScratchDatabase SCRATCH =
      ScratchDatabase.on(
          () -> {
            PGSimpleDataSource server = PostgresServer.get().dataSource("postgres");
            return new DatabaseServer(
                server.getURL(),
                Objects.requireNonNull(server.getUser()),
                Objects.requireNonNullElse(server.getPassword(), ""));
          });

  private static final RenameColumn FULL_NAME =
      RenameColumn.of("billing/full-name")
          .flyway("1.1")
          .table("users")
          .from("name")
          .to("full_name")
          .build();

  @TempDir Path folder;

  private static void execute(DataSource database, String... statements) {
    try (Connection connection = database.getConnection();
        Statement statement = connection.createStatement()) {
      for (String each : statements) {
        statement.execute(each);
      }
    } catch (SQLException e) {
      throw new IllegalStateException(Arrays.toString(statements), e);
    }
  }

  private static String one(DataSource database, String sql) {
    try (Connection connection = database.getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getString(1);
    } catch (SQLException e) {
      throw new IllegalStateException(sql, e);
    }
  }

  private static final Set<String> NAMES = new HashSet<>();

  @Test
  void eachParameterIsADatabaseOfItsOwn(DataSource one, DataSource other) {
    String name = one(one, "SELECT current_database()");
    assertThat(name).startsWith("scratch_").isNotEqualTo(one(other, "SELECT current_database()"));
    execute(one, "CREATE TABLE t ()");
    execute(other, "CREATE TABLE t ()");
    // Of tests before this one, nothing is left but those in use now.
    List<String> left =
        List.of(
            one(
                    one,
                    "SELECT coalesce(string_agg(datname, ','), '') FROM pg_database WHERE datname"
                        + " LIKE 'scratch%'")
                .split(","));
    assertThat(left).contains(name);
    assertThat(NAMES).doesNotContainAnyElementsOf(left);
    NAMES.add(name);
  }

  /** Whichever of the two comes second finds those of the first gone. */
  @Test
  void andIsDroppedAfterwards(DataSource one, DataSource other) {
    eachParameterIsADatabaseOfItsOwn(one, other);
  }

  @Test
  void aWrongUrlIsSaidAtOnce() {
    assertThatThrownBy(() -> ScratchDatabase.on("postgres://host/x?password=secret", "u", ""))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("postgres://host/x", "jdbc:postgresql://host:port/database")
        .hasMessageNotContaining("secret");
  }

  private Flyway flyway(DataSource database) {
    return Flyway.configure().dataSource(database).locations("filesystem:" + folder).load();
  }

  private static ThisBuild build(RenameColumn.Code... stages) {
    return builder ->
        builder.application("billing").release("1").noStarQueries().thisBuild(FULL_NAME, stages);
  }

  @Test
  void fromScratchWithFlyway(DataSource database, DataSource plain) throws IOException {
    Files.writeString(
        folder.resolve("V1__users.sql"), "CREATE TABLE users (id bigint PRIMARY KEY, name text);");
    Files.writeString(
        folder.resolve("V2__index.sql"), "CREATE INDEX by_name ON users (full_name);");
    FromScratch.apply(
        database,
        build(RenameColumn.Code.USES_NEW_NAME),
        Flyway.configure().locations("filesystem:" + folder));
    SchemaSnapshot made = SchemaSnapshot.of(database);
    assertThat(made.text())
        .isEqualTo(
            """
            table users
              id bigint NOT NULL
              full_name text
              CONSTRAINT users_pkey PRIMARY KEY (id)
              CREATE INDEX by_name ON public.users USING btree (full_name)
            """);
    // Made by hand it is the same.
    Files.writeString(
        folder.resolve("V1.1__rename.sql"), "ALTER TABLE users RENAME COLUMN name TO full_name;");
    flyway(plain).migrate();
    assertThat(SchemaSnapshot.of(plain)).isEqualTo(made);
  }

  @Test
  void aBuildThatIsNotAtTheEndIsNoFailure(DataSource database) {
    execute(database, "CREATE TABLE users (id bigint PRIMARY KEY, name text)");
    assertThat(
            FromScratch.apply(database, build(RenameColumn.Code.USES_OLD_NAME))
                .migration(FULL_NAME.id())
                .orElseThrow()
                .phase())
        .isEqualTo("ENFORCE");
  }

  @Test
  void whatFailsIsAFailure(DataSource database) {
    execute(
        database,
        "CREATE TABLE users (id bigint PRIMARY KEY, name text)",
        "INSERT INTO users VALUES (1)");
    SetNotNull wrong = SetNotNull.of("billing/wrong").table("users").column("name").build();
    assertThatThrownBy(
            () ->
                FromScratch.apply(
                    database,
                    builder ->
                        builder
                            .application("billing")
                            .release("1")
                            .thisBuild(wrong, SetNotNull.Code.CONFORMS)))
        .isInstanceOf(AssertionError.class)
        .hasMessageContainingAll("billing/wrong", "name");
  }

  @Test
  void aSnapshotIsComparedWithAFile(DataSource database) throws IOException {
    execute(database, "CREATE TABLE users (id bigint PRIMARY KEY, name text)");
    Path file = folder.resolve("more/schema.txt");
    SchemaSnapshot snapshot = SchemaSnapshot.of(database);
    assertThatThrownBy(() -> snapshot.requireSame(file))
        .isInstanceOf(AssertionError.class)
        .hasMessageContainingAll("schema.txt", "check it in");
    snapshot.requireSame(file);
    Files.writeString(file, Files.readString(file).replace("\n", "\r\n"));
    snapshot.requireSame(file);
    execute(database, "ALTER TABLE users ALTER name SET NOT NULL");
    SchemaSnapshot changed = SchemaSnapshot.of(database);
    assertThatThrownBy(() -> changed.requireSame(file))
        .isInstanceOf(AssertionError.class)
        .hasMessageContainingAll(
            "-   name text\n", "+   name text NOT NULL", "-Dorchestrator.snapshot=write");
    System.setProperty("orchestrator.snapshot", "write");
    try {
      changed.requireSame(file);
    } finally {
      System.clearProperty("orchestrator.snapshot");
    }
    assertThat(Files.readString(file)).isEqualTo(changed.text());
  }

  /** Whatever changes shows. */
  @Test
  void aSnapshotHasEverything(DataSource database) {
    String last = SchemaSnapshot.of(database).text();
    for (String each :
        List.of(
            "CREATE TABLE t (id int)",
            "CREATE TABLE empty ()",
            "ALTER TABLE t ALTER id TYPE bigint",
            "ALTER TABLE t ALTER id SET DEFAULT 1",
            "ALTER TABLE t ALTER id SET NOT NULL",
            "ALTER TABLE t ADD c text COLLATE \"C\"",
            "ALTER TABLE t ADD i int GENERATED ALWAYS AS IDENTITY",
            "ALTER TABLE t ADD g int GENERATED ALWAYS AS (id + 1) STORED",
            "ALTER TABLE t ADD CONSTRAINT k PRIMARY KEY (id)",
            "ALTER TABLE t ADD CONSTRAINT ch CHECK (id > 0) NOT VALID",
            "ALTER TABLE t VALIDATE CONSTRAINT ch",
            "CREATE TABLE child (id bigint CONSTRAINT fk REFERENCES t)",
            "CREATE UNIQUE INDEX ix ON t (lower(c)) WHERE id > 5",
            "CREATE TABLE part (id int) PARTITION BY LIST (id)",
            "CREATE TABLE part1 PARTITION OF part FOR VALUES IN (1)",
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN"
                + " NULL; END'",
            "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
            "ALTER TABLE t ENABLE ALWAYS TRIGGER tr",
            "CREATE VIEW v AS SELECT id FROM t",
            "CREATE MATERIALIZED VIEW mv AS SELECT id FROM t",
            "CREATE SEQUENCE s",
            "ALTER SEQUENCE s INCREMENT 2",
            "CREATE TYPE e AS ENUM ('b', 'a')",
            "ALTER TYPE e ADD VALUE 'c' BEFORE 'a'",
            "CREATE DOMAIN d AS int CHECK (VALUE > 0)",
            "DROP TABLE child")) {
      execute(database, each);
      String now = SchemaSnapshot.of(database).text();
      assertThat(now).as(each).isNotEqualTo(last);
      last = now;
    }
    // The same again, and nothing of what others keep there.
    execute(database, "CREATE TABLE flyway_schema_history (x int PRIMARY KEY, y int UNIQUE)");
    execute(database, "CREATE TABLE databasechangelog (x int); CREATE SCHEMA orchestrator");
    execute(database, "CREATE TABLE orchestrator.control (x int)");
    assertThat(SchemaSnapshot.of(database).text()).isEqualTo(last);
  }

  @Test
  void aWalkRunsBothReleasesAtEveryPhaseTheyFit(DataSource database) {
    execute(database, "CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL)");
    execute(database, "INSERT INTO users VALUES (0, 'ann')");
    AtomicInteger keys = new AtomicInteger();
    PhaseWalk.Result result =
        PhaseWalk.of(
                FULL_NAME,
                RenameColumn.Code.USES_OLD_NAME,
                connection -> write(connection, "name", keys.incrementAndGet()))
            .and(
                RenameColumn.Code.USES_NEW_NAME,
                connection -> write(connection, "full_name", keys.incrementAndGet()))
            .run(database);
    assertThat(result.visits())
        .startsWith("NOT_STARTED, before: USES_OLD_NAME", "EXPAND, upwards: USES_OLD_NAME")
        .contains(
            "ENFORCE, upwards: USES_OLD_NAME",
            "ENFORCE, upwards: USES_NEW_NAME",
            "ENFORCE, downwards: USES_OLD_NAME",
            "NOT_STARTED, downwards: USES_OLD_NAME",
            "CONTRACT, upwards again: USES_NEW_NAME")
        .endsWith("PURGE, upwards: USES_NEW_NAME")
        .doesNotContain("CONTRACT, upwards: USES_OLD_NAME");
    // Every row of either has kept its value.
    assertThat(one(database, "SELECT count(*) FROM users WHERE full_name = 'u' || id"))
        .isEqualTo(String.valueOf(keys.get()));
    assertThat(one(database, "SELECT full_name FROM users WHERE id = 0")).isEqualTo("ann");
  }

  private static void write(Connection connection, String column, int key) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("INSERT INTO users (id, " + column + ") VALUES (" + key + ", 'x')");
      statement.execute("UPDATE users SET " + column + " = 'u' || id WHERE id = " + key);
      try (ResultSet row =
          statement.executeQuery("SELECT count(*) FROM users WHERE " + column + " IS NULL")) {
        row.next();
        assertThat(row.getInt(1)).isZero();
      }
    }
  }

  @Test
  void aWalkSaysWhereCodeFailsAndWhatNeverRan(DataSource database, DataSource other) {
    for (DataSource each : List.of(database, other)) {
      execute(each, "CREATE TABLE users (id bigint PRIMARY KEY, name text)");
    }
    assertThatThrownBy(
            () ->
                PhaseWalk.of(
                        FULL_NAME,
                        RenameColumn.Code.USES_NEW_NAME,
                        // It says that it does without the old name.
                        connection ->
                            connection.prepareStatement("SELECT name FROM users").execute())
                    .run(database))
        .isInstanceOf(AssertionError.class)
        .hasMessageContainingAll(
            "billing/full-name", "CONTRACT, upwards: USES_NEW_NAME", "\"name\" does not exist");
    assertThatThrownBy(
            () ->
                PhaseWalk.of(FULL_NAME, RenameColumn.Code.USES_OLD_NAME, connection -> {})
                    .and(
                        RenameColumn.Code.USES_NEW_NAME,
                        connection -> {
                          throw new IllegalStateException("never mind");
                        })
                    .run(other))
        .hasMessageContainingAll("ENFORCE, upwards: USES_NEW_NAME", "never mind");
  }

  /** Without a purge, with one that needs consent on the way back, and with a backfill. */
  @Test
  void walksOfOtherOperations(DataSource one, DataSource two, DataSource three) {
    execute(one, "CREATE TABLE t (id int PRIMARY KEY, a int)", "INSERT INTO t VALUES (1, 1)");
    assertThat(
            PhaseWalk.of(
                    CreateIndex.of("a/index").table("t").name("ix").columns("a").build(),
                    CreateIndex.Code.UNAWARE,
                    connection -> {})
                .run(one)
                .visits())
        .containsExactly(
            "NOT_STARTED, before: UNAWARE",
            "DONE, upwards: UNAWARE",
            "NOT_STARTED, downwards: UNAWARE",
            "DONE, upwards again: UNAWARE");
    execute(
        two, "CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL)", "INSERT INTO t VALUES (1, 1)");
    assertThat(
            PhaseWalk.of(
                    DropColumn.of("a/drop").table("t").column("a").build(),
                    DropColumn.Code.UNUSED,
                    connection -> connection.prepareStatement("SELECT id FROM t").execute())
                .run(two)
                .visits())
        .contains("RELAX, downwards: UNUSED", "PURGE, upwards: UNUSED");
    execute(three, "CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)");
    assertThat(
            PhaseWalk.of(
                    AddColumn.of("a/add")
                        .table("t")
                        .column("n", "int")
                        .notNull()
                        .fillWithSql("id")
                        .build(),
                    AddColumn.Code.UNAWARE,
                    connection ->
                        connection
                            .prepareStatement(
                                "INSERT INTO t (id) SELECT coalesce(max(id), 0) + 1 FROM t")
                            .execute())
                .run(three)
                .visits())
        .contains("BACKFILL, upwards: UNAWARE", "NOT_STARTED, downwards: UNAWARE");
  }

  /** What can't be undone from some phase on is undone before it. */
  @Test
  void aWalkGoesBackWhereThereIsAWay(DataSource database) {
    execute(database, "CREATE TABLE t (id bigint PRIMARY KEY)");
    PhasePlan<Side> plan =
        PhasePlan.of("a/plan", Side.class)
            .table("t")
            .phase(
                "ADD",
                p ->
                    p.ddl("add a", "ALTER TABLE {schema}.t ADD COLUMN a int")
                        .probe(column("a"))
                        .undo("ALTER TABLE {schema}.t DROP COLUMN a"))
            .phase(
                "CLOSE",
                p ->
                    p.ddl("add b", "ALTER TABLE {schema}.t ADD COLUMN b int")
                        .probe(column("b"))
                        .closed("it is a test"))
            .stage(Side.OLD, "NOT_STARTED", "ADD")
            .stage(Side.NEW, "ADD", "CLOSE")
            .build();
    assertThat(
            PhaseWalk.of(plan, Side.OLD, connection -> {})
                .and(Side.NEW, connection -> {})
                .run(database)
                .visits())
        .containsExactly(
            "NOT_STARTED, before: OLD",
            "ADD, upwards: OLD",
            "ADD, upwards: NEW",
            "NOT_STARTED, downwards: OLD",
            "ADD, upwards again: OLD",
            "ADD, upwards again: NEW",
            "CLOSE, upwards: NEW");
  }

  private static String column(String name) {
    return "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('{schema}.t') AND"
        + " attname = '"
        + name
        + "' AND NOT attisdropped)";
  }

  private enum Side implements CodeStage {
    OLD,
    NEW
  }

  @Test
  void aPhaseIsDrivenToInTestsOnly(DataSource database, DataSource production) {
    execute(database, "CREATE TABLE users (id bigint PRIMARY KEY, name text)");
    try (Orchestrator job =
        Orchestrator.builder(database)
            .environment(Environment.DEVELOPMENT)
            .background(false)
            .thisBuild(build(RenameColumn.Code.USES_OLD_NAME))
            .build()) {
      assertThat(
              job.driveTo(FULL_NAME.id(), "EXPAND").migration(FULL_NAME.id()).orElseThrow().phase())
          .isEqualTo("EXPAND");
      assertThatThrownBy(() -> job.driveTo(FULL_NAME.id(), "NOWHERE"))
          .isInstanceOf(DeclarationException.class)
          .hasMessageContaining("NOWHERE");
      assertThatThrownBy(() -> job.driveTo("billing/none", "EXPAND"))
          .isInstanceOf(DeclarationException.class)
          .hasMessageContaining("billing/none");
      // It stays there for nobody but this call.
      assertThat(job.advance().migration(FULL_NAME.id()).orElseThrow().phase())
          .isNotEqualTo("EXPAND");
    }
    try (Orchestrator job =
        Orchestrator.builder(production)
            .background(false)
            .thisBuild(build(RenameColumn.Code.USES_OLD_NAME))
            .build()) {
      assertThatThrownBy(() -> job.driveTo(FULL_NAME.id(), "EXPAND"))
          .isInstanceOf(DeclarationException.class)
          .hasMessageContainingAll("PRODUCTION", "approvalBefore");
    }
    assertThat(one(production, "SELECT count(*) FROM pg_namespace WHERE nspname = 'orchestrator'"))
        .isEqualTo("0");
  }
}
