package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.RenameColumnByView;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Target;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Renaming a column by way of a view, on a real server. */
@PostgresTest
class PostgresRenameColumnByViewTest {

  private final TestDatabase db;
  private final int version;

  PostgresRenameColumnByViewTest(TestDatabase db) {
    this.db = db;
    this.version = db.server().majorVersion();
  }

  @BeforeEach
  void users() {
    db.execute(
        "DROP SCHEMA IF EXISTS public, control, app CASCADE",
        "CREATE SCHEMA public",
        role("zdo_by_view_owner"),
        role("zdo_by_view_reader"),
        "GRANT USAGE, CREATE ON SCHEMA public TO zdo_by_view_owner",
        "GRANT USAGE ON SCHEMA public TO zdo_by_view_reader",
        "CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, gone int, name text"
            + " NOT NULL DEFAULT 'anon', note text DEFAULT 'it''s', seq serial)",
        "ALTER TABLE users DROP gone",
        "INSERT INTO users (name) SELECT 'n' || n FROM generate_series(1, 20) n");
  }

  private static String role(String name) {
    return "DO $$ BEGIN CREATE ROLE "
        + name
        + "; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$";
  }

  private StepRunner<RenameColumnByView> runner(UnaryOperator<RenameColumnByView.Builder> how) {
    RenameColumnByView.Builder builder =
        RenameColumnByView.of("billing/view").table("users").from("name").to("full_name");
    return new StepRunner<>(db, new PostgresRenameColumnByView(), how.apply(builder).build());
  }

  private StepRunner<RenameColumnByView> runner() {
    return runner(b -> b);
  }

  private void preflight(StepRunner<RenameColumnByView> run, int phase) throws SQLException {
    try (Connection c = db.dataSource().getConnection()) {
      c.setAutoCommit(false);
      run.support.preflight(run.migration, run.target, phase, run.facts, c);
      c.rollback();
    }
  }

  private List<List<Object>> table() {
    return db.rows(
        "SELECT c.relname::text, c.relkind::text, c.relowner::regrole::text, c.relacl::text,"
            + " obj_description(c.oid, 'pg_class'), c.relfilenode::text, a.attname::text,"
            + " a.attacl::text, col_description(c.oid, a.attnum), (SELECT pg_get_expr(adbin,"
            + " adrelid) FROM pg_attrdef WHERE adrelid = c.oid AND adnum = a.attnum) FROM pg_class"
            + " c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
            + " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v') ORDER BY"
            + " 1, a.attnum");
  }

  @Test
  void upAndBackFromEachPhaseWithoutTouchingARow() throws SQLException {
    List<List<Object>> before = table();
    StepRunner<RenameColumnByView> run = runner().preflight();
    assertThat(run.up(RenameColumnByView.EXPAND)).containsExactly("show-both-names");
    db.execute(
        "INSERT INTO users (name) VALUES ('old')",
        "INSERT INTO users (full_name) VALUES ('new')",
        "INSERT INTO users DEFAULT VALUES",
        "UPDATE users SET full_name = name || '!', note = DEFAULT WHERE id = 1");
    assertThat(db.queryLong("SELECT count(*) FROM users WHERE name = full_name")).isEqualTo(23);
    assertThat(db.rows("SELECT * FROM users WHERE id IN (1, 23)").toString())
        .isEqualTo("[[1, n1!, it's, 1, n1!], [23, anon, it's, 23, anon]]");
    preflight(run, RenameColumnByView.CONTRACT);
    assertThat(run.up(RenameColumnByView.CONTRACT)).containsExactly("rename-column");
    db.execute("INSERT INTO users (full_name) VALUES ('contracted')");
    // Somebody else's column, added since.
    db.execute("ALTER TABLE users ADD later int DEFAULT 3");
    assertThat(run.down(RenameColumnByView.CONTRACT)).containsExactly("show-both-names-again");
    assertThat(db.rows("SELECT * FROM users WHERE id = 24").toString())
        .isEqualTo("[[24, contracted, it's, 24, 3, contracted]]");
    assertThat(run.down(RenameColumnByView.EXPAND)).containsExactly("restore-table");
    db.execute("ALTER TABLE users DROP later");
    assertThat(table()).isEqualTo(before);
    run.up(RenameColumnByView.EXPAND);
    run.up(RenameColumnByView.CONTRACT);
    assertThat(db.queryLong("SELECT count(full_name) FROM users")).isEqualTo(24);
    assertThat(run.leftovers()).isEmpty();
    assertThat(db.queryLong("SELECT count(*) FROM pg_class WHERE relname LIKE 'zdo%'")).isZero();
    for (int phase = 1; phase <= 2; phase++) {
      for (Direction direction : Direction.values()) {
        assertThat(((DdlStep) run.steps(phase, direction).get(0)).changesRowType()).isTrue();
      }
    }
  }

