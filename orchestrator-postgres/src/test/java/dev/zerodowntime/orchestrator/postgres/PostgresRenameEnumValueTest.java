package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Policy;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.RenameEnumValue;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.OperationType;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.PGConnection;

/** Renaming a value of an enumeration, on a real server. */
@PostgresTest
class PostgresRenameEnumValueTest {

  private final TestDatabase db;

  PostgresRenameEnumValueTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void users() {
    db.execute(
        "DROP SCHEMA IF EXISTS public, control, app CASCADE",
        "CREATE SCHEMA public",
        "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')",
        "CREATE TABLE users (id bigint PRIMARY KEY, mood mood NOT NULL DEFAULT 'ok', note text)",
        "INSERT INTO users SELECT n, (ARRAY['sad', 'ok', 'happy'])[n % 3 + 1]::mood, 'ok' FROM"
            + " generate_series(1, 300) n");
  }

  private StepRunner<RenameEnumValue> runner(UnaryOperator<RenameEnumValue.Builder> how) {
    return new StepRunner<>(
        db,
        new PostgresRenameEnumValue(),
        how.apply(
                RenameEnumValue.of("billing/mood")
                    .table("users")
                    .type("mood")
                    .from("ok")
                    .to("fine"))
            .build());
  }

  private StepRunner<RenameEnumValue> runner() {
    return runner(b -> b);
  }

  /** What was made with the value has it by its number. */
  @Test
  void upAndBackWithoutTouchingARow() throws SQLException {
    db.execute(
        "ALTER TABLE users ADD CHECK (mood <> 'ok' OR note IS NOT NULL)",
        "CREATE INDEX i ON users (id) WHERE mood = 'ok'",
        "CREATE VIEW v AS SELECT count(*) AS n FROM users WHERE mood = 'ok'",
        "CREATE POLICY p ON users USING (mood IN ('ok', 'sad'))",
        "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM users WHERE note"
            + " = ''okay'''");
    StepRunner<RenameEnumValue> run = runner().preflight();
    String before = db.rows("SELECT xmin::text, ctid::text, * FROM users ORDER BY id").toString();
    long file = run.file("public.users");
    assertThat(run.up(RenameEnumValue.DONE)).containsExactly("rename-value");
    assertThat(db.queryLong("SELECT count(*) FROM users WHERE mood = 'fine'")).isEqualTo(100);
    assertThat(db.queryLong("SELECT n FROM v")).isEqualTo(100);
    assertThat(db.rows("SELECT pg_get_viewdef('v'::regclass)").toString()).contains("'fine'::mood");
    assertThatThrownBy(() -> db.execute("UPDATE users SET mood = 'ok' WHERE id = 1"))
        .hasMessageContaining("invalid input value for enum");
    db.execute("INSERT INTO users (id, note) VALUES (301, 'x')");
    assertThat(db.rows("SELECT mood::text FROM users WHERE id = 301").toString())
        .isEqualTo("[[fine]]");
    db.execute("DELETE FROM users WHERE id = 301");
    assertThat(db.rows("SELECT enumlabel::text FROM pg_enum ORDER BY enumsortorder").toString())
        .isEqualTo("[[sad], [fine], [happy]]");
    assertThat(run.down(RenameEnumValue.DONE)).containsExactly("restore-value");
    assertThat(db.rows("SELECT xmin::text, ctid::text, * FROM users ORDER BY id").toString())
        .isEqualTo(before);
    assertThat(run.file("public.users")).isEqualTo(file);
    assertThat(run.rest(RenameEnumValue.DONE, Direction.DOWN)).isEmpty();
    run.up(RenameEnumValue.DONE);
  }

  /** Code that names neither notices nothing, warm statements included; and no table is locked. */
  @Test
  void codeThatNamesNeitherNoticesNothing() throws SQLException {
    StepRunner<RenameEnumValue> run = runner().preflight();
    try (Connection c = db.dataSource().getConnection()) {
      c.setAutoCommit(false);
      c.unwrap(PGConnection.class).setPrepareThreshold(1);
      try (PreparedStatement star = c.prepareStatement("SELECT * FROM users WHERE id = ?")) {
        for (int round = 0; round < 3; round++) {
          for (int i = 0; i < 8; i++) {
            star.setLong(1, 1);
            try (ResultSet row = star.executeQuery()) {
              row.next();
              assertThat(row.getString("mood")).isEqualTo(round < 2 ? "ok" : "fine");
            }
          }
          // The reader's transaction is still open, and in nobody's way.
          if (round == 0) {
            run.up(RenameEnumValue.DONE);
          } else {
            // It hears of the new name when it begins the next one.
            c.commit();
          }
        }
      }
    }
    DdlStep step = (DdlStep) run.steps(RenameEnumValue.DONE, Direction.UP).get(0);
    assertThat(step.locks()).isEmpty();
    assertThat(step.changesRowType()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "select",
        "it's",
        "back\\slash",
        "\"quoted\"",
        "名前🙂",
        "63_bytes_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
      })
  void anyName(String name) throws SQLException {
    db.execute(
        "CREATE SCHEMA app",
        "CREATE TYPE " + Sql.qualified("app", name) + " AS ENUM (" + Sql.literal(name) + ")",
        "CREATE TABLE app.t (c " + Sql.qualified("app", name) + ")",
        "INSERT INTO app.t VALUES (" + Sql.literal(name) + ")");
    String to = name.length() > 60 ? name.substring(1) : name + " new";
    StepRunner<RenameEnumValue> run =
        runner(b -> b.schema("app").table("t").type(name).from(name).to(to)).preflight();
    run.up(RenameEnumValue.DONE);
    assertThat(db.rows("SELECT c::text FROM app.t")).isEqualTo(List.of(List.of(to)));
    run.down(RenameEnumValue.DONE);
  }

