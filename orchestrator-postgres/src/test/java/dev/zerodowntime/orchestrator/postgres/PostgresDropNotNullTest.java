package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.DropNotNull;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import java.sql.SQLException;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A column becomes nullable, on a real server. */
@PostgresTest
class PostgresDropNotNullTest {

  private final TestDatabase db;

  PostgresDropNotNullTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void users() {
    db.execute(
        "DROP SCHEMA IF EXISTS public, control CASCADE",
        "CREATE SCHEMA public",
        "CREATE TABLE users (id bigint PRIMARY KEY, \"My a\" int CONSTRAINT mine NOT NULL, b int)",
        "INSERT INTO users SELECT n, n FROM generate_series(1, 20) n");
    if (named()) {
      db.execute("COMMENT ON CONSTRAINT mine ON users IS 'it''s mine'");
    }
  }

  private boolean named() {
    return db.server().majorVersion() >= 18;
  }

  private StepRunner<DropNotNull> runner(UnaryOperator<DropNotNull.Builder> how) {
    return new StepRunner<>(
        db,
        new PostgresDropNotNull(),
        how.apply(DropNotNull.of("billing/nullable").table("users").column("My a")).build());
  }

  private String definition() {
    return db.rows(
            "SELECT attname::text, attnotnull FROM pg_attribute WHERE attrelid = 'users'::regclass"
                + " AND attnum > 0 ORDER BY attnum")
        + ""
        + db.rows(
            "SELECT conname::text, pg_get_constraintdef(oid), obj_description(oid, 'pg_constraint')"
                + " FROM pg_constraint WHERE conrelid = 'users'::regclass ORDER BY 1");
  }

  @Test
  void upAndExactlyBack() throws SQLException {
    String before = definition();
    StepRunner<DropNotNull> run = runner(b -> b).preflight();
    long file = run.file("users");
    assertThat(run.up(DropNotNull.DONE)).containsExactly("drop-not-null");
    db.execute("INSERT INTO users VALUES (99), (100)");
    VerifyStep verify = (VerifyStep) run.steps(DropNotNull.DONE, Direction.DOWN).get(0);
    assertThat(run.count(verify.sql().get(0))).isEqualTo(2);
    db.execute("DELETE FROM users WHERE \"My a\" IS NULL");
    assertThat(run.down(DropNotNull.DONE))
        .hasSize(named() ? 4 : 5)
        .startsWith("verify-rows")
        .contains(named() ? "comment-not-null" : "set-not-null");
    assertThat(definition()).isEqualTo(before);
    assertThat(run.leftovers()).isEmpty();
    assertThat(run.file("users")).isEqualTo(file);
  }

  @Test
  void whatIsNullableAlreadyIsLeftAlone() throws SQLException {
    String before = definition();
    StepRunner<DropNotNull> run = runner(b -> b.column("b")).preflight();
    assertThat(run.up(DropNotNull.DONE)).containsExactly("already-nullable");
    assertThat(run.steps(DropNotNull.DONE, Direction.UP).get(0).summary())
        .contains("nullable already", "nothing to do");
    assertThat(run.down(DropNotNull.DONE)).isEmpty();
    assertThat(definition()).isEqualTo(before);
  }

  private void refused(UnaryOperator<DropNotNull.Builder> how, String... parts) {
    assertThatThrownBy(() -> runner(how).preflight())
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains("billing/nullable").contains(parts));
  }

  @Test
  void badInputIsRefusedByName() {
    db.execute(
        "CREATE VIEW v AS SELECT * FROM users",
        "CREATE TABLE parent (a int NOT NULL)",
        "CREATE TABLE heir () INHERITS (parent)",
        "CREATE TABLE keyless (a int NOT NULL)",
        "ALTER TABLE users ADD n int GENERATED ALWAYS AS IDENTITY",
        "CREATE UNIQUE INDEX ident ON users (\"My a\")",
        "ALTER TABLE users REPLICA IDENTITY USING INDEX ident");
    refused(b -> b.table("nobody"), "no table \"nobody\"");
    refused(b -> b.table("v"), "is a view");
    refused(b -> b.column("my a"), "no column \"my a\"", "My a");
    refused(b -> b.column("id"), "\"id\"", "primary key \"users_pkey\"");
    refused(b -> b.column("n"), "\"n\"", "identity column");
    refused(b -> b, "\"My a\"", "replica identity \"ident\"");
    refused(b -> b.table("heir").column("a"), "is inherited");
    refused(b -> b.table("keyless").column("a"), "no primary key", "Add a primary key");
  }
}
