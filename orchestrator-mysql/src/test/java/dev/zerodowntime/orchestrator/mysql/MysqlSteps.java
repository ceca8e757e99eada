package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.Probe;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Runs an operation's steps as the engine does, as far as the server can tell the difference, and
 * checks what must hold of every step: one statement, whose probe says no before and yes after.
 */
final class MysqlSteps<M extends Migration<?>> {

  private final MysqlDatabase database;
  private final OperationSupport<M> support;
  private final M migration;
  private final Target target;
  private Map<String, Object> facts = Map.of();

  MysqlSteps(
      MysqlDatabase database, Function<MysqlVersion, OperationSupport<M>> support, M migration) {
    this.database = database;
    this.migration = migration;
    this.target = new Target(migration.id(), database.name(), database.name());
    try (Connection c = database.dataSource().getConnection()) {
      this.support = support.apply(MysqlVersion.of(c));
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  /** In a transaction that is rolled back, which leaves nothing. */
  MysqlSteps<M> preflight() throws SQLException {
    try (Connection c = database.dataSource().getConnection()) {
      return preflight(c);
    }
  }

  /** That of another phase, with what is known. */
  MysqlSteps<M> preflight(int phase) throws SQLException {
    try (Connection c = database.dataSource().getConnection()) {
      c.setAutoCommit(false);
      facts = support.preflight(migration, target, phase, facts, c);
      c.rollback();
    }
    return this;
  }

  MysqlSteps<M> preflight(Connection c) throws SQLException {
    c.setAutoCommit(false);
    List<List<String>> before = tables();
    try {
      facts = support.preflight(migration, target, 1, Map.of(), c);
      try (Statement s = c.createStatement();
          ResultSet left =
              s.executeQuery(
                  "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_NAME LIKE"
                      + " 'zdo_trial%'")) {
        left.next();
        assertThat(left.getInt(1)).isZero();
      }
    } finally {
      c.rollback();
      c.setAutoCommit(true);
    }
    assertThat(tables()).isEqualTo(before);
    return this;
  }

  private List<List<String>> tables() {
    return database.rows(
        "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() ORDER BY"
            + " 1");
  }

  MysqlSteps<M> preflightBack(int phase) throws SQLException {
    try (Connection c = database.dataSource().getConnection()) {
      c.setAutoCommit(false);
      support.preflightBack(migration, target, phase, facts, c);
      c.rollback();
    }
    return this;
  }

  Map<String, Object> facts() {
    return facts;
  }

  List<String> up(int phase) throws SQLException {
    return run(support.steps(migration, target, facts, phase, Direction.UP));
  }

  List<String> down(int phase) throws SQLException {
    preflightBack(phase);
    return run(support.steps(migration, target, facts, phase, Direction.DOWN));
  }

  /** Executes those steps of a movement that are not done yet, as the engine does; how many. */
  int toGo(int phase, Direction direction) throws SQLException {
    int executed = 0;
    for (Step step : support.steps(migration, target, facts, phase, direction)) {
      Probe done = ((DdlStep) step).done();
      if (!holds(done)) {
        // It gives way to others again and again: who waits for a row of somebody who waits for us
        // is a deadlock that no server sees.
        for (int i = 0; i < 60 && !holds(done); i++) {
          try {
            database.execute("SET SESSION lock_wait_timeout = 1", step.sql().get(0));
          } catch (IllegalStateException e) {
            SQLException why = (SQLException) e.getCause();
            if (MysqlErrors.classify(why) != SqlErrorKind.LOCK_TIMEOUT) {
              throw e;
            }
          }
        }
        assertThat(holds(done)).as("after: " + step).isTrue();
        executed++;
      }
    }
    return executed;
  }

  private List<String> run(List<Step> steps) throws SQLException {
    List<String> names = new ArrayList<>();
    for (Step step : steps) {
      names.add(step.name());
      if (step instanceof VerifyStep verify) {
        assertThat(database.rows(verify.sql().get(0)).toString())
            .as(verify.toString())
            .isEqualTo("[[0]]");
        continue;
      }
      Probe done =
          step instanceof DdlStep ddl
              ? ddl.done()
              : step instanceof OnlineStep online ? online.done() : Probes.NEVER;
      assertThat(step.sql()).hasSize(1);
      assertThat(holds(done)).as("before: " + step).isFalse();
      String sql = step.sql().get(0);
      if (sql.startsWith(MysqlLockBudget.UNCHECKED)) {
        database.execute("SET SESSION foreign_key_checks = 0", sql);
      } else {
        database.execute(sql);
      }
      assertThat(holds(done)).as("after: " + step).isTrue();
    }
    return names;
  }

  boolean holds(Probe probe) {
    return database.rows(probe.sql()).toString().equals("[[1]]");
  }

  String definition(String table) {
    return database.rows("SHOW CREATE TABLE " + Sql.quote(table)).get(0).get(1);
  }
}
