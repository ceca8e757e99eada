package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumnInCode;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What can't be carried is refused by name, before anything is touched. */
@PostgresTest
class RenameColumnRefusalTest {

  private static final String TRIGGER_FUNCTION =
      "CREATE FUNCTION app.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; ";

  private final TestDatabase db;

  RenameColumnRefusalTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void schemas() {
    db.execute(
        "DROP SCHEMA IF EXISTS app CASCADE",
        "DROP SCHEMA IF EXISTS \"" + RenameColumnRunner.CONTROL + "\" CASCADE",
        "CREATE SCHEMA app",
        "CREATE SCHEMA \"" + RenameColumnRunner.CONTROL + "\"",
        "CREATE TABLE app.t (id int PRIMARY KEY, o text, other text)");
  }

  /** It would see, and keep, what stands for a value that is not given. */
  @Test
  void aTriggerThatSeesThePlaceholder() {
    db.execute(
        "ALTER TABLE app.t ALTER o SET DEFAULT 'd'",
        "CREATE FUNCTION app.audit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER audit BEFORE INSERT ON app.t FOR EACH ROW EXECUTE FUNCTION app.audit()");
    assertThatThrownBy(() -> runner("t", "o", "n").preflight())
        .isInstanceOf(RefusedException.class)
        .hasMessageContainingAll("placeholder", "[audit]", ".allowTriggers(\"audit\")");
    RenameColumn consented =
        RenameColumn.of("tests/refused")
            .schema("app")
            .table("t")
            .from("o")
            .to("n")
            .allowTriggers("audit")
            .build();
    assertThatCode(
            () -> new RenameColumnRunner<>(db, new PostgresRenameColumn(), consented).preflight())
        .doesNotThrowAnyException();
    db.execute("ALTER TABLE app.t ALTER o DROP DEFAULT");
    assertThatCode(() -> runner("t", "o", "n").preflight()).doesNotThrowAnyException();
  }

  private static RenameColumn trigger(String table, String from, String to) {
    return RenameColumn.of("tests/refused").schema("app").table(table).from(from).to(to).build();
  }

  private RenameColumnRunner<RenameColumn> runner(String table, String from, String to) {
    return new RenameColumnRunner<>(db, new PostgresRenameColumn(), trigger(table, from, to));
  }

  private RenameColumnRunner<RenameColumnInCode> inCode() {
    return new RenameColumnRunner<>(
        db,
        new PostgresRenameColumnInCode(),
        RenameColumnInCode.of("tests/refused").schema("app").table("t").from("o").to("n").build());
  }

