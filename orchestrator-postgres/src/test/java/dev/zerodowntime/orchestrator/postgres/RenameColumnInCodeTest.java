package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.RenameColumnInCode;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.Step;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What code of each stage writes, in the phases in which it may. */
@PostgresTest
class RenameColumnInCodeTest {

  private final TestDatabase db;

  RenameColumnInCodeTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void table() {
    db.execute(
        "DROP SCHEMA IF EXISTS \"" + RenameColumnRunner.CONTROL + "\" CASCADE",
        "DROP TABLE IF EXISTS t, p",
        "CREATE TABLE p (k text PRIMARY KEY)",
        "INSERT INTO p SELECT 'v' || generate_series(0, 9)",
        "CREATE TABLE t (id int PRIMARY KEY, a int DEFAULT 1, o text NOT NULL DEFAULT 'v0' UNIQUE"
            + " REFERENCES p ON DELETE CASCADE CHECK (o <> ''), CHECK (a > 0 AND o IS NOT NULL))",
        "INSERT INTO t VALUES (1, 1, 'v1'), (2, 2, 'v2')");
  }

  private RenameColumnRunner<RenameColumnInCode> runner() {
    return new RenameColumnRunner<>(
        db,
        new PostgresRenameColumnInCode(),
        RenameColumnInCode.of("tests/code").table("t").from("o").to("n").build());
  }

  @Test
  void theWayThereAndBack() {
    RenameColumnRunner<RenameColumnInCode> runner = runner();
    runner.go(RenameColumnInCode.EXPAND);
    assertThat(db.queryLong("SELECT count(*) FROM t WHERE n IS NULL"))
        .as("rows left as they were")
        .isEqualTo(2);
    // OLD omits the new column, which gets its default; DUAL_WRITE omits both.
    db.execute("INSERT INTO t (id, o) VALUES (3, 'v3')", "INSERT INTO t (id) VALUES (4)");
    runner.go(RenameColumnInCode.ENFORCE);
    assertThat(db.queryLong("SELECT count(*) FROM t WHERE o = n")).isEqualTo(4);
    runner.go(RenameColumnInCode.RELAX);
    // NEW knows only the new column; an old reference must not keep its row, nor its other end.
    db.execute(
        "INSERT INTO t (id, n) VALUES (5, 'v5')",
        "UPDATE t SET n = 'v6' WHERE id = 1",
        "DELETE FROM p WHERE k = 'v1'");
    runner.go(RenameColumnInCode.CONTRACT);
    db.execute(
        "INSERT INTO t (id, n) VALUES (7, 'v7')",
        "DELETE FROM t WHERE n = 'v0'",
        "INSERT INTO t (id) VALUES (8)");
    runner.go(RenameColumnInCode.ENFORCE);
    assertThat(db.rows("SELECT id, o, n FROM t ORDER BY id"))
        .containsExactly(
            List.of(1, "v6", "v6"),
            List.of(2, "v2", "v2"),
            List.of(3, "v3", "v3"),
            List.of(5, "v5", "v5"),
            List.of(7, "v7", "v7"),
            List.of(8, "v0", "v0"));
    runner.go(RenameColumnInCode.PURGE);
  }

  /** A way back that turns round must not trip over rows that omit the old column. */
  @Test
  void theWayBackMayTurnRound() {
    RenameColumnRunner<RenameColumnInCode> runner = runner();
    runner.go(RenameColumnInCode.RELAX);
    db.execute("INSERT INTO t (id, n) VALUES (5, 'v5')");
    List<Step> down = runner.steps(RenameColumnInCode.RELAX, Direction.DOWN);
    for (int i = 0; i < down.size(); i++) {
      runner.run(down.subList(0, i));
      runner.run(runner.steps(RenameColumnInCode.RELAX, Direction.UP));
      db.execute(
          "INSERT INTO t (id, n) VALUES (" + (100 + i) + ", 'v6')", "DELETE FROM t WHERE n = 'v6'");
    }
    db.execute("INSERT INTO t (id, n) VALUES (6, 'v6')");
    runner.go(0);
    assertThat(db.queryLong("SELECT count(*) FROM t WHERE o IN ('v5', 'v6')")).isEqualTo(2);
  }
}
