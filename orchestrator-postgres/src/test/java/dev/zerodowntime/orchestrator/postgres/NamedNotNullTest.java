package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.SetNotNull;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.Step;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** NOT NULL as a constraint that is validated later, which PostgreSQL has from version 18 on. */
@PostgresTest
class NamedNotNullTest {

  private static final String LONG = "long".repeat(10);

  private final TestDatabase db;

  NamedNotNullTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void users() {
    assumeTrue(db.server().majorVersion() >= 18, "NOT NULL has a name from PostgreSQL 18 on");
    db.execute(
        "DROP SCHEMA IF EXISTS public, control, twin CASCADE",
        "CREATE SCHEMA public",
        "CREATE TABLE users (id bigint PRIMARY KEY, zip text)",
        "INSERT INTO users SELECT n, 'z' || n FROM generate_series(1, 1200) n");
  }

  private StepRunner<AddColumn> add(String table, String column) throws SQLException {
    return new StepRunner<>(
            db,
            new PostgresAddColumn(),
            AddColumn.of("billing/add")
                .table(table)
                .column(column, "text")
                .notNull()
                .fillWithSql("'n' || id")
                .build())
        .preflight();
  }

  private StepRunner<SetNotNull> set(String table, String column) throws SQLException {
    return new StepRunner<>(
            db,
            new PostgresSetNotNull(),
            SetNotNull.of("billing/not-null").table(table).column(column).build())
        .preflight();
  }

  /** As when a phase is entered. */
  private static void again(StepRunner<?> run, int phase) throws SQLException {
    try (Connection c = run.db.dataSource().getConnection()) {
      again(run, phase, c);
    }
  }

  private static <M extends dev.zerodowntime.orchestrator.Migration<?>> void again(
      StepRunner<M> run, int phase, Connection c) throws SQLException {
    run.facts = run.support.preflight(run.migration, run.target, phase, run.facts, c);
  }

  /** Name, state and definition of all that are not a primary key's. */
  private List<List<Object>> notNulls() {
    return db.rows(
        "SELECT conrelid::regclass::text, conname::text, convalidated, connoinherit, conislocal,"
            + " coninhcount::int, pg_get_constraintdef(oid), (SELECT attnotnull FROM pg_attribute"
            + " WHERE attrelid = conrelid AND attnum = conkey[1]) FROM pg_constraint WHERE contype"
            + " = 'n' AND connamespace = 'public'::regnamespace ORDER BY 1, 2");
  }

  /** What the server does with the same names, by SET NOT NULL. */
  private List<List<Object>> asSetNotNull(String table, String column) throws SQLException {
    try (Connection c = db.dataSource().getConnection()) {
      c.setAutoCommit(false);
      try (var s = c.createStatement()) {
        s.execute(
            "ALTER TABLE " + Sql.quote(table) + " ALTER " + Sql.quote(column) + " SET NOT NULL");
        List<List<Object>> found = new ArrayList<>();
        try (var row =
            s.executeQuery(
                "SELECT conrelid::regclass::text, conname::text, convalidated, connoinherit,"
                    + " conislocal, coninhcount::int, pg_get_constraintdef(oid), true FROM"
                    + " pg_constraint WHERE contype = 'n' AND connamespace ="
                    + " 'public'::regnamespace ORDER BY 1, 2")) {
          while (row.next()) {
            List<Object> values = new ArrayList<>();
            for (int i = 1; i <= 8; i++) {
              values.add(row.getObject(i));
            }
            found.add(values);
          }
        }
        return found;
      } finally {
        c.rollback();
      }
    }
  }

