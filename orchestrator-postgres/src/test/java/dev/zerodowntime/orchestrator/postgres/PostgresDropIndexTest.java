package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.DropIndex;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.Step;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Dropping an index, on a real server. */
@PostgresTest
@Timeout(120)
class PostgresDropIndexTest {

  private final TestDatabase db;

  PostgresDropIndexTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void users() {
    db.execute(
        "DROP SCHEMA IF EXISTS public, control CASCADE",
        "CREATE SCHEMA public",
        "CREATE TABLE users (id bigint PRIMARY KEY, \"Key\" text NOT NULL, b int, u int UNIQUE)",
        "INSERT INTO users SELECT n, 'k' || n, n, n FROM generate_series(1, 500) n",
        "CREATE INDEX \"I x\" ON users USING btree (\"Key\" COLLATE \"C\" text_pattern_ops DESC"
            + " NULLS LAST, (b % 7), lower(\"Key\")) INCLUDE (id) WITH (fillfactor = 70) WHERE b >"
            + " 3 AND \"Key\" <> ' WHERE '",
        "COMMENT ON INDEX \"I x\" IS 'it''s \\ slow'",
        "ALTER INDEX \"I x\" ALTER COLUMN 2 SET STATISTICS 300",
        "ALTER INDEX \"I x\" ALTER COLUMN 3 SET STATISTICS 0");
  }

  private StepRunner<DropIndex> runner(UnaryOperator<DropIndex.Builder> how) {
    DropIndex.Builder builder = DropIndex.of("billing/drop").table("users").name("I x");
    return new StepRunner<>(db, new PostgresDropIndex(), how.apply(builder).build());
  }

  private String indexes() {
    return db.rows(
            "SELECT pg_get_indexdef(i.indexrelid), indisvalid, indisready, reltablespace::text,"
                + " obj_description(c.oid, 'pg_class'), (SELECT string_agg(attnum || '=' ||"
                + " attstattarget, ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = c.oid AND"
                + " attstattarget >= 0) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
                + " WHERE indrelid = 'users'::regclass ORDER BY 1")
        .toString();
  }

  @Test
  void upAndDownToExactlyTheSame() throws SQLException {
    String before = indexes();
    assertThat(before).contains("2=300,3=0", "it's \\ slow", "fillfactor");
    StepRunner<DropIndex> run = runner(b -> b).preflight();
    assertThat(run.up(DropIndex.DONE)).containsExactly("drop-index");
    assertThat(indexes()).doesNotContain("I x");
    assertThat(run.down(DropIndex.DONE))
        .containsExactly("rebuild-index", "statistics:2", "statistics:3", "comment");
    assertThat(indexes()).isEqualTo(before);
  }

  /** Where the session would put it otherwise makes no difference. */
  @Test
  void comesBackWhereItWas() throws SQLException {
    db.execute(
        "SET allow_in_place_tablespaces = on",
        "CREATE TABLESPACE \"Other disk\" LOCATION ''",
        "CREATE UNIQUE INDEX far ON users (b) TABLESPACE \"Other disk\" WHERE b > 10");
    try {
      for (String index : new String[] {"far", "I x"}) {
        String before = indexes();
        StepRunner<DropIndex> run = runner(b -> b.name(index)).preflight();
        run.up(DropIndex.DONE);
        OnlineStep rebuild = (OnlineStep) run.steps(DropIndex.DONE, Direction.DOWN).get(0);
        try (Connection c = db.dataSource().getConnection();
            Statement s = c.createStatement()) {
          s.execute("SET default_tablespace = \"Other disk\"");
          s.execute(rebuild.statement());
        }
        run.rest(DropIndex.DONE, Direction.DOWN);
        assertThat(indexes()).isEqualTo(before);
      }
    } finally {
      db.execute("DROP INDEX far", "DROP TABLESPACE \"Other disk\"");
    }
  }

  /** The locks on an index stop nobody who reads or writes the table. */
  @Test
  void whatIsSaidOfAnIndexLocksOnlyTheIndex() throws SQLException {
    StepRunner<DropIndex> run = runner(b -> b).preflight();
    run.up(DropIndex.DONE);
    for (Step step : run.steps(DropIndex.DONE, Direction.DOWN)) {
      if (step instanceof DdlStep ddl) {
        IndexLocks.requireOnlyIndex(db, ddl, "public.users", "public.\"I x\"");
      }
      run.run(step);
    }
  }

  /** A drop that is cut off leaves the index INVALID; the same statement goes on. */
  @Test
  void aDropThatWasCutOffGoesOnOrIsMended() throws Exception {
    String before = indexes();
    StepRunner<DropIndex> run = runner(b -> b).preflight();
    cutOff(run);
    assertThat(indexes()).contains(", false, ");
    assertThat(run.up(DropIndex.DONE)).containsExactly("drop-index");
    run.down(DropIndex.DONE);
    assertThat(indexes()).isEqualTo(before);

    run.preflight();
    cutOff(run);
    OnlineStep rebuild = (OnlineStep) run.steps(DropIndex.DONE, Direction.DOWN).get(0);
    assertThat(run.holds(rebuild.done())).isFalse();
    assertThat(run.holds(rebuild.broken())).isTrue();
    rebuild.repair().forEach(db::execute);
    run.down(DropIndex.DONE);
    assertThat(indexes()).isEqualTo(before);
  }

