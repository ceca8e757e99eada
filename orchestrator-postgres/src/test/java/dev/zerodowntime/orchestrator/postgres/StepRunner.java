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
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Runs steps the way the engine does, as far as the server can tell the difference, and checks what
 * must hold for every step: the probe is false before and true after, the announced lock is the
 * strongest one taken.
 */
final class StepRunner<M extends Migration<?>> {

  static final Duration BUDGET = Duration.ofMillis(500);

  final TestDatabase db;
  final OperationSupport<M> support;
  final M migration;
  final Target target;
  Map<String, Object> facts = Map.of();

  /** Whether a shortcut was taken. */
  private boolean atOnce;

  StepRunner(TestDatabase db, OperationSupport<M> support, M migration) {
    this.db = db;
    this.support = support;
    this.migration = migration;
    this.target = new Target(migration.id(), migration.schema().orElse("public"), "control");
    db.execute("CREATE SCHEMA IF NOT EXISTS control");
  }

  /** In a transaction that is rolled back, as the contract says. */
  StepRunner<M> preflight() throws SQLException {
    try (Connection c = db.dataSource().getConnection()) {
      return preflight(c);
    }
  }

  StepRunner<M> preflight(Connection c) throws SQLException {
    c.setAutoCommit(false);
    try {
      facts = support.preflight(migration, target, 1, Map.of(), c);
      // Still usable: nothing the check tried out has spoilt the transaction.
      try (Statement s = c.createStatement()) {
        s.execute("SELECT 1");
      }
    } finally {
      c.rollback();
      c.setAutoCommit(true);
    }
    return this;
  }

  List<Step> steps(int phase, Direction direction) {
    List<Step> steps = support.steps(migration, target, facts, phase, direction);
    assertThat(steps.stream().map(Step::name)).doesNotHaveDuplicates();
    assertThat(support.steps(migration, target, facts, phase, direction)).isEqualTo(steps);
    return steps;
  }

  List<String> up(int phase) throws SQLException {
    return run(steps(phase, Direction.UP));
  }

  List<String> down(int phase) throws SQLException {
    return run(steps(phase, Direction.DOWN));
  }

  /** Only what the catalog doesn't show yet, as the engine does. */
  List<String> rest(int phase, Direction direction) throws SQLException {
    List<String> names = new ArrayList<>();
    for (Step step : steps(phase, direction)) {
      Probe done =
          step instanceof DdlStep ddl
              ? ddl.done()
              : step instanceof OnlineStep online ? online.done() : Probes.NEVER;
      if (!holds(done)) {
        run(step);
        names.add(step.name());
      }
    }
    return names;
  }

  /** All of them, but what a shortcut has done already. */
  List<String> run(List<Step> steps) throws SQLException {
    List<String> names = new ArrayList<>();
    for (Step step : steps) {
      Probe done =
          step instanceof DdlStep ddl
              ? ddl.done()
              : step instanceof OnlineStep online ? online.done() : Probes.NEVER;
      if (atOnce && !step.sql().isEmpty() && holds(done)) {
        continue;
      }
      run(step);
      names.add(step.name());
    }
    return names;
  }

  void run(Step step) throws SQLException {
    if (step instanceof DdlStep ddl) {
      ddl(ddl);
    } else if (step instanceof OnlineStep online) {
      assertThat(holds(online.done())).as(step.name() + " before").isFalse();
      try (Connection c = db.dataSource().getConnection();
          Statement s = c.createStatement()) {
        s.execute(online.statement());
      }
      assertThat(holds(online.done())).as(step.name() + " after").isTrue();
      assertThat(holds(online.broken())).isFalse();
    } else if (step instanceof BackfillStep backfill) {
      backfill(backfill);
    } else if (step instanceof VerifyStep verify) {
      assertThat(count(verify.sql().get(0))).isZero();
    }
  }

  private void ddl(DdlStep ddl) throws SQLException {
    if (!ddl.sql().isEmpty()) {
      assertThat(holds(ddl.done())).as(ddl.name() + " before").isFalse();
    }
    PostgresLockBudget budget = new PostgresLockBudget();
    try (Connection c = db.dataSource().getConnection()) {
      c.setAutoCommit(false);
      try (Statement s = c.createStatement()) {
        // Some are renamed or dropped by the very step.
        List<Long> tables = oids(s, ddl);
        List<Long> indexes = indexes(s, tables);
        budget.begin(c, ddl, BUDGET);
        boolean first = true;
        for (String sql : ddl.sql()) {
          budget.limit(c, BUDGET);
          s.execute(sql);
          if (first && ddl.onlyIf() != null && !holds(s, ddl.onlyIf())) {
            c.rollback();
            return;
          }
          first = false;
        }
        atOnce |= ddl.shortcut();
        assertThat(strongest(s, tables, indexes)).as(ddl.name()).isEqualTo(announced(ddl));
      }
      c.commit();
    }
    assertThat(holds(ddl.done())).as(ddl.name() + " after").isTrue();
  }

