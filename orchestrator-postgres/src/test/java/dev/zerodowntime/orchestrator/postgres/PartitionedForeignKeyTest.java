package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.AddForeignKey;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Foreign keys from partitioned tables, and to them. */
@PostgresTest
@Timeout(120)
class PartitionedForeignKeyTest {

  private final TestDatabase db;

  PartitionedForeignKeyTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void events() {
    db.execute(
        "DROP SCHEMA IF EXISTS public, control CASCADE",
        "CREATE SCHEMA public",
        "CREATE TABLE users (id int PRIMARY KEY, day int, event bigint)",
        "INSERT INTO users SELECT n, n % 20, n FROM generate_series(1, 500) n",
        "CREATE INDEX ON users (day, event)",
        "CREATE TABLE events (id bigint, at int NOT NULL, n int, PRIMARY KEY (at, id)) PARTITION BY"
            + " RANGE (at)",
        "CREATE INDEX ON events (n)",
        "CREATE TABLE a PARTITION OF events FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE \"B b\" PARTITION OF events FOR VALUES FROM (10) TO (20) PARTITION BY HASH"
            + " (id)",
        "CREATE TABLE b1 (n int, at int NOT NULL, id bigint NOT NULL)",
        "ALTER TABLE \"B b\" ATTACH PARTITION b1 FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
        "CREATE TABLE b2 PARTITION OF \"B b\" FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
        "INSERT INTO events SELECT n, n % 20, n FROM generate_series(1, 500) n");
  }

  private StepRunner<AddForeignKey> from() {
    return new StepRunner<>(
        db,
        new PostgresAddForeignKey(),
        AddForeignKey.of("billing/from")
            .table("events")
            .name("fk")
            .columns("n")
            .references("users", "id")
            .build());
  }

  private StepRunner<AddForeignKey> to() {
    return new StepRunner<>(
        db,
        new PostgresAddForeignKey(),
        AddForeignKey.of("billing/to")
            .table("users")
            .name("fk")
            .columns("day", "event")
            .references("events", "at", "id")
            .build());
  }

  private boolean perPartition() {
    return db.server().majorVersion() < 18;
  }

  private List<String> list(String sql) {
    return db.rows(sql).stream().map(row -> (String) row.get(0)).toList();
  }

  private List<String> keys(String condition) {
    return list(
        "SELECT conrelid::regclass::text FROM pg_constraint WHERE contype = 'f' AND "
            + condition
            + " ORDER BY 1");
  }

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

  @Test
  void fromAPartitionedTable() throws SQLException {
    StepRunner<AddForeignKey> run = from().preflight();
    List<String> added = run.up(AddForeignKey.ENFORCE);
    assertThat(added).hasSize(perPartition() ? 4 : 2).first().isEqualTo("verify-rows");
    for (String part :
        List.of("a (id, at, n) VALUES (1000, 5", "events (id, at, n) VALUES (4, 15")) {
      assertThatThrownBy(() -> db.execute("INSERT INTO " + part + ", 1001)"))
          .hasMessageContaining("foreign key");
    }
    assertThat(keys("convalidated")).isEmpty();
    List<Step> steps = run.steps(AddForeignKey.DONE, Direction.UP);
    for (Step each : steps) {
      if (each.name().startsWith("validate-foreign-key-")) {
        assertThat(said(each.sql().get(0))).hasSize(1).first().asString().startsWith("validating");
      }
    }
    assertThat(keys("convalidated")).hasSize(3);
    // What is valid is taken for a part: nothing is read.
    Step last = steps.get(steps.size() - 1);
    if (perPartition()) {
      run.run(last);
    } else {
      assertThat(said(last.sql().get(0))).noneMatch(each -> each.startsWith("validating"));
    }
    assertThat(keys("convalidated")).hasSize(5);
    assertThat(keys("conparentid <> 0")).hasSize(4);
    run.down(AddForeignKey.DONE);
    assertThat(run.rest(AddForeignKey.ENFORCE, Direction.DOWN)).containsExactly("drop-foreign-key");
    assertThat(keys("true")).isEmpty();
  }

  /** Whether rows are read to make the whole of valid parts. */
  @Test
  void theWholeReadsNoRowOfValidParts() throws SQLException {
    StepRunner<AddForeignKey> run = from().preflight();
    run.up(AddForeignKey.ENFORCE);
    run.steps(AddForeignKey.DONE, Direction.UP).stream()
        .filter(each -> each.name().startsWith("validate-foreign-key-"))
        .forEach(each -> db.execute(each.sql().get(0)));
    List<Step> steps = run.steps(AddForeignKey.DONE, Direction.UP);
    assertThat(said(steps.get(steps.size() - 1).sql().get(0)))
        .noneMatch(each -> each.startsWith("validating"));
    assertThat(keys("convalidated")).hasSize(5);
  }

