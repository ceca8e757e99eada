package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.DropConstraint;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import java.sql.SQLException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Dropping a check or a foreign key, on a real server. */
@PostgresTest
class PostgresDropConstraintTest {

  private final TestDatabase db;

  PostgresDropConstraintTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void users() {
    db.execute(
        "DROP SCHEMA IF EXISTS public, control CASCADE",
        "CREATE SCHEMA public",
        "CREATE TABLE teams (id int PRIMARY KEY)",
        "INSERT INTO teams VALUES (1)",
        "CREATE TABLE users (id int PRIMARY KEY, a int UNIQUE, team int, boss int)",
        "INSERT INTO users SELECT n, n, 1, 1 FROM generate_series(1, 20) n",
        "ALTER TABLE users ADD CONSTRAINT \"My check\" CHECK (a > 0) NO INHERIT, ADD CONSTRAINT"
            + " loose CHECK (a < 5) NOT VALID, ADD CONSTRAINT fk FOREIGN KEY (team) REFERENCES"
            + " teams ON DELETE SET NULL DEFERRABLE, ADD CONSTRAINT self FOREIGN KEY (boss)"
            + " REFERENCES users (a) ON UPDATE CASCADE",
        "COMMENT ON CONSTRAINT \"My check\" ON users IS 'it''s mine'",
        "COMMENT ON CONSTRAINT fk ON users IS 'team'");
  }

  private StepRunner<DropConstraint> runner(String table, String name) {
    return new StepRunner<>(
        db,
        new PostgresDropConstraint(),
        DropConstraint.of("billing/drop").table(table).name(name).build());
  }

  private String constraints() {
    return db.rows(
            "SELECT conname::text, pg_get_constraintdef(oid), convalidated, obj_description(oid,"
                + " 'pg_constraint') FROM pg_constraint WHERE conrelid = 'users'::regclass ORDER BY"
                + " 1")
        .toString();
  }

  private void thereAndBack(String name, String... back) throws SQLException {
    String before = constraints();
    StepRunner<DropConstraint> run = runner("users", name).preflight();
    assertThat(run.up(DropConstraint.DONE)).containsExactly("drop-constraint");
    assertThat(constraints()).doesNotContain(name);
    assertThat(run.down(DropConstraint.DONE)).containsExactly(back);
    assertThat(constraints()).isEqualTo(before);
  }

  @Test
  void everyKindComesBackExactly() throws SQLException {
    thereAndBack(
        "My check",
        "verify-rows",
        "restore-constraint",
        "validate-constraint",
        "comment-constraint");
    thereAndBack("fk", "restore-constraint", "validate-constraint", "comment-constraint");
    thereAndBack("self", "restore-constraint", "validate-constraint");
    // Never validated, and not by us either: rows that fail it were there before.
    thereAndBack("loose", "restore-constraint");
  }

  @Test
  void rowsThatBrokeTheCheckMeanwhileAreShown() throws SQLException {
    StepRunner<DropConstraint> run = runner("users", "My check").preflight();
    run.up(DropConstraint.DONE);
    db.execute("INSERT INTO users VALUES (98, -1), (99, -2), (97, NULL)");
    VerifyStep verify = (VerifyStep) run.steps(DropConstraint.DONE, Direction.DOWN).get(0);
    assertThat(run.count(verify.sql().get(0))).isEqualTo(2);
  }

  @Test
  void aForeignKeyLocksBothTables() throws SQLException {
    StepRunner<DropConstraint> run = runner("users", "fk").preflight();
    DdlStep drop = (DdlStep) run.steps(DropConstraint.DONE, Direction.UP).get(0);
    assertThat(drop.tables()).containsExactly("\"public\".\"users\"", "public.teams");
    assertThat(drop.lock()).startsWith("ACCESS EXCLUSIVE on").contains("teams");
    DdlStep back = (DdlStep) run.steps(DropConstraint.DONE, Direction.DOWN).get(0);
    assertThat(back.tables()).isEqualTo(drop.tables());
    assertThat(back.lock()).startsWith("SHARE ROW EXCLUSIVE on").contains("teams");
    StepRunner<DropConstraint> self = runner("users", "self").preflight();
    assertThat(((DdlStep) self.steps(DropConstraint.DONE, Direction.UP).get(0)).tables())
        .hasSize(1);
  }

  private void refused(String table, String name, String... parts) {
    assertThatThrownBy(() -> runner(table, name).preflight())
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains("billing/drop").contains(parts));
  }

  @Test
  void badInputIsRefusedByName() {
    db.execute(
        "CREATE VIEW v AS SELECT * FROM users",
        "CREATE TABLE parent (a int CONSTRAINT positive CHECK (a > 0))",
        "CREATE TABLE heir () INHERITS (parent)",
        "CREATE TABLE keyless (a int CONSTRAINT positive CHECK (a > 0))");
    refused("nobody", "fk", "no table \"nobody\"");
    refused("v", "fk", "is a view");
    refused("users", "my check", "no constraint \"my check\"", "My check", "literally");
    refused("users", "users_pkey", "PRIMARY KEY (id)", "neither a check nor a foreign key");
    refused("users", "users_a_key", "UNIQUE (a)", "neither a check nor a foreign key");
    refused("heir", "positive", "is inherited");
    refused("keyless", "positive", "no primary key", "Add a primary key");
    if (db.server().majorVersion() >= 18) {
      refused("users", "users_id_not_null", "NOT NULL id", "Use DropNotNull");
    }
  }
}
