package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.AddUnique;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.Blocker;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.Step;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Building an index of a partitioned table, on a real server. */
@PostgresTest
class PartitionedIndexTest {

  private static final String LONG = "p" + "ä".repeat(30);

  private final TestDatabase db;

  PartitionedIndexTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void events() {
    db.execute(
        "DROP SCHEMA IF EXISTS public, control, other CASCADE",
        "CREATE SCHEMA public",
        "CREATE SCHEMA other",
        "CREATE TABLE events (id bigint, \"Kind\" text NOT NULL, n int, PRIMARY KEY (id, \"Kind\"))"
            + " PARTITION BY LIST (\"Kind\")",
        "CREATE TABLE a PARTITION OF events FOR VALUES IN ('a')",
        // Another order of columns.
        "CREATE TABLE other.\"B b\" (n int, gone int, \"Kind\" text NOT NULL, id bigint NOT NULL)",
        "ALTER TABLE other.\"B b\" DROP COLUMN gone",
        "ALTER TABLE events ATTACH PARTITION other.\"B b\" FOR VALUES IN ('b')",
        "CREATE TABLE c PARTITION OF events FOR VALUES IN ('c') PARTITION BY RANGE (id)",
        "CREATE TABLE " + LONG + "1 PARTITION OF c FOR VALUES FROM (0) TO (50)",
        "CREATE TABLE "
            + LONG
            + "2 PARTITION OF c FOR VALUES FROM (50) TO (1000) PARTITION BY"
            + " HASH (id)",
        "CREATE TABLE deep PARTITION OF " + LONG + "2 FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
        "INSERT INTO events SELECT n, chr(97 + n % 3), n FROM generate_series(1, 300) n");
  }

  private StepRunner<CreateIndex> runner(UnaryOperator<CreateIndex.Builder> how) {
    return new StepRunner<>(
        db,
        new PostgresCreateIndex(),
        how.apply(
                CreateIndex.of("billing/index")
                    .table("events")
                    .name("events \"ix\" ä" + LONG.substring(0, 20)))
            .build());
  }

  private StepRunner<CreateIndex> full() {
    return runner(
        b ->
            b.column("Kind", "DESC")
                .expression("events.n % 7")
                .include("id")
                .where("events.n > 3"));
  }

  private List<String> indexes() {
    return db
        .rows(
            "SELECT replace(indrelid::regclass::text, '\"p', 'p') || ' ' || indisvalid || ' ' || (SELECT count(*) FROM"
                + " pg_inherits WHERE inhrelid = indexrelid) FROM pg_index WHERE NOT indisprimary"
                + " AND indexrelid > 16384 ORDER BY 1")
        .stream()
        .map(row -> (String) row.get(0))
        .toList();
  }

  private boolean valid() {
    return db.queryLong(
            "SELECT count(*) FROM pg_index WHERE indrelid = 'events'::regclass AND indisvalid AND"
                + " NOT indisprimary")
        == 1;
  }

  private static List<Step> named(StepRunner<?> run, String prefix) {
    return run.steps(CreateIndex.DONE, Direction.UP).stream()
        .filter(each -> each.name().startsWith(prefix))
        .toList();
  }

  @Test
  void everyPartitionGetsItsPartAndTheWayBackLeavesNothing() throws SQLException {
    StepRunner<CreateIndex> run = full().preflight();
    assertThat(run.rest(CreateIndex.DONE, Direction.UP)).hasSize(1 + 2 + 4 + 4);
    assertThat(indexes())
        .containsExactlyInAnyOrder(
            "a true 1",
            "other.\"B b\" true 1",
            "c true 1",
            LONG + "1\" true 1",
            LONG + "2\" true 1",
            "deep true 1",
            "events true 0");
    // None was cut off by the server.
    assertThat(
            db
                .rows(
                    "SELECT relname::text FROM pg_class WHERE relkind IN ('i', 'I') AND relname"
                        + " LIKE 'events%' AND relname NOT LIKE '%pkey'")
                .stream()
                .map(row -> row.get(0)))
        .containsAll(Facts.maps(run.facts, "parts").stream().map(e -> e.get("name")).toList())
        .hasSize(7);
    // The same index by hand is fine, another one of that name is not.
    full().preflight();
    assertThat(full().preflight().rest(CreateIndex.DONE, Direction.UP)).isEmpty();
    assertThatThrownBy(() -> runner(b -> b.columns("n")).preflight())
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("another index of this name");
    assertThat(run.rest(CreateIndex.DONE, Direction.DOWN)).containsExactly("drop-index");
    assertThat(indexes()).isEmpty();
    assertThat(run.preflight().rest(CreateIndex.DONE, Direction.UP)).isNotEmpty();
  }

