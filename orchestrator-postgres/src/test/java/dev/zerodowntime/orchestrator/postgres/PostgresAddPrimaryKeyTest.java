package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.AddPrimaryKey;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import java.sql.SQLException;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A primary key for a table that has none, on a real server. */
@PostgresTest
class PostgresAddPrimaryKeyTest {

  private final TestDatabase db;

  PostgresAddPrimaryKeyTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void visits() {
    db.execute(
        "DROP SCHEMA IF EXISTS public, control CASCADE",
        "CREATE SCHEMA public",
        "CREATE TABLE visits (\"Day\" int NOT NULL, country text NOT NULL, n int, j json NOT NULL)",
        "INSERT INTO visits SELECT n, 'de', n, '1' FROM generate_series(1, 3000) n");
  }

  private StepRunner<AddPrimaryKey> runner(UnaryOperator<AddPrimaryKey.Builder> how) {
    AddPrimaryKey.Builder builder =
        AddPrimaryKey.of("billing/key").table("visits").name("visits's");
    return new StepRunner<>(db, new PostgresAddPrimaryKey(), how.apply(builder).build());
  }

  private String constraints() {
    return db.rows(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid ="
                + " 'visits'::regclass AND contype <> 'n'")
        .toString();
  }

  private long notNull() {
    return db.queryLong(
        "SELECT count(*) FROM pg_attribute WHERE attrelid = 'visits'::regclass AND attnotnull AND"
            + " attnum > 0");
  }

  @Test
  void upAndDown() throws SQLException {
    StepRunner<AddPrimaryKey> run =
        runner(b -> b.columns("country", "Day").include("n")).preflight();
    long file = run.file("visits");
    assertThat(run.up(AddPrimaryKey.ENFORCE)).containsExactly("create-unique-index");
    assertThat(run.up(AddPrimaryKey.DONE)).containsExactly("add-constraint");
    assertThat(constraints()).isEqualTo("[[visits's, PRIMARY KEY (country, \"Day\") INCLUDE (n)]]");
    assertThat(run.file("visits")).as("no row touched").isEqualTo(file);
    run.preflight();
    assertThat(run.down(AddPrimaryKey.DONE)).isEmpty();
    assertThat(run.rest(AddPrimaryKey.ENFORCE, Direction.DOWN)).containsExactly("drop-constraint");
    assertThat(constraints()).isEqualTo("[]");
    assertThat(run.count("SELECT count(*) FROM pg_index WHERE indrelid = 'visits'::regclass"))
        .isZero();
    assertThat(notNull()).as("as it was").isEqualTo(3);
  }

  /** With NOT NULL proved before, the ALTER looks at no row: not even at one that is broken. */
  @Test
  void theAlterDoesNotLookAtRows() throws SQLException {
    StepRunner<AddPrimaryKey> run = runner(b -> b.columns("country", "Day")).preflight();
    run.up(AddPrimaryKey.ENFORCE);
    DdlStep add = (DdlStep) run.steps(AddPrimaryKey.DONE, Direction.UP).get(0);
    long read = seqScans();
    run.run(add);
    assertThat(seqScans()).isEqualTo(read);
  }

  private long seqScans() {
    return db.queryLong(
        "SELECT coalesce(seq_tup_read, 0) FROM pg_stat_user_tables WHERE relname = 'visits'");
  }

  @Test
  void duplicatesAreShownAndTheBuildNamesOne() throws SQLException {
    StepRunner<AddPrimaryKey> run = runner(b -> b.columns("Day")).preflight();
    db.execute("INSERT INTO visits SELECT 7, 'fr', 1, '1' FROM generate_series(1, 3)");
    refused(b -> b.columns("Day"), "1 key of \"Day\" in 4 rows, such as (7) in 4 rows");
    OnlineStep step = (OnlineStep) run.steps(AddPrimaryKey.ENFORCE, Direction.UP).get(0);
    assertThatThrownBy(() -> db.execute(step.statement()))
        .hasMessageContaining("=(7) is duplicated");
    step.repair().forEach(db::execute);
    db.execute("DELETE FROM visits WHERE country = 'fr'");
    run.up(AddPrimaryKey.ENFORCE);
  }

  private void refused(UnaryOperator<AddPrimaryKey.Builder> how, String... parts) {
    assertThatThrownBy(() -> runner(how).preflight())
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains("billing/key").contains(parts));
  }

  @Test
  void badInputIsRefusedByName() {
    db.execute(
        "CREATE TABLE parted (b int NOT NULL) PARTITION BY RANGE (b)",
        "CREATE TABLE users (id int PRIMARY KEY, b int NOT NULL UNIQUE)",
        "CREATE UNIQUE INDEX desc_index ON visits (\"Day\" DESC)",
        "CREATE UNIQUE INDEX part_index ON visits (\"Day\") WHERE n > 3");
    refused(b -> b.columns("day"), "no column \"day\"", "Day");
    refused(b -> b.columns("Day", "n"), "columns [n]", "NOT NULL", "SetNotNull");
    refused(b -> b.columns("j"), "type json has no default operator class");
    refused(b -> b.columns("Day").include("x"), "no column \"x\"");
    refused(b -> b.columns("Day").name("users"), "is taken", "a table");
    refused(b -> b.columns("Day").name("desc_index"), "another index", "DESC");
    refused(b -> b.columns("Day").name("part_index"), "another index", "WHERE");
    refused(b -> b.columns("Day").name("x".repeat(64)), "64 bytes");
    refused(b -> b.table("parted").columns("b"), "partitioned table");
    refused(
        b -> b.table("users").columns("b"),
        "has a primary key: \"users_pkey\" over [id]",
        "AddUnique");
    if (db.server().majorVersion() >= 18) {
      db.execute(
          "CREATE TABLE half (a int, b int, CONSTRAINT b_set NOT NULL b NO INHERIT)",
          "ALTER TABLE half ADD CONSTRAINT a_set NOT NULL a NOT VALID");
      refused(b -> b.table("half").columns("a"), "columns [a]", "NOT VALID");
      refused(b -> b.table("half").columns("b"), "columns [b]", "NO INHERIT");
    }
    assertThatThrownBy(() -> runner(b -> b))
        .isInstanceOf(DeclarationException.class)
        .hasMessageContaining("the primary key has no column");
  }
}
