package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.Probe;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Runs a migration's steps one by one, without the engine: probe, apply, probe. */
final class RenameColumnRunner<M extends Migration<?>> {

  static final String CONTROL = "zdo control";

  private final TestDatabase db;
  private final OperationSupport<M> support;
  private final M migration;
  private final Target target;
  private Map<String, Object> facts = Map.of();
  private int reached;
  private Consumer<Step> before = step -> {};
  private final Connection c;

  RenameColumnRunner(TestDatabase db, OperationSupport<M> support, M migration) {
    this.db = db;
    this.support = support;
    this.migration = migration;
    this.target = new Target(migration.id(), migration.schema().orElse("public"), CONTROL);
    db.execute("CREATE SCHEMA IF NOT EXISTS \"" + CONTROL + "\"");
    try {
      // Closed with its database.
      this.c = db.dataSource().getConnection();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  RenameColumnRunner<M> beforeEach(Consumer<Step> hook) {
    this.before = hook;
    return this;
  }

  Map<String, Object> facts() {
    return facts;
  }

  /** As the engine does it: in a transaction that is rolled back. */
  void preflight() {
    preflight(1);
  }

  private void preflight(int phase) {
    try {
      c.setAutoCommit(false);
      facts = support.preflight(migration, target, phase, facts, c);
    } catch (SQLException e) {
      throw new IllegalStateException(e.getMessage(), e);
    } finally {
      rollback();
    }
  }

  /** Goes up or down, phase by phase. */
  void go(int phase) {
    while (reached < phase) {
      enter(reached + 1);
      run(steps(reached + 1, Direction.UP));
      reached++;
    }
    while (reached > phase) {
      run(steps(reached, Direction.DOWN));
      reached--;
    }
  }

  /** Notes that steps were run by hand. */
  void reached(int phase) {
    reached = phase;
  }

  /** Captures anew where the engine would. */
  void enter(int phase) {
    if (support.recaptures(phase)) {
      preflight(phase);
    }
  }

  List<Step> steps(int phase, Direction direction) {
    List<Step> steps = support.steps(migration, target, facts, phase, direction);
    assertThat(steps.stream().map(Step::name)).doesNotHaveDuplicates();
    assertThat(support.steps(migration, target, facts, phase, direction)).isEqualTo(steps);
    return steps;
  }

  void run(List<Step> steps) {
    for (Step step : steps) {
      before.accept(step);
      run(step);
    }
  }

  private void run(Step step) {
    try (Statement s = c.createStatement()) {
      if (step instanceof DdlStep ddl && !probe(ddl.done())) {
        c.setAutoCommit(false);
        for (String sql : ddl.sql()) {
          s.execute(sql);
        }
        c.commit();
        c.setAutoCommit(true);
        assertThat(probe(ddl.done())).as(step.name() + " is done").isTrue();
      } else if (step instanceof OnlineStep online && !probe(online.done())) {
        if (probe(online.broken())) {
          for (String sql : online.repair()) {
            s.execute(sql);
          }
        }
        s.execute(online.statement());
        assertThat(probe(online.done())).as(step.name() + " is done").isTrue();
      } else if (step instanceof BackfillStep backfill) {
        s.execute(
            "UPDATE "
                + backfill.scan().table()
                + " SET "
                + ((dev.zerodowntime.orchestrator.spi.RowChange.Assign) backfill.change()).set()
                + " WHERE "
                + backfill.scan().pending());
      } else if (step instanceof VerifyStep verify) {
        assertThat(ColumnFactsRows.query(c, verify.sql().get(0)))
            .as(step.name())
            .containsExactly(Map.of("count", 0L));
      }
    } catch (SQLException e) {
      rollback();
      throw new IllegalStateException(
          step.name() + ": " + e.getMessage() + "\n" + String.join(";\n", step.sql()), e);
    }
  }

  private boolean probe(Probe probe) throws SQLException {
    List<Map<String, Object>> rows = ColumnFactsRows.query(c, probe.sql());
    assertThat(rows).as(probe.sql()).hasSize(1);
    assertThat(rows.get(0).values()).as(probe.sql()).hasSize(1);
    return (Boolean) rows.get(0).values().iterator().next();
  }

  private void rollback() {
    try {
      if (!c.getAutoCommit()) {
        c.rollback();
        c.setAutoCommit(true);
      }
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }
}