  private void refused(UnaryOperator<RenameEnumValue.Builder> how, String... parts) {
    assertThatThrownBy(() -> runner(how).preflight())
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains("billing/mood").contains(parts));
  }

  @Test
  void badInputIsRefusedByName() {
    refused(b -> b.table("missing"), "no table \"missing\"");
    refused(b -> b.type("Mood"), "no type \"Mood\"");
    refused(b -> b.from("bad"), "no value \"bad\"", "[sad, ok, happy]");
    refused(b -> b.to("happy"), "already has a value \"happy\"");
    refused(b -> b.to("ü".repeat(32)), "64 bytes");
    db.execute("CREATE TABLE other (id int)", "CREATE TYPE pair AS (a int)");
    refused(b -> b.table("other"), "no column of table", "users");
    refused(b -> b.type("pair"), "is not an enumeration");
    assertThatThrownBy(() -> runner(b -> b.to("ok")))
        .isInstanceOf(DeclarationException.class)
        .hasMessageContaining("both \"ok\"");
    db.execute("CREATE PUBLICATION pub FOR TABLE users");
    refused(b -> b, "published by [pub]", "\"fine\"");
  }

  @Test
  void aTypeOfMoreThanOneTableNeedsThemNamed() throws SQLException {
    db.execute(
        "CREATE SCHEMA app",
        "CREATE TABLE app.posts (moods mood[])",
        "CREATE DOMAIN m AS mood",
        "CREATE TABLE \"Visits\" (m m)");
    refused(b -> b, "also used by", "app.posts", "\"Visits\"", "alsoIn(");
    refused(b -> b.alsoIn("Visits"), "also used by [app.posts]");
    StepRunner<RenameEnumValue> run = runner(b -> b.alsoIn("Visits", "app.posts")).preflight();
    run.up(RenameEnumValue.DONE);
    db.execute("INSERT INTO app.posts VALUES ('{fine}')");
  }

  /** Their text is not the value: it would not be renamed. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM users WHERE mood"
            + " = ''ok''' | function public.f() (allowFunctions(\"f\")",
        "ALTER TABLE users ADD CONSTRAINT k CHECK (mood::text <> 'ok' OR id > 0) | constraint k on",
        "ALTER TABLE users ALTER mood SET DEFAULT 'ok'::text::mood | default value for column mood",
        "CREATE VIEW v AS SELECT id FROM users WHERE mood::text = 'ok' | view public.v",
        "CREATE POLICY p ON users USING (mood::text = 'ok') | policy p on",
        "CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE"
            + " TRIGGER t BEFORE UPDATE ON users FOR EACH ROW WHEN (OLD.mood::text = 'ok') EXECUTE"
            + " FUNCTION g() | trigger t on",
        "CREATE TYPE pair AS (m mood) | part of [composite type public.pair]",
        "CREATE TYPE moods AS RANGE (subtype = mood) | part of [range public.moods]",
      })
  void whatNamesItInATextIsRefused(String sql, String part) {
    db.execute(sql);
    refused(b -> b, part);
  }

  @Test
  void functionsMayBeAllowed() throws SQLException {
    db.execute("CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT ''ok''::text'");
    runner(b -> b.allowFunctions("f")).preflight();
  }

  @Test
  void theTypeOfAnotherIsRefused() throws SQLException {
    db.execute(
        "DO $$ BEGIN CREATE ROLE zdo_enum; EXCEPTION WHEN duplicate_object OR unique_violation THEN"
            + " NULL; END $$",
        "GRANT USAGE, CREATE ON SCHEMA public TO zdo_enum",
        "ALTER TABLE users OWNER TO zdo_enum");
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      s.execute("SET ROLE zdo_enum");
      assertThatThrownBy(() -> runner().preflight(c))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("does not own type");
    }
  }

  @Test
  void survivesBeingStored() {
    RenameEnumValue migration = runner(b -> b.schema("app").alsoIn("b", "a")).migration;
    assertThat(
            RenameEnumValue.TYPE
                .restore()
                .apply(
                    new OperationType.Stored(
                        migration.id(),
                        "app",
                        List.of(),
                        Policy.DEFAULT,
                        migration.fields(),
                        null)))
        .isEqualTo(migration);
  }
}
