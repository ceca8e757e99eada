package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.AddEnumValue;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Adding a value to an enumeration, on a real server. */
@PostgresTest
class PostgresAddEnumValueTest {

  private final TestDatabase db;

  PostgresAddEnumValueTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void orders() {
    db.execute(
        "DROP SCHEMA IF EXISTS public, control CASCADE",
        "CREATE SCHEMA public",
        "CREATE TYPE \"State\" AS ENUM ('new', 'it''s done')",
        "CREATE DOMAIN state_of AS \"State\"",
        "CREATE TABLE orders (id int PRIMARY KEY, s \"State\")",
        "CREATE TABLE log (states state_of[])",
        "CREATE TABLE users (id int PRIMARY KEY)",
        "INSERT INTO orders SELECT n, 'new' FROM generate_series(1, 20) n");
  }

  private StepRunner<AddEnumValue> runner(UnaryOperator<AddEnumValue.Builder> how) {
    return new StepRunner<>(
        db,
        new PostgresAddEnumValue(),
        how.apply(AddEnumValue.of("billing/paid").table("orders").type("State").value("pa'id\\"))
            .build());
  }

  private String labels() {
    return db.rows("SELECT unnest(enum_range(NULL::\"State\"))::text").toString();
  }

  @Test
  void addedInItsPlaceAndNeverTakenAway() throws SQLException {
    StepRunner<AddEnumValue> run = runner(b -> b.beforeValue("it's done")).preflight();
    assertThat(run.up(AddEnumValue.DONE)).containsExactly("add-value");
    assertThat(labels()).isEqualTo("[[new], [pa'id\\], [it's done]]");
    db.execute("UPDATE orders SET s = E'pa''id\\\\' WHERE id < 5");
    assertThat(run.support.consent(run.migration, run.facts, 1, Direction.UP)).isEmpty();
    assertThat(run.support.consent(run.migration, run.facts, 1, Direction.DOWN).orElseThrow())
        .contains("\"pa'id\\\" stays", "\"State\"");
    assertThat(run.down(AddEnumValue.DONE)).containsExactly("keep-value");
    assertThat(labels()).contains("pa'id");
    // Forward again: it is there already.
    run.preflight();
    assertThat(run.holds(((DdlStep) run.steps(1, Direction.UP).get(0)).done())).isTrue();
  }

  @Test
  void anywhereByDefaultAtTheEnd() throws SQLException {
    runner(b -> b).preflight().up(AddEnumValue.DONE);
    runner(b -> b.table("log").value("first").afterValue("new")).preflight().up(AddEnumValue.DONE);
    assertThat(labels()).isEqualTo("[[new], [first], [it's done], [pa'id\\]]");
  }

  /** What the javadoc says of when it can be used, and of locks. */
  @Test
  void itCanBeUsedOnceTheTransactionHasCommitted() throws SQLException {
    String add = "ALTER TYPE \"State\" ADD VALUE 'late'";
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      c.setAutoCommit(false);
      s.execute(add);
      assertThat(
              db.queryLong(
                  "SELECT count(*) FROM pg_locks WHERE relation IN ('orders'::regclass,"
                      + " 'log'::regclass)"))
          .isZero();
      db.execute("INSERT INTO orders VALUES (50, 'new')");
      assertThatThrownBy(() -> s.execute("UPDATE orders SET s = 'late'"))
          .isInstanceOf(SQLException.class)
          .hasMessageContaining("unsafe use of new value");
      c.rollback();
      assertThat(labels()).doesNotContain("late");
      s.execute(add);
      c.commit();
      s.execute("UPDATE orders SET s = 'late'");
      c.commit();
    }
  }

  private void refused(UnaryOperator<AddEnumValue.Builder> how, String... parts) {
    assertThatThrownBy(() -> runner(how).preflight())
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains("billing/paid").contains(parts));
  }

  @Test
  void badInputIsRefusedByName() {
    db.execute("CREATE TYPE lone AS ENUM ('a')");
    refused(b -> b.type("state"), "no type \"state\"", "upper and lower case");
    refused(b -> b.type("state_of"), "\"state_of\" is not an enumeration");
    refused(b -> b.type("lone"), "\"lone\"", "no column of table", "Nor has one");
    refused(
        b -> b.table("users"),
        "no column of table \"public\".\"users\"",
        "[public.log, public.orders]");
    refused(b -> b.table("nope"), "no table \"nope\"");
    refused(b -> b.value("x".repeat(64)), "64 bytes");
    refused(b -> b.afterValue("gone"), "no value \"gone\"", "[new, it's done]");
    assertThatThrownBy(() -> runner(b -> b.beforeValue("new").afterValue("new")))
        .isInstanceOf(DeclarationException.class)
        .hasMessageContaining("before \"new\" and after \"new\"");
  }

  @Test
  void theTypeOfAnotherIsRefused() throws SQLException {
    db.execute(
        "DROP ROLE IF EXISTS zdo_types",
        "CREATE ROLE zdo_types",
        "GRANT USAGE ON SCHEMA public TO zdo_types",
        "ALTER TABLE orders OWNER TO zdo_types");
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      s.execute("SET ROLE zdo_types");
      assertThatThrownBy(() -> runner(b -> b).preflight(c))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("\"zdo_types\" does not own type \"public\".\"State\"");
    } finally {
      db.execute("DROP OWNED BY zdo_types CASCADE", "DROP ROLE zdo_types");
    }
  }
}