  @Test
  void theEndIsThatOfSetNotNull() throws SQLException {
    db.execute("ALTER TABLE users ADD region text", "UPDATE users SET region = 'n' || id");
    List<List<Object>> expected = asSetNotNull("users", "region");
    db.execute("ALTER TABLE users DROP region");

    StepRunner<AddColumn> run = add("users", "region");
    run.up(AddColumn.EXPAND);
    run.up(AddColumn.BACKFILL);
    List<List<Object>> nullable = notNulls();
    List<Step> steps = run.steps(AddColumn.ENFORCE, Direction.UP);
    run.run(steps.get(0));
    // The catalog calls it NOT NULL already; only the constraint tells that nobody has looked.
    assertThat(notNulls())
        .contains(
            List.of(
                "users",
                "users_region_not_null",
                false,
                false,
                true,
                0,
                "NOT NULL region NOT VALID",
                true));
    run.run(steps.subList(1, steps.size()));
    assertThat(notNulls()).isEqualTo(expected);
    assertThat(((DdlStep) steps.get(0)).locks())
        .extracting(each -> each.mode())
        .containsExactly("ACCESS EXCLUSIVE");
    assertThat(((OnlineStep) steps.get(1)).locks())
        .extracting(each -> each.mode())
        .containsExactly("SHARE UPDATE EXCLUSIVE");

    assertThat(run.down(AddColumn.ENFORCE)).containsExactly("drop-not-null");
    assertThat(notNulls()).isEqualTo(nullable);
    // From half the way as well.
    run.run(steps.get(0));
    assertThat(run.down(AddColumn.ENFORCE)).containsExactly("drop-not-null");
    assertThat(notNulls()).isEqualTo(nullable);
  }

  /** The rule is the server's: for long names, names in several bytes, and names that are taken. */
  @Test
  void theNameIsTheServersOwn() throws SQLException {
    Map<String, String> names = new LinkedHashMap<>();
    names.put("t", "c");
    names.put(LONG, "c");
    names.put("short", LONG);
    names.put(LONG + "2", LONG);
    names.put("größe ".repeat(7) + "t", "ü" + LONG + "ß");
    names.put("Quo\"ted", "My c");
    for (Map.Entry<String, String> each : names.entrySet()) {
      String table = Sql.quote(each.getKey());
      String column = Sql.quote(each.getValue());
      db.execute("CREATE TABLE " + table + " (id bigint PRIMARY KEY, " + column + " text)");
      for (int taken = 0; taken < 3; taken++) {
        String expected = (String) named(asSetNotNull(each.getKey(), each.getValue()), each);
        assertThat(NotNullName.given(each.getKey(), each.getValue(), taken)).isEqualTo(expected);
        StepRunner<SetNotNull> run = set(each.getKey(), each.getValue());
        assertThat(run.facts).containsEntry("name", expected);
        // By a constraint of another table of the schema.
        db.execute("ALTER TABLE users ADD CONSTRAINT " + Sql.quote(expected) + " CHECK (id > 0)");
      }
      run(each);
    }
  }

  private Object named(List<List<Object>> rows, Map.Entry<String, String> column) {
    return rows.stream()
        .filter(
            each ->
                each.get(6).equals("NOT NULL " + column.getValue())
                    || each.get(6).equals("NOT NULL " + Sql.quote(column.getValue())))
        .findFirst()
        .orElseThrow()
        .get(1);
  }

  private void run(Map.Entry<String, String> each) throws SQLException {
    List<List<Object>> before = notNulls();
    List<List<Object>> expected = asSetNotNull(each.getKey(), each.getValue());
    StepRunner<SetNotNull> run = set(each.getKey(), each.getValue());
    run.up(SetNotNull.ENFORCE);
    run.up(SetNotNull.DONE);
    assertThat(notNulls()).isEqualTo(expected);
    run.down(SetNotNull.ENFORCE);
    assertThat(notNulls()).isEqualTo(before);
  }

  @Test
  void partitionsHaveItAsBySetNotNull() throws SQLException {
    db.execute(
        "CREATE TABLE events (id bigint, at int, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
        "CREATE TABLE a PARTITION OF events FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE b PARTITION OF events FOR VALUES FROM (10) TO (20) PARTITION BY HASH (id)",
        "CREATE TABLE b1 PARTITION OF b FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
        "INSERT INTO events SELECT n, n % 20 FROM generate_series(1, 2500) n");
    StepRunner<AddColumn> run = add("events", "region");
    run.up(AddColumn.EXPAND);
    run.up(AddColumn.BACKFILL);
    List<List<Object>> before = notNulls();
    List<List<Object>> expected = asSetNotNull("events", "region");
    again(run, AddColumn.ENFORCE);
    List<Step> steps = run.steps(AddColumn.ENFORCE, Direction.UP);
    run.run(steps.get(0));
    // One that comes in between.
    db.execute("CREATE TABLE c PARTITION OF events FOR VALUES FROM (20) TO (30)");
    run.run(steps.subList(1, steps.size()));
    assertThat(notNulls().stream().filter(each -> !each.get(0).equals("c")).toList())
        .isEqualTo(expected);
    assertThat(notNulls()).filteredOn(each -> each.get(0).equals("c")).hasSize(3);
    db.execute("DROP TABLE c");
    assertThat(run.down(AddColumn.ENFORCE)).containsExactly("drop-not-null");
    assertThat(notNulls()).isEqualTo(before);
  }

