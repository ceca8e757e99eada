package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.AddUnique;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Making columns unique, on a real server. */
@PostgresTest
@Timeout(120)
class PostgresAddUniqueTest {

  private static final String NAME = "users \"uq\"";

  private final TestDatabase db;

  PostgresAddUniqueTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void users() {
    db.execute(
        "DROP SCHEMA IF EXISTS public, control CASCADE",
        "CREATE SCHEMA public",
        "CREATE TABLE users (id bigint PRIMARY KEY, \"Key\" text, b int, j json)",
        "INSERT INTO users SELECT n, 'k' || n, n FROM generate_series(1, 3000) n");
  }

  private StepRunner<AddUnique> runner(UnaryOperator<AddUnique.Builder> how) {
    return new StepRunner<>(
        db,
        new PostgresAddUnique(),
        how.apply(AddUnique.of("billing/unique").table("users").name(NAME)).build());
  }

  private String constraint() {
    return db.rows(
            "SELECT contype, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid ="
                + " 'users'::regclass AND contype = 'u'")
        .toString();
  }

  private long indexes() {
    return db.queryLong("SELECT count(*) FROM pg_index WHERE indrelid = 'users'::regclass");
  }

  private void duplicate() {
    db.execute("INSERT INTO users SELECT max(id) + 1, 'k7', 7 FROM users");
  }

  private void undo() {
    db.execute("DELETE FROM users WHERE id > 3000");
  }

  @Test
  void upAndDown() throws SQLException {
    StepRunner<AddUnique> run = runner(b -> b.columns("Key", "b").include("id")).preflight();
    long file = run.file("users");
    assertThat(run.up(AddUnique.ENFORCE)).containsExactly("create-unique-index");
    assertThatThrownBy(this::duplicate).hasMessageContaining("duplicate key");
    assertThat(constraint()).isEqualTo("[]");
    assertThat(run.up(AddUnique.DONE)).containsExactly("add-constraint");
    assertThat(constraint()).contains("UNIQUE (\"Key\", b) INCLUDE (id)");
    assertThat(run.file("users")).as("no row touched").isEqualTo(file);
    assertThatThrownBy(this::duplicate).hasMessageContaining("duplicate key");

    assertThat(run.down(AddUnique.DONE)).isEmpty();
    assertThatThrownBy(this::duplicate).as("ENFORCE").hasMessageContaining("duplicate key");
    assertThat(run.rest(AddUnique.DONE, Direction.UP)).as("and up again").isEmpty();
    assertThat(run.rest(AddUnique.ENFORCE, Direction.DOWN)).containsExactly("drop-constraint");
    assertThat(indexes()).isEqualTo(1);
    duplicate();
    undo();

    // From the index alone.
    run.preflight().up(AddUnique.ENFORCE);
    assertThat(run.rest(AddUnique.ENFORCE, Direction.DOWN)).containsExactly("drop-index");
    assertThat(indexes()).isEqualTo(1);
    duplicate();
  }

  @Test
  void nullsCollideOnlyWhereTheyAreToldTo() throws SQLException {
    db.execute("INSERT INTO users VALUES (3001, NULL, 1), (3002, NULL, 1)");
    if (db.server().majorVersion() < 15) {
      refused(b -> b.columns("Key").nullsNotDistinct(), "PostgreSQL 14", "nullsNotDistinct()");
      runner(b -> b.columns("Key")).preflight().up(AddUnique.ENFORCE);
      return;
    }
    refused(
        b -> b.columns("Key", "b").nullsNotDistinct(),
        "1 key of \"Key\", \"b\" in 2 rows, such as (null, 1) in 2 rows");
    StepRunner<AddUnique> run = runner(b -> b.columns("Key")).preflight();
    run.up(AddUnique.ENFORCE);
    run.rest(AddUnique.ENFORCE, Direction.DOWN);
    db.execute("DELETE FROM users WHERE id = 3002");
    run = runner(b -> b.columns("Key").nullsNotDistinct()).preflight();
    run.up(AddUnique.ENFORCE);
    run.up(AddUnique.DONE);
    assertThat(constraint()).contains("UNIQUE NULLS NOT DISTINCT (\"Key\")");
    assertThatThrownBy(() -> db.execute("INSERT INTO users VALUES (3002)"))
        .hasMessageContaining("duplicate key");
  }

