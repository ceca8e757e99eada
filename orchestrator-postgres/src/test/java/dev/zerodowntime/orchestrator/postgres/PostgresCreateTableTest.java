package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Policy;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.CreateTable;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.OperationType;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Creating a table, on a real server. */
@PostgresTest
class PostgresCreateTableTest {

  private final TestDatabase db;

  PostgresCreateTableTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void users() {
    db.execute(
        "DROP SCHEMA IF EXISTS public, control CASCADE",
        "CREATE SCHEMA public",
        "CREATE TABLE users (id bigint PRIMARY KEY, code text, \"No key\" int)",
        "INSERT INTO users SELECT n, 'c' || n FROM generate_series(1, 20) n");
  }

  private StepRunner<CreateTable> runner(UnaryOperator<CreateTable.Builder> how) {
    return new StepRunner<>(
        db,
        new PostgresCreateTable(),
        how.apply(CreateTable.of("billing/create").table("Orders")).build());
  }

  private StepRunner<CreateTable> full() {
    return runner(
        b ->
            b.column("id", "bigserial")
                .notNullColumn("user", "bigint")
                .column("at", "timestamptz", "now()")
                .notNullColumn("note", "varchar(20) COLLATE \"C\"", "'x' || 'y'")
                .column("i", "int GENERATED ALWAYS AS IDENTITY")
                .column("g", "bigint GENERATED ALWAYS AS (\"user\" * 2) STORED")
                .column("prior", "bigint")
                .primaryKey("id")
                .constraint("CONSTRAINT short CHECK (length(note) < 10)")
                .constraint("CONSTRAINT \"one each\" UNIQUE (\"user\", note)")
                .foreignKey("user", "users", "id", "ON DELETE CASCADE")
                .foreignKey("prior", "Orders", "id", ""));
  }

  @Test
  void createdTakenBackWithItsRowsAndBroughtBack() throws SQLException {
    StepRunner<CreateTable> run = full().preflight();
    DdlStep create = (DdlStep) run.steps(CreateTable.DONE, Direction.UP).get(0);
    assertThat(create.lock()).startsWith("SHARE ROW EXCLUSIVE on \"public\".\"users\"");
    // The runner checks that this is the strongest lock taken on it.
    assertThat(create.tables()).containsExactly("\"public\".\"users\"");
    assertThat(run.up(CreateTable.DONE)).containsExactly("create-table");
    db.execute(
        "INSERT INTO \"Orders\" (\"user\", note) SELECT n, 'n' FROM generate_series(1, 20) n");
    String rows = db.rows("SELECT * FROM \"Orders\" ORDER BY id").toString();
    assertThat(rows).contains("[1, 1, ", ", n, 1, 2, null]");
    assertThatThrownBy(() -> full().preflight())
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("is taken");

    assertThat(run.support.consent(run.migration, run.facts, CreateTable.DONE, Direction.DOWN))
        .isEmpty();
    assertThat(run.down(CreateTable.DONE)).containsExactly("quarantine-table");
    assertThatThrownBy(() -> db.execute("SELECT FROM \"Orders\""))
        .hasMessageContaining("does not exist");

    run = full().preflight();
    assertThat(run.facts).containsEntry(CreateTableCheck.TOMBSTONE, true);
    assertThat(run.up(CreateTable.DONE)).containsExactly("restore-table");
    assertThat(db.rows("SELECT * FROM \"Orders\" ORDER BY id").toString()).isEqualTo(rows);
    run.down(CreateTable.DONE);

    // Declared otherwise meanwhile: what was kept isn't that.
    refused(
        b -> b.column("id", "bigint"), "earlier way back", "zdo_old_", "drop or rename it", "note");
  }

  @Test
  void withoutForeignKeysNoOtherTableIsLocked() throws SQLException {
    StepRunner<CreateTable> run = runner(b -> b.column("id", "int")).preflight();
    DdlStep create = (DdlStep) run.steps(CreateTable.DONE, Direction.UP).get(0);
    assertThat(create.tables()).isEmpty();
    run.up(CreateTable.DONE);
    db.execute("INSERT INTO \"Orders\" VALUES (1)");
  }