  @Test
  void backFromTheMiddle() throws SQLException {
    StepRunner<AddForeignKey> run = from().preflight();
    run.up(AddForeignKey.ENFORCE);
    run.rest(AddForeignKey.ENFORCE, Direction.DOWN);
    assertThat(keys("true")).isEmpty();
    run.up(AddForeignKey.ENFORCE);
    run.rest(AddForeignKey.DONE, Direction.UP);
    run.down(AddForeignKey.DONE);
    assertThat(run.rest(AddForeignKey.DONE, Direction.UP)).isEmpty();
  }

  @Test
  void partitionsComeAndGoMeanwhile() throws SQLException {
    StepRunner<AddForeignKey> run = from().preflight();
    run.up(AddForeignKey.ENFORCE);
    db.execute("DROP TABLE a", "CREATE TABLE c PARTITION OF events FOR VALUES FROM (20) TO (30)");
    if (perPartition()) {
      DdlStep complete =
          (DdlStep)
              run.steps(AddForeignKey.DONE, Direction.UP).stream()
                  .filter(each -> each.name().equals("complete"))
                  .findFirst()
                  .orElseThrow();
      assertThat(run.holds(complete.done())).isFalse();
    }
    try (Connection c = db.dataSource().getConnection()) {
      run.facts =
          run.support.preflight(run.migration, run.target, AddForeignKey.DONE, run.facts, c);
    }
    run.rest(AddForeignKey.DONE, Direction.UP);
    assertThat(keys("convalidated")).containsExactly("\"B b\"", "b1", "b2", "c", "events");
    assertThat(run.support.recapturesOnFailure(AddForeignKey.DONE)).isTrue();
    assertThat(run.support.recapturesOnFailure(AddForeignKey.ENFORCE)).isFalse();
  }

  @Test
  void toAPartitionedTable() throws SQLException {
    StepRunner<AddForeignKey> run = to().preflight();
    assertThat(run.up(AddForeignKey.ENFORCE)).containsExactly("verify-rows", "add-foreign-key");
    assertThat(run.steps(AddForeignKey.ENFORCE, Direction.UP).get(1).locks()).hasSize(6);
    assertThatThrownBy(() -> db.execute("DELETE FROM b2")).hasMessageContaining("foreign key");
    assertThatThrownBy(() -> db.execute("INSERT INTO users VALUES (1000, 3, 1000)"))
        .hasMessageContaining("foreign key");
    assertThat(run.up(AddForeignKey.DONE)).containsExactly("validate-foreign-key");
    assertThat(keys("convalidated AND conparentid = 0")).containsExactly("users");
    run.down(AddForeignKey.DONE);
    assertThat(run.down(AddForeignKey.ENFORCE)).containsExactly("drop-foreign-key");
    assertThat(keys("true")).isEmpty();
  }

  @Test
  void orphansAreFoundInEveryPartition() throws SQLException {
    db.execute("UPDATE events SET n = 1000 + n WHERE id IN (3, 18, 19)");
    VerifyStep verify =
        (VerifyStep) from().preflight().steps(AddForeignKey.ENFORCE, Direction.UP).get(0);
    assertThat(db.queryLong(verify.sql().get(0))).isEqualTo(3);
    db.execute("DELETE FROM events WHERE id IN (4, 17)");
    verify = (VerifyStep) to().preflight().steps(AddForeignKey.ENFORCE, Direction.UP).get(0);
    assertThat(db.queryLong(verify.sql().get(0))).isEqualTo(2);
  }

  private void refused(String... parts) {
    assertThatThrownBy(from()::preflight)
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains(parts));
  }

  @Test
  void badInputIsRefusedByName() {
    db.execute("ALTER TABLE b2 ADD CONSTRAINT own FOREIGN KEY (n) REFERENCES users");
    refused("\"b2\"", "\"own\"", "drop that one");
    db.execute(
        "ALTER TABLE b2 DROP CONSTRAINT own",
        "ALTER TABLE \"B b\" ADD CONSTRAINT fk CHECK (n > 0)");
    refused("\"B b\"", "\"fk\"", "another name");
  }
}
