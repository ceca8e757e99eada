package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Step;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A new column of a partitioned table, on a real server. */
@PostgresTest
class PartitionedColumnTest {

  private final TestDatabase db;

  PartitionedColumnTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void events() {
    db.execute(
        "DROP SCHEMA IF EXISTS public, control CASCADE",
        "CREATE SCHEMA public",
        "CREATE TABLE events (id bigint, at int NOT NULL, n int, PRIMARY KEY (id, at)) PARTITION BY"
            + " RANGE (at)",
        "CREATE TABLE a PARTITION OF events FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE \"B b\" PARTITION OF events FOR VALUES FROM (10) TO (20) PARTITION BY HASH"
            + " (id)",
        "CREATE TABLE b1 PARTITION OF \"B b\" FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
        "CREATE TABLE b2 PARTITION OF \"B b\" FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
        "INSERT INTO events SELECT n, n % 20, n FROM generate_series(1, 3000) n");
  }

  private StepRunner<AddColumn> runner(UnaryOperator<AddColumn.Builder> how) {
    return new StepRunner<>(
        db,
        new PostgresAddColumn(),
        how.apply(AddColumn.of("billing/column").table("events").column("zip", "text")).build());
  }

  private StepRunner<AddColumn> filled() {
    return runner(b -> b.notNull().fillWithSql("'z' || id"));
  }

  private List<String> list(String sql) {
    return db.rows(sql).stream().map(row -> (String) row.get(0)).toList();
  }

  /** The partitions are looked up anew, as when a phase is entered. */
  private static StepRunner<AddColumn> again(StepRunner<AddColumn> run, int phase)
      throws SQLException {
    try (Connection c = run.db.dataSource().getConnection()) {
      run.facts = run.support.preflight(run.migration, run.target, phase, run.facts, c);
    }
    return run;
  }

  private List<String> notNull() {
    return list(
        "SELECT attrelid::regclass::text FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE"
            + " attname = 'zip' AND attnotnull AND relkind IN ('r', 'p') ORDER BY 1");
  }

  private List<String> triggers() {
    return list(
        "SELECT tgrelid::regclass || ' ' || tgenabled::text FROM pg_trigger WHERE tgname LIKE '~zdo%' AND"
            + " tgenabled = 'A' ORDER BY 1");
  }

  @Test
  void everyPartitionIsFilledAndEnforced() throws SQLException {
    StepRunner<AddColumn> run = filled().preflight();
    assertThat(run.up(AddColumn.EXPAND)).containsExactly("add-column", "add-fill-trigger");
    // Partitions that come now have the trigger, in whichever way they come.
    db.execute(
        "CREATE TABLE c PARTITION OF events FOR VALUES FROM (20) TO (30) PARTITION BY LIST (at)",
        "CREATE TABLE c1 PARTITION OF c DEFAULT",
        "CREATE TABLE d (zip text, n int, at int NOT NULL, id bigint NOT NULL)",
        "INSERT INTO d SELECT NULL, n, 30 + n % 10, n FROM generate_series(1, 1500) n",
        "ALTER TABLE events ATTACH PARTITION d FOR VALUES FROM (30) TO (40)",
        "INSERT INTO events (id, at) VALUES (1, 25), (5001, 35)",
        "INSERT INTO c1 (id, at) VALUES (2, 25)",
        "UPDATE d SET zip = NULL WHERE id = 5001");
    assertThat(triggers())
        .containsExactly("\"B b\" A", "a A", "b1 A", "b2 A", "c A", "c1 A", "d A", "events A");
    assertThat(db.queryLong("SELECT count(*) FROM events WHERE zip IS NULL")).isEqualTo(4500);
    again(run, AddColumn.BACKFILL);
    List<Step> fills = run.steps(AddColumn.BACKFILL, Direction.UP);
    assertThat(fills).hasSize(6);
    assertThat(fills.subList(0, 5)).allMatch(each -> each instanceof BackfillStep);
    run.run(fills);
    assertThat(db.queryLong("SELECT count(*) FROM events WHERE zip = 'z' || id")).isEqualTo(4503);
    again(run, AddColumn.ENFORCE).up(AddColumn.ENFORCE);
    assertThat(notNull()).hasSize(8);
    again(run, AddColumn.DONE).up(AddColumn.DONE);
    assertThat(run.leftovers()).isEmpty();
    for (int phase = AddColumn.DONE; phase > 0; phase--) {
      run.down(phase);
    }
    assertThat(notNull()).isEmpty();
    assertThat(triggers()).isEmpty();
    assertThat(run.leftovers()).hasSize(1).first().asString().startsWith("column zdo_old_");
    db.execute("INSERT INTO events (id, at) VALUES (9001, 5)");
    // And back from quarantine, with what was missed meanwhile.
    run.preflight();
    for (int phase = 1; phase <= AddColumn.DONE; phase++) {
      run.up(phase);
    }
    assertThat(notNull()).hasSize(8);
    assertThat(db.queryLong("SELECT count(*) FROM events WHERE zip = 'z' || id")).isEqualTo(4504);
  }

  @Test
  void aConstantDefaultTouchesNoRow() throws SQLException {
    StepRunner<AddColumn> run = runner(b -> b.notNull().defaultSql("'x'")).preflight();
    long file = run.file("b1");
    run.up(AddColumn.EXPAND);
    assertThat(run.steps(AddColumn.BACKFILL, Direction.UP)).isEmpty();
    run.up(AddColumn.ENFORCE);
    assertThat(run.file("b1")).isEqualTo(file);
    assertThat(db.queryLong("SELECT count(*) FROM events WHERE zip = 'x'")).isEqualTo(3000);
    assertThat(notNull()).hasSize(5);
  }