  /** It points to a table that has another name while it is quarantined, and in the trial. */
  @Test
  void aTableThatReferencesItselfIsBroughtBack() throws SQLException {
    UnaryOperator<CreateTable.Builder> itself =
        b ->
            b.column("id", "int")
                .column("prior", "int")
                .primaryKey("id")
                .foreignKey("prior", "Orders", "id", "ON DELETE SET NULL");
    StepRunner<CreateTable> run = runner(itself).preflight();
    assertThat(((DdlStep) run.steps(CreateTable.DONE, Direction.UP).get(0)).tables()).isEmpty();
    run.up(CreateTable.DONE);
    db.execute("INSERT INTO \"Orders\" VALUES (1, 1), (2, 1)");
    run.down(CreateTable.DONE);
    run = runner(itself).preflight();
    assertThat(run.up(CreateTable.DONE)).containsExactly("restore-table");
    assertThat(db.queryLong("SELECT count(*) FROM \"Orders\"")).isEqualTo(2);
    run.down(CreateTable.DONE);
    // Another table's key, or another action, is another table.
    refused(
        b ->
            b.column("id", "int")
                .column("prior", "int")
                .primaryKey("id")
                .foreignKey("prior", "Orders", "id", ""),
        "earlier way back");
    db.execute("CREATE TABLE \"Other\" (id int PRIMARY KEY)");
    refused(
        b ->
            b.column("id", "int")
                .column("prior", "int")
                .primaryKey("id")
                .foreignKey("prior", "Other", "id", "ON DELETE SET NULL"),
        "earlier way back");
  }

  @Test
  void aPartnerThatOneMayNotReferenceIsRefused() throws SQLException {
    db.execute(
        "DO $$ BEGIN CREATE ROLE zdo_creator; EXCEPTION WHEN duplicate_object OR unique_violation"
            + " THEN NULL; END $$",
        "GRANT USAGE, CREATE ON SCHEMA public TO zdo_creator");
    UnaryOperator<CreateTable.Builder> how =
        b -> b.column("id", "bigint").foreignKey("id", "users", "id", "");
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      s.execute("SET ROLE zdo_creator");
      assertThatThrownBy(() -> runner(how).preflight(c))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("GRANT REFERENCES ON \"public\".\"users\"");
      s.execute("SET ROLE NONE");
      s.execute("REVOKE CREATE ON SCHEMA public FROM zdo_creator");
      s.execute("SET ROLE zdo_creator");
      assertThatThrownBy(() -> runner(how).preflight(c))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("may not create tables");
    }
  }

  @Test
  void survivesBeingStored() {
    CreateTable migration = full().migration;
    assertThat(
            CreateTable.TYPE
                .restore()
                .apply(
                    new OperationType.Stored(
                        migration.id(),
                        "public",
                        List.of(),
                        Policy.DEFAULT,
                        migration.fields(),
                        null))
                .canonical())
        .isEqualTo(migration.canonical());
  }

  private void refused(UnaryOperator<CreateTable.Builder> how, String... parts) {
    assertThatThrownBy(() -> runner(how).preflight())
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains("billing/create").contains(parts));
  }

  @Test
  void badInputIsRefusedByName() {
    db.execute("CREATE TYPE mood AS ENUM ('a')", "CREATE VIEW v AS SELECT 1 AS id");
    UnaryOperator<CreateTable.Builder> id = b -> b.column("id", "int");
    refused(b -> id.apply(b).table("users"), "\"users\"", "is taken", "a table");
    refused(b -> id.apply(b).table("v"), "is taken", "a view");
    refused(b -> id.apply(b).table("mood"), "is taken", "a type");
    refused(b -> id.apply(b).table("x".repeat(64)), "64 bytes");
    refused(b -> id.apply(b).schema("nope"), "no schema \"nope\"", "CREATE SCHEMA");
    refused(b -> b.column("x", "nonsense"), "type \\\"nonsense\\\"".replace("\\", ""));
    refused(b -> id.apply(b).column("id", "text"), "specified more than once");
    refused(b -> id.apply(b).primaryKey("no"), "\"no\"", "does not exist");
    refused(b -> b.column("x", "int", "'y'"), "invalid input syntax");
    refused(b -> id.apply(b).constraint("CHECK (y > 0)"), "\"y\"", "does not exist");
    refused(
        b -> id.apply(b).constraint("CONSTRAINT users_pkey UNIQUE (id)"),
        "\"users_pkey\"",
        "is taken",
        "an index");
    refused(b -> b.column("x", "bigint REFERENCES users"), "foreignKey(...)");
    refused(
        b -> id.apply(b).foreignKey("id", "nope", "id", ""), "\"nope\"", "is no table", ".after");
    refused(b -> id.apply(b).foreignKey("id", "v", "id", ""), "\"v\"", "is no table");
    db.execute("CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id)");
    refused(b -> id.apply(b).foreignKey("id", "parts", "id", ""), "a partitioned table");
    refused(b -> id.apply(b).foreignKey("id", "users", "No key", ""), "no unique constraint");
    refused(b -> id.apply(b).foreignKey("id", "users", "code", ""), "can't be created");
    refused(b -> id.apply(b).foreignKey("id", "users", "id", "ON NONSENSE"), "syntax error");
  }
}