  /** What new tables get by default is not what this one has. */
  @Test
  void theViewHasTheTablesOwnerPrivilegesAndComments() throws SQLException {
    db.execute(
        "COMMENT ON TABLE users IS 'who it''s'",
        "COMMENT ON COLUMN users.name IS 'their name'",
        "COMMENT ON COLUMN users.note IS 'a note'",
        "ALTER TABLE users OWNER TO zdo_by_view_owner",
        "GRANT ALL ON users TO zdo_by_view_reader",
        "REVOKE DELETE ON users FROM zdo_by_view_reader",
        "GRANT SELECT (name, note), UPDATE (name) ON users TO PUBLIC",
        "GRANT INSERT ON users TO pg_monitor WITH GRANT OPTION",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT TRIGGER, DELETE ON TABLES TO PUBLIC");
    List<List<Object>> before = table();
    StepRunner<RenameColumnByView> run = runner().preflight();
    run.up(RenameColumnByView.EXPAND);
    String both =
        "SELECT c.relowner::regrole::text, (SELECT array_agg(x::text ORDER BY x::text) FROM"
            + " unnest(c.relacl) x)::text, obj_description(c.oid, 'pg_class') FROM pg_class c WHERE"
            + " oid = ";
    String hidden =
        db.queryOne("SELECT relname::text FROM pg_class WHERE relname LIKE 'zdo_table%'");
    assertThat(db.rows(both + "'users'::regclass"))
        .isEqualTo(db.rows(both + "'" + hidden + "'::regclass"));
    assertThat(
            db.rows(
                    "SELECT attname::text, attacl::text, col_description(attrelid, attnum) FROM"
                        + " pg_attribute WHERE attrelid = 'users'::regclass AND attacl IS NOT NULL"
                        + " ORDER BY attnum")
                .toString())
        .isEqualTo(
            "[[name, {=rw/zdo_by_view_owner}, their name], [note, {=r/zdo_by_view_owner}, a note],"
                + " [full_name, {=rw/zdo_by_view_owner}, their name]]");
    run.down(RenameColumnByView.EXPAND);
    assertThat(table()).isEqualTo(before);
    // Whatever default privileges give a view is taken from it again.
    db.execute("REVOKE ALL ON users FROM PUBLIC, zdo_by_view_reader, pg_monitor");
    run.up(RenameColumnByView.EXPAND);
    assertThat(
            db.queryLong(
                "SELECT count(*) FROM pg_class c, aclexplode(c.relacl) x WHERE c.oid ="
                    + " 'users'::regclass AND x.grantee <> c.relowner"))
        .isZero();
    run.up(RenameColumnByView.CONTRACT);
  }

  @Test
  void aRoleReadsTheColumnsItMayReadUnderEitherName() throws SQLException {
    db.execute("GRANT SELECT (id, name) ON users TO zdo_by_view_reader");
    StepRunner<RenameColumnByView> run = runner().preflight();
    run.up(RenameColumnByView.EXPAND);
    db.execute("SET ROLE zdo_by_view_reader; SELECT id, name, full_name FROM users");
    assertThatThrownBy(() -> db.execute("SET ROLE zdo_by_view_reader; SELECT note FROM users"))
        .hasMessageContaining("permission denied");
  }

  @Test
  void rowSecurityGoesOnHidingRows() throws SQLException {
    db.execute(
        "CREATE POLICY p ON users USING (name = 'n7')",
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY",
        "GRANT SELECT, UPDATE ON users TO zdo_by_view_reader");
    StepRunner<RenameColumnByView> run = runner();
    if (version < 15) {
      refused(b -> b, "row security", "PostgreSQL 15", "RenameColumn");
      return;
    }
    run.preflight().up(RenameColumnByView.EXPAND);
    db.execute("SET ROLE zdo_by_view_reader; UPDATE users SET note = 'seen'");
    assertThat(db.queryLong("SELECT count(*) FROM users WHERE note = 'seen'")).isEqualTo(1);
    run.up(RenameColumnByView.CONTRACT);
    db.execute("SET ROLE zdo_by_view_reader; UPDATE users SET note = 'again'");
    assertThat(db.queryLong("SELECT count(*) FROM users WHERE note = 'again'")).isEqualTo(1);
    run.down(RenameColumnByView.CONTRACT);
    run.down(RenameColumnByView.EXPAND);
    db.execute("GRANT SELECT (note) ON users TO PUBLIC");
    refused(b -> b, "row security", "columns [note]");
  }

  /** All that the form with a second column refuses. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "ALTER TABLE users DROP CONSTRAINT users_pkey, ADD PRIMARY KEY (name)",
        "CREATE UNIQUE INDEX ON users (lower(name)) WHERE id > 0",
        "ALTER TABLE users ADD UNIQUE (name); CREATE TABLE c (n text REFERENCES users (name))",
        "ALTER TABLE users ADD g text GENERATED ALWAYS AS (upper(name)) STORED",
        "CREATE VIEW v AS SELECT name FROM users",
        "CREATE STATISTICS s ON name, note FROM users",
        "CREATE DOMAIN d AS text CHECK (VALUE <> ''); ALTER TABLE users ALTER name TYPE d",
        "ALTER TABLE users ALTER name DROP NOT NULL, ALTER name TYPE boolean USING true, ALTER name"
            + " SET DEFAULT true",
        "ALTER TABLE users DROP id",
        "CREATE INDEX i ON users (name); CLUSTER users USING i",
        "ALTER TABLE users ADD EXCLUDE (name WITH =)",
      })
  void whatTheTriggerFormCannotCarry(String sql) throws SQLException {
    db.execute(
        sql.replace("ALTER name TYPE boolean", "ALTER name DROP DEFAULT, ALTER name TYPE boolean"));
    StepRunner<RenameColumnByView> run = runner().preflight();
    run.up(RenameColumnByView.EXPAND);
    db.execute("UPDATE users SET full_name = name", "INSERT INTO users DEFAULT VALUES");
    preflight(run, RenameColumnByView.CONTRACT);
    run.up(RenameColumnByView.CONTRACT);
    run.down(RenameColumnByView.CONTRACT);
    run.down(RenameColumnByView.EXPAND);
    db.execute("UPDATE users SET name = name");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "select",
        "with \"quotes\"",
        "with 'apostrophe'",
        "back\\slash",
        "@view@ $zdo$ %I %s ? {}",
        "63_bytes_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "名前🙂"
      })
  void anyName(String name) throws SQLException {
    String old = name.length() > 60 ? name.substring(1) : name + " old";
    String table = Sql.qualified("app", name);
    db.execute(
        "CREATE SCHEMA app",
        "CREATE TABLE " + table + " (id int PRIMARY KEY, " + Sql.quote(old) + " text DEFAULT 'd')",
        "COMMENT ON COLUMN " + table + "." + Sql.quote(old) + " IS " + Sql.literal(name),
        "GRANT SELECT (" + Sql.quote(old) + ") ON " + table + " TO PUBLIC");
    StepRunner<RenameColumnByView> run =
        runner(b -> b.schema("app").table(name).from(old).to(name)).preflight();
    run.up(RenameColumnByView.EXPAND);
    db.execute("INSERT INTO " + table + " (id, " + Sql.quote(name) + ") VALUES (1, 'x')");
    preflight(run, RenameColumnByView.CONTRACT);
    run.up(RenameColumnByView.CONTRACT);
    run.down(RenameColumnByView.CONTRACT);
    run.down(RenameColumnByView.EXPAND);
    assertThat(db.rows("SELECT " + Sql.quote(old) + " FROM " + table).toString())
        .isEqualTo("[[x]]");
  }

  private void refused(UnaryOperator<RenameColumnByView.Builder> how, String... parts) {
    List<List<Object>> before = table();
    assertThatThrownBy(() -> runner(how).preflight())
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains("billing/view").contains(parts));
    assertThat(table()).isEqualTo(before);
  }

  private void refusedWith(String ddl, String undo, String... parts) {
    db.execute(ddl);
    refused(b -> b, parts);
    db.execute(undo);
  }

  @Test
  void badInputIsRefusedByName() {
    refused(b -> b.table("missing"), "no table \"missing\"");
    refused(b -> b.from("Name"), "no column \"Name\"");
    refused(b -> b.to("note"), "\"note\" is taken");
    refused(b -> b.to("xmin"), "\"xmin\" is taken");
    refused(b -> b.to("ü".repeat(32)), "64 bytes");
    refusedWith(
        "CREATE RULE r AS ON DELETE TO users DO ALSO SELECT 1", "DROP RULE r ON users", "[r]");
    refusedWith(
        "CREATE FUNCTION f(u users) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DROP FUNCTION f",
        "function public.f(public.users)",
        "RenameColumn");
    refusedWith(
        "CREATE TABLE holds (u users[])", "DROP TABLE holds", "column u of table public.holds");
    refusedWith(
        "CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT max(name) FROM"
            + " users); END'",
        "DROP FUNCTION f",
        "function public.f() (allowFunctions(\"f\")");
    refusedWith(
        "CREATE DOMAIN d AS text DEFAULT 'd'; ALTER TABLE users ALTER name TYPE d",
        "ALTER TABLE users ALTER name TYPE text; DROP DOMAIN d",
        "domain public.d, which has a default");
    refusedWith("CREATE PUBLICATION pub FOR ALL TABLES", "DROP PUBLICATION pub", "[pub]");
    refusedWith("CREATE TABLE child () INHERITS (users)", "DROP TABLE child", "inherit from it");
    refusedWith(
        "CREATE TABLE p (name text); ALTER TABLE users INHERIT p",
        "ALTER TABLE users NO INHERIT p; DROP TABLE p",
        "inherited from another table");
    db.execute("CREATE TABLE parts (id int, name text) PARTITION BY RANGE (id)");
    refused(b -> b.table("parts"), "is a partitioned table");
    db.execute("CREATE VIEW v AS SELECT name FROM users");
    refused(b -> b.table("v"), "is a view");
    String hidden = new TwoNameView(runner().migration, runner().target).hiddenName();
    refusedWith("CREATE TABLE " + hidden + " ()", "DROP TABLE " + hidden, "\"" + hidden + "\"");
    refusedWith(
        "ALTER TABLE users OWNER TO zdo_by_view_owner; REVOKE UPDATE ON users FROM"
            + " zdo_by_view_owner",
        "GRANT UPDATE ON users TO zdo_by_view_owner",
        "\"zdo_by_view_owner\" may not UPDATE");
    refusedWith(
        "REVOKE CREATE ON SCHEMA public FROM zdo_by_view_owner",
        "GRANT CREATE ON SCHEMA public TO zdo_by_view_owner",
        "GRANT CREATE ON SCHEMA \"public\" TO \"zdo_by_view_owner\"");
  }

  @Test
  void anotherOwnerIsRefused() throws SQLException {
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      c.setAutoCommit(false);
      s.execute("SET ROLE zdo_by_view_owner");
      assertThatThrownBy(
              () ->
                  new PostgresRenameColumnByView()
                      .preflight(
                          runner().migration,
                          new Target("billing/view", "public", "control"),
                          1,
                          Map.of(),
                          c))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("does not own table");
      c.rollback();
    }
  }

  /** What came to be since would break when the view goes, or the column's name. */
  @Test
  void contractIsCheckedAgain() throws SQLException {
    StepRunner<RenameColumnByView> run = runner().preflight();
    run.up(RenameColumnByView.EXPAND);
    refused(b -> b, "until migration billing/view has reached CONTRACT", "rollback(");
    contractRefused(
        run, "CREATE VIEW v AS SELECT 1 FROM users", "DROP VIEW v", "used by view public.v");
    contractRefused(
        run,
        "CREATE FUNCTION f() RETURNS SETOF users LANGUAGE sql AS 'SELECT * FROM users'",
        "DROP FUNCTION f",
        "by their type to function public.f()");
    contractRefused(
        run,
        "CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT max(name) FROM"
            + " users); END'",
        "DROP FUNCTION f",
        "function public.f()");
    String hidden = new TwoNameView(run.migration, run.target).hiddenName();
    contractRefused(
        run,
        "ALTER TABLE " + hidden + " ADD full_name int",
        "ALTER TABLE " + hidden + " DROP full_name",
        "\"full_name\" is taken");
    contractRefused(
        run,
        "ALTER VIEW users RENAME TO other",
        "ALTER VIEW other RENAME TO users",
        "no longer the view");
    preflight(run, RenameColumnByView.CONTRACT);
    run.up(RenameColumnByView.CONTRACT);
  }

  private void contractRefused(
      StepRunner<RenameColumnByView> run, String ddl, String undo, String part) {
    db.execute(ddl);
    assertThatThrownBy(() -> preflight(run, RenameColumnByView.CONTRACT))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining(part);
    db.execute(undo);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "INSERT INTO users (name) VALUES ($1) ON CONFLICT ON CONSTRAINT users_name_key DO NOTHING"
            + " | ON CONFLICT ON CONSTRAINT",
        "merge into public.users AS u USING x ON true WHEN MATCHED THEN DELETE | MERGE",
        "TRUNCATE TABLE posts, \"users\" | TRUNCATE",
        "copy \"public\".users (id, name) TO STDOUT | COPY",
        "COPY users FROM STDIN | COPY",
        "SELECT * FROM users u TABLESAMPLE SYSTEM ($1) | TABLESAMPLE",
        "UPDATE users SET note = $1 WHERE CURRENT OF c | WHERE CURRENT OF",
        "SELECT u.xmin, u.* FROM users u | system column",
        "UPDATE users SET name = DEFAULT WHERE id = $1 | SET ... = DEFAULT",
        "SELECT name FROM users WHERE id = $1 |",
        "COPY (SELECT * FROM users) TO STDOUT |",
        "TRUNCATE users_archive |",
        "SELECT xmin FROM posts |",
        "INSERT INTO users (name) VALUES ($1) ON CONFLICT (name) DO NOTHING |",
      })
  void recordedStatements(String statement, String what) throws SQLException {
    boolean fails = what != null && !(what.equals("MERGE") && version >= 17);
    List<String> found =
        RecordedStatements.harmful(
            List.of(statement), "public", "users", List.of("name"), version * 10_000);
    assertThat(found).hasSize(fails ? 1 : 0);
    if (fails) {
      assertThat(found.get(0)).startsWith(what + ": ");
    }
  }

