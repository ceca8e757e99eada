package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.AddCheck;
import dev.zerodowntime.orchestrator.operation.SetNotNull;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Checks and NOT NULL of partitioned tables, proved partition by partition. */
@PostgresTest
@Timeout(120)
class PartitionedConstraintTest {

  private static final List<String> ALL =
      List.of(
          "\"public\".\"events\"",
          "\"public\".\"B b\"",
          "\"public\".\"a\"",
          "\"public\".\"b1\"",
          "\"public\".\"b2\"");

  private final TestDatabase db;

  PartitionedConstraintTest(TestDatabase db) {
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
        "CREATE TABLE b1 (n int, at int NOT NULL, id bigint NOT NULL)",
        "ALTER TABLE \"B b\" ATTACH PARTITION b1 FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
        "CREATE TABLE b2 PARTITION OF \"B b\" FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
        "INSERT INTO events SELECT n, n % 20, n FROM generate_series(1, 500) n");
  }

  private StepRunner<AddCheck> check(String expression) {
    return new StepRunner<>(
        db,
        new PostgresAddCheck(),
        AddCheck.of("billing/check").table("events").name("pos").expression(expression).build());
  }

  private StepRunner<SetNotNull> notNull() {
    return new StepRunner<>(
        db,
        new PostgresSetNotNull(),
        SetNotNull.of("billing/not-null").table("events").column("n").build());
  }

  private List<String> list(String sql) {
    return db.rows(sql).stream().map(row -> (String) row.get(0)).toList();
  }

  private List<String> validated(String name) {
    return list(
        "SELECT conrelid::regclass::text FROM pg_constraint WHERE conname LIKE '"
            + name
            + "' AND convalidated ORDER BY 1");
  }

  private long notNulls() {
    return db.queryLong(
        "SELECT count(*) FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE attname = 'n'"
            + " AND attnotnull AND relkind IN ('r', 'p')");
  }

  /** What the server says it does. */
  private List<String> said(String sql) throws SQLException {
    List<String> said = new ArrayList<>();
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      s.execute("SET client_min_messages TO debug1");
      s.execute(sql);
      for (SQLWarning each = s.getWarnings(); each != null; each = each.getNextWarning()) {
        said.add(String.valueOf(each.getMessage()));
      }
    }
    return said;
  }

  /** One statement for each partition; then the whole has nothing to read, nor has SET NOT NULL. */
  private void proved(List<Step> validations, String name) throws SQLException {
    assertThat(validations).hasSize(4).allMatch(each -> each instanceof OnlineStep);
    for (Step each : validations.subList(0, 3)) {
      assertThat(each.locks()).hasSize(1);
      assertThat(said(each.sql().get(0))).hasSize(1).first().asString().startsWith("verifying");
    }
    assertThat(validated(name)).containsExactly("a", "b1", "b2");
    Step whole = validations.get(3);
    assertThat(whole.locks().stream().map(each -> each.table()))
        .containsExactlyInAnyOrderElementsOf(ALL);
    assertThat(said(whole.sql().get(0))).isEmpty();
    assertThat(validated(name)).hasSize(5);
  }

  @Test
  void aCheckIsProvedPartitionByPartition() throws SQLException {
    StepRunner<AddCheck> run = check("events.n > 0").preflight();
    assertThat(run.up(AddCheck.ENFORCE)).containsExactly("verify-rows", "add-check");
    assertThat(validated("pos")).isEmpty();
    assertThatThrownBy(() -> db.execute("INSERT INTO b2 VALUES (1, 11, -1)")).isNotNull();
    proved(run.steps(AddCheck.DONE, Direction.UP), "pos");
    run.down(AddCheck.DONE);
    assertThat(run.down(AddCheck.ENFORCE)).containsExactly("drop-check");
    assertThat(list("SELECT conname::text FROM pg_constraint WHERE conname = 'pos'")).isEmpty();
  }

  @Test
  void notNullIsProvedPartitionByPartition() throws SQLException {
    StepRunner<SetNotNull> run = notNull().preflight();
    assertThat(run.up(SetNotNull.ENFORCE)).containsExactly("verify-rows", "add-check");
    List<Step> steps = run.steps(SetNotNull.DONE, Direction.UP);
    proved(steps.subList(0, 4), "zdo%");
    DdlStep set = (DdlStep) steps.get(4);
    assertThat(said(set.sql().get(0)))
        .hasSize(5)
        .allMatch(each -> each.contains("sufficient to prove"));
    assertThat(run.rest(SetNotNull.DONE, Direction.UP)).containsExactly("drop-check");
    assertThat(notNulls()).isEqualTo(5);
    assertThat(run.leftovers()).isEmpty();
    run.down(SetNotNull.DONE);
    assertThat(run.down(SetNotNull.ENFORCE)).containsExactly("drop-not-null");
    assertThat(notNulls()).isZero();
    // And straight through, up and out of the middle.
    run.up(SetNotNull.ENFORCE);
    run.down(SetNotNull.ENFORCE);
    assertThat(run.leftovers()).isEmpty();
    run.up(SetNotNull.ENFORCE);
    run.up(SetNotNull.DONE);
    assertThat(notNulls()).isEqualTo(5);
  }

  /** Rows of all partitions are shown by their keys. */
  @Test
  void rowsInTheWayAreFoundInEveryPartition() throws SQLException {
    db.execute("UPDATE events SET n = -id WHERE id IN (3, 18, 19)");
    Step verify = check("n > 0").preflight().steps(AddCheck.ENFORCE, Direction.UP).get(0);
    assertThat(verify).isInstanceOf(VerifyStep.class);
    VerifyStep rows = (VerifyStep) verify;
    assertThat(rows.scan().table()).isEqualTo("\"public\".\"events\"");
    assertThat(
            list(
                "SELECT tableoid::regclass || ' ' || id FROM events WHERE "
                    + rows.scan().pending()
                    + " ORDER BY id"))
        .hasSize(3)
        .contains("a 3");
  }

  @Test
  void partitionsAreLookedUpAnew() throws SQLException {
    StepRunner<AddCheck> run = check("n > 0").preflight();
    run.up(AddCheck.ENFORCE);
    List<Step> before = run.steps(AddCheck.DONE, Direction.UP);
    db.execute(
        "DROP TABLE a",
        "ALTER TABLE \"B b\" DETACH PARTITION b1",
        "CREATE TABLE c PARTITION OF events FOR VALUES FROM (20) TO (30)");
    // One that is gone has nothing to prove.
    assertThat(run.holds(((OnlineStep) before.get(0)).done())).isTrue();
    try (Connection c = db.dataSource().getConnection()) {
      run.facts = run.support.preflight(run.migration, run.target, AddCheck.DONE, run.facts, c);
    }
    assertThat(run.steps(AddCheck.DONE, Direction.UP).stream().map(each -> each.locks().size()))
        .containsExactly(1, 1, 4);
    run.rest(AddCheck.DONE, Direction.UP);
    assertThat(validated("pos")).containsExactly("\"B b\"", "b2", "c", "events");
    assertThat(run.support.recapturesOnFailure(AddCheck.DONE)).isTrue();
    assertThat(run.support.recapturesOnFailure(AddCheck.ENFORCE)).isFalse();
  }

  /** Trap 20. */
  @Test
  void whoeverUsesAPartitionIsSeenBeforeItIsLocked() throws SQLException {
    DdlStep add = (DdlStep) notNull().preflight().steps(SetNotNull.ENFORCE, Direction.UP).get(1);
    assertThat(add.tables()).containsExactlyInAnyOrderElementsOf(ALL);
    try (Connection other = db.dataSource().getConnection();
        Connection mine = db.dataSource().getConnection();
        Statement s = other.createStatement()) {
      other.setAutoCommit(false);
      s.execute("LOCK TABLE b2 IN ACCESS SHARE MODE");
      assertThat(new PostgresLockBudget().blockers(mine, add, Duration.ofMillis(-1))).hasSize(1);
    }
  }

  @Test
  void whatIsThereAlreadyIsLeftAlone() throws SQLException {
    db.execute("ALTER TABLE events ALTER COLUMN n SET NOT NULL");
    StepRunner<SetNotNull> run = notNull().preflight();
    assertThat(run.up(SetNotNull.ENFORCE)).containsExactly("already-not-null");
    assertThat(run.up(SetNotNull.DONE)).isEmpty();
    assertThat(run.down(SetNotNull.ENFORCE)).isEmpty();
    db.execute("ALTER TABLE events ADD CONSTRAINT pos CHECK (n > 0) NOT VALID");
    StepRunner<AddCheck> there = check("n > 0").preflight();
    assertThat(there.up(AddCheck.ENFORCE)).containsExactly("verify-rows");
    there.up(AddCheck.DONE);
    assertThat(validated("pos")).hasSize(5);
    assertThat(there.down(AddCheck.ENFORCE)).isEmpty();
  }

  private void refused(StepRunner<?> run, String... parts) {
    assertThatThrownBy(run::preflight)
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains(parts));
  }

  @Test
  void badInputIsRefusedByName() {
    db.execute("ALTER TABLE b2 ALTER COLUMN n SET NOT NULL");
    refused(notNull(), "NOT NULL in partition \"public\".\"b2\" alone", "DROP NOT NULL");
    db.execute(
        "ALTER TABLE b2 ALTER COLUMN n DROP NOT NULL",
        "ALTER TABLE \"B b\" ADD CONSTRAINT pos CHECK (n > 0)");
    refused(check("n > 0"), "partition \"public\".\"B b\"", "constraint \"pos\" of its own");
    db.execute("ALTER TABLE \"B b\" DROP CONSTRAINT pos");
    if (db.server().majorVersion() >= 18) {
      db.execute("ALTER TABLE events ADD CONSTRAINT begun NOT NULL n NOT VALID");
      refused(notNull(), "NOT NULL NOT VALID by constraint \"begun\"", "VALIDATE");
    }
  }
}