  private static boolean holds(Statement s, Probe probe) throws SQLException {
    try (ResultSet row = s.executeQuery(probe.sql())) {
      return row.next() && row.getBoolean(1);
    }
  }

  private static String announced(DdlStep ddl) {
    return ddl.sql().isEmpty() || ddl.tables().isEmpty() ? "" : LockMode.of(ddl.lock()).name();
  }

  private static List<Long> oids(Statement s, DdlStep ddl) throws SQLException {
    List<Long> oids = new ArrayList<>();
    for (String table : ddl.tables()) {
      try (ResultSet row = s.executeQuery("SELECT " + Sql.regclass(table) + "::oid::bigint")) {
        row.next();
        oids.add(row.getLong(1));
      }
    }
    return oids;
  }

  private static List<Long> indexes(Statement s, List<Long> tables) throws SQLException {
    List<Long> indexes = new ArrayList<>();
    for (long table : tables) {
      try (ResultSet row =
          s.executeQuery("SELECT indexrelid::bigint FROM pg_index WHERE indrelid = " + table)) {
        while (row.next()) {
          indexes.add(row.getLong(1));
        }
      }
    }
    return indexes;
  }

  /**
   * The strongest lock that the transaction holds on any of the tables the step names, or on an
   * index of it that was there before.
   */
  private static String strongest(Statement s, List<Long> tables, List<Long> indexes)
      throws SQLException {
    List<Long> relations = new ArrayList<>(tables);
    relations.addAll(indexes);
    return strongest(s, relations, "SELECT ");
  }

  private static String strongest(Statement s, List<Long> tables, String relations)
      throws SQLException {
    String best = "";
    for (long table : tables) {
      try (ResultSet row =
          s.executeQuery(
              "SELECT mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND"
                  + " relation IN ("
                  + relations
                  + table
                  + ")")) {
        while (row.next()) {
          String mode = row.getString(1).replace("Lock", "");
          for (LockMode each : LockMode.values()) {
            if (each.name().replace("_", "").equalsIgnoreCase(mode)
                && (best.isEmpty() || each.ordinal() > LockMode.valueOf(best).ordinal())) {
              best = each.name();
            }
          }
        }
      }
    }
    return best;
  }

  long backfill(BackfillStep step) throws SQLException {
    long done = BackfillWalk.run(db.dataSource(), step);
    if (step.mustFinish()) {
      assertThat(
              count(
                  "SELECT count(*) FROM "
                      + step.scan().table()
                      + " WHERE "
                      + step.scan().pending()))
          .isZero();
    }
    return done;
  }

  static List<String> key(Connection c, String sql, List<?> parameters) throws SQLException {
    try (PreparedStatement statement = c.prepareStatement(sql)) {
      bind(statement, parameters);
      try (ResultSet row = statement.executeQuery()) {
        if (!row.next()) {
          return null;
        }
        List<String> key = new ArrayList<>();
        for (int i = 1; i <= row.getMetaData().getColumnCount(); i++) {
          key.add(row.getString(i));
        }
        return key;
      }
    }
  }

  static void bind(PreparedStatement statement, List<?> parameters) throws SQLException {
    for (int i = 0; i < parameters.size(); i++) {
      statement.setObject(i + 1, parameters.get(i));
    }
  }

  boolean holds(Probe probe) {
    return db.queryOne(probe.sql());
  }

  long count(String sql) {
    return db.queryLong(sql);
  }

  /** The file of a table: another one after a rewrite. */
  long file(String table) {
    return db.queryLong("SELECT pg_relation_filenode(" + Sql.regclass(table) + ")");
  }

  /** Everything of ours that is left in the database. */
  Set<String> leftovers() {
    Set<String> left = new TreeSet<>();
    db.rows(
            "SELECT 'trigger ' || tgname FROM pg_trigger WHERE tgname LIKE '%zdo%' UNION ALL"
                + " SELECT 'function ' || proname FROM pg_proc WHERE proname LIKE '%zdo%' UNION ALL"
                + " SELECT 'constraint ' || conname FROM pg_constraint WHERE conname LIKE '%zdo%'"
                + " UNION ALL SELECT 'column ' || attname FROM pg_attribute WHERE attname LIKE"
                + " '%zdo%' AND attnum > 0")
        .forEach(row -> left.add((String) row.get(0)));
    return left;
  }
}
