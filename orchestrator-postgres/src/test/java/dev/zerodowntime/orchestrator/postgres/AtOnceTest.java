package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Shortcut;
import dev.zerodowntime.orchestrator.operation.AddCheck;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.AddForeignKey;
import dev.zerodowntime.orchestrator.operation.AddPrimaryKey;
import dev.zerodowntime.orchestrator.operation.AddUnique;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.operation.SetNotNull;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.Step;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is done at once in a table without rows, and what is done if rows have come. */
@PostgresTest
class AtOnceTest {

  private final TestDatabase db;

  AtOnceTest(TestDatabase db) {
    this.db = db;
  }

  /** One operation, with the phase in which it may do more at once, and what that takes. */
  private record Case<M extends Migration<?>>(
      OperationSupport<M> support, M migration, int phase, String step, String lock) {

    StepRunner<M> runner(TestDatabase db) {
      return new StepRunner<>(db, support, migration);
    }

    int last() {
      return migration.lifecycle().last();
    }

    @Override
    public String toString() {
      return migration.lifecycle().operation();
    }
  }

  static List<Case<?>> cases() {
    return List.of(
        new Case<>(
            new PostgresSetNotNull(),
            SetNotNull.of("billing/a").table("drafts").column("My title").build(),
            SetNotNull.ENFORCE,
            "not-null-at-once",
            "ACCESS EXCLUSIVE"),
        new Case<>(
            new PostgresAddColumn(),
            AddColumn.of("billing/b")
                .table("drafts")
                .column("size", "int")
                .notNull()
                .fillWithSql("id * 2")
                .build(),
            AddColumn.ENFORCE,
            "not-null-at-once",
            "ACCESS EXCLUSIVE"),
        new Case<>(
            new PostgresCreateIndex(),
            CreateIndex.of("billing/c")
                .table("drafts")
                .name("by title")
                .columns("My title")
                .where("id > 0")
                .build(),
            CreateIndex.DONE,
            "create-index-at-once",
            "SHARE"),
        new Case<>(
            new PostgresAddUnique(),
            AddUnique.of("billing/d").table("drafts").name("one title").columns("My title").build(),
            AddUnique.ENFORCE,
            "create-index-at-once",
            "SHARE"),
        new Case<>(
            new PostgresAddPrimaryKey(),
            AddPrimaryKey.of("billing/e").table("keyless").name("its key").columns("id").build(),
            AddPrimaryKey.ENFORCE,
            "create-index-at-once",
            "SHARE"),
        new Case<>(
            new PostgresAddCheck(),
            AddCheck.of("billing/f")
                .table("drafts")
                .name("has title")
                .expression("\"My title\" <> ''")
                .build(),
            AddCheck.ENFORCE,
            "constraint-at-once",
            "ACCESS EXCLUSIVE"),
        new Case<>(
            new PostgresAddForeignKey(),
            AddForeignKey.of("billing/g")
                .table("drafts")
                .name("has author")
                .columns("author")
                .references("authors", "id")
                .withoutIndex()
                .build(),
            AddForeignKey.ENFORCE,
            "constraint-at-once",
            "SHARE ROW EXCLUSIVE"));
  }

  @BeforeEach
  void drafts() {
    db.execute(
        "DROP SCHEMA IF EXISTS public, control CASCADE",
        "CREATE SCHEMA public",
        "CREATE TABLE authors (id bigint PRIMARY KEY)",
        "INSERT INTO authors SELECT generate_series(1, 3000)",
        "CREATE TABLE drafts (id bigint PRIMARY KEY, \"My title\" text, author bigint)",
        "CREATE TABLE keyless (id bigint NOT NULL)");
  }

  /** More than one batch. */
  private void rows() {
    db.execute(
        "INSERT INTO drafts (id, \"My title\", author) SELECT n, 't' || n, n FROM"
            + " generate_series(1, 2500) n",
        "INSERT INTO keyless SELECT generate_series(1, 2500)");
  }

  private String definition() {
    return db.rows(
            "SELECT attrelid::regclass::text, attname::text, attnotnull FROM pg_attribute WHERE"
                + " attrelid IN ('drafts'::regclass, 'keyless'::regclass) AND attnum > 0 AND NOT"
                + " attisdropped AND attname NOT LIKE 'zdo%' ORDER BY 1, 2")
        + "\n"
        + db.rows(
            "SELECT conrelid::regclass::text, conname::text, convalidated, conislocal, condeferrable,"
                + " pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace ="
                + " 'public'::regnamespace ORDER BY 1, 2")
        + "\n"
        + db.rows(
            "SELECT pg_get_indexdef(indexrelid), indisvalid, indisready, indisunique, indisprimary"
                + " FROM pg_index WHERE indrelid IN ('drafts'::regclass, 'keyless'::regclass) ORDER"
                + " BY 1");
  }

