package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.AddCheck;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import java.sql.SQLException;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Adding a check, on a real server. */
@PostgresTest
class PostgresAddCheckTest {

  private final TestDatabase db;

  PostgresAddCheckTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void users() {
    db.execute(
        "DROP SCHEMA IF EXISTS public, control, other CASCADE",
        "DROP ROLE IF EXISTS check_owner",
        "CREATE SCHEMA public",
        "CREATE TABLE users (id bigint PRIMARY KEY, a int, \"My b\" text)",
        "INSERT INTO users SELECT n, n, 'b' || n FROM generate_series(1, 20) n");
  }

  private StepRunner<AddCheck> runner(UnaryOperator<AddCheck.Builder> how) {
    return new StepRunner<>(
        db,
        new PostgresAddCheck(),
        how.apply(
                AddCheck.of("billing/check")
                    .table("users")
                    .name("users \"a\"")
                    .expression("users.a > 0 OR \"My b\" = 'none'"))
            .build());
  }

  private StepRunner<AddCheck> run() throws SQLException {
    return runner(b -> b).preflight();
  }

  private String checks() {
    return db.rows(
            "SELECT conname::text, pg_get_constraintdef(oid), obj_description(oid, 'pg_constraint')"
                + " FROM pg_constraint WHERE conrelid = 'users'::regclass AND contype = 'c' ORDER"
                + " BY 1")
        .toString();
  }

  @Test
  void upDownAndUpAgain() throws SQLException {
    StepRunner<AddCheck> run = run();
    long file = run.file("users");
    assertThat(run.up(AddCheck.ENFORCE)).containsExactly("verify-rows", "add-check");
    assertThat(checks()).contains("NOT VALID");
    assertThatThrownBy(() -> db.execute("INSERT INTO users VALUES (99, 0, 'x')"))
        .hasMessageContaining("users \"a\"");
    assertThat(run.up(AddCheck.DONE)).containsExactly("validate-check");
    assertThat(checks()).doesNotContain("NOT VALID").contains("((a > 0) OR");
    // A validated check is what ENFORCE promises, and more.
    assertThat(run.steps(AddCheck.DONE, Direction.DOWN)).isEmpty();
    assertThat(run.down(AddCheck.ENFORCE)).containsExactly("drop-check");
    assertThat(checks()).isEqualTo("[]");
    assertThat(run.file("users")).isEqualTo(file);
    run().up(AddCheck.ENFORCE);
  }

  /** What the first step is for. */
  @Test
  void rowsThatFailCantBeUpdatedOnceTheCheckIsThere() throws SQLException {
    db.execute("UPDATE users SET a = -1 WHERE id IN (7, 13)");
    StepRunner<AddCheck> run = run();
    List<Step> steps = run.steps(AddCheck.ENFORCE, Direction.UP);
    VerifyStep verify = (VerifyStep) steps.get(0);
    assertThat(run.count(verify.sql().get(0))).isEqualTo(2);
    run.run(steps.get(1));
    assertThatThrownBy(() -> db.execute("UPDATE users SET \"My b\" = 'x' WHERE id = 7"))
        .hasMessageContaining("violates check constraint");
    assertThatThrownBy(() -> run.up(AddCheck.DONE)).hasMessageContaining("violated by some row");
  }

  /** Exactly what the server rejects is counted: what is null passes. */
  @Test
  void nullPasses() throws SQLException {
    db.execute("UPDATE users SET a = NULL WHERE id < 6", "UPDATE users SET a = 0 WHERE id = 20");
    StepRunner<AddCheck> run = run();
    VerifyStep verify = (VerifyStep) run.steps(AddCheck.ENFORCE, Direction.UP).get(0);
    assertThat(run.count(verify.sql().get(0))).isEqualTo(1);
    db.execute("UPDATE users SET \"My b\" = 'none' WHERE id = 20");
    run.up(AddCheck.ENFORCE);
    run.up(AddCheck.DONE);
  }