  @Test
  void theWayBackFromHalfWayDropsWhatIsNotAttachedConcurrently() throws SQLException {
    StepRunner<CreateIndex> run = full().preflight();
    run.run(named(run, "create-index"));
    List<Step> builds = named(run, "build-");
    run.run(builds.get(0));
    run.run(builds.get(1));
    run.run(named(run, "attach-").get(0));
    assertThat(run.rest(CreateIndex.DONE, Direction.DOWN))
        .hasSize(2)
        .last()
        .isEqualTo("drop-index");
    assertThat(indexes()).isEmpty();
  }

  @Test
  void aWreckIsFoundAndRemoved() throws SQLException {
    StepRunner<CreateIndex> run = runner(b -> b.expression("1 / (n - 6)")).preflight();
    run.run(named(run, "create-index"));
    OnlineStep build =
        (OnlineStep)
            named(run, "build-").stream()
                .filter(each -> each.summary().contains("\"a\""))
                .findFirst()
                .orElseThrow();
    assertThatThrownBy(() -> db.execute(build.statement())).hasMessageContaining("division");
    assertThat(run.holds(build.broken())).isTrue();
    assertThat(run.holds(build.done())).isFalse();
    build.repair().forEach(db::execute);
    db.execute("UPDATE events SET n = 7 WHERE n = 6");
    run.rest(CreateIndex.DONE, Direction.UP);
    assertThat(valid()).isTrue();
  }

  @Test
  void partitionsThatComeMeanwhileAreGivenTheirsByTheServer() throws SQLException {
    StepRunner<CreateIndex> run = full().preflight();
    run.run(named(run, "create-index"));
    db.execute(
        "CREATE TABLE d PARTITION OF events FOR VALUES IN ('d')",
        "CREATE TABLE e (LIKE events)",
        "INSERT INTO e VALUES (1, 'e', 1)",
        "ALTER TABLE events ATTACH PARTITION e FOR VALUES IN ('e')",
        "CREATE TABLE f PARTITION OF events FOR VALUES IN ('f') PARTITION BY RANGE (id)",
        "CREATE TABLE f1 PARTITION OF f DEFAULT",
        "CREATE TABLE late PARTITION OF c DEFAULT");
    assertThat(indexes()).contains("d true 1", "e true 1", "f true 1", "f1 true 1", "late true 1");
    assertThat(run.rest(CreateIndex.DONE, Direction.UP)).hasSize(8);
    assertThat(valid()).isTrue();
    // Its parts go with the whole, though facts don't know of them.
    run.rest(CreateIndex.DONE, Direction.DOWN);
    assertThat(indexes()).isEmpty();
  }

  @Test
  void partitionsThatComeAndGoBetweenTheStepsAreTolerated() throws SQLException {
    StepRunner<CreateIndex> run = full().preflight();
    // Before the partitioned table has it.
    db.execute("CREATE TABLE d PARTITION OF events FOR VALUES IN ('d')");
    run.run(named(run, "create-index"));
    db.execute(
        "DROP TABLE a",
        "ALTER TABLE events DETACH PARTITION other.\"B b\"",
        "ALTER TABLE deep RENAME TO deeper");
    Step last = named(run, "complete").get(0);
    for (Step each : run.steps(CreateIndex.DONE, Direction.UP)) {
      if (!each.equals(last) && !run.holds(done(each))) {
        run.run(each);
      }
    }
    assertThat(run.holds(done(last))).isFalse();
    var before = run.facts;
    assertThat(run.preflight().facts).isNotEqualTo(before);
    assertThat(run.rest(CreateIndex.DONE, Direction.UP)).hasSize(4);
    assertThat(valid()).isTrue();
    assertThat(indexes()).contains("d true 1", "deeper true 1").noneMatch(s -> s.contains("B b"));
  }

  /** The server only looks at the whole when a part is attached. */
  @Test
  void theLastPartitionWithoutItsPartGoes() throws SQLException {
    StepRunner<CreateIndex> run = full().preflight();
    List<Step> attach = named(run, "attach-");
    run.run(named(run, "create-index"));
    run.run(named(run, "build-"));
    run.run(attach.subList(0, attach.size() - 1));
    db.execute("DROP TABLE deep");
    assertThatThrownBy(run::preflight)
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("the last partition of \"public\".\"" + LONG + "2\"")
        .hasMessageContaining("Add a partition");
    db.execute(
        "CREATE TABLE again PARTITION OF " + LONG + "2 FOR VALUES WITH (MODULUS 1, REMAINDER 0)");
    assertThat(valid()).isFalse();
    assertThat(run.preflight().rest(CreateIndex.DONE, Direction.UP)).containsExactly("complete");
    assertThat(valid()).isTrue();
  }

