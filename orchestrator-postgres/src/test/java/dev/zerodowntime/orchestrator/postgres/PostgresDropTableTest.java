package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.DropTable;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Dropping a table, on a real server. */
@PostgresTest
class PostgresDropTableTest {

  private final TestDatabase db;

  PostgresDropTableTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void visits() {
    db.execute(
        "DROP SCHEMA IF EXISTS public, control, other CASCADE",
        "CREATE SCHEMA public",
        "CREATE TABLE users (id bigint PRIMARY KEY)",
        "CREATE TABLE places (id bigint PRIMARY KEY)",
        "INSERT INTO users SELECT n FROM generate_series(1, 20) n",
        "INSERT INTO places SELECT n FROM generate_series(1, 20) n",
        // Everything that may belong to a table, and points to itself.
        "CREATE TABLE visits (id bigserial PRIMARY KEY, user_id bigint CONSTRAINT \"of user\""
            + " REFERENCES users, place bigint REFERENCES places ON DELETE CASCADE, prior bigint"
            + " REFERENCES visits, note text DEFAULT 'x' CHECK (note <> ''), twice text GENERATED"
            + " ALWAYS AS (note || note) STORED, i int GENERATED ALWAYS AS IDENTITY, UNIQUE (note,"
            + " id))",
        "CREATE INDEX ON visits (lower(note)) WHERE place > 3",
        "CREATE STATISTICS st ON user_id, place FROM visits",
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM 1 FROM visits"
            + " LIMIT 1; RETURN NEW; END'",
        "CREATE TRIGGER touch BEFORE UPDATE ON visits FOR EACH ROW WHEN (NEW.note <> '') EXECUTE"
            + " FUNCTION touch()",
        "CREATE POLICY mine ON visits USING (user_id IN (SELECT v.user_id FROM visits v))",
        "CREATE RULE quiet AS ON DELETE TO visits WHERE OLD.id < 0 DO INSTEAD NOTHING",
        "COMMENT ON TABLE visits IS 'who came'",
        "GRANT SELECT ON visits TO PUBLIC",
        "INSERT INTO visits (user_id, place) SELECT n, n FROM generate_series(1, 20) n");
  }

  private StepRunner<DropTable> runner(UnaryOperator<DropTable.Builder> how) {
    return new StepRunner<>(
        db,
        new PostgresDropTable(),
        how.apply(DropTable.of("billing/drop").table("visits")).build());
  }

  /** Whatever belongs to the table, by name. */
  private String catalog() {
    return db.rows(
            "SELECT pg_describe_object(classid, objid, objsubid) AS what, deptype::text FROM"
                + " pg_depend WHERE refclassid = 'pg_class'::regclass AND refobjid ="
                + " 'visits'::regclass ORDER BY 1, 2")
        + "\n"
        + db.rows(
            "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'visits'::regclass"
                + " ORDER BY 1")
        + db.rows(
            "SELECT conname::text, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid ="
                + " 'visits'::regclass ORDER BY 1")
        + db.rows(
            "SELECT y.typname::text, e.typname::text, relacl::text, obj_description(c.oid,"
                + " 'pg_class') FROM pg_class c JOIN pg_type y ON y.oid = c.reltype JOIN pg_type e"
                + " ON e.oid = y.typarray WHERE c.oid = 'visits'::regclass")
        + db.rows("SELECT pg_get_serial_sequence('visits', 'id')")
        + db.rows("SELECT * FROM visits ORDER BY id");
  }

