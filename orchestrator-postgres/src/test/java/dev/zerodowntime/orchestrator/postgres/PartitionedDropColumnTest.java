package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.Step;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A column of a partitioned table goes, and comes back. */
@PostgresTest
@Timeout(120)
class PartitionedDropColumnTest {

  private final TestDatabase db;

  PartitionedDropColumnTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void events() {
    db.execute(
        "DROP SCHEMA IF EXISTS public, control CASCADE",
        "CREATE SCHEMA public",
        "CREATE TABLE countries (code text PRIMARY KEY)",
        "INSERT INTO countries VALUES ('de')",
        "CREATE TABLE events (id bigint, at int NOT NULL, n int NOT NULL CONSTRAINT n_positive"
            + " CHECK (coalesce(n, 0) > 0), c text DEFAULT 'de' REFERENCES countries, free text, PRIMARY KEY (id, at)) PARTITION"
            + " BY RANGE (at)",
        "COMMENT ON CONSTRAINT n_positive ON events IS 'more than none'",
        "CREATE INDEX events_n ON events (n)",
        "CREATE TABLE a PARTITION OF events FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE \"B b\" PARTITION OF events FOR VALUES FROM (10) TO (20) PARTITION BY HASH"
            + " (id)",
        // Its columns have other numbers.
        "CREATE TABLE b1 (free text, c text DEFAULT 'de', n int NOT NULL CONSTRAINT n_positive"
            + " CHECK (coalesce(n, 0) > 0), at int NOT NULL, id bigint NOT NULL)",
        "ALTER TABLE \"B b\" ATTACH PARTITION b1 FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
        "CREATE TABLE b2 PARTITION OF \"B b\" FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
        "INSERT INTO events SELECT n, n % 20, n FROM generate_series(1, 400) n");
  }

  private StepRunner<DropColumn> runner(String column, UnaryOperator<DropColumn.Builder> how) {
    return new StepRunner<>(
        db,
        new PostgresDropColumn(),
        how.apply(DropColumn.of("billing/drop").table("events").column(column)).build());
  }

  /** What the way back must restore. */
  private List<List<Object>> catalog() {
    return db.rows(
        "SELECT 'c ' || conrelid::regclass || ' ' || pg_get_constraintdef(oid) || convalidated ||"
            + " coninhcount || conislocal FROM pg_constraint WHERE conrelid IN (SELECT relid FROM"
            + " pg_partition_tree('events')) UNION ALL SELECT 'k ' || conname ||"
            + " obj_description(oid, 'pg_constraint') FROM pg_constraint WHERE"
            + " obj_description(oid, 'pg_constraint') <> '' AND conrelid <> 0 UNION ALL SELECT 'i '"
            + " || pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid IN (SELECT relid FROM"
            + " pg_partition_tree('events')) UNION ALL SELECT 'a ' || attrelid::regclass || ' ' ||"
            + " attname || attnotnull || coalesce(pg_get_expr(adbin, adrelid), '') FROM"
            + " pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE"
            + " attnum > 0 AND attrelid IN (SELECT relid FROM pg_partition_tree('events')) ORDER BY"
            + " 1");
  }

  @Test
  void whatRejectsOmissionsGoesAndComesBack() throws SQLException {
    List<List<Object>> before = catalog();
    StepRunner<DropColumn> run = runner("n", b -> b.fillBackWithSql("1 + id")).preflight();
    assertThat(run.up(DropColumn.RELAX)).containsExactly("relax-column");
    db.execute(
        "INSERT INTO events (id, at) SELECT 1000 + n, n % 20 FROM generate_series(1, 50) n",
        // One that came meanwhile.
        "CREATE TABLE c PARTITION OF events FOR VALUES FROM (20) TO (30)",
        "INSERT INTO events (id, at) VALUES (1, 25)");
    run.up(DropColumn.CONTRACT);
    db.execute("INSERT INTO b1 (id, at) SELECT id + 2000, at FROM b1 LIMIT 0");
    assertThat(run.down(DropColumn.CONTRACT)).containsExactly("restore-column");
    List<String> names = run.down(DropColumn.RELAX);
    assertThat(names).contains("fill-back", "restore-check n_positive", "set-not-null");
    assertThat(run.count("SELECT count(*) FROM events WHERE id > 1000 AND n = id + 1"))
        .isEqualTo(50);
    assertThat(run.count("SELECT count(*) FROM c WHERE n = 2")).isEqualTo(1);
    db.execute("DROP TABLE c");
    assertThat(catalog()).isEqualTo(before);
    assertThat(run.leftovers()).isEmpty();
  }

