package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.RenameIndex;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Renaming an index, on a real server. */
@PostgresTest
class PostgresRenameIndexTest {

  private static final String LONG = "größe \"x\" " + "y".repeat(51);

  private final TestDatabase db;

  PostgresRenameIndexTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void users() {
    db.execute(
        "DROP SCHEMA IF EXISTS public, control CASCADE",
        "CREATE SCHEMA public",
        "CREATE TABLE users (id bigint PRIMARY KEY, b int, u int UNIQUE)",
        "INSERT INTO users SELECT n, n, n FROM generate_series(1, 50) n",
        "CREATE UNIQUE INDEX \"it's\" ON users (b)",
        "COMMENT ON INDEX \"it's\" IS 'kept'");
  }

  private StepRunner<RenameIndex> runner(UnaryOperator<RenameIndex.Builder> how) {
    RenameIndex.Builder builder =
        RenameIndex.of("billing/rename").table("users").from("it's").to(LONG);
    return new StepRunner<>(db, new PostgresRenameIndex(), how.apply(builder).build());
  }

  private String indexes() {
    return db.rows(
            "SELECT c.oid::text, relname, obj_description(c.oid, 'pg_class') FROM pg_class c JOIN"
                + " pg_index i ON i.indexrelid = c.oid WHERE indrelid = 'users'::regclass ORDER BY"
                + " 1")
        .toString();
  }

  @Test
  void upAndDown() throws SQLException {
    String before = indexes();
    StepRunner<RenameIndex> run = runner(b -> b).preflight();
    assertThat(run.up(RenameIndex.DONE)).containsExactly("rename-index");
    assertThat(indexes()).isEqualTo(before.replace("it's", LONG));
    assertThat(run.down(RenameIndex.DONE)).containsExactly("rename-index-back");
    assertThat(indexes()).isEqualTo(before);
  }

  @Test
  void locksTheIndexOnlyAndNobodyWaitsForIt() throws SQLException {
    StepRunner<RenameIndex> run = runner(b -> b).preflight();
    DdlStep up = (DdlStep) run.steps(RenameIndex.DONE, Direction.UP).get(0);
    IndexLocks.requireOnlyIndex(db, up, "public.users", "public.\"it's\"");
    // Neither does it wait for a transaction that has used the index, nor that one for it.
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      c.setAutoCommit(false);
      s.execute("SET LOCAL enable_seqscan = off; UPDATE users SET u = u WHERE b = 7");
      run.run(up);
      s.execute("INSERT INTO users VALUES (51, 51, 51)");
      c.commit();
    }
  }

  private void refused(UnaryOperator<RenameIndex.Builder> how, String... parts) {
    assertThatThrownBy(() -> runner(how).preflight())
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains("billing/rename").contains(parts));
  }

  @Test
  void badInputIsRefusedByName() {
    db.execute(
        "CREATE TABLE taken (id int)",
        "CREATE TABLE parted (b int) PARTITION BY RANGE (b)",
        "CREATE INDEX parted_b ON parted (b)");
    refused(b -> b.from("IT'S"), "no index \"IT'S\"", "it's");
    refused(b -> b.to("taken"), "\"taken\"", "is taken", "a table");
    refused(b -> b.to("users_pkey"), "is taken", "an index");
    refused(b -> b.to("x".repeat(64)), "64 bytes");
    refused(b -> b.from("users_pkey"), "constraint \"users_pkey\"", "RenameConstraint");
    refused(b -> b.from("users_u_key"), "constraint \"users_u_key\"", "ON CONFLICT ON CONSTRAINT");
    refused(b -> b.table("parted").from("parted_b"), "partitioned table");
    assertThatThrownBy(() -> runner(b -> b.to("it's")))
        .isInstanceOf(DeclarationException.class)
        .hasMessageContaining("both names");
  }
}
