package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.RowFunction;
import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.operation.PhasePlan;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Step;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Backfills of partitioned tables, partition by partition. */
@PostgresTest
@Timeout(120)
class PartitionedBackfillTest {

  private final TestDatabase db;

  PartitionedBackfillTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void events() {
    db.execute(
        "DROP SCHEMA IF EXISTS public, control, other CASCADE",
        "CREATE SCHEMA public",
        "CREATE SCHEMA other",
        "CREATE TABLE events (id bigint, at int NOT NULL, n int, v text, PRIMARY KEY (id, at))"
            + " PARTITION BY RANGE (at)",
        "CREATE TABLE a PARTITION OF events FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE \"B b\" PARTITION OF events FOR VALUES FROM (10) TO (20) PARTITION BY HASH"
            + " (id)",
        // Its columns have other numbers.
        "CREATE TABLE other.b1 (gone int, v text, n int, at int NOT NULL, id bigint NOT NULL)",
        "ALTER TABLE other.b1 DROP COLUMN gone",
        "ALTER TABLE \"B b\" ATTACH PARTITION other.b1 FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
        "CREATE TABLE b2 PARTITION OF \"B b\" FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
        "INSERT INTO events SELECT n, n % 20, n FROM generate_series(1, 1000) n");
  }

  private StepRunner<Backfill> runner(UnaryOperator<Backfill.Builder> how) {
    return new StepRunner<>(
        db, new PostgresBackfill(), how.apply(Backfill.of("billing/rows").table("events")).build());
  }

  private long left(String wrong) {
    return db.queryLong("SELECT count(*) FROM events WHERE " + wrong);
  }

  @Test
  void everyPartitionIsChangedAndChangedBack() throws SQLException {
    StepRunner<Backfill> run =
        runner(b -> b.set("v", "'v' || n").set("n", "id").undo("v", "NULL")).preflight();
    List<Step> steps = run.steps(1, Direction.UP);
    assertThat(steps).hasSize(7);
    assertThat(steps.subList(0, 6))
        .allSatisfy(each -> assertThat(each).isInstanceOf(BackfillStep.class))
        .extracting(each -> ((BackfillStep) each).scan().table())
        .containsExactly(
            "\"public\".\"a\"",
            "\"other\".\"b1\"",
            "\"public\".\"b2\"",
            "\"public\".\"a\"",
            "\"other\".\"b1\"",
            "\"public\".\"b2\"");
    run.up(1);
    assertThat(left("v IS DISTINCT FROM 'v' || id")).isZero();
    run.down(1);
    assertThat(left("v IS NOT NULL")).isZero();
  }

  /** A row that moves from where it was still to be changed to where all were. */
  @Test
  void aRowThatMovesMeanwhileIsChanged() throws SQLException {
    StepRunner<Backfill> run = runner(b -> b.set("v", "'v'").where("v IS NULL")).preflight();
    List<Step> steps = run.steps(1, Direction.UP);
    run.run(steps.get(0));
    db.execute("UPDATE events SET at = 5 WHERE id IN (10, 11, 12, 13)");
    assertThat(left("tableoid = 'a'::regclass AND v IS NULL")).isEqualTo(4);
    run.run(steps.subList(1, steps.size()));
    assertThat(left("v IS NULL")).isZero();
  }

  @Test
  void joinsFunctionsAndCopies() throws SQLException {
    db.execute(
        "CREATE TABLE names (number int PRIMARY KEY, name text)",
        "INSERT INTO names SELECT i, 'name ' || i FROM generate_series(1, 900) i",
        "CREATE TABLE copies (id bigint PRIMARY KEY, v text)");
    runner(b -> b.set("v", "name").join("names", "number = n")).preflight().up(1);
    assertThat(left("v = 'name ' || n")).isEqualTo(900);
    RowFunction function = rows -> rows.forEach(row -> row.set("v", "f" + row.get("n")));
    runner(
            b ->
                b.compute(List.of("n"), List.of("v"), "f", function)
                    .where("v IS NULL OR v NOT LIKE 'f%'"))
        .preflight()
        .up(1);
    assertThat(left("v IS DISTINCT FROM 'f' || n")).isZero();
    runner(b -> b.copyInto("copies", "id").set("id", "id").set("v", "v")).preflight().up(1);
    assertThat(db.queryLong("SELECT count(*) FROM copies WHERE v = 'f' || id")).isEqualTo(1000);
  }

