package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Columns that can't be added: refused by name, nothing touched. */
@PostgresTest
class PostgresAddColumnRefusedTest {

  private final TestDatabase db;

  PostgresAddColumnRefusedTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void users() {
    db.execute(
        "DROP SCHEMA IF EXISTS public, control, other CASCADE",
        "CREATE SCHEMA public",
        "CREATE TABLE users (id bigint PRIMARY KEY, zip text NOT NULL, found text)",
        "INSERT INTO users SELECT n, 'z' || n, 'f' FROM generate_series(1, 30) n",
        "CREATE FUNCTION region_of(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT"
            + " upper($1)'");
  }

  private StepRunner<AddColumn> runner(UnaryOperator<AddColumn.Builder> how) throws SQLException {
    AddColumn.Builder builder = AddColumn.of("billing/add").table("users").column("region", "text");
    return new StepRunner<>(db, new PostgresAddColumn(), how.apply(builder).build());
  }

  private void refused(UnaryOperator<AddColumn.Builder> how, String... parts) throws SQLException {
    StepRunner<AddColumn> run = runner(how);
    long file = run.file("users");
    assertThatThrownBy(run::preflight)
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains("billing/add").contains(parts));
    assertThat(run.file("users")).isEqualTo(file);
    assertThat(run.leftovers()).isEmpty();
  }

  @Test
  void badInputIsRefusedByName() throws SQLException {
    db.execute(
        "CREATE DOMAIN positive AS int CHECK (VALUE > 0)",
        "CREATE VIEW v AS SELECT * FROM users",
        "CREATE TABLE parted (id int) PARTITION BY RANGE (id)",
        "CREATE TABLE part PARTITION OF parted DEFAULT",
        "CREATE TABLE keyless (zip text)");
    refused(b -> b.table("Users"), "\"Users\"", "\"public\"", "public.users");
    refused(b -> b.schema("nowhere"), "\"users\"", "\"nowhere\"");
    refused(b -> b.table("v"), "is a view");
    refused(b -> b.table("part"), "\"part\" is a partition");
    refused(b -> b.column("zip", "text"), "already has a column \"zip\" of type text");
    refused(b -> b.column("ctid", "text"), "ctid", "system column");
    refused(b -> b.column("é".repeat(32), "text"), "64 bytes", "63");
    refused(b -> b.column("c", "nonsense"), "\"c\" of type \"nonsense\"", "does not exist");
    refused(b -> b.column("c", "text NOT NULL"), "syntax error", "Give a type alone");
    refused(b -> b.column("c", "bigserial"), "short for a sequence");
    refused(b -> b.column("c", "positive"), "domain with constraints", "base type");
    refused(b -> b.defaultSql("nonsense()"), "the default \"nonsense()\"", "Correct");
    refused(b -> b.column("c", "int").defaultSql("'x'::text"), "the default", "type integer");
    refused(b -> b.notNull().defaultSql("NULL"), "is NULL");
    refused(b -> b.notNull().fillWithSql("zap"), "\"zap\"", "does not exist");
    refused(b -> b.notNull().fillWithSql("max(zip)"), "aggregate");
    refused(b -> b.column("c", "int").notNull().fillWithSql("zip"), "type integer", "type text");
    refused(b -> b.column("c", "varchar(1)").fillWithSql("zip"), "too long");
    refused(b -> b.notNull().fillWithSql("nullif(zip, 'z9')"), "yields NULL", "(9)", "coalesce");
    refused(
        b -> b.notNull().fillWithSql("upper(found)"),
        "no value for rows without \"found\"",
        "coalesce",
        "NOT NULL first");
    refused(b -> b.table("keyless").notNull().fillWithSql("zip"), "\"keyless\" has no primary key");
    db.execute(
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch()");
    refused(b -> b.notNull().fillWithSql("zip"), "[touch]", ".allowTriggers(\"touch\")");
    runner(b -> b.notNull().fillWithSql("zip").allowTriggers("touch")).preflight();
    runner(b -> b.notNull().defaultSql("'x'")).preflight();
    db.execute("ALTER TRIGGER touch ON users RENAME TO \"ä\"");
    refused(b -> b.notNull().defaultSql("'x'"), "[ä]", "sorts before");
    db.execute("ALTER TABLE users DISABLE TRIGGER \"ä\"");
    runner(b -> b.notNull().fillWithSql("zip")).preflight();
  }

  @Test
  void missingPrivilegesAreNamedWithTheirGrant() throws SQLException {
    db.execute(
        "DROP ROLE IF EXISTS zdo_other",
        "CREATE ROLE zdo_other",
        "CREATE SCHEMA IF NOT EXISTS control");
    try (Connection c = db.dataSource().getConnection()) {
      try (var s = c.createStatement()) {
        s.execute("SET ROLE zdo_other");
      }
      StepRunner<AddColumn> run = runner(b -> b.notNull().fillWithSql("zip"));
      forbidden(run, c, "GRANT \"postgres\" TO \"zdo_other\"", "OWNER TO \"zdo_other\"");
      db.execute(
          "ALTER TABLE users OWNER TO zdo_other", "GRANT USAGE ON SCHEMA public TO zdo_other");
      forbidden(run, c, "GRANT USAGE, CREATE ON SCHEMA \"control\" TO \"zdo_other\"");
      db.execute("REVOKE TEMPORARY ON DATABASE " + db.name() + " FROM public");
      forbidden(run, c, "GRANT TEMPORARY ON DATABASE \"" + db.name() + "\" TO \"zdo_other\"");
      db.execute(
          "GRANT TEMPORARY ON DATABASE " + db.name() + " TO public",
          "GRANT USAGE, CREATE ON SCHEMA control TO zdo_other");
      run.preflight(c);
      db.execute("ALTER TABLE users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY");
      assertThatThrownBy(() -> run.preflight(c)).hasMessageContaining("BYPASSRLS");
    } finally {
      db.execute("DROP OWNED BY zdo_other CASCADE", "DROP ROLE zdo_other");
    }
  }

  private static void forbidden(StepRunner<AddColumn> run, Connection c, String... parts) {
    assertThatThrownBy(() -> run.preflight(c))
        .isInstanceOfSatisfying(
            RefusedException.class,
            e -> {
              assertThat(e.code()).isEqualTo(ErrorCode.MISSING_PRIVILEGE);
              assertThat(e.getMessage()).contains(parts);
            });
  }
}
