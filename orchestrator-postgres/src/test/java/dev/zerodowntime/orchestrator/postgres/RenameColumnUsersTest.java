package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumnInCode;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.NotYetException;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Who uses a column without the catalog saying so, and who may do what to it. */
@PostgresTest
class RenameColumnUsersTest {

  private static final String ID = "tests/users";

  private static final String AUDIT =
      "CREATE FUNCTION app.audit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN %s; RETURN NEW; END';"
          + " CREATE TRIGGER a AFTER INSERT OR UPDATE ON app.t FOR EACH ROW EXECUTE FUNCTION"
          + " app.audit()";

  private final TestDatabase db;

  RenameColumnUsersTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void table() {
    db.execute(
        "DROP SCHEMA IF EXISTS app, \"" + RenameColumnRunner.CONTROL + "\" CASCADE",
        "CREATE SCHEMA app",
        "CREATE TABLE app.t (id int PRIMARY KEY, o text, doc tsvector)",
        "INSERT INTO app.t VALUES (1, 'a')");
  }

  private <B extends Migration.Builder<B, ?>> B consents(B builder, String... functions) {
    return builder.schema("app").allowTriggers("a").allowFunctions(functions);
  }

  private RenameColumnRunner<RenameColumn> byTrigger(String... functions) {
    return new RenameColumnRunner<>(
        db,
        new PostgresRenameColumn(),
        consents(RenameColumn.of(ID).table("t").from("o").to("n"), functions).build());
  }

  private RenameColumnRunner<RenameColumnInCode> inCode(String... functions) {
    return new RenameColumnRunner<>(
        db,
        new PostgresRenameColumnInCode(),
        consents(RenameColumnInCode.of(ID).table("t").from("o").to("n"), functions).build());
  }

  private RenameColumnRunner<AddColumn> add(String... functions) {
    return new RenameColumnRunner<>(
        db,
        new PostgresAddColumn(),
        consents(AddColumn.of(ID).table("t").column("c", "int"), functions).build());
  }

  private RenameColumnRunner<DropColumn> drop(String... functions) {
    return new RenameColumnRunner<>(
        db,
        new PostgresDropColumn(),
        consents(DropColumn.of(ID).table("t").column("o"), functions).build());
  }

  private static void refused(RenameColumnRunner<?> runner, String... parts) {
    assertThatThrownBy(runner::preflight)
        .isInstanceOf(RefusedException.class)
        .hasMessageContainingAll(parts)
        .satisfies(e -> assertThat(((RefusedException) e).remedy()).isNotBlank());
  }

