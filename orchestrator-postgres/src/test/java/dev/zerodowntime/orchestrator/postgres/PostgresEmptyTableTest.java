package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Policy;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.AddExclusion;
import dev.zerodowntime.orchestrator.operation.AddGeneratedColumn;
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
import org.junit.jupiter.api.function.ThrowingSupplier;

/** Generated columns and exclusion constraints, which an empty table may get, on a real server. */
@PostgresTest
class PostgresEmptyTableTest {

  private final TestDatabase db;
  private final int version;

  PostgresEmptyTableTest(TestDatabase db) {
    this.db = db;
    this.version = db.server().majorVersion();
  }

  @BeforeEach
  void tables() {
    db.execute(
        "DROP SCHEMA IF EXISTS public, control CASCADE",
        "CREATE SCHEMA public",
        "CREATE TABLE bookings (room int, during int4range)",
        "CREATE TABLE users (id bigint PRIMARY KEY, name text)",
        "INSERT INTO users SELECT n, 'Name ' || n FROM generate_series(1, 300) n");
  }

  private StepRunner<AddGeneratedColumn> column(UnaryOperator<AddGeneratedColumn.Builder> how) {
    return new StepRunner<>(
        db,
        new PostgresAddGeneratedColumn(),
        how.apply(
                AddGeneratedColumn.of("billing/seats")
                    .table("bookings")
                    .column("seats", "int")
                    .expression("upper(during) - lower(during)")
                    .stored())
            .build());
  }

  private StepRunner<AddGeneratedColumn> virtual() {
    return new StepRunner<>(
        db,
        new PostgresAddGeneratedColumn(),
        AddGeneratedColumn.of("billing/shout")
            .table("users")
            .column("shout", "text")
            .expression("upper(name)")
            .build());
  }

  private StepRunner<AddExclusion> exclusion(UnaryOperator<AddExclusion.Builder> how) {
    return new StepRunner<>(
        db,
        new PostgresAddExclusion(),
        how.apply(
                AddExclusion.of("billing/apart")
                    .table("bookings")
                    .name("apart")
                    .definition("USING gist (during WITH &&) WHERE (room > 0)"))
            .build());
  }