  @Test
  void theLastPartitionOfAllGoes() throws SQLException {
    db.execute("DROP TABLE c, other.\"B b\"");
    StepRunner<CreateIndex> run = full().preflight();
    run.run(named(run, "create-index"));
    db.execute("DROP TABLE a");
    assertThat(valid()).isFalse();
    assertThat(run.preflight().rest(CreateIndex.DONE, Direction.UP)).containsExactly("complete");
    assertThat(valid()).isTrue();
  }

  static dev.zerodowntime.orchestrator.spi.Probe done(Step step) {
    return step instanceof DdlStep ddl ? ddl.done() : ((OnlineStep) step).done();
  }

  /** Trap 20: partitions are looked at before they are locked, those that facts don't know too. */
  @Test
  void whoeverUsesAPartitionIsSeenBeforeItIsLocked() throws SQLException {
    StepRunner<CreateIndex> run = full().preflight();
    run.rest(CreateIndex.DONE, Direction.UP);
    db.execute("CREATE TABLE d PARTITION OF events FOR VALUES IN ('d')");
    DdlStep drop = (DdlStep) run.steps(CreateIndex.DONE, Direction.DOWN).get(4);
    assertThat(drop.lock())
        .contains("\"public\".\"events\"", "\"public\".\"deep\"", "\"other\".\"B b\"")
        .doesNotContain("\"d\"");
    for (String partition : List.of("deep", "d")) {
      try (Connection other = db.dataSource().getConnection();
          Connection mine = db.dataSource().getConnection();
          Statement s = other.createStatement()) {
        other.setAutoCommit(false);
        s.execute("LOCK TABLE " + partition + " IN ACCESS SHARE MODE");
        List<Blocker> blockers =
            new PostgresLockBudget().blockers(mine, drop, Duration.ofMillis(-1));
        assertThat(blockers).as(partition).hasSize(1);
      }
    }
  }

  private void refused(UnaryOperator<CreateIndex.Builder> how, String... parts) {
    assertThatThrownBy(() -> runner(how).preflight())
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains("billing/index").contains(parts));
  }

  @Test
  void badInputIsRefusedByName() throws SQLException {
    refused(b -> b.columns("x"), "no column \"x\"");
    refused(b -> b.columns("n").table("a"), "is a partition");
    refused(b -> b.columns("n").table("c"), "is a partition");
    StepRunner<CreateIndex> run = full().preflight();
    String name = ((OnlineStep) named(run, "build-").get(1)).statement().split(" ON ")[0];
    name = name.substring(name.indexOf('"'));
    db.execute("CREATE TABLE " + name + " (taken int)");
    refused(b -> b.columns("n"), "index of partition \"public\".\"a\" is taken by table");
    db.execute(
        "DROP TABLE " + name,
        "CREATE EXTENSION IF NOT EXISTS postgres_fdw",
        "CREATE SERVER nowhere FOREIGN DATA WRAPPER postgres_fdw");
    db.execute(
        "CREATE TABLE bare (n int) PARTITION BY LIST (n)",
        "CREATE FOREIGN TABLE far PARTITION OF bare FOR VALUES IN (1) SERVER nowhere");
    refused(b -> b.table("bare").columns("n"), "\"far\"", "foreign table");
    db.execute("DROP SERVER nowhere CASCADE");
  }

  private void refusedUnique(String table, String columns, String... parts) {
    assertThatThrownBy(
            () ->
                new StepRunner<>(
                        db,
                        new PostgresAddUnique(),
                        AddUnique.of("billing/unique")
                            .table(table)
                            .name("once")
                            .columns(columns.split(","))
                            .build())
                    .preflight())
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains("billing/unique").contains(parts));
  }

  @Test
  void uniqueMustIncludeThePartitionKey() {
    db.execute("CREATE TABLE odd (n int) PARTITION BY RANGE ((n % 3))");
    refusedUnique("events", "n", "partitioned by \"Kind\"", "\"once\"", "Add the columns");
    refusedUnique("events", "Kind", "is a partitioned table");
    refusedUnique("odd", "n", "partitioned by an expression");
  }
}
