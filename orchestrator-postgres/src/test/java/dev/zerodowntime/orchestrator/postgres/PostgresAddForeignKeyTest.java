package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Policy;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.AddForeignKey;
import dev.zerodowntime.orchestrator.operation.AddForeignKey.Action;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Adding a foreign key, on a real server. */
@PostgresTest
class PostgresAddForeignKeyTest {

  private static final String NAME = "users \"team\"";

  private final TestDatabase db;

  PostgresAddForeignKeyTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void tables() {
    db.execute(
        "DROP SCHEMA IF EXISTS public, control CASCADE",
        "CREATE SCHEMA public",
        // The same names on both sides, other types, another collation.
        "CREATE TABLE teams (id bigint, \"My c\" text COLLATE \"C\", UNIQUE (\"My c\", id))",
        "INSERT INTO teams SELECT n, 'c' || n FROM generate_series(1, 10) n",
        "CREATE TABLE users (id int, \"My c\" varchar(9), uid int PRIMARY KEY, boss int)",
        "INSERT INTO users SELECT 1 + n % 10, 'c' || 1 + n % 10, n FROM generate_series(1, 20) n",
        "CREATE INDEX ON users (\"My c\", id, uid)",
        "CREATE INDEX ON users (boss)");
  }

  private StepRunner<AddForeignKey> runner(UnaryOperator<AddForeignKey.Builder> how) {
    return new StepRunner<>(
        db,
        new PostgresAddForeignKey(),
        how.apply(
                AddForeignKey.of("billing/fk")
                    .table("users")
                    .name(NAME)
                    .columns("id", "My c")
                    .references("teams", "id", "My c"))
            .build());
  }

  private StepRunner<AddForeignKey> run() throws SQLException {
    return runner(b -> b).preflight();
  }

  private StepRunner<AddForeignKey> boss() throws SQLException {
    return runner(b -> b.columns("boss").references("users", "uid")).preflight();
  }

  private long orphans(StepRunner<AddForeignKey> run) {
    VerifyStep verify = (VerifyStep) run.steps(AddForeignKey.ENFORCE, Direction.UP).get(0);
    return run.count(verify.sql().get(0));
  }

  private String keys() {
    return db.rows(
            "SELECT conname::text, pg_get_constraintdef(oid), obj_description(oid, 'pg_constraint')"
                + " FROM pg_constraint WHERE conrelid = 'users'::regclass AND contype = 'f'")
        .toString();
  }

  @Test
  void upDownAndUpAgain() throws SQLException {
    StepRunner<AddForeignKey> run = run();
    assertThat(run.up(AddForeignKey.ENFORCE)).containsExactly("verify-rows", "add-foreign-key");
    assertThat(keys()).contains("NOT VALID");
    assertThatThrownBy(() -> db.execute("INSERT INTO users VALUES (1, 'c2', 99)"))
        .hasMessageContaining(NAME);
    assertThat(run.up(AddForeignKey.DONE)).containsExactly("validate-foreign-key");
    assertThat(keys())
        .isEqualTo(
            "[[" + NAME + ", FOREIGN KEY (id, \"My c\") REFERENCES teams(id, \"My c\"), null]]");
    assertThat(run.steps(AddForeignKey.DONE, Direction.DOWN)).isEmpty();
    assertThat(run.down(AddForeignKey.ENFORCE)).containsExactly("drop-foreign-key");
    assertThat(keys()).isEqualTo("[]");
    run().up(AddForeignKey.ENFORCE);
  }

  /** Exactly what the server rejects is counted: whoever has a NULL refers to nothing. */
  @Test
  void orphansAreCounted() throws SQLException {
    db.execute(
        "INSERT INTO users VALUES (77, 'c1', 101), (1, 'c2', 102), (NULL, 'c1', 103), (78, NULL,"
            + " 104)");
    StepRunner<AddForeignKey> run = run();
    assertThat(orphans(run)).isEqualTo(2);
    run.run(run.steps(AddForeignKey.ENFORCE, Direction.UP).get(1));
    assertThatThrownBy(() -> run.up(AddForeignKey.DONE)).hasMessageContaining("violates foreign");
    db.execute("DELETE FROM users WHERE uid IN (101, 102)");
    assertThat(orphans(run)).isZero();
    run.up(AddForeignKey.DONE);
  }