  @Test
  void aNameThatSomebodyTakesMeanwhileIsNotOurs() throws SQLException {
    StepRunner<AddColumn> run = add("users", "region");
    run.up(AddColumn.EXPAND);
    run.up(AddColumn.BACKFILL);
    db.execute("ALTER TABLE users ADD CONSTRAINT users_region_not_null CHECK (id > 0)");
    List<List<Object>> expected = asSetNotNull("users", "region");
    again(run, AddColumn.ENFORCE);
    run.up(AddColumn.ENFORCE);
    assertThat(notNulls()).isEqualTo(expected);
    assertThat(db.rows("SELECT 1 FROM pg_constraint WHERE conname = 'users_region_not_null'"))
        .hasSize(1);
  }

  @Test
  void whatSomebodyHasBegunByHandIsFinished() throws SQLException {
    StepRunner<AddColumn> run = add("users", "region");
    run.up(AddColumn.EXPAND);
    run.up(AddColumn.BACKFILL);
    db.execute("ALTER TABLE users ADD CONSTRAINT mine NOT NULL region NOT VALID");
    again(run, AddColumn.ENFORCE);
    assertThat(run.rest(AddColumn.ENFORCE, Direction.UP)).containsExactly("validate-not-null");
    again(run, AddColumn.ENFORCE);
    assertThat(run.rest(AddColumn.ENFORCE, Direction.UP)).isEmpty();
    assertThat(notNulls()).filteredOn(each -> each.get(1).equals("mine")).hasSize(1);
    run.down(AddColumn.ENFORCE);
    assertThat(notNulls()).filteredOn(each -> each.get(1).equals("mine")).isEmpty();
  }

  /** Registered before the upgrade, and carried on after it. */
  @Test
  void whatBeganOnAnOlderServerKeepsItsForm() throws SQLException {
    db.execute("ALTER TABLE users ADD region text", "UPDATE users SET region = 'n' || id");
    List<List<Object>> expected = asSetNotNull("users", "region");
    db.execute("ALTER TABLE users DROP region");
    StepRunner<AddColumn> run = add("users", "region");
    Map<String, Object> older = new LinkedHashMap<>(run.facts);
    older.remove(AddColumnCheck.NOT_NULL);
    run.facts = older;
    run.up(AddColumn.EXPAND);
    run.up(AddColumn.BACKFILL);
    again(run, AddColumn.ENFORCE);
    assertThat(run.up(AddColumn.ENFORCE))
        .containsExactly("add-check", "validate-check", "set-not-null", "drop-check");
    assertThat(notNulls()).isEqualTo(expected);
    assertThat(run.down(AddColumn.ENFORCE)).containsExactly("drop-not-null");
    assertThat(notNulls()).filteredOn(each -> each.get(6).equals("NOT NULL region")).isEmpty();
  }

  /** A column that is inherited gets a constraint of its own, as by SET NOT NULL. */
  @Test
  void onATableThatInherits() throws SQLException {
    db.execute(
        "CREATE TABLE person (id bigint, zip text)",
        "CREATE TABLE customer (PRIMARY KEY (id)) INHERITS (person)",
        "INSERT INTO customer SELECT n, 'z' FROM generate_series(1, 1200) n");
    run(Map.entry("customer", "zip"));
  }

  @Test
  void aRowWithoutAValueStopsTheProof() throws SQLException {
    StepRunner<AddColumn> run = add("users", "region");
    run.up(AddColumn.EXPAND);
    List<Step> steps = run.steps(AddColumn.ENFORCE, Direction.UP);
    run.run(steps.get(0));
    assertThatThrownBy(() -> run.run(steps.get(1))).hasMessageContaining("null values");
    assertThat(run.down(AddColumn.ENFORCE)).containsExactly("drop-not-null");
  }
}