  /** Installed, but not loaded: no evidence. */
  @Test
  void anExtensionThatTheServerDoesNotLoadIsNone() throws SQLException {
    db.execute("CREATE EXTENSION pg_stat_statements");
    runner().preflight();
    db.execute("DROP EXTENSION pg_stat_statements");
  }

  @Test
  void whatTheServerHasRecordedIsNamed() throws Exception {
    try (EmbeddedPostgres server =
            EmbeddedPostgres.builder()
                .setLocaleConfig("locale", "C")
                .setServerConfig("shared_preload_libraries", "pg_stat_statements")
                .start();
        Connection c = server.getPostgresDatabase().getConnection();
        Statement s = c.createStatement()) {
      s.execute("CREATE SCHEMA app");
      s.execute("CREATE EXTENSION pg_stat_statements SCHEMA app");
      s.execute("CREATE TABLE users (id int PRIMARY KEY, name text)");
      s.execute("INSERT INTO users (id, name) VALUES (1, 'a') ON CONFLICT (id) DO NOTHING");
      c.setAutoCommit(false);
      preflight(c);
      c.rollback();
      s.execute(
          "INSERT INTO users (id, name) VALUES (2, 'b') ON CONFLICT ON CONSTRAINT users_pkey DO"
              + " NOTHING");
      s.execute("TRUNCATE users");
      c.commit();
      assertThatThrownBy(() -> preflight(c))
          .isInstanceOf(RefusedException.class)
          .hasMessageContainingAll(
              "\"public\".\"users\"",
              "ON CONFLICT ON CONSTRAINT: INSERT INTO users",
              "TRUNCATE: TRUNCATE users",
              "pg_stat_statements_reset()",
              "RenameColumn");
      c.rollback();
    }
  }

  private void preflight(Connection c) throws SQLException {
    new PostgresRenameColumnByView()
        .preflight(
            runner().migration, new Target("billing/view", "public", "control"), 1, Map.of(), c);
  }
}