  @Test
  void duplicatesAreCountedAndShownBeforeAnythingIsBuilt() throws SQLException {
    db.execute(
        "INSERT INTO users SELECT 3000 + n, 'k' || n % 10, n % 10 FROM generate_series(1, 30) n",
        "UPDATE users SET \"Key\" = repeat('x', 200), b = 1 WHERE id BETWEEN 100 AND 110");
    refused(
        b -> b.columns("Key", "b"),
        "table \"public\".\"users\" has duplicates: 11 keys of \"Key\", \"b\" in 50 rows, such as ("
            + "x".repeat(60)
            + ", 1) in 11 rows, (k1, 1) in 4 rows, ",
        "Backfill");
    assertThat(indexes()).isEqualTo(1);
  }

  /** Two values that their collation calls equal collide, whatever their bytes say. */
  @Test
  void duplicatesAreWhatTheIndexCallsEqual() throws SQLException {
    db.execute(
        "CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic ="
            + " false)",
        "CREATE TABLE people (id int PRIMARY KEY, name text COLLATE loose, n numeric)",
        "INSERT INTO people VALUES (1, 'Bob', 1.0), (2, 'BOB', 1.00)");
    refused(b -> b.table("people").columns("name"), "1 key of \"name\" in 2 rows");
    refused(b -> b.table("people").columns("n"), "1 key of \"n\" in 2 rows");
  }

  @Test
  void aTableTooLargeToLookThroughIsLeftToTheBuild() throws SQLException {
    db.execute(
        "INSERT INTO users SELECT n, 'k' || n, n FROM generate_series(3001, 300000) n",
        "INSERT INTO users VALUES (0, 'k7')");
    AddUnique migration =
        AddUnique.of("billing/unique").table("users").name("u").columns("Key").build();
    try (Connection c = db.dataSource().getConnection()) {
      c.setAutoCommit(false);
      Catalog catalog = new Catalog(migration, new Target("x", "public", "control"), c);
      CatalogTable table = catalog.table("users");
      Duplicates look =
          new Duplicates(catalog, table, List.of(catalog.column(table, "Key")), false);
      assertThat(look.look(1)).isFalse();
      assertThat(catalog.text("SHOW statement_timeout")).as("put back").isEqualTo("0");
      c.rollback();
    }
  }

  /** A build that meets duplicates in its one pass has not rejected anything yet. */
  @Test
  void theBuildFindsDuplicatesBeforeItRejectsAny() throws SQLException {
    StepRunner<AddUnique> run = runner(b -> b.columns("Key")).preflight();
    duplicate();
    OnlineStep step = (OnlineStep) run.steps(AddUnique.ENFORCE, Direction.UP).get(0);
    assertThatThrownBy(() -> db.execute(step.statement()))
        .hasMessageContaining("Key (\"Key\")=(k7) is duplicated");
    assertThat(run.holds(step.broken())).isTrue();
    assertThat(run.holds(step.done())).isFalse();
    // Left INVALID, but never made ready: it takes in no row.
    duplicate();
    step.repair().forEach(db::execute);
    assertThat(run.holds(step.broken())).isFalse();
    assertThat(indexes()).isEqualTo(1);
    undo();
    run.run(step);
  }