  @Test
  void oncePerKeyGoesThroughEachPartitionOnce() throws SQLException {
    StepRunner<Backfill> run = runner(b -> b.set("n", "n + 1").oncePerKey()).preflight();
    List<String> names = run.up(1);
    assertThat(names).hasSize(4).last().isEqualTo("complete");
    assertThat(left("n <> id + 1")).isZero();
    // Whatever a partition is called, it was its turn.
    db.execute("ALTER TABLE a RENAME TO renamed");
    assertThat(holds(run)).isFalse();
    assertThat(run.preflight().steps(1, Direction.UP).stream().map(Step::name)).isEqualTo(names);
    assertThat(holds(run)).isTrue();
  }

  private boolean holds(StepRunner<Backfill> run) {
    List<Step> steps = run.steps(1, Direction.UP);
    return run.holds(((DdlStep) steps.get(steps.size() - 1)).done());
  }

  @Test
  void whatComesIsSeenAndWhatGoesIsNotMissed() throws SQLException {
    StepRunner<Backfill> run = runner(b -> b.set("v", "'v'")).preflight();
    assertThat(holds(run)).isTrue();
    db.execute("DROP TABLE b2");
    assertThat(holds(run)).isTrue();
    db.execute(
        "CREATE TABLE c PARTITION OF events FOR VALUES FROM (20) TO (30) PARTITION BY LIST (at)");
    assertThat(holds(run)).as("it has no rows of its own").isTrue();
    db.execute("CREATE TABLE c1 PARTITION OF c DEFAULT");
    assertThat(holds(run)).isFalse();
    assertThat(run.support.recapturesOnFailure(1, Direction.UP, run.facts)).isTrue();
    assertThat(run.support.recapturesOnFailure(1, Direction.DOWN, run.facts)).isTrue();
    assertThat(run.support.recapturesOnFailure(1, Direction.UP, Map.of()))
        .as("what is not partitioned stays what it is")
        .isFalse();
    assertThat(holds(run.preflight())).isTrue();
  }

  @Test
  void withoutPartitionsNothingIsToBeDone() throws SQLException {
    db.execute("DROP TABLE a, \"B b\"");
    assertThat(runner(b -> b.set("v", "'v'")).preflight().up(1)).containsExactly("complete");
  }

  private enum Code implements CodeStage {
    ANY
  }

  /** A plan has no way to look partitions up anew. */
  @Test
  void plansLeaveThemToABackfill() {
    StepRunner<PhasePlan<?>> run =
        new StepRunner<>(
            db,
            new PostgresPhasePlan(),
            PhasePlan.of("billing/plan", Code.class)
                .table("events")
                .phase("FILL", p -> p.backfill("fill", rows -> rows.set("v", "'v'")))
                .stage(Code.ANY, "NOT_STARTED", "FILL")
                .build());
    refused(run, "step \"fill\"", "partitioned", "Declare a Backfill");
  }

  private void refused(StepRunner<?> run, String... parts) {
    assertThatThrownBy(run::preflight)
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains(parts));
  }

  @Test
  void badInputIsRefusedByName() {
    refused(runner(b -> b.set("n", "n + 1").oncePerLedger()), "\"events\" is part", "oncePerKey");
    // In a partition the table has another name.
    refused(runner(b -> b.set("v", "'z' || events.id")), "\"a\"", "events");
    refused(runner(b -> b.set("at", "3")), "\"at\"", "key");
    db.execute(
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER seen BEFORE UPDATE OF v ON other.b1 FOR EACH ROW EXECUTE FUNCTION f()");
    refused(runner(b -> b.set("v", "'v'")), "seen", "\"b1\"", "allowTriggers");
    refused(
        runner(b -> b.set("n", "0").where("n <> 0").undo("v", "NULL")), "seen", "allowTriggers");
    db.execute(
        "DROP TRIGGER seen ON other.b1",
        "CREATE RULE r AS ON UPDATE TO b2 DO ALSO SELECT 1",
        "CREATE TABLE keyless (n int) PARTITION BY LIST (n)");
    refused(runner(b -> b.set("v", "'v'")), "\"b2\"", "[r]");
    refused(runner(b -> b.table("keyless").set("n", "1")), "no primary key");
    db.execute("DROP RULE r ON b2");
  }
}
