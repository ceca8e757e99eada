package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumnInCode;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.NotYetException;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The fill trigger beside other migrations of its table, and whatever it computes from. */
@PostgresTest
class PostgresAddColumnFillTest {

  private final TestDatabase db;

  PostgresAddColumnFillTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void users() {
    db.execute(
        "DROP SCHEMA IF EXISTS public, internal, \"" + RenameColumnRunner.CONTROL + "\" CASCADE",
        "CREATE SCHEMA public",
        "CREATE TABLE users (id int PRIMARY KEY, zip text, name text DEFAULT 'nobody')",
        "INSERT INTO users VALUES (1, 'z1', 'Bob')");
  }

  private RenameColumnRunner<AddColumn> add(String fill) {
    return add(b -> b.notNull().fillWithSql(fill));
  }

  private RenameColumnRunner<AddColumn> add(UnaryOperator<AddColumn.Builder> how) {
    return new RenameColumnRunner<>(
        db,
        new PostgresAddColumn(),
        how.apply(AddColumn.of("tests/shout-name").table("users").column("shout", "text")).build());
  }

  private RenameColumnRunner<RenameColumn> rename() {
    return new RenameColumnRunner<>(
        db,
        new PostgresRenameColumn(),
        RenameColumn.of("tests/rename").table("users").from("name").to("full_name").build());
  }

  private String shout(int id) {
    return db.queryOne("SELECT shout FROM users WHERE id = " + id);
  }

  /** Whatever the order in which they were declared. */
  @ParameterizedTest
  @ValueSource(strings = {"full_name", "name"})
  void aFillSeesBothColumnsOfARenameInStep(String column) {
    rename().go(RenameColumn.ENFORCE);
    add("upper(coalesce(" + column + ", 'none'))").go(AddColumn.ENFORCE);
    db.execute(
        "INSERT INTO users (id, name) VALUES (2, 'Ann')",
        "INSERT INTO users (id, full_name) VALUES (3, 'Joe')",
        "INSERT INTO users (id) VALUES (4)",
        "INSERT INTO users (id, full_name) VALUES (5, NULL)");
    assertThat(shout(2)).isEqualTo("ANN");
    assertThat(shout(3)).isEqualTo("JOE");
    assertThat(shout(4)).isEqualTo("NOBODY");
    assertThat(shout(5)).isEqualTo("NONE");
  }

  @Test
  void aRenameWaitsForTheFillThatNamesTheOldColumn() {
    RenameColumnRunner<RenameColumn> rename = rename();
    rename.go(RenameColumn.ENFORCE);
    RenameColumnRunner<AddColumn> add = add("upper(coalesce(users.NAME, ''))");
    add.go(AddColumn.ENFORCE);
    assertWaits(() -> rename.go(RenameColumn.CONTRACT));
    add.go(AddColumn.DONE);
    rename.go(RenameColumn.CONTRACT);
    db.execute("INSERT INTO users (id, full_name, shout) VALUES (2, 'Ann', 'A')");
  }

