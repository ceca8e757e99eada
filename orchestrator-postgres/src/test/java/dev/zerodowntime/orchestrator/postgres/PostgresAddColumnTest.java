package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.Step;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Adding a column, on a real server. */
@PostgresTest
class PostgresAddColumnTest {

  private final TestDatabase db;

  PostgresAddColumnTest(TestDatabase db) {
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

  @Test
  void notNullWithAnExpressionUpAndDown() throws SQLException {
    StepRunner<AddColumn> run =
        runner(b -> b.notNull().fillWithSql("region_of(users.zip) || coalesce(found, '')"))
            .preflight();
    long file = run.file("users");

    assertThat(run.up(AddColumn.EXPAND)).containsExactly("add-column", "add-fill-trigger");
    assertThat(run.count("SELECT count(*) FROM users WHERE region IS NULL")).isEqualTo(30);
    // Code that doesn't know the column, code that writes it, and stale entities.
    db.execute(
        "INSERT INTO users VALUES (31, 'new', 'x')",
        "INSERT INTO users (id, zip, region) VALUES (32, 'own', 'OWN')",
        "UPDATE users SET zip = 'changed', region = NULL WHERE id = 32",
        "SET session_replication_role = replica; INSERT INTO users VALUES (33, 'rep', 'y')");
    assertThat(db.<String>queryOne("SELECT region FROM users WHERE id = 31")).isEqualTo("NEWx");
    assertThat(db.<String>queryOne("SELECT region FROM users WHERE id = 32")).isEqualTo("OWN");
    assertThat(db.<String>queryOne("SELECT region FROM users WHERE id = 33")).isEqualTo("REPy");

    assertThat(run.up(AddColumn.BACKFILL)).containsExactly("fill");
    assertThat(db.<String>queryOne("SELECT region FROM users WHERE id = 7")).isEqualTo("Z7f");
    assertThat(run.up(AddColumn.ENFORCE))
        .isEqualTo(
            db.server().majorVersion() >= 18
                ? List.of("add-not-null", "validate-not-null")
                : List.of("add-check", "validate-check", "set-not-null", "drop-check"));
    // Every step of the phase is done once the last one is: whoever takes over repeats nothing.
    run.steps(AddColumn.ENFORCE, Direction.UP)
        .forEach(step -> assertThat(db.<Boolean>queryOne(done(step))).isTrue());
    db.execute("UPDATE users SET region = NULL WHERE id = 1");
    assertThat(db.<String>queryOne("SELECT region FROM users WHERE id = 1")).isEqualTo("Z1f");
    assertThat(run.up(AddColumn.DONE)).containsExactly("drop-fill-trigger");
    assertThat(run.leftovers()).isEmpty();
    assertThatThrownBy(() -> db.execute("UPDATE users SET region = NULL"))
        .hasMessageContaining("23502");
    assertThat(run.file("users")).isEqualTo(file);

    assertThat(run.down(AddColumn.DONE)).containsExactly("add-fill-trigger");
    assertThat(run.down(AddColumn.ENFORCE)).containsExactly("drop-not-null");
    assertThat(run.down(AddColumn.BACKFILL)).isEmpty();
    assertThat(run.down(AddColumn.EXPAND)).containsExactly("quarantine-column");
    assertThat(run.leftovers())
        .hasSize(1)
        .first()
        .asString()
        .matches("column zdo_old_[0-9a-f]{8}_region");
    db.execute("INSERT INTO users VALUES (40, 'away', 'a')");

    run.preflight();
    assertThat(run.up(AddColumn.EXPAND)).containsExactly("add-column", "add-fill-trigger");
    // The values are those from before; the row that missed it is filled.
    assertThat(db.<String>queryOne("SELECT region FROM users WHERE id = 32")).isEqualTo("OWN");
    run.up(AddColumn.BACKFILL);
    run.up(AddColumn.ENFORCE);
    run.up(AddColumn.DONE);
    assertThat(db.<String>queryOne("SELECT region FROM users WHERE id = 40")).isEqualTo("AWAYa");
    assertThat(run.leftovers()).isEmpty();
    assertThat(run.file("users")).isEqualTo(file);
  }

  @Test
  void constantDefaultLeavesNothingToFill() throws SQLException {
    StepRunner<AddColumn> run = runner(b -> b.notNull().defaultSql("'eu'")).preflight();
    long file = run.file("users");
    run.up(AddColumn.EXPAND);
    assertThat(run.file("users")).isEqualTo(file);
    assertThat(
            db.<Boolean>queryOne(
                "SELECT atthasmissing FROM pg_attribute WHERE attrelid = 'users'::regclass AND"
                    + " attname = 'region'"))
        .isTrue();
    assertThat(run.count("SELECT count(*) FROM users WHERE region = 'eu'")).isEqualTo(30);
    assertThat(run.up(AddColumn.BACKFILL)).isEmpty();
    run.up(AddColumn.ENFORCE);
    run.up(AddColumn.DONE);
    assertThat(run.file("users")).isEqualTo(file);

    for (int phase = AddColumn.DONE; phase > 0; phase--) {
      run.down(phase);
    }
    db.execute("INSERT INTO users VALUES (40, 'away', 'a')");
    run.preflight();
    run.up(AddColumn.EXPAND);
    // The one row written meanwhile lacks it.
    assertThat(run.up(AddColumn.BACKFILL)).containsExactly("fill");
    assertThat(run.count("SELECT count(*) FROM users WHERE region = 'eu'")).isEqualTo(31);
  }

  @Test
  void volatileDefaultIsFilledInBatches() throws SQLException {
    StepRunner<AddColumn> run =
        runner(b -> b.column("token", "uuid").notNull().defaultSql("gen_random_uuid()"))
            .preflight();
    long file = run.file("users");
    run.up(AddColumn.EXPAND);
    assertThat(run.file("users")).isEqualTo(file);
    assertThat(run.count("SELECT count(token) FROM users")).isZero();
    db.execute("INSERT INTO users (id, zip) VALUES (31, 'x')");
    assertThat(run.count("SELECT count(token) FROM users")).isEqualTo(1);
    run.up(AddColumn.BACKFILL);
    run.up(AddColumn.ENFORCE);
    run.up(AddColumn.DONE);
    assertThat(run.count("SELECT count(DISTINCT token) FROM users")).isEqualTo(31);
    assertThat(run.file("users")).isEqualTo(file);
  }

  @Test
  void nullableColumnWithAFillExpressionMayKeepNulls() throws SQLException {
    StepRunner<AddColumn> run = runner(b -> b.fillWithSql("nullif(zip, 'z3')")).preflight();
    run.up(AddColumn.EXPAND);
    assertThat(run.leftovers()).isEmpty();
    BackfillStep fill = (BackfillStep) run.steps(AddColumn.BACKFILL, Direction.UP).get(0);
    assertThat(fill.mustFinish()).isFalse();
    assertThat(run.backfill(fill)).isEqualTo(29);
    assertThat(run.backfill(fill)).isZero();
    assertThat(run.up(AddColumn.ENFORCE)).isEmpty();
    assertThat(run.up(AddColumn.DONE)).isEmpty();
  }

  @Test
  void plainNullableColumnNeedsNoKey() throws SQLException {
    db.execute("ALTER TABLE users DROP CONSTRAINT users_pkey");
    StepRunner<AddColumn> run = runner(b -> b).preflight();
    assertThat(run.up(AddColumn.EXPAND)).containsExactly("add-column");
    assertThat(run.up(AddColumn.BACKFILL)).isEmpty();
    assertThat(run.down(AddColumn.EXPAND)).containsExactly("quarantine-column");
    // Nothing was done yet: there is nothing to undo.
    Step quarantine = run.steps(AddColumn.EXPAND, Direction.DOWN).get(0);
    assertThat(db.<Boolean>queryOne(done(quarantine))).isTrue();
  }

  @Test
  void setNotNullScansNothing() throws SQLException {
    db.execute(
        "CREATE TABLE big (id bigint PRIMARY KEY, a int NOT NULL)",
        "INSERT INTO big SELECT n, n FROM generate_series(1, 20000) n");
    StepRunner<AddColumn> run = runner(b -> b.table("big").notNull().fillWithSql("a")).preflight();
    run.up(AddColumn.EXPAND);
    run.db.execute("UPDATE big SET region = a");
    List<Step> steps = run.steps(AddColumn.ENFORCE, Direction.UP);
    run.run(steps.get(0));
    run.run(steps.get(1));
    if (db.server().majorVersion() >= 18) {
      // Nothing else is left to do.
      assertThat(steps).hasSize(2);
      return;
    }
    try (Connection c = db.dataSource().getConnection();
        var s = c.createStatement()) {
      s.execute("SET client_min_messages = debug1");
      s.execute(steps.get(2).sql().get(0));
      StringBuilder notices = new StringBuilder();
      for (var w = s.getWarnings(); w != null; w = w.getNextWarning()) {
        notices.append(w.getMessage()).append('\n');
      }
      assertThat(notices).contains("are sufficient to prove that it does not contain nulls");
      assertThat(notices).doesNotContain("verifying table");
    }
  }

  @Test
  void anyNameWorks() throws SQLException {
    String table = "Größe \"1\" 'select'";
    String column = "ключ\" '; \\ " + "é".repeat(20);
    assertThat(Sql.bytes(column)).isLessThanOrEqualTo(63);
    db.execute(
        "CREATE SCHEMA other",
        "CREATE TABLE other."
            + Sql.quote(table)
            + " (\"user\" int, \"new\" int, PRIMARY KEY (\"user\", \"new\"))",
        "INSERT INTO other." + Sql.quote(table) + " SELECT n, n FROM generate_series(1, 20) n");
    StepRunner<AddColumn> run =
        runner(
                b ->
                    b.schema("other")
                        .table(table)
                        .column(column, "bigint")
                        .notNull()
                        .fillWithSql(Sql.quote(table) + ".\"new\" + \"user\""))
            .preflight();
    for (int phase = 1; phase <= AddColumn.DONE; phase++) {
      run.up(phase);
    }
    assertThat(run.count("SELECT sum(" + Sql.quote(column) + ") FROM other." + Sql.quote(table)))
        .isEqualTo(420);
    for (int phase = AddColumn.DONE; phase > 0; phase--) {
      run.down(phase);
    }
    assertThat(run.leftovers()).hasSize(1);
  }

  @Test
  void roleOfTheApplicationNeedsNothingOfOurs() throws SQLException {
    StepRunner<AddColumn> run = runner(b -> b.notNull().fillWithSql("region_of(zip)")).preflight();
    run.up(AddColumn.EXPAND);
    db.execute(
        "DROP ROLE IF EXISTS zdo_app",
        "CREATE ROLE zdo_app",
        "GRANT USAGE ON SCHEMA public TO zdo_app",
        "GRANT ALL ON users TO zdo_app",
        "SET ROLE zdo_app; SET search_path = ''; INSERT INTO public.users VALUES (50, 'app', 'f')",
        "RESET ROLE",
        "DROP OWNED BY zdo_app",
        "DROP ROLE zdo_app");
    assertThat(db.<String>queryOne("SELECT region FROM users WHERE id = 50")).isEqualTo("APP");
  }

  static String done(Step step) {
    if (step instanceof dev.zerodowntime.orchestrator.spi.DdlStep ddl) {
      return ddl.done().sql();
    }
    return ((dev.zerodowntime.orchestrator.spi.OnlineStep) step).done().sql();
  }
}