  private static List<String> up(StepRunner<?> run, int from, int to) throws SQLException {
    List<String> names = new ArrayList<>();
    for (int phase = from; phase <= to; phase++) {
      names.addAll(run.up(phase));
    }
    return names;
  }

  private static void down(StepRunner<?> run, int from) throws SQLException {
    for (int phase = from; phase > 0; phase--) {
      run.rest(phase, Direction.DOWN);
    }
  }

  /** As if nobody had noticed that the table is empty. */
  private static void forget(StepRunner<?> run) {
    Map<String, Object> facts = new LinkedHashMap<>(run.facts);
    assertThat(facts.remove("emptyTable")).isNotNull();
    run.facts = facts;
  }

  private <M extends Migration<?>> List<Shortcut> shortcuts(Case<M> it, StepRunner<?> run) {
    return it.support().shortcuts(it.migration(), run.facts).stream()
        .filter(each -> each.kind() == Shortcut.Kind.EMPTY_TABLE)
        .toList();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void theEndIsTheSame(Case<?> it) throws SQLException {
    StepRunner<?> run = it.runner(db).preflight();
    String before = definition();
    forget(run);
    List<String> usual = up(run, 1, it.last());
    assertThat(usual).doesNotContain(it.step());
    String after = definition();
    assertThat(after).isNotEqualTo(before);
    down(run, it.last());
    assertThat(definition()).isEqualTo(before);
    drafts();

    StepRunner<?> atOnce = it.runner(db).preflight();
    assertThat(shortcuts(it, atOnce)).hasSize(1);
    up(atOnce, 1, it.phase() - 1);
    assertThat(atOnce.steps(it.phase(), Direction.UP).get(0))
        .isInstanceOfSatisfying(
            DdlStep.class,
            step -> {
              assertThat(step.name()).isEqualTo(it.step());
              assertThat(step.locks()).allMatch(each -> each.mode().equals(it.lock()));
            });
    assertThat(up(atOnce, it.phase(), it.last()))
        .startsWith(it.step())
        .doesNotContainAnyElementsOf(
            List.of("validate-check", "validate-not-null", "create-index", "set-not-null"));
    assertThat(definition()).isEqualTo(after);
    for (int phase = it.phase(); phase <= it.last(); phase++) {
      assertThat(atOnce.rest(phase, Direction.UP).stream().filter(each -> !each.startsWith("ver")))
          .isEmpty();
    }
    down(atOnce, it.last());
    assertThat(definition()).isEqualTo(before);
  }

  /** Between the moment when it was noted that there are none, and the step. */
  @ParameterizedTest
  @MethodSource("cases")
  void rowsThatComeMeanwhileAreLookedAfter(Case<?> it) throws SQLException {
    StepRunner<?> usual = it.runner(db).preflight();
    forget(usual);
    List<String> expected = up(usual, 1, it.last());
    String after = definition();
    drafts();

    StepRunner<?> run = it.runner(db).preflight();
    List<String> names = up(run, 1, it.phase() - 1);
    rows();
    run.run(
        run.steps(AddColumn.BACKFILL, Direction.UP).stream()
            .filter(each -> it.phase() == AddColumn.ENFORCE)
            .toList());
    String half = definition();
    Step first = run.steps(it.phase(), Direction.UP).get(0);
    run.run(first);
    assertThat(definition()).as("nothing is done under the lock").isEqualTo(half);
    names.addAll(up(run, it.phase(), it.last()));
    assertThat(names).containsAll(expected).contains(it.step());
    assertThat(definition()).isEqualTo(after);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void aTableWithRowsHasNoShortcut(Case<?> it) throws SQLException {
    rows();
    StepRunner<?> run = it.runner(db).preflight();
    assertThat(shortcuts(it, run)).isEmpty();
    assertThat(run.steps(it.phase(), Direction.UP))
        .extracting(Step::name)
        .doesNotContain(it.step());
  }

  /** Reading what is left of them would take long, and that under the lock. */
  @ParameterizedTest
  @MethodSource("cases")
  void nothingButDeadRowsIsNotEmptyEnough(Case<?> it) throws SQLException {
    StepRunner<?> run = it.runner(db).preflight();
    try (Connection old = db.dataSource().getConnection();
        Statement s = old.createStatement()) {
      // No vacuum may cut the files off.
      old.setAutoCommit(false);
      old.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      s.execute("SELECT 1");
      db.execute(
          "INSERT INTO drafts SELECT n, repeat('x', 900), 1 FROM generate_series(1, 2000) n",
          "INSERT INTO keyless SELECT generate_series(1, 60000)",
          "DELETE FROM drafts",
          "DELETE FROM keyless");
      String half = definition();
      assertThat(shortcuts(it, it.runner(db).preflight())).isEmpty();
      // Nor where it had been small when that was noted.
      if (it.phase() == 1) {
        run.run(run.steps(1, Direction.UP).get(0));
        assertThat(definition()).isEqualTo(half);
      }
      old.rollback();
    }
  }
}
