package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import java.sql.SQLException;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Building an index, on a real server. */
@PostgresTest
class PostgresCreateIndexTest {

  private final TestDatabase db;

  PostgresCreateIndexTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void users() {
    db.execute(
        "DROP SCHEMA IF EXISTS public, control CASCADE",
        "CREATE SCHEMA public",
        "CREATE TABLE users (id bigint PRIMARY KEY, \"Key\" text, b int, tags int[])",
        "INSERT INTO users SELECT n, 'k' || n, n FROM generate_series(1, 20) n");
  }

  private StepRunner<CreateIndex> runner(UnaryOperator<CreateIndex.Builder> how) {
    return new StepRunner<>(
        db,
        new PostgresCreateIndex(),
        how.apply(CreateIndex.of("billing/index").table("users").name("users \"ix\"")).build());
  }

  private StepRunner<CreateIndex> full() {
    return runner(
        b ->
            b.column("Key", "COLLATE \"C\" text_pattern_ops DESC NULLS LAST")
                .expression("users.b % 7")
                .include("id")
                .using("btree")
                .where("b > 3 AND users.\"Key\" <> ''"));
  }

  @Test
  void upDownAndByHand() throws SQLException {
    StepRunner<CreateIndex> run = full().preflight();
    assertThat(run.up(CreateIndex.DONE)).containsExactly("create-index");
    // Already there: the same index under this name is no conflict.
    full().preflight();
    assertThatThrownBy(() -> runner(b -> b.columns("b")).preflight())
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("another index of this name: CREATE INDEX");
    assertThat(run.down(CreateIndex.DONE)).containsExactly("drop-index");
    runner(b -> b.columns("tags").using("gin")).preflight().up(CreateIndex.DONE);
  }

  @Test
  void wreckIsFoundAndRemoved() throws SQLException {
    StepRunner<CreateIndex> run = runner(b -> b.expression("1 / (b - 5)")).preflight();
    OnlineStep step = (OnlineStep) run.steps(CreateIndex.DONE, Direction.UP).get(0);
    assertThat(run.holds(step.broken())).isFalse();
    assertThatThrownBy(() -> db.execute(step.statement())).hasMessageContaining("division by zero");
    assertThat(run.holds(step.broken())).isTrue();
    assertThat(run.holds(step.done())).isFalse();
    run.preflight();
    step.repair().forEach(db::execute);
    assertThat(run.holds(step.broken())).isFalse();
    db.execute("DELETE FROM users WHERE b = 5");
    run.run(step);
  }

  private void refused(UnaryOperator<CreateIndex.Builder> how, String... parts) {
    assertThatThrownBy(() -> runner(how).preflight())
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains("billing/index").contains(parts));
  }

  @Test
  void badInputIsRefusedByName() {
    db.execute(
        "CREATE TABLE taken (id int)",
        "CREATE TABLE parent (b int)",
        "CREATE TABLE heir () INHERITS (parent)");
    refused(b -> b.columns("key"), "no column \"key\"", "Key");
    refused(b -> b.columns("b").include("x"), "no column \"x\"");
    refused(b -> b.columns("b").where("nonsense"), "nonsense", "predicate");
    refused(b -> b.expression("random()"), "IMMUTABLE");
    refused(b -> b.columns("tags").using("nope"), "access method \"nope\"");
    refused(b -> b.columns("b").using("gin"), "operator class");
    refused(b -> b.column("b", "text_ops"), "text_ops");
    refused(b -> b.columns("b").name("taken"), "\"taken\"", "is taken", "a table");
    refused(b -> b.columns("b").name("users_pkey"), "another index of this name");
    refused(b -> b.columns("b").name("x".repeat(64)), "64 bytes", "63");
    refused(b -> b.table("parent").columns("b"), "inherit");
    runner(b -> b.table("heir").columns("b"));
  }
}