  @Test
  void nullableIsOneStatement() throws SQLException {
    StepRunner<AddColumn> run = runner(b -> b).preflight();
    assertThat(run.up(AddColumn.EXPAND)).containsExactly("add-column");
    assertThat(run.down(AddColumn.EXPAND)).containsExactly("quarantine-column");
  }

  @Test
  void partitionsThatGoAreLookedUpAnew() throws SQLException {
    StepRunner<AddColumn> run = filled().preflight();
    run.up(AddColumn.EXPAND);
    db.execute("DROP TABLE a");
    again(run, AddColumn.BACKFILL);
    assertThat(run.up(AddColumn.BACKFILL)).hasSize(3).last().isEqualTo("complete");
    assertThat(run.support.recapturesOnFailure(AddColumn.BACKFILL)).isTrue();
    assertThat(run.support.recapturesOnFailure(AddColumn.EXPAND)).isFalse();
  }

  /**
   * The server lets a table be attached while the check is not validated if it has the same one,
   * not validated either: so new rows may come without a value until that is proved.
   */
  @Test
  void whatIsAttachedAfterTheBackfillIsFilledBeforeItIsProved() throws SQLException {
    StepRunner<AddColumn> run = filled().preflight();
    run.up(AddColumn.EXPAND);
    run.up(AddColumn.BACKFILL);
    again(run, AddColumn.ENFORCE);
    List<Step> steps = run.steps(AddColumn.ENFORCE, Direction.UP);
    run.run(steps.get(0));
    String check =
        run.leftovers().stream()
            .filter(each -> each.startsWith("constraint"))
            .findFirst()
            .orElseThrow()
            .substring(11);
    String early = "CREATE TABLE d (zip text, n int, at int NOT NULL, id bigint NOT NULL)";
    String attach = "ALTER TABLE events ATTACH PARTITION d FOR VALUES FROM (30) TO (40)";
    db.execute(early, "INSERT INTO d SELECT NULL, n, 30, n FROM generate_series(1, 50) n");
    assertThatThrownBy(() -> db.execute(attach)).hasMessageContaining("missing constraint");
    db.execute(
        "ALTER TABLE d ADD CONSTRAINT " + check + " CHECK (zip IS NOT NULL) NOT VALID", attach);
    assertThat(db.queryLong("SELECT count(*) FROM events WHERE zip IS NULL")).isEqualTo(50);
    // As when the validation of the whole has failed: first those before it are proved.
    again(run, AddColumn.ENFORCE);
    steps = run.steps(AddColumn.ENFORCE, Direction.UP);
    assertThat(steps.stream().map(Step::name)).noneMatch(each -> each.startsWith("refill"));
    run.run(steps.get(1));
    Step last = steps.get(2);
    assertThat(last.sql().get(0)).contains("\"d\"", "VALIDATE");
    assertThatThrownBy(() -> db.execute(last.sql().get(0)))
        .hasMessageContaining("violated by some row");
    again(run, AddColumn.ENFORCE);
    assertThat(run.steps(AddColumn.ENFORCE, Direction.UP).get(1).name()).startsWith("refill-");
    run.run((BackfillStep) run.steps(AddColumn.ENFORCE, Direction.UP).get(1));
    run.rest(AddColumn.ENFORCE, Direction.UP);
    assertThat(notNull()).hasSize(6);
    assertThat(db.queryLong("SELECT count(*) FROM events WHERE zip = 'z' || id")).isEqualTo(3050);
  }

  /** Trap 20: one ALTER locks them all, so all are looked at. */
  @Test
  void whoeverUsesAPartitionIsSeenBeforeItIsLocked() throws SQLException {
    StepRunner<AddColumn> run = filled().preflight();
    DdlStep add = (DdlStep) run.steps(AddColumn.EXPAND, Direction.UP).get(0);
    assertThat(add.tables())
        .containsExactlyInAnyOrder(
            "\"public\".\"events\"",
            "\"public\".\"a\"",
            "\"public\".\"B b\"",
            "\"public\".\"b1\"",
            "\"public\".\"b2\"");
    try (Connection other = db.dataSource().getConnection();
        Connection mine = db.dataSource().getConnection();
        Statement s = other.createStatement()) {
      other.setAutoCommit(false);
      s.execute("LOCK TABLE b2 IN ACCESS SHARE MODE");
      assertThat(new PostgresLockBudget().blockers(mine, add, Duration.ofMillis(-1))).hasSize(1);
    }
  }

  private void refused(StepRunner<AddColumn> run, String... parts) {
    assertThatThrownBy(run::preflight)
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains(parts));
  }

  @Test
  void badInputIsRefusedByName() {
    // In a partition the table has another name.
    refused(runner(b -> b.notNull().fillWithSql("'z' || events.id")), "\"events\"", "expression");
    db.execute(
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER \"~~last\" BEFORE INSERT ON b1 FOR EACH ROW EXECUTE FUNCTION f()");
    refused(filled(), "~~last", "\"b1\"");
    db.execute(
        "DROP TRIGGER \"~~last\" ON b1",
        "CREATE TRIGGER seen BEFORE UPDATE ON b2 FOR EACH ROW EXECUTE FUNCTION f()");
    refused(filled(), "seen", "\"b2\"", "allowTriggers");
    db.execute(
        "DROP TRIGGER seen ON b2",
        "CREATE EXTENSION IF NOT EXISTS postgres_fdw",
        "CREATE SERVER nowhere FOREIGN DATA WRAPPER postgres_fdw",
        "CREATE TABLE bare (n int) PARTITION BY LIST (n)",
        "CREATE FOREIGN TABLE far PARTITION OF bare FOR VALUES IN (1) SERVER nowhere");
    refused(runner(b -> b.table("bare")), "\"far\"", "foreign table");
    db.execute("DROP SERVER nowhere CASCADE");
  }
}
