package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.DropConstraint;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import java.sql.SQLException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Dropping a check, a foreign key or a unique constraint, on a real server. */
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

  /** With its index: what that includes, how nulls count, how full its pages are. */
  @Test
  void aUniqueConstraintComesBackWithItsIndex() throws SQLException {
    boolean nulls = db.server().majorVersion() >= 15;
    db.execute(
        "ALTER TABLE users ADD CONSTRAINT \"My key\" UNIQUE "
            + (nulls ? "NULLS NOT DISTINCT " : "")
            + "(team, id) INCLUDE (boss) WITH (fillfactor = 71)",
        "COMMENT ON CONSTRAINT \"My key\" ON users IS 'it''s a key'",
        "COMMENT ON INDEX \"My key\" IS 'and an index'");
    String index =
        "SELECT pg_get_indexdef(c.oid), c.reloptions::text, c.reltablespace::text,"
            + " obj_description(c.oid, 'pg_class'), i.indisvalid, i.indimmediate FROM pg_class c"
            + " JOIN pg_index i ON i.indexrelid = c.oid WHERE c.relname = 'My key'";
    String before = db.rows(index).toString();
    assertThat(before).contains("fillfactor=71", "and an index");
    assertThat(before.contains("NULLS NOT DISTINCT")).isEqualTo(nulls);
    thereAndBack("My key", "rebuild-index", "comment", "restore-constraint", "comment-constraint");
    assertThat(db.rows(index).toString()).isEqualTo(before);
    db.execute("ALTER TABLE users DROP CONSTRAINT self");
    thereAndBack("users_a_key", "rebuild-index", "restore-constraint");
    db.execute(
        "INSERT INTO users (id, a) VALUES (90, 4) ON CONFLICT ON CONSTRAINT users_a_key DO NOTHING");
  }

  @Test
  void duplicatesThatCameMeanwhileStopTheWayBack() throws SQLException {
    db.execute("ALTER TABLE users DROP CONSTRAINT self");
    StepRunner<DropConstraint> run = runner("users", "users_a_key").preflight();
    run.up(DropConstraint.DONE);
    db.execute("INSERT INTO users (id, a) VALUES (91, 3)");
    OnlineStep step = (OnlineStep) run.steps(DropConstraint.DONE, Direction.DOWN).get(0);
    assertThatThrownBy(() -> db.execute(step.statement())).hasMessageContaining("duplicated");
    assertThat(run.holds(step.broken())).isTrue();
    step.repair().forEach(db::execute);
    db.execute("DELETE FROM users WHERE id = 91");
    run.down(DropConstraint.DONE);
    assertThat(constraints()).contains("users_a_key");
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
    refused("users", "users_a_key", "is needed by [constraint self on table", "Drop these first");
    db.execute(
        "ALTER TABLE users DROP CONSTRAINT self, ADD CONSTRAINT late UNIQUE (team, id) DEFERRABLE",
        "ALTER TABLE users ALTER a SET NOT NULL, REPLICA IDENTITY USING INDEX users_a_key");
    refused("users", "late", "UNIQUE (team, id) DEFERRABLE", "is deferrable", "AddUnique");
    refused("users", "users_a_key", "is the table's replica identity");
    db.execute("ALTER TABLE users REPLICA IDENTITY DEFAULT", "CLUSTER users USING users_a_key");
    refused("users", "users_a_key", "clustered by");
    refused("heir", "positive", "is inherited");
    refused("keyless", "positive", "no primary key", "Add a primary key");
    if (db.server().majorVersion() >= 18) {
      refused("users", "users_id_not_null", "NOT NULL id", "Use DropNotNull");
    }
  }
}