  @Test
  void quarantinedWithAllThatIsInItAndBackUntilItIsDropped() throws SQLException {
    String before = catalog();
    StepRunner<DropTable> run = runner(b -> b).preflight();
    assertThat(run.facts.get(DropTableCheck.PARTNERS).toString())
        .isEqualTo("[public.users, public.places]");
    assertThat(run.steps(DropTable.CONTRACT, Direction.UP).get(0).summary())
        .contains("[\"of user\" to table public.users]");
    assertThat(run.up(DropTable.CONTRACT)).containsExactly("quarantine-table");
    assertThatThrownBy(() -> db.execute("SELECT FROM visits")).hasMessageContaining("visits");
    // What the plan says of its foreign keys.
    assertThatThrownBy(() -> db.execute("DELETE FROM users")).hasMessageContaining("of user");
    assertThat(run.down(DropTable.CONTRACT)).containsExactly("restore-table");
    assertThat(catalog()).isEqualTo(before);
    db.execute("INSERT INTO visits (user_id, place) VALUES (1, 2)");

    run.up(DropTable.CONTRACT);
    again(run);
    assertThat(run.down(DropTable.PURGE)).isEmpty();
    assertThat(run.up(DropTable.PURGE)).containsExactly("drop-table");
    assertThat(
            db.queryLong(
                "SELECT count(*) FROM pg_class WHERE relname ~ 'visits|zdo_' AND relkind <> 't'"))
        .isZero();
    db.execute("DELETE FROM users");
    assertThat(run.holds(((DdlStep) run.steps(DropTable.PURGE, Direction.UP).get(0)).done()))
        .isTrue();
  }

  /** What the engine does when PURGE is entered. */
  private void again(StepRunner<DropTable> run) throws SQLException {
    assertThat(run.support.recaptures(DropTable.PURGE)).isTrue();
    try (Connection c = db.dataSource().getConnection()) {
      c.setAutoCommit(false);
      Map<String, Object> known = run.facts;
      run.facts = run.support.preflight(run.migration, run.target, DropTable.PURGE, known, c);
      c.rollback();
      assertThat(run.facts).isEqualTo(known);
    }
  }

  @Test
  void whatCameToDependOnTheTombstoneKeepsItFromBeingDropped() throws SQLException {
    StepRunner<DropTable> run = runner(b -> b).preflight();
    run.up(DropTable.CONTRACT);
    String tombstone = Sql.tombstone("billing/drop", "public", "visits");
    db.execute("CREATE VIEW late AS SELECT id FROM " + tombstone);
    assertThatThrownBy(() -> again(run))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("[view public.late]");
    db.execute("DROP VIEW late");
    again(run);
  }

