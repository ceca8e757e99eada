package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.SetNotNull;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** NOT NULL, on a real server. */
@PostgresTest
class PostgresSetNotNullTest {

  private final TestDatabase db;

  PostgresSetNotNullTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void users() {
    db.execute(
        "DROP SCHEMA IF EXISTS public, control CASCADE",
        "CREATE SCHEMA public",
        "CREATE TABLE users (id bigint PRIMARY KEY, \"My a\" int)",
        "INSERT INTO users SELECT n, n FROM generate_series(1, 20) n");
  }

  private boolean named() {
    return db.server().majorVersion() >= 18;
  }

  private StepRunner<SetNotNull> runner(UnaryOperator<SetNotNull.Builder> how) {
    return new StepRunner<>(
        db,
        new PostgresSetNotNull(),
        how.apply(SetNotNull.of("billing/not-null").table("users").column("My a")).build());
  }

  private StepRunner<SetNotNull> run() throws SQLException {
    return runner(b -> b).preflight();
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
  void upDownAndUpAgain() throws SQLException {
    String before = definition();
    StepRunner<SetNotNull> run = run();
    long file = run.file("users");
    for (int i = 0; i < 2; i++) {
      assertThat(run.up(SetNotNull.ENFORCE))
          .containsExactly("verify-rows", named() ? "add-not-null" : "add-check");
      assertThatThrownBy(() -> db.execute("INSERT INTO users VALUES (99)"))
          .hasMessageContaining("violates");
      assertThat(definition()).contains("NOT VALID");
      assertThat(run.up(SetNotNull.DONE))
          .isEqualTo(
              named()
                  ? List.of("validate-not-null")
                  : List.of("validate-check", "set-not-null", "drop-check"));
      assertThat(definition()).contains("My a, true").doesNotContain("NOT VALID");
      assertThat(run.leftovers()).isEmpty();
      assertThatThrownBy(() -> db.execute("INSERT INTO users VALUES (99)"))
          .hasMessageContaining("null value in column \"My a\"");
      assertThat(run.steps(SetNotNull.DONE, Direction.DOWN)).isEmpty();
      assertThat(run.down(SetNotNull.ENFORCE)).containsExactly("drop-not-null");
      assertThat(definition()).isEqualTo(before);
    }
    // From half the way as well.
    run.up(SetNotNull.ENFORCE);
    run.down(SetNotNull.ENFORCE);
    assertThat(definition()).isEqualTo(before);
    assertThat(run.file("users")).isEqualTo(file);
  }

  /** What SET NOT NULL by itself would do, under ACCESS EXCLUSIVE. */
  @Test
  void theLastStepReadsNoRow() throws SQLException {
    StepRunner<SetNotNull> run = run();
    run.up(SetNotNull.ENFORCE);
    List<Step> steps = run.steps(SetNotNull.DONE, Direction.UP);
    run.run(steps.get(0));
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      s.execute("SET client_min_messages = debug1");
      for (Step each : steps.subList(1, steps.size())) {
        s.execute(each.sql().get(0));
        assertThat(said(s)).doesNotContain("verifying table");
      }
      s.execute("ALTER TABLE users ALTER \"My a\" DROP NOT NULL");
      s.execute("ALTER TABLE users ALTER \"My a\" SET NOT NULL");
      assertThat(said(s)).contains("verifying table");
    }
  }

  private static String said(Statement s) throws SQLException {
    StringBuilder said = new StringBuilder();
    for (SQLWarning each = s.getWarnings(); each != null; each = each.getNextWarning()) {
      said.append(each.getMessage()).append('\n');
    }
    s.clearWarnings();
    return said.toString();
  }

  @Test
  void rowsWithoutAValueCantBeUpdatedOnceItIsEnforced() throws SQLException {
    db.execute("ALTER TABLE users ADD b int", "UPDATE users SET \"My a\" = NULL WHERE id > 17");
    StepRunner<SetNotNull> run = run();
    List<Step> steps = run.steps(SetNotNull.ENFORCE, Direction.UP);
    VerifyStep verify = (VerifyStep) steps.get(0);
    assertThat(verify.summary()).contains("\"My a\"", "Backfill");
    assertThat(run.count(verify.sql().get(0))).isEqualTo(3);
    run.run(steps.get(1));
    assertThatThrownBy(() -> db.execute("UPDATE users SET b = 1 WHERE id = 18"))
        .hasMessageContaining("violates");
  }

  private void leavesAlone(List<String> enforce, List<String> done) throws SQLException {
    StepRunner<SetNotNull> run = run();
    assertThat(run.up(SetNotNull.ENFORCE)).isEqualTo(enforce);
    assertThat(run.up(SetNotNull.DONE)).isEqualTo(done);
    String after = definition();
    assertThat(after).contains("My a, true").doesNotContain("NOT VALID");
    assertThat(run.down(SetNotNull.DONE)).isEmpty();
    assertThat(run.down(SetNotNull.ENFORCE)).isEmpty();
    assertThat(definition()).isEqualTo(after);
  }

  @Test
  void whatIsNotNullAlreadyIsLeftAlone() throws SQLException {
    db.execute("ALTER TABLE users ALTER \"My a\" SET NOT NULL");
    String before = definition();
    leavesAlone(List.of("already-not-null"), List.of());
    assertThat(definition()).isEqualTo(before);
    assertThat(run().steps(SetNotNull.ENFORCE, Direction.UP).get(0).summary())
        .contains("\"My a\" is NOT NULL already", "nothing to do");
    if (named()) {
      db.execute(
          "ALTER TABLE users ALTER \"My a\" DROP NOT NULL",
          "ALTER TABLE users ADD CONSTRAINT mine NOT NULL \"My a\" NOT VALID");
      // The catalog calls it NOT NULL already, but nobody has looked at the rows.
      assertThat(definition()).contains("My a, true");
      leavesAlone(List.of("verify-rows"), List.of("validate-not-null"));
    }
  }

  @Test
  void itsNameMayBeTaken() throws SQLException {
    db.execute(
        "ALTER TABLE users ADD CONSTRAINT \"users_My a_not_null\" CHECK (id > 0)",
        "ALTER TABLE users ADD CONSTRAINT \"users_My a_not_null1\" CHECK (id > -1)");
    String before = definition();
    StepRunner<SetNotNull> run = run();
    run.up(SetNotNull.ENFORCE);
    run.up(SetNotNull.DONE);
    assertThat(definition()).contains("My a, true");
    run.down(SetNotNull.ENFORCE);
    assertThat(definition()).isEqualTo(before);
  }

  private void refused(UnaryOperator<SetNotNull.Builder> how, String... parts) {
    assertThatThrownBy(() -> runner(how).preflight())
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains("billing/not-null").contains(parts));
  }

  @Test
  void badInputIsRefusedByName() {
    db.execute(
        "CREATE VIEW v AS SELECT * FROM users",
        "CREATE TABLE parted (a int) PARTITION BY RANGE (a)",
        "CREATE TABLE parent (a int)",
        "CREATE TABLE heir () INHERITS (parent)",
        "CREATE TABLE keyless (a int)");
    refused(b -> b.table("nobody"), "no table \"nobody\"");
    refused(b -> b.column("my a"), "no column \"my a\"", "[id, My a]");
    refused(b -> b.table("v"), "is a view");
    refused(b -> b.table("parted").column("a"), "no primary key");
    refused(b -> b.table("parent").column("a"), "inherit");
    refused(b -> b.table("keyless").column("a"), "no primary key", "Add a primary key");
  }
}