  @Test
  void rowsMayReferToTheirOwnTable() throws SQLException {
    db.execute(
        "UPDATE users SET boss = uid - 1 WHERE uid > 1",
        "UPDATE users SET boss = 99 WHERE uid IN (3, 5, 7)");
    StepRunner<AddForeignKey> run = boss();
    assertThat(orphans(run)).isEqualTo(3);
    db.execute("UPDATE users SET boss = uid WHERE boss = 99");
    DdlStep add = (DdlStep) run.steps(AddForeignKey.ENFORCE, Direction.UP).get(1);
    assertThat(add.tables()).hasSize(1);
    run.up(AddForeignKey.ENFORCE);
    run.up(AddForeignKey.DONE);
    run.down(AddForeignKey.ENFORCE);
    assertThat(keys()).isEqualTo("[]");
  }

  @Test
  void actionsAndDeferring() throws SQLException {
    for (Action delete : Action.values()) {
      Action update = Action.values()[(delete.ordinal() + 1) % Action.values().length];
      UnaryOperator<AddForeignKey.Builder> how =
          b -> b.onDelete(delete).onUpdate(update).initiallyDeferred();
      StepRunner<AddForeignKey> run = runner(how).preflight();
      run.up(AddForeignKey.ENFORCE);
      String sql = keys();
      assertThat(sql).contains("DEFERRABLE INITIALLY DEFERRED NOT VALID");
      for (Action each : List.of(delete, update)) {
        if (each != Action.NO_ACTION) {
          assertThat(sql).contains((each == delete ? "ON DELETE " : "ON UPDATE ") + each.sql());
        }
      }
      // The same one is no conflict, another is.
      runner(how).preflight();
      assertThatThrownBy(() -> runner(b -> how.apply(b).onUpdate(delete)).preflight())
          .hasMessageContaining("another constraint");
      run.down(AddForeignKey.ENFORCE);
    }
    runner(b -> b.deferrable()).preflight().up(AddForeignKey.ENFORCE);
    assertThat(keys()).contains("DEFERRABLE NOT VALID");
  }

  @Test
  void oneThatIsThereAlreadyIsLeftAlone() throws SQLException {
    db.execute(
        "ALTER TABLE users ADD CONSTRAINT \"users \"\"team\"\"\" FOREIGN KEY (id, \"My c\")"
            + " REFERENCES teams (id, \"My c\") NOT VALID",
        "COMMENT ON CONSTRAINT \"users \"\"team\"\"\" ON users IS 'by hand'");
    StepRunner<AddForeignKey> invalid = run();
    assertThat(invalid.up(AddForeignKey.ENFORCE)).containsExactly("verify-rows");
    assertThat(invalid.up(AddForeignKey.DONE)).containsExactly("validate-foreign-key");
    String valid = keys();
    StepRunner<AddForeignKey> run = run();
    assertThat(run.up(AddForeignKey.ENFORCE)).containsExactly("foreign-key-exists");
    assertThat(run.up(AddForeignKey.DONE)).isEmpty();
    for (StepRunner<AddForeignKey> each : List.of(invalid, run)) {
      assertThat(each.down(AddForeignKey.DONE)).isEmpty();
      assertThat(each.down(AddForeignKey.ENFORCE)).isEmpty();
    }
    assertThat(keys()).isEqualTo(valid).contains("by hand");
  }

  @Test
  void bothTablesAreLockedAsAnnounced() throws SQLException {
    StepRunner<AddForeignKey> run = run();
    DdlStep add = (DdlStep) run.steps(AddForeignKey.ENFORCE, Direction.UP).get(1);
    bothLocked(add, "ShareRowExclusiveLock");
    assertThat(add.lock()).startsWith("SHARE ROW EXCLUSIVE on").contains("users", "teams");
    run.run(add);
    DdlStep drop = (DdlStep) run.steps(AddForeignKey.ENFORCE, Direction.DOWN).get(0);
    bothLocked(drop, "AccessExclusiveLock");
    assertThat(drop.lock()).startsWith("ACCESS EXCLUSIVE on").contains("users", "teams");
  }