  @Test
  void droppingLocksTheTablesThatItsForeignKeysPointTo() throws SQLException {
    StepRunner<DropTable> run = runner(b -> b).preflight();
    run.up(DropTable.CONTRACT);
    DdlStep purge = (DdlStep) run.steps(DropTable.PURGE, Direction.UP).get(0);
    assertThat(purge.tables()).hasSize(3).contains("public.users", "public.places");
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      c.setAutoCommit(false);
      s.execute(purge.sql().get(0));
      assertThat(
              db.rows(
                      "SELECT DISTINCT relation::regclass::text FROM pg_locks WHERE mode ="
                          + " 'AccessExclusiveLock' AND granted AND relation IN ('users'::regclass,"
                          + " 'places'::regclass) ORDER BY 1")
                  .toString())
          .isEqualTo("[[places], [users]]");
      c.rollback();
    }
    run.run(purge);
  }

  private void refused(UnaryOperator<DropTable.Builder> how, String... parts) {
    assertThatThrownBy(() -> runner(how).preflight())
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains("billing/drop").contains(parts));
  }

  private void refusedWith(String ddl, String undo, String... parts) throws SQLException {
    db.execute(ddl);
    refused(b -> b, parts);
    db.execute(undo);
    runner(b -> b).preflight();
  }

  @Test
  void whateverDependsOnItIsNamed() throws SQLException {
    refusedWith("CREATE VIEW v AS SELECT id FROM visits", "DROP VIEW v", "[view public.v]");
    refusedWith("CREATE VIEW v AS SELECT 1 FROM visits", "DROP VIEW v", "[view public.v]");
    refusedWith(
        "CREATE MATERIALIZED VIEW \"M v\" AS SELECT visits FROM visits",
        "DROP MATERIALIZED VIEW \"M v\"",
        "materialized view public.\"M v\"");
    refusedWith(
        "CREATE TABLE tips (visit bigint REFERENCES visits)",
        "DROP TABLE tips",
        "foreign keys [tips_visit_fkey of table public.tips]",
        "DropConstraint");
    refusedWith(
        "CREATE TABLE tips (visit visits)", "DROP TABLE tips", "column visit of table public.tips");
    refusedWith(
        "CREATE TABLE tips (visit visits[])",
        "DROP TABLE tips",
        "column visit of table public.tips");
    refusedWith(
        "CREATE FUNCTION f(visits) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DROP FUNCTION f",
        "[function public.f(public.visits)]");
    refusedWith(
        "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM visits;"
            + " END",
        "DROP FUNCTION f",
        "[function public.f()]");
    refusedWith(
        "CREATE TABLE tips (id bigint DEFAULT nextval('visits_id_seq'))",
        "DROP TABLE tips",
        "default value for column id of table public.tips");
    refusedWith(
        "CREATE POLICY p ON users USING (EXISTS (SELECT FROM visits))",
        "DROP POLICY p ON users",
        "policy p on table public.users");
    refusedWith(
        "CREATE RULE r AS ON DELETE TO users DO ALSO DELETE FROM visits",
        "DROP RULE r ON users",
        "rule r on table public.users");
    refusedWith(
        "CREATE PUBLICATION pub FOR TABLE visits",
        "DROP PUBLICATION pub",
        "publication pub",
        "ALTER PUBLICATION");
    refusedWith(
        "CREATE TABLE heir () INHERITS (visits)", "DROP TABLE heir", "tables that inherit from it");
    db.execute("CREATE TABLE parent (extra int)", "ALTER TABLE visits ADD extra int");
    refusedWith(
        "ALTER TABLE visits INHERIT parent",
        "ALTER TABLE visits NO INHERIT parent",
        "inherits from [public.parent]",
        "NO INHERIT public.parent");
  }

  @Test
  void functionsWhoseTextNamesItNeedConsent() throws SQLException {
    String text =
        " LANGUAGE plpgsql AS 'BEGIN PERFORM count(*) FROM public.Visits; RETURN NEW; END'";
    db.execute("CREATE FUNCTION audit() RETURNS trigger" + text);
    refused(b -> b, "[function public.audit() (allowFunctions(\"audit\") if it goes on working)]");
    runner(b -> b.allowFunctions("audit")).preflight();
    db.execute("CREATE TRIGGER a AFTER DELETE ON visits EXECUTE FUNCTION audit()");
    // Nobody else calls it: it goes with the table.
    runner(b -> b).preflight();
    db.execute("CREATE TRIGGER a AFTER DELETE ON users EXECUTE FUNCTION audit()");
    refused(b -> b, "public.audit()");
    db.execute("DROP FUNCTION audit CASCADE");
    db.execute("CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT ''revisits visits_2'''");
    runner(b -> b).preflight();
  }

  @Test
  void badInputIsRefusedByName() {
    db.execute(
        "CREATE VIEW v AS SELECT 1",
        "CREATE TABLE parted (b int) PARTITION BY RANGE (b)",
        "CREATE TABLE part PARTITION OF parted DEFAULT",
        "CREATE TABLE " + Sql.tombstone("billing/drop", "public", "visits") + " ()");
    refused(b -> b.table("Visits"), "no table \"Visits\"", "There is public.visits");
    refused(b -> b.table("v"), "is a view");
    refused(b -> b.table("parted"), "is a partitioned table");
    refused(b -> b.table("part"), "is a partition");
    refused(b -> b, "zdo_old_", "is taken", "a table");
  }

  @Test
  void theTableOfAnotherIsRefused() throws SQLException {
    db.execute(
        "DROP ROLE IF EXISTS zdo_other",
        "CREATE ROLE zdo_other",
        "GRANT CREATE, USAGE ON SCHEMA public TO zdo_other");
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      s.execute("SET ROLE zdo_other");
      assertThatThrownBy(() -> runner(b -> b).preflight(c))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("\"zdo_other\" does not own table");
    } finally {
      db.execute("DROP OWNED BY zdo_other", "DROP ROLE zdo_other");
    }
  }
}