  @Test
  void aRenameInCodeWaitsToo() {
    RenameColumnRunner<RenameColumnInCode> rename =
        new RenameColumnRunner<>(
            db,
            new PostgresRenameColumnInCode(),
            RenameColumnInCode.of("tests/rename")
                .table("users")
                .from("name")
                .to("full_name")
                .build());
    rename.go(RenameColumnInCode.ENFORCE);
    RenameColumnRunner<AddColumn> add = add("upper(coalesce(name, ''))");
    add.go(AddColumn.EXPAND);
    assertWaits(() -> rename.go(RenameColumnInCode.RELAX));
    add.go(AddColumn.DONE);
    rename.go(RenameColumnInCode.CONTRACT);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, DropColumn.RELAX})
  void aDropWaitsToo(int phase) {
    RenameColumnRunner<DropColumn> drop =
        new RenameColumnRunner<>(
            db,
            new PostgresDropColumn(),
            DropColumn.of("tests/drop").table("users").column("name").build());
    drop.go(phase);
    RenameColumnRunner<AddColumn> add = add("upper(coalesce(name, ''))");
    add.go(AddColumn.EXPAND);
    assertWaits(() -> drop.go(phase + 1));
    add.go(AddColumn.DONE);
    drop.go(DropColumn.PURGE);
  }

  private static void assertWaits(Runnable entry) {
    assertThatThrownBy(entry::run)
        .isInstanceOf(NotYetException.class)
        .hasMessage("migration tests/shout-name fills a column from \"name\" until it is DONE");
  }

  /** Not even the migration's id, which is in the function's text. */
  @Test
  void nobodyWaitsForAFillThatNamesOtherColumns() {
    RenameColumnRunner<RenameColumn> rename = rename();
    rename.go(RenameColumn.ENFORCE);
    add("upper(coalesce(zip, full_name, 'x_name'))").go(AddColumn.ENFORCE);
    rename.go(RenameColumn.CONTRACT);
    db.execute("INSERT INTO users (id, full_name) VALUES (2, 'Ann')");
    assertThat(shout(2)).isEqualTo("ANN");
    rename.go(RenameColumn.PURGE);
  }

  /** BEFORE triggers see no values of generated columns: every insert would be rejected. */
  @ParameterizedTest
  @ValueSource(strings = {"upper(g)", "(SELECT users.g)", "to_jsonb(users) ->> 'g'"})
  void aFillFromAGeneratedColumnIsRefused(String fill) {
    db.execute("ALTER TABLE users ADD g text GENERATED ALWAYS AS (zip || name) STORED");
    assertThatThrownBy(() -> add(fill).preflight())
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("uses column \"g\", which is generated")
        .hasMessageContaining("instead: (zip || name)");
    add("upper(coalesce(zip, '') || coalesce(name, ''))").go(AddColumn.ENFORCE);
    db.execute("INSERT INTO users (id, zip, name) VALUES (2, 'a', 'b')");
    assertThat(shout(2)).isEqualTo("AB");
  }

  /** Where no trigger fills, the backfill may go by them. */
  @Test
  void aBackfillFromAGeneratedColumnIsFine() {
    db.execute("ALTER TABLE users ADD g text GENERATED ALWAYS AS (zip || name) STORED");
    add(b -> b.fillWithSql("upper(g)")).go(AddColumn.DONE);
    assertThat(shout(1)).isEqualTo("Z1BOB");
  }

  @Test
  void theApplicationsRoleNeedsNoRightToWhatTheFillUses() {
    db.execute(
        "CREATE SCHEMA internal",
        "CREATE FUNCTION internal.region_of(text) RETURNS text LANGUAGE sql AS 'SELECT upper($1)'",
        "REVOKE ALL ON FUNCTION internal.region_of(text) FROM PUBLIC");
    add("coalesce(internal.region_of(zip), 'x')").go(AddColumn.ENFORCE);
    db.execute(
        "DROP ROLE IF EXISTS zdo_fill_app",
        "CREATE ROLE zdo_fill_app",
        "GRANT USAGE ON SCHEMA public TO zdo_fill_app",
        "GRANT ALL ON users TO zdo_fill_app");
    assertThatCode(
            () ->
                db.execute(
                    "SET ROLE zdo_fill_app; INSERT INTO users (id, zip) VALUES (2, 'app'); UPDATE"
                        + " users SET shout = NULL WHERE id = 1"))
        .doesNotThrowAnyException();
    assertThat(shout(2)).isEqualTo("APP");
    // What it may do is nobody else's to use.
    assertThat(
            db.queryLong(
                "SELECT count(*) FROM pg_proc p WHERE p.proname LIKE 'zdo\\_fill%' AND"
                    + " has_function_privilege('zdo_fill_app', p.oid, 'EXECUTE')"))
        .isZero();
    db.execute("DROP OWNED BY zdo_fill_app", "DROP ROLE zdo_fill_app");
  }
}