  private void bothLocked(DdlStep step, String mode) throws SQLException {
    assertThat(step.tables()).containsExactly("\"public\".\"users\"", "\"public\".\"teams\"");
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      c.setAutoCommit(false);
      s.execute(step.sql().get(0));
      assertThat(
              db.rows(
                  "SELECT relation::regclass::text FROM pg_locks WHERE mode = '"
                      + mode
                      + "' AND relation IN ('users'::regclass, 'teams'::regclass) ORDER BY 1"))
          .isEqualTo(List.of(List.of("teams"), List.of("users")));
      c.rollback();
    }
  }

  private void refused(UnaryOperator<AddForeignKey.Builder> how, String... parts) {
    String before = keys();
    assertThatThrownBy(() -> runner(how).preflight())
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains("billing/fk").contains(parts));
    assertThat(keys()).isEqualTo(before);
  }

  @Test
  void badInputIsRefusedByName() throws SQLException {
    db.execute(
        "ALTER TABLE users ADD CONSTRAINT taken CHECK (uid > -5)",
        "ALTER TABLE users ADD g int GENERATED ALWAYS AS (uid + 1) STORED, ADD p point",
        "CREATE INDEX ON users (g)",
        "CREATE VIEW v AS SELECT * FROM teams",
        "CREATE TABLE parted (b int PRIMARY KEY) PARTITION BY RANGE (b)",
        "CREATE UNLOGGED TABLE lost (id int PRIMARY KEY)",
        "CREATE TABLE u (a int, b int, c int, d int, UNIQUE (b) DEFERRABLE)",
        "CREATE UNIQUE INDEX ON u (a) WHERE a > 0",
        "CREATE UNIQUE INDEX ON u (abs(c))",
        "CREATE UNIQUE INDEX ON u (c, d)",
        "CREATE TABLE keyless (boss int)",
        "CREATE INDEX ON keyless (boss)");
    UnaryOperator<AddForeignKey.Builder> boss = b -> b.columns("boss");
    refused(b -> b.table("nobody"), "no table \"nobody\"");
    refused(b -> b.references("nobody", "id", "My c"), "no table \"nobody\"");
    refused(b -> b.references("v", "id", "My c"), "is a view");
    refused(b -> boss.apply(b).references("lost", "id"), "unlogged", "SET LOGGED");
    refused(b -> b.columns("id", "my c"), "no column \"my c\"");
    refused(b -> b.references("teams", "id", "x"), "no column \"x\"");
    for (String column : List.of("a", "b", "c", "d")) {
      refused(
          b -> boss.apply(b).references("u", column),
          "[" + column + "] of table \"public\".\"u\" are not unique together");
    }
    refused(
        b -> b.columns("My c", "id"),
        "[My c character varying(9), id integer]",
        "can't refer to",
        "[id bigint, My c text]");
    refused(b -> b.columns("p").references("users", "uid"), "can't refer to", "point");
    refused(b -> b.columns("g").references("users", "uid"), "\"g\"", "is generated");
    refused(
        b -> b.columns("uid").references("users", "uid").onDelete(Action.SET_NULL),
        "\"uid\"",
        "NOT NULL",
        "another action");
    refused(b -> b.name("taken"), "another constraint \"taken\": CHECK");
    refused(b -> b.name("x".repeat(64)), "64 bytes", "63");
    refused(
        b -> b.table("keyless").columns("boss").references("users", "uid"),
        "no primary key",
        "Add a primary key");
  }

  @Test
  void columnsWithoutAnIndexNeedConsent() throws SQLException {
    db.execute("DROP INDEX users_boss_idx", "CREATE INDEX ON users (uid, boss)");
    UnaryOperator<AddForeignKey.Builder> boss = b -> b.columns("boss").references("users", "uid");
    refused(boss, "no index", "begins with [boss]", "CreateIndex", ".withoutIndex()");
    db.execute("CREATE INDEX ON users (boss) WHERE boss > 5");
    refused(boss, "no index");
    runner(b -> boss.apply(b).withoutIndex()).preflight().up(AddForeignKey.ENFORCE);
  }

  @Test
  void columnsMustMatch() {
    for (UnaryOperator<AddForeignKey.Builder> each :
        List.<UnaryOperator<AddForeignKey.Builder>>of(
            b -> b.columns(),
            b -> b.columns("id"),
            b -> b.columns("id", "id"),
            b -> b.references("teams", "id", "id"),
            b -> b.columns("id", ""),
            b -> b.references("", "id", "My c"))) {
      assertThatThrownBy(() -> runner(each))
          .isInstanceOf(DeclarationException.class)
          .hasMessageContaining("billing/fk");
    }
  }

  private StepRunner<AddForeignKey> across() {
    return runner(
        b -> b.columns("boss").referencedSchema("staff").references("users", "id").name("boss"));
  }

  /** The other table has the same name, and is another's. */
  @Test
  void itMayReferToATableOfAnotherSchema() throws SQLException {
    db.execute(
        "DROP SCHEMA IF EXISTS staff CASCADE",
        "CREATE SCHEMA staff",
        "CREATE TABLE staff.users (id bigint PRIMARY KEY, boss text)",
        "INSERT INTO staff.users SELECT n FROM generate_series(1, 20) n",
        "UPDATE users SET boss = uid",
        "UPDATE users SET boss = 99 WHERE uid IN (3, 5)",
        "DO $$ BEGIN CREATE ROLE zdo_fk; EXCEPTION WHEN duplicate_object OR unique_violation THEN"
            + " NULL; END $$",
        "GRANT ALL ON SCHEMA public TO zdo_fk",
        "ALTER TABLE users OWNER TO zdo_fk");
    StepRunner<AddForeignKey> run = across();
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      s.execute("SET ROLE zdo_fk");
      assertThatThrownBy(() -> run.preflight(c))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("lacks [SELECT, REFERENCES, USAGE]")
          .hasMessageContaining("GRANT USAGE ON SCHEMA \"staff\" TO \"zdo_fk\"");
      s.execute("SET ROLE NONE");
      s.execute("GRANT USAGE ON SCHEMA staff TO zdo_fk");
      s.execute("GRANT SELECT, REFERENCES ON staff.users TO zdo_fk");
      s.execute("SET ROLE zdo_fk");
      run.preflight(c);
    }
    assertThat(orphans(run)).isEqualTo(2);
    db.execute("UPDATE users SET boss = 1 WHERE boss = 99");
    DdlStep add = (DdlStep) run.steps(AddForeignKey.ENFORCE, Direction.UP).get(1);
    assertThat(add.tables()).containsExactly("\"public\".\"users\"", "\"staff\".\"users\"");
    run.up(AddForeignKey.ENFORCE);
    run.up(AddForeignKey.DONE);
    assertThat(keys()).contains("FOREIGN KEY (boss) REFERENCES staff.users(id)");
    assertThat(run.down(AddForeignKey.ENFORCE)).containsExactly("drop-foreign-key");
    // Taken as it is where it is there already; and another schema's is another one.
    run.up(AddForeignKey.ENFORCE);
    assertThat(across().preflight().steps(AddForeignKey.ENFORCE, Direction.DOWN)).isEmpty();
    assertThatThrownBy(
            () ->
                runner(b -> b.columns("boss").references("users", "uid").name("boss")).preflight())
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("another constraint");
    assertThatThrownBy(
            () ->
                runner(b -> b.columns("boss").referencedSchema("nope").references("users", "id"))
                    .preflight())
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("\"nope\"");
    db.execute("DROP SCHEMA staff CASCADE");
  }

  @Test
  void theOtherSchemaIsPartOfWhatIsDeclared() {
    AddForeignKey migration = across().migration;
    assertThat(migration.fields()).containsEntry("referencedSchema", "staff");
    assertThat(
            AddForeignKey.TYPE
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
}