  @Test
  void oneThatIsThereAlreadyIsLeftAlone() throws SQLException {
    db.execute(
        "ALTER TABLE users ADD CONSTRAINT \"users \"\"a\"\"\" CHECK ((a) > 0 OR \"My b\" = 'none')"
            + " NOT VALID",
        "COMMENT ON CONSTRAINT \"users \"\"a\"\"\" ON users IS 'by hand'");
    StepRunner<AddCheck> invalid = run();
    assertThat(invalid.up(AddCheck.ENFORCE)).containsExactly("verify-rows");
    assertThat(invalid.up(AddCheck.DONE)).containsExactly("validate-check");
    String valid = checks();
    StepRunner<AddCheck> run = run();
    assertThat(run.up(AddCheck.ENFORCE)).containsExactly("check-exists");
    assertThat(run.steps(AddCheck.ENFORCE, Direction.UP).get(0).summary())
        .contains("already", "nothing to do");
    assertThat(run.up(AddCheck.DONE)).isEmpty();
    for (StepRunner<AddCheck> each : List.of(invalid, run)) {
      assertThat(each.down(AddCheck.DONE)).isEmpty();
      assertThat(each.down(AddCheck.ENFORCE)).isEmpty();
    }
    assertThat(checks()).isEqualTo(valid).contains("by hand");
  }

  /** Whoever executes it later may have another search path. */
  @Test
  void namesInTheExpressionAreQualified() throws SQLException {
    db.execute(
        "CREATE SCHEMA other",
        "CREATE FUNCTION other.good(int) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT $1 > 0'");
    StepRunner<AddCheck> run = runner(b -> b.expression("other.good(a)"));
    run.preflight();
    assertThat(run.facts).containsEntry("expression", "other.good(a)");
    run.up(AddCheck.ENFORCE);
    run.up(AddCheck.DONE);
  }

  private void refused(UnaryOperator<AddCheck.Builder> how, String... parts) {
    String before = checks();
    assertThatThrownBy(() -> runner(how).preflight())
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains("billing/check").contains(parts));
    assertThat(checks()).isEqualTo(before);
  }

  @Test
  void badInputIsRefusedByName() {
    db.execute(
        "ALTER TABLE users ADD CONSTRAINT taken CHECK (a > -5)",
        "ALTER TABLE users ADD CONSTRAINT uq UNIQUE (a)",
        "CREATE VIEW v AS SELECT * FROM users",
        "CREATE TABLE parted (b int) PARTITION BY RANGE (b)",
        "CREATE TABLE part PARTITION OF parted FOR VALUES FROM (1) TO (2)",
        "CREATE TABLE parent (a int PRIMARY KEY)",
        "CREATE TABLE heir () INHERITS (parent)",
        "CREATE TABLE keyless (a int, \"My b\" text)");
    refused(b -> b.table("nobody"), "no table \"nobody\"");
    refused(b -> b.table("v"), "is a view");
    refused(b -> b.table("parted").expression("b > 0"), "no primary key");
    refused(b -> b.table("part").expression("b > 0"), "is a partition");
    refused(b -> b.table("parent").expression("a > 0"), "inherit");
    refused(b -> b.table("keyless").expression("a > 0"), "no primary key", "Add a primary key");
    refused(b -> b.name("taken"), "another constraint \"taken\": CHECK ((a > '-5'", "another name");
    refused(b -> b.name("uq"), "another constraint \"uq\": UNIQUE (a)");
    refused(b -> b.name("x".repeat(64)), "64 bytes", "63");
    refused(b -> b.expression("nonsense > 0"), "\"nonsense > 0\"", "does not exist");
    refused(b -> b.expression("a >"), "syntax error");
    refused(b -> b.expression("a"), "\"a\"", "boolean");
    refused(b -> b.expression("a IN (SELECT 1)"), "cannot use subquery in check constraint");
    refused(b -> b.expression("count(*) > 0"), "aggregate functions are not allowed");
    refused(b -> b.expression("row_number() OVER () > 0"), "window functions are not allowed");
    // These the server takes.
    refused(b -> b.expression("random() > 0.5"), "another value every time", "trigger");
    refused(b -> b.expression("now() > '2001-01-01'"), "another value every time");
    refused(b -> b.expression("CURRENT_DATE > '2001-01-01'"), "another value every time");
    refused(b -> b.expression("1 / (a - 5) < 9"), "division by zero", "every row");
  }

  @Test
  void whatRowSecurityHidesCantBeChecked() throws Exception {
    db.execute(
        "CREATE ROLE check_owner",
        "GRANT ALL ON SCHEMA public TO check_owner",
        "ALTER TABLE users OWNER TO check_owner",
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE users FORCE ROW LEVEL SECURITY");
    StepRunner<AddCheck> run = runner(b -> b);
    try (var c = db.dataSource().getConnection();
        var s = c.createStatement()) {
      s.execute("SET ROLE check_owner");
      assertThatThrownBy(() -> run.preflight(c))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("row security hides rows")
          .hasMessageContaining("BYPASSRLS");
    } finally {
      db.execute("DROP TABLE users", "DROP OWNED BY check_owner", "DROP ROLE check_owner");
    }
  }
}