  private void assertRefused(RenameColumnRunner<?> runner, String message) {
    List<String> before = RenameColumnCatalog.of(db, "app", "t");
    assertThatThrownBy(runner::preflight)
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("tests/refused")
        .hasMessageContaining(message)
        .satisfies(e -> assertThat(((RefusedException) e).remedy()).isNotBlank());
    assertThat(RenameColumnCatalog.of(db, "app", "t")).isEqualTo(before);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "missing | o | n    | no table \"missing\"",
        "t       | x | n    | no column \"x\"",
        "t       | o | other| \"other\" is taken",
        "t       | o | xmin | \"xmin\" is taken",
        "t       | id| n    | primary key \"t_pkey\"",
        "t       | o | nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnüü | 66 bytes",
      })
  void names(String table, String from, String to, String message) {
    assertRefused(runner(table, from, to), message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "CREATE UNIQUE INDEX i ON app.t (o) WHERE id > 1 | unique partial index \"i\"",
        "CREATE UNIQUE INDEX i ON app.t (lower(o)) | unique index \"i\" over an expression",
        "CREATE UNIQUE INDEX i ON app.t (other) INCLUDE (o) | INCLUDE) in the unique index \"i\"",
        "ALTER TABLE app.t ADD CONSTRAINT u UNIQUE (o) DEFERRABLE | deferrable unique constraint of"
            + " index \"u\"",
        "ALTER TABLE app.t ADD CONSTRAINT x EXCLUDE (o WITH =) | exclusion constraint \"x\"",
        "ALTER TABLE app.t ADD CONSTRAINT u UNIQUE (o); CREATE TABLE app.c (f text CONSTRAINT fk"
            + " REFERENCES app.t (o)) | foreign key fk of app.c",
        "ALTER TABLE app.t ADD g text GENERATED ALWAYS AS (upper(o)) STORED | column g of table"
            + " app.t",
        "ALTER TABLE app.t ALTER o DROP NOT NULL, DROP o, ADD o text GENERATED ALWAYS AS (other)"
            + " STORED | is a generated column",
        "CREATE VIEW app.v AS SELECT o FROM app.t | view app.v",
        "CREATE MATERIALIZED VIEW app.v AS SELECT o FROM app.t | materialized view app.v",
        "CREATE RULE r AS ON DELETE TO app.t DO ALSO SELECT old.o | rule r on table app.t",
        "CREATE POLICY p ON app.t USING (o <> '') | policy p on table app.t",
        "CREATE STATISTICS app.s ON o, other FROM app.t | statistics object app.s",
        "CREATE INDEX i ON app.t (o); CLUSTER app.t USING i | \"i\", on which the table is"
            + " clustered",
        "ALTER TABLE app.t ALTER o SET NOT NULL; CREATE UNIQUE INDEX i ON app.t (o); ALTER TABLE"
            + " app.t REPLICA IDENTITY USING INDEX i | replica identity index \"i\"",
        "CREATE TABLE app.child () INHERITS (app.t) | inherit from it",
        "CREATE TABLE app.p (o text); ALTER TABLE app.t INHERIT app.p | is inherited from another"
            + " table",
        "ALTER TABLE app.t DROP id | no primary key",
        "ALTER TABLE app.t DROP id, ALTER o SET NOT NULL, ADD UNIQUE (o) | no key but the one with"
            + " column \"o\"",
        "CREATE DOMAIN app.d AS text CHECK (VALUE <> ''); ALTER TABLE app.t ALTER o TYPE app.d |"
            + " domain app.d, which has constraints",
        "ALTER TABLE app.t ADD CONSTRAINT w CHECK (t IS NOT NULL) | check w refers to the row as a"
            + " whole",
        "ALTER TABLE app.t ALTER o TYPE boolean USING NULL, ALTER o SET DEFAULT true | no value to"
            + " spare",
        "ALTER TABLE app.t ALTER o TYPE varchar(3), ALTER o SET DEFAULT 'x' | no value to spare",
        "CREATE TYPE app.c AS (x int, y int); ALTER TABLE app.t DROP o, ADD o app.c NOT NULL |"
            + " composite type app.c",
        "CREATE TYPE app.e AS ENUM ('a'); ALTER TABLE app.t ALTER o TYPE app.e USING 'a', ALTER o"
            + " SET DEFAULT 'a' | no value to spare",
      })
  void objects(String sql, String message) {
    // PostgreSQL 18 validates NOT NULL itself without blocking writes.
    assumeTrue(!message.startsWith("composite") || db.server().majorVersion() < 18);
    db.execute(sql);
    assertRefused(runner("t", "o", "n"), message);
  }

  @Test
  void theRemedyNamesTheFormThatCarriesIt() {
    assertRefused(runner("t", "id", "n"), "RenameColumnByView");
    db.execute("CREATE UNIQUE INDEX i ON app.t (lower(o))");
    assertRefused(runner("t", "o", "n"), "RenameColumnByView");
    db.execute(
        "DROP INDEX app.i",
        "ALTER TABLE app.t ADD UNIQUE (o)",
        "CREATE TABLE app.c (f text REFERENCES app.t (o))");
    assertRefused(runner("t", "o", "n"), "RenameColumnByView");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "CREATE TRIGGER a AFTER UPDATE OF o ON app.t FOR EACH ROW EXECUTE FUNCTION app.f() |"
            + " trigger a on table app.t",
        "CREATE TRIGGER a AFTER UPDATE ON app.t FOR EACH ROW WHEN (old.o <> '') EXECUTE FUNCTION"
            + " app.f() | trigger a on table app.t",
        "CREATE TRIGGER \"~~~\" BEFORE INSERT ON app.t FOR EACH ROW EXECUTE FUNCTION app.f() | fire"
            + " after the one that the library needs to be last: [~~~]",
        "CREATE TRIGGER a BEFORE UPDATE ON app.t FOR EACH ROW EXECUTE FUNCTION app.f() | fire these"
            + " triggers for every row: [a]",
      })
  void triggers(String sql, String message) {
    db.execute(TRIGGER_FUNCTION + sql);
    assertRefused(runner("t", "o", "n"), message);
  }

  @Test
  void functionsElsewhereThatNameTableAndColumn() {
    db.execute(
        "CREATE FUNCTION app.report() RETURNS bigint LANGUAGE plpgsql AS"
            + " 'BEGIN RETURN (SELECT count(o) FROM app.t); END'");
    assertRefused(runner("t", "o", "n"), "function app.report() (allowFunctions(\"report\")");

    RenameColumn consented =
        RenameColumn.of("tests/refused")
            .schema("app")
            .table("t")
            .from("o")
            .to("n")
            .allowFunctions("report")
            .build();
    assertThatCode(
            () -> new RenameColumnRunner<>(db, new PostgresRenameColumn(), consented).preflight())
        .doesNotThrowAnyException();
  }

  @Test
  void functionsThatNameOnlyOneOfThemAreNoneOfOurBusiness() {
    db.execute(
        "CREATE FUNCTION app.a() RETURNS int LANGUAGE plpgsql AS 'DECLARE o int; BEGIN RETURN o; END'",
        "CREATE FUNCTION app.b() RETURNS bigint LANGUAGE plpgsql AS"
            + " 'BEGIN RETURN (SELECT count(other) FROM app.t); END'");
    assertThatCode(() -> runner("t", "o", "n").preflight()).doesNotThrowAnyException();
  }

  @Test
  void functionsOfTriggers() {
    db.execute(
        "CREATE FUNCTION app.audit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.o :="
            + " lower(NEW.O); RETURN NEW; END'",
        "CREATE TRIGGER a BEFORE INSERT ON app.t FOR EACH ROW EXECUTE FUNCTION app.audit()");
    assertRefused(runner("t", "o", "n"), "function app.audit() of trigger a");
  }

  @Test
  void anInvalidIndex() {
    db.execute("INSERT INTO app.t VALUES (1, 'a'), (2, 'a')");
    assertThatCode(() -> db.execute("CREATE UNIQUE INDEX CONCURRENTLY i ON app.t (o)"))
        .isInstanceOf(IllegalStateException.class);
    assertRefused(runner("t", "o", "n"), "index \"i\" of column \"app\".\"t\".\"o\" is INVALID");
  }

  @Test
  void publicationsWithColumnLists() {
    if (db.server().majorVersion() >= 15) {
      db.execute("CREATE PUBLICATION pub FOR TABLE app.t (id, o)");
      try {
        assertRefused(runner("t", "o", "n"), "publication");
      } finally {
        db.execute("DROP PUBLICATION pub");
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "gen_random_uuid()::text | gen_random_uuid()",
        "clock_timestamp()::text | clock_timestamp()"
      })
  void volatileDefaultsInCode(String value, String message) {
    db.execute("ALTER TABLE app.t ALTER o SET DEFAULT " + value);
    assertRefused(inCode(), message);
    db.execute("ALTER TABLE app.t ALTER o SET DEFAULT now()::text");
    inCode().preflight();
    assertThat(RenameColumnCatalog.of(db, "app", "t")).isNotEmpty();
  }

  @Test
  void identitiesInCode() {
    db.execute("ALTER TABLE app.t DROP o, ADD o int GENERATED ALWAYS AS IDENTITY");
    assertRefused(inCode(), "its identity");
  }

  @Test
  void aDefaultOfABooleanIsFineInCode() {
    db.execute("ALTER TABLE app.t ALTER o TYPE boolean USING NULL, ALTER o SET DEFAULT true");
    inCode().preflight();
  }

  @Test
  void privileges() throws SQLException {
    db.execute(
        "DO $$ BEGIN CREATE ROLE zdo_rename_other; EXCEPTION WHEN duplicate_object OR"
            + " unique_violation THEN NULL; END $$",
        "GRANT USAGE ON SCHEMA app TO zdo_rename_other");
    assertRefusedAs("may not create functions");
    db.execute(
        "GRANT USAGE, CREATE ON SCHEMA \"" + RenameColumnRunner.CONTROL + "\" TO zdo_rename_other");
    assertRefusedAs("does not own table");
    db.execute(
        "CREATE TABLE app.p (k text PRIMARY KEY)",
        "ALTER TABLE app.t ADD CONSTRAINT fk FOREIGN KEY (o) REFERENCES app.p",
        "ALTER TABLE app.t OWNER TO zdo_rename_other");
    assertRefusedAs("may not create foreign keys to app.p");
  }

  private void assertRefusedAs(String message) throws SQLException {
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      s.execute("SET ROLE zdo_rename_other");
      c.setAutoCommit(false);
      assertThatThrownBy(
              () ->
                  new PostgresRenameColumn()
                      .preflight(
                          trigger("t", "o", "n"),
                          new Target("tests/refused", "app", RenameColumnRunner.CONTROL),
                          1,
                          Map.of(),
                          c))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining(message);
      c.rollback();
    }
  }
}