  private void cutOff(StepRunner<DropIndex> run) throws Exception {
    OnlineStep drop = (OnlineStep) run.steps(DropIndex.DONE, Direction.UP).get(0);
    try (Connection reader = db.dataSource().getConnection();
        Statement s = reader.createStatement()) {
      reader.setAutoCommit(false);
      s.execute("SELECT 1 FROM users LIMIT 1");
      IndexLocks.cutOff(db, drop.statement(), "wait_event_type = 'Lock'");
      reader.rollback();
    }
    assertThat(run.holds(drop.done())).isFalse();
  }

  @Test
  void withoutAUniqueIndexUpsertsFailAndDuplicatesComeIn() throws SQLException {
    db.execute("CREATE UNIQUE INDEX uq ON users (lower(\"Key\"))");
    StepRunner<DropIndex> run = runner(b -> b.name("uq")).preflight();
    String upsert = "INSERT INTO users VALUES (501, 'K7') ON CONFLICT (lower(\"Key\")) DO NOTHING";
    db.execute(upsert);
    run.up(DropIndex.DONE);
    assertThatThrownBy(() -> db.execute(upsert))
        .satisfies(e -> assertThat(e.toString() + e.getCause()).contains("ON CONFLICT"));
    db.execute("INSERT INTO users VALUES (501, 'K7')");
    OnlineStep rebuild = (OnlineStep) run.steps(DropIndex.DONE, Direction.DOWN).get(0);
    assertThatThrownBy(() -> db.execute(rebuild.statement()))
        .hasMessageContaining("=(k7) is duplicated");
    assertThat(run.holds(rebuild.broken())).isTrue();
    rebuild.repair().forEach(db::execute);
    db.execute("DELETE FROM users WHERE id = 501");
    run.down(DropIndex.DONE);
    db.execute(upsert);
  }

  @Test
  void whatWasOfNoUseIsNotBuiltAgain() throws SQLException {
    db.execute("UPDATE users SET b = 7 WHERE id = 8");
    assertThatThrownBy(() -> db.execute("CREATE UNIQUE INDEX CONCURRENTLY bad ON users (b)"))
        .hasMessageContaining("duplicated");
    StepRunner<DropIndex> run = runner(b -> b.name("bad")).preflight();
    run.up(DropIndex.DONE);
    assertThat(run.down(DropIndex.DONE)).isEmpty();
  }

  private void refused(UnaryOperator<DropIndex.Builder> how, String... parts) {
    assertThatThrownBy(() -> runner(how).preflight())
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains("billing/drop").contains(parts));
  }

  @Test
  void badInputIsRefusedByName() {
    db.execute(
        "CREATE TABLE parted (b int) PARTITION BY RANGE (b)",
        "CREATE INDEX parted_b ON parted (b)",
        "CREATE TABLE part PARTITION OF parted FOR VALUES FROM (1) TO (2)",
        "CREATE UNIQUE INDEX ref ON users (b)",
        "CREATE TABLE child (b int REFERENCES users (b))",
        "CREATE UNIQUE INDEX ident ON users (\"Key\")",
        "ALTER TABLE users REPLICA IDENTITY USING INDEX ident",
        "CREATE INDEX clust ON users (b)",
        "ALTER TABLE users CLUSTER ON clust",
        "CREATE TABLE ex (r int4range, EXCLUDE USING gist (r WITH &&))");
    refused(b -> b.name("i x"), "no index \"i x\"", "I x", "users_pkey");
    refused(b -> b.name("users"), "no index \"users\"");
    refused(b -> b.name("users_pkey"), "constraint \"users_pkey\"", "DropConstraint");
    refused(b -> b.name("users_u_key"), "constraint \"users_u_key\"", "DropConstraint");
    refused(b -> b.table("ex").name("ex_r_excl"), "constraint \"ex_r_excl\"", "DropConstraint");
    refused(b -> b.name("ref"), "needed by [constraint child_b_fkey on table public.child]");
    refused(b -> b.name("ident"), "replica identity");
    refused(b -> b.name("clust"), "clustered", "SET WITHOUT CLUSTER");
    refused(b -> b.table("parted").name("parted_b"), "partitioned table");
    refused(b -> b.table("part").name("part_b_idx"), "is a partition");
    db.execute(
        "CREATE EXTENSION IF NOT EXISTS plpgsql",
        "ALTER INDEX \"I x\" DEPENDS ON EXTENSION plpgsql");
    refused(b -> b, "comes or goes with [extension plpgsql]");
  }
}