  @Test
  void aTriggerThatIsToldTheColumnsName() {
    db.execute(
        "CREATE TRIGGER doc BEFORE INSERT OR UPDATE ON app.t FOR EACH ROW EXECUTE FUNCTION"
            + " tsvector_update_trigger(doc, 'pg_catalog.english', o)");
    db.execute("ALTER TABLE app.t DISABLE TRIGGER doc");
    String found =
        "trigger doc by an argument (allowFunctions(\"tsvector_update_trigger\") if it goes on";
    refused(byTrigger(), found);
    refused(inCode(), found);
    refused(drop(), found);
    assertThatCode(() -> byTrigger("tsvector_update_trigger").preflight())
        .doesNotThrowAnyException();
    db.execute(
        "DROP TRIGGER doc ON app.t",
        "ALTER TABLE app.t ADD \"größe o\" text",
        "CREATE TRIGGER doc BEFORE INSERT ON app.t FOR EACH ROW EXECUTE FUNCTION"
            + " tsvector_update_trigger(doc, 'pg_catalog.english', 'oo', 'größe', '')");
    assertThatCode(() -> byTrigger().preflight()).doesNotThrowAnyException();
    RenameColumnRunner<RenameColumn> other =
        new RenameColumnRunner<>(
            db,
            new PostgresRenameColumn(),
            RenameColumn.of(ID).schema("app").table("t").from("größe o").to("n").build());
    assertThatCode(other::preflight).doesNotThrowAnyException();
    db.execute(
        "CREATE TRIGGER doc2 BEFORE INSERT ON app.t FOR EACH ROW EXECUTE FUNCTION"
            + " tsvector_update_trigger(doc, 'pg_catalog.english', 'Größe O')");
    refused(other, "trigger doc2 by an argument");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "app.f(u app.t) RETURNS text LANGUAGE sql AS 'SELECT upper(u.o)'          | app.f(app.t)",
        "app.f(u app.t[]) RETURNS text LANGUAGE sql AS 'SELECT upper($1[1].o)'    | app.f(app.t[])",
        "app.f() RETURNS SETOF app.t LANGUAGE plpgsql AS 'DECLARE o int; BEGIN END' | app.f()",
        "app.f(OUT x int, OUT u app.t) LANGUAGE plpgsql AS 'BEGIN u.o := 1; END'  | app.f()",
      })
  void aFunctionOverTheTablesRows(String function, String name) {
    db.execute("CREATE FUNCTION " + function);
    refused(byTrigger(), "function " + name + " (allowFunctions(\"f\")");
    refused(drop(), "function " + name);
    assertThatCode(() -> byTrigger("f").preflight()).doesNotThrowAnyException();
    db.execute("ALTER TABLE app.t ADD z text");
    RenameColumnRunner<DropColumn> other =
        new RenameColumnRunner<>(
            db,
            new PostgresDropColumn(),
            DropColumn.of(ID).schema("app").table("t").column("z").build());
    assertThatCode(other::preflight).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "INSERT INTO app.log SELECT NEW.*, now()",
        "INSERT INTO app.log VALUES (new . *)",
        "IF TG_OP = ''UPDATE'' THEN INSERT INTO app.log SELECT (OLD).*; END IF",
        "IF NEW.* IS DISTINCT FROM OLD.* THEN INSERT INTO app.log SELECT NEW.*; END IF",
      })
  void aTriggerThatCountsOnTheNumberOfColumns(String statement) {
    db.execute(AUDIT.formatted(statement));
    String found = "function app.audit() of trigger a (allowFunctions(\"audit\")";
    refused(byTrigger(), found, "NEW.*");
    refused(inCode(), found, "to_jsonb(NEW)");
    refused(add(), found);
    refused(drop(), found);
    byTrigger("audit").preflight();
    inCode("audit").preflight();
    add("audit").preflight();
    drop("audit").preflight();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "IF NEW.* IS DISTINCT FROM OLD.* THEN PERFORM 1; END IF",
        "IF new.* IS NOT DISTINCT FROM OLD . * THEN PERFORM 1; END IF",
        "IF ROW(NEW.*) IS DISTINCT FROM ROW(OLD.*) THEN PERFORM 1; END IF",
        "PERFORM to_jsonb(NEW), x.id * 2 FROM app.t x",
        "PERFORM renew.* FROM app.t renew",
      })
  void comparingRowsIsFine(String statement) {
    db.execute(AUDIT.formatted(statement));
    byTrigger().go(RenameColumn.EXPAND);
    db.execute("INSERT INTO app.t (id, o) VALUES (2, 'b')", "UPDATE app.t SET id = 3 WHERE id = 2");
  }

  /** One statement, but with a record for each of its rows. */
  @ParameterizedTest
  @ValueSource(strings = {"REFERENCING NEW TABLE AS rows", "REFERENCING OLD TABLE AS rows", ""})
  void aStatementTriggerThatSeesRowsNeedsConsent(String referencing) {
    db.execute(
        "CREATE FUNCTION app.audit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE TRIGGER b AFTER UPDATE ON app.t "
            + referencing
            + " FOR EACH STATEMENT EXECUTE FUNCTION app.audit()");
    if (referencing.isEmpty()) {
      byTrigger().preflight();
    } else {
      refused(byTrigger(), "[b]", ".allowTriggers(\"b\")");
    }
  }

  @Test
  void anIndexThatIsBeingBuiltIsWaitedFor() throws Exception {
    RenameColumnRunner<RenameColumn> runner = byTrigger();
    owner();
    db.execute("GRANT CREATE ON SCHEMA app TO zdo_users_owner");
    try (Connection holder = db.dataSource().getConnection();
        Statement s = holder.createStatement()) {
      holder.setAutoCommit(false);
      s.execute("INSERT INTO app.t VALUES (2)");
      Thread build = new Thread(() -> db.execute("CREATE INDEX CONCURRENTLY busy ON app.t (o)"));
      build.start();
      while (db.queryLong(
              "SELECT count(*) FROM pg_index i WHERE i.indexrelid =" + " to_regclass('app.busy')")
          == 0) {
        Thread.onSpinWait();
      }
      assertWaitsForBuild(runner::preflight);
      // Of another role's build no more is seen than its lock.
      assertWaitsForBuild(() -> preflightAsOwner("o"));
      holder.commit();
      build.join();
    }
    runner.go(RenameColumn.PURGE);
  }

  private static void assertWaitsForBuild(ThrowingCallable preflight) {
    assertThatThrownBy(preflight)
        .isInstanceOf(NotYetException.class)
        .hasMessageContaining("index \"busy\" of column \"app\".\"t\".\"o\" is being built");
  }

  @Test
  void rightsToCreateInTheSchema() throws SQLException {
    owner();
    assertThatCode(() -> preflightAsOwner("o")).doesNotThrowAnyException();
    db.execute("CREATE INDEX ON app.t (o)");
    assertThatThrownBy(() -> preflightAsOwner("o"))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("may not create indexes in schema \"app\"")
        .hasMessageContaining("GRANT CREATE ON SCHEMA \"app\" TO \"zdo_users_owner\"");
    db.execute("ALTER TABLE app.t ADD i int GENERATED ALWAYS AS IDENTITY");
    assertThatThrownBy(() -> preflightAsOwner("i"))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("may not create sequences in schema \"app\"");
    db.execute("GRANT CREATE ON SCHEMA app TO zdo_users_owner");
    assertThatCode(() -> preflightAsOwner("o")).doesNotThrowAnyException();
    assertThatCode(() -> preflightAsOwner("i")).doesNotThrowAnyException();
    db.execute("REVOKE TEMPORARY ON DATABASE " + db.name() + " FROM public");
    assertThatThrownBy(() -> preflightAsOwner("o"))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("GRANT TEMPORARY ON DATABASE");
    db.execute("GRANT TEMPORARY ON DATABASE " + db.name() + " TO public");
  }

  private void owner() {
    db.execute(
        "DO $$ BEGIN CREATE ROLE zdo_users_owner; EXCEPTION WHEN duplicate_object OR"
            + " unique_violation THEN NULL; END $$",
        "CREATE SCHEMA IF NOT EXISTS \"" + RenameColumnRunner.CONTROL + "\"",
        "GRANT USAGE, CREATE ON SCHEMA \"" + RenameColumnRunner.CONTROL + "\" TO zdo_users_owner",
        "GRANT USAGE ON SCHEMA app TO zdo_users_owner",
        "ALTER TABLE app.t OWNER TO zdo_users_owner");
  }

  private void preflightAsOwner(String column) throws SQLException {
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      s.execute("SET ROLE zdo_users_owner");
      c.setAutoCommit(false);
      RenameColumn rename =
          RenameColumn.of(ID).schema("app").table("t").from(column).to("n").build();
      try {
        new PostgresRenameColumn()
            .preflight(rename, new Target(ID, "app", RenameColumnRunner.CONTROL), 1, Map.of(), c);
      } finally {
        c.rollback();
      }
    }
  }

  /** As when only a plan is asked for. */
  @Test
  void aPlanNeedsNoControlSchema() {
    db.execute(
        "CREATE INDEX ON app.t (lower(o)) WHERE o <> ''",
        "ALTER TABLE app.t ADD CHECK (o <> 'q')",
        "ALTER TABLE app.t ALTER o SET DEFAULT 'x'");
    RenameColumnRunner<RenameColumn> trigger = byTrigger();
    RenameColumnRunner<RenameColumnInCode> code = inCode();
    db.execute("DROP SCHEMA \"" + RenameColumnRunner.CONTROL + "\" CASCADE");
    trigger.preflight();
    code.preflight();
    assertThat(trigger.facts().toString()).contains("lower(n)");
    assertThat(db.queryLong("SELECT count(*) FROM pg_class WHERE relname LIKE 'zdo%'")).isZero();
  }

  @Test
  void anIdentitysSequenceThatAnotherColumnDrawsFrom() {
    db.execute(
        "ALTER TABLE app.t ADD i int GENERATED BY DEFAULT AS IDENTITY",
        "CREATE TABLE app.u (k int DEFAULT nextval('app.t_i_seq'))");
    RenameColumnRunner<RenameColumn> runner =
        new RenameColumnRunner<>(
            db,
            new PostgresRenameColumn(),
            RenameColumn.of(ID).schema("app").table("t").from("i").to("n").build());
    refused(
        runner,
        "sequence app.t_i_seq of the identity",
        "is also used by default value for column k of table app.u");
    db.execute("ALTER TABLE app.u ALTER k DROP DEFAULT");
    runner.go(RenameColumn.PURGE);
  }

  /** No provider of labels is at hand; the catalog is the same with one. */
  @Test
  void securityLabels() {
    db.execute(
        "INSERT INTO pg_seclabel SELECT attrelid, 'pg_class'::regclass, attnum, 'dummy', 'secret'"
            + " FROM pg_attribute WHERE attrelid = 'app.t'::regclass AND attname = 'o'");
    try {
      refused(byTrigger(), "\"o\" has security labels", "[dummy \"secret\"]");
      refused(inCode(), "[dummy \"secret\"]");
    } finally {
      db.execute("DELETE FROM pg_seclabel");
    }
    byTrigger().preflight();
  }
}