  private void refused(ThrowingSupplier<?> preflight, String id, String... parts) {
    assertThatThrownBy(preflight::get)
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains(id).contains(parts));
  }

  private void refusedColumn(UnaryOperator<AddGeneratedColumn.Builder> how, String... parts) {
    refused(() -> column(how).preflight(), "billing/seats", parts);
  }

  private void refusedExclusion(UnaryOperator<AddExclusion.Builder> how, String... parts) {
    refused(() -> exclusion(how).preflight(), "billing/apart", parts);
  }

  @Test
  void anEmptyTableGetsAStoredColumn() throws SQLException {
    StepRunner<AddGeneratedColumn> run = column(b -> b).preflight();
    assertThat(run.up(AddGeneratedColumn.DONE)).containsExactly("add-generated-column");
    db.execute("INSERT INTO bookings (during) VALUES ('[3,8)')");
    assertThat(db.queryLong("SELECT seats FROM bookings")).isEqualTo(5);
    assertThat(run.down(AddGeneratedColumn.DONE)).containsExactly("drop-generated-column");
    assertThat(db.rows("SELECT * FROM bookings").toString()).isEqualTo("[[null, [3,8)]]");
    assertThat(((DdlStep) run.steps(1, Direction.UP).get(0)).changesRowType()).isTrue();
  }

  /** The fact behind it: the server gives a table a new file for a stored column. */
  @Test
  void rowsAreNotRewrittenForAStoredColumn() {
    db.execute("INSERT INTO bookings VALUES (1, '[3,8)')");
    long file = db.queryLong("SELECT pg_relation_filenode('bookings')");
    refusedColumn(
        b -> b, "\"bookings\"", "has rows", "AddColumn with fillWithSql(\"upper(during) - lower");
    assertThat(db.queryLong("SELECT pg_relation_filenode('bookings')")).isEqualTo(file);
    db.execute("ALTER TABLE bookings ADD s int GENERATED ALWAYS AS (room * 2) STORED");
    assertThat(db.queryLong("SELECT pg_relation_filenode('bookings')")).isNotEqualTo(file);
  }

  @Test
  void aVirtualColumnNeedsNoRewrite() throws SQLException {
    if (version < 18) {
      refused(
          () -> virtual().preflight(),
          "billing/shout",
          "takes PostgreSQL 18",
          "AddColumn with fillWithSql(\"upper(name)\")");
      return;
    }
    StepRunner<AddGeneratedColumn> run = virtual().preflight();
    long file = run.file("public.users");
    String rows = db.rows("SELECT ctid::text, xmin::text FROM users ORDER BY id").toString();
    run.up(AddGeneratedColumn.DONE);
    assertThat(run.file("public.users")).isEqualTo(file);
    assertThat(db.queryLong("SELECT count(*) FROM users WHERE shout = 'NAME ' || id"))
        .isEqualTo(300);
    run.down(AddGeneratedColumn.DONE);
    assertThat(run.file("public.users")).isEqualTo(file);
    assertThat(db.rows("SELECT ctid::text, xmin::text FROM users ORDER BY id").toString())
        .isEqualTo(rows);
    refused(
        () ->
            new StepRunner<>(
                    db,
                    new PostgresAddGeneratedColumn(),
                    AddGeneratedColumn.of("billing/shout")
                        .table("users")
                        .column("shout", "text")
                        .expression("upper(name)")
                        .stored()
                        .build())
                .preflight(),
        "billing/shout",
        "Or leave out stored()");
  }

  @Test
  void badColumnsAreRefusedByName() {
    refusedColumn(b -> b.table("missing"), "no table \"missing\"");
    refusedColumn(b -> b.column("room", "int"), "already has a column \"room\"");
    refusedColumn(b -> b.column("ü".repeat(32), "int"), "64 bytes");
    refusedColumn(b -> b.column("c", "nonsense"), "\"c\"", "nonsense");
    refusedColumn(b -> b.expression("nope + 1"), "(nope + 1)", "does not exist");
    refusedColumn(b -> b.expression("random()"), "(random())", "immutable");
    assertThatThrownBy(() -> column(b -> b.expression("")))
        .isInstanceOf(DeclarationException.class)
        .hasMessageContaining("expression");
    db.execute(
        "ALTER TABLE bookings ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE bookings FORCE ROW LEVEL SECURITY",
        "DO $$ BEGIN CREATE ROLE zdo_booker; EXCEPTION WHEN duplicate_object OR unique_violation"
            + " THEN NULL; END $$",
        "GRANT USAGE, CREATE ON SCHEMA public TO zdo_booker",
        "ALTER TABLE bookings OWNER TO zdo_booker");
    refused(
        () -> {
          try (Connection c = db.dataSource().getConnection();
              Statement s = c.createStatement()) {
            s.execute("SET ROLE zdo_booker");
            return column(b -> b).preflight(c);
          }
        },
        "billing/seats",
        "row security hides rows");
  }

  @Test
  void anEmptyTableGetsAnExclusionConstraint() throws SQLException {
    StepRunner<AddExclusion> run = exclusion(b -> b).preflight();
    assertThat(run.up(AddExclusion.DONE)).containsExactly("add-exclusion");
    db.execute("INSERT INTO bookings VALUES (1, '[3,8)'), (0, '[3,8)')");
    assertThatThrownBy(() -> db.execute("INSERT INTO bookings VALUES (2, '[7,9)')"))
        .hasMessageContaining("apart");
    assertThat(run.down(AddExclusion.DONE)).containsExactly("drop-exclusion");
    db.execute("INSERT INTO bookings VALUES (2, '[7,9)')");
    // Now it has rows.
    refusedExclusion(
        b -> b,
        "\"bookings\"",
        "has rows",
        "neither CONCURRENTLY nor NOT VALID",
        "AddUnique",
        "CreateTable");
  }

  @Test
  void badExclusionsAreRefusedByName() {
    refusedExclusion(b -> b.table("missing"), "no table \"missing\"");
    refusedExclusion(b -> b.name("users_pkey"), "\"users_pkey\"", "is taken", "an index");
    refusedExclusion(b -> b.name("ü".repeat(32)), "64 bytes");
    refusedExclusion(b -> b.definition("USING gist (nope WITH &&)"), "nope", "does not exist");
    refusedExclusion(b -> b.definition("(room WITH <>)"), "(room WITH <>)");
    db.execute("ALTER TABLE bookings ADD CONSTRAINT apart CHECK (room > 0)");
    refusedExclusion(b -> b, "another constraint \"apart\"", "CHECK");
    assertThatThrownBy(() -> AddExclusion.of("billing/apart").table("t").name("n").build())
        .isInstanceOf(DeclarationException.class)
        .hasMessageContaining("definition");
  }

  @Test
  void surviveBeingStored() {
    for (Migration<?> each :
        List.of(
            column(b -> b).migration, virtual().migration, exclusion(b -> b.name("n")).migration)) {
      OperationType<?> type =
          each instanceof AddExclusion ? AddExclusion.TYPE : AddGeneratedColumn.TYPE;
      assertThat(
              type.restore()
                  .apply(
                      new OperationType.Stored(
                          each.id(), "public", List.of(), Policy.DEFAULT, each.fields(), null))
                  .canonical())
          .isEqualTo(each.canonical());
    }
  }
}