  @Test
  void theDefaultOfAForeignKeyGoesAndComesBack() throws SQLException {
    List<List<Object>> before = catalog();
    StepRunner<DropColumn> run = runner("c", b -> b).preflight();
    assertThat(run.up(DropColumn.RELAX)).containsExactly("relax-column");
    assertThat(run.down(DropColumn.RELAX)).containsExactly("restore-default");
    assertThat(catalog()).isEqualTo(before);
    run.up(DropColumn.RELAX);
    run.up(DropColumn.CONTRACT);
    Step purge = run.steps(DropColumn.PURGE, Direction.UP).get(0);
    assertThat(purge.locks().stream().map(each -> each.table()))
        .containsExactlyInAnyOrder(
            "\"public\".\"events\"",
            "\"public\".\"a\"",
            "\"public\".\"B b\"",
            "\"public\".\"b1\"",
            "\"public\".\"b2\"",
            "public.countries");
    // Partitions are looked up anew: days lie between.
    db.execute("CREATE TABLE c PARTITION OF events FOR VALUES FROM (20) TO (30)");
    assertThat(run.support.recaptures(DropColumn.PURGE)).isTrue();
    try (Connection c = db.dataSource().getConnection()) {
      run.facts = run.support.preflight(run.migration, run.target, DropColumn.PURGE, run.facts, c);
    }
    assertThat(run.steps(DropColumn.PURGE, Direction.UP).get(0).locks()).hasSize(7);
    long file = run.file("b1");
    assertThat(run.up(DropColumn.PURGE)).containsExactly("drop-column");
    assertThat(run.file("b1")).isEqualTo(file);
    assertThat(
            run.count(
                "SELECT count(*) FROM pg_attribute JOIN pg_class r ON r.oid = attrelid WHERE"
                    + " attnum > 0 AND NOT attisdropped AND (attname = 'c' OR attname LIKE 'zdo%')"
                    + " AND relnamespace = 'public'::regnamespace"))
        .isZero();
    assertThat(run.count("SELECT count(*) FROM events")).isEqualTo(400);
  }

  @Test
  void whatRejectsNothingIsRenamedEverywhere() throws SQLException {
    StepRunner<DropColumn> run = runner("free", b -> b).preflight();
    assertThat(run.up(DropColumn.RELAX)).isEmpty();
    run.up(DropColumn.CONTRACT);
    assertThat(
            run.count(
                "SELECT count(*) FROM pg_attribute JOIN pg_class r ON r.oid = attrelid WHERE attname"
                    + " LIKE 'zdo_old_%' AND relkind IN ('r', 'p')"))
        .isEqualTo(5);
    run.down(DropColumn.CONTRACT);
    assertThat(run.count("SELECT count(free) FROM b1")).isZero();
  }

  private void refused(String column, String... parts) {
    assertThatThrownBy(runner(column, b -> b)::preflight)
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains(parts));
  }

  @Test
  void badInputIsRefusedByName() throws SQLException {
    refused("at", "primary key");
    db.execute("ALTER TABLE events DROP CONSTRAINT events_pkey");
    refused("at", "partition key", "RANGE (at)");
    refused("id", "partition key", "HASH (id)");
    db.execute("CREATE TABLE halves (id int, x int) PARTITION BY LIST ((x % 2))");
    StepRunner<DropColumn> halves = runner("x", b -> b.table("halves"));
    assertThatThrownBy(halves::preflight).hasMessageContaining("partition key", "x % 2");
    events();
    own("ALTER TABLE b2 ADD CONSTRAINT own CHECK (free <> '')", "constraint own");
    own("CREATE INDEX own ON a (lower(free))", "index public.own");
    own("ALTER TABLE \"B b\" ALTER COLUMN free SET NOT NULL", "NOT NULL");
    own("ALTER TABLE b2 ALTER COLUMN free SET DEFAULT 'x'", "another default, 'x'");
    db.execute("CREATE VIEW seen AS SELECT free FROM b2");
    refused("free", "\"b2\"", "seen");
    StepRunner<DropColumn> run = runner("n", b -> b).preflight();
    db.execute("CREATE VIEW later AS SELECT n FROM b1");
    try (Connection c = db.dataSource().getConnection()) {
      assertThatThrownBy(
              () ->
                  run.support.preflight(
                      run.migration, run.target, DropColumn.CONTRACT, run.facts, c))
          .hasMessageContaining("later");
    }
    db.execute(
        "CREATE DOMAIN strict AS text NOT NULL",
        "CREATE TABLE typed (id int PRIMARY KEY, free strict) PARTITION BY RANGE (id)");
    StepRunner<DropColumn> typed = runner("free", b -> b.table("typed"));
    assertThatThrownBy(typed::preflight).hasMessageContaining("ALTER DOMAIN");
  }

  private void own(String sql, String part) {
    db.execute("UPDATE events SET free = 'f'", sql);
    refused("free", "something of its own on column \"free\"", part);
    events();
  }
}