  /** Which is why what a build leaves is dropped at once. */
  @Test
  void anInvalidUniqueIndexRejectsDuplicates() throws Exception {
    StepRunner<AddUnique> run = runner(b -> b.columns("Key")).preflight();
    OnlineStep step = (OnlineStep) run.steps(AddUnique.ENFORCE, Direction.UP).get(0);
    try (Connection old = db.dataSource().getConnection();
        Connection build = db.dataSource().getConnection()) {
      old.setAutoCommit(false);
      old.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      try (Statement s = old.createStatement()) {
        s.execute("SELECT 1 FROM users LIMIT 1");
      }
      Thread thread =
          new Thread(
              () -> {
                try (Statement s = build.createStatement()) {
                  s.execute(step.statement());
                } catch (SQLException e) {
                  // It is cancelled below.
                }
              });
      thread.start();
      // Ready, and waiting for the old snapshot before it may be called valid.
      while (db.queryLong(
              "SELECT count(*) FROM pg_stat_progress_create_index WHERE phase = 'waiting for old"
                  + " snapshots'")
          == 0) {
        Thread.onSpinWait();
      }
      db.rows(
          "SELECT pg_cancel_backend(pid) FROM pg_stat_progress_create_index WHERE phase ="
              + " 'waiting for old snapshots'");
      thread.join();
      old.rollback();
    }
    assertThat(run.holds(step.done())).isFalse();
    assertThat(run.holds(step.broken())).isTrue();
    assertThatThrownBy(this::duplicate).hasMessageContaining("duplicate key");
    step.repair().forEach(db::execute);
    duplicate();
  }

  @Test
  void theSameMadeByHandIsTakenOver() throws SQLException {
    db.execute("CREATE UNIQUE INDEX \"users \"\"uq\"\"\" ON users (\"Key\")");
    StepRunner<AddUnique> run = runner(b -> b.columns("Key")).preflight();
    assertThat(run.rest(AddUnique.ENFORCE, Direction.UP)).isEmpty();
    run.up(AddUnique.DONE);
    run.preflight();
    refused(b -> b.columns("b"), "another index or constraint of this name: CREATE UNIQUE INDEX");
    run.rest(AddUnique.ENFORCE, Direction.DOWN);
    db.execute("ALTER TABLE users ADD CONSTRAINT \"users \"\"uq\"\"\" UNIQUE (\"Key\") DEFERRABLE");
    refused(b -> b.columns("Key"), "another index or constraint");
  }

  /** The database itself keeps what others rest on. */
  @Test
  void theWayBackStopsAtAForeignKey() throws SQLException {
    StepRunner<AddUnique> run = runner(b -> b.columns("Key")).preflight();
    run.up(AddUnique.ENFORCE);
    run.up(AddUnique.DONE);
    db.execute("CREATE TABLE child (k text REFERENCES users (\"Key\"))");
    DdlStep drop = (DdlStep) run.steps(AddUnique.ENFORCE, Direction.DOWN).get(0);
    assertThatThrownBy(() -> db.execute(drop.sql().get(0)))
        .hasMessageContaining("child_Key_fkey".replace("Key", "k"));
    assertThat(constraint()).contains("UNIQUE");
    db.execute("DROP TABLE child");
    run.run(drop);
  }

  private void refused(UnaryOperator<AddUnique.Builder> how, String... parts) {
    assertThatThrownBy(() -> runner(how).preflight())
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains("billing/unique").contains(parts));
  }

  @Test
  void badInputIsRefusedByName() {
    db.execute(
        "CREATE TABLE taken (id int)",
        "CREATE TABLE parted (b int) PARTITION BY RANGE (b)",
        "ALTER TABLE users ADD CONSTRAINT positive CHECK (b > 0)",
        "CREATE INDEX plain ON users (b)");
    refused(b -> b.columns("key"), "no column \"key\"", "Key");
    refused(b -> b.columns("b").include("x"), "no column \"x\"");
    refused(b -> b.columns("j"), "type json has no default operator class");
    refused(b -> b.columns("b").name("taken"), "\"taken\"", "is taken", "a table");
    refused(b -> b.columns("b").name("positive"), "another index or constraint", "CHECK ((b > 0))");
    refused(b -> b.columns("b").name("plain"), "another index or constraint", "CREATE INDEX");
    refused(b -> b.columns("id").name("users_pkey"), "another index or constraint");
    refused(b -> b.columns("b").name("x".repeat(64)), "64 bytes", "63");
    refused(b -> b.table("parted").columns("b"), "partitioned table");
    refused(b -> b.table("nobody").columns("b"), "no table \"nobody\"");
    assertThatThrownBy(() -> runner(b -> b))
        .isInstanceOf(DeclarationException.class)
        .hasMessageContaining("no column");
    assertThatThrownBy(() -> runner(b -> b.columns("b", "b")))
        .isInstanceOf(DeclarationException.class)
        .hasMessageContaining("\"b\" twice");
  }
}
