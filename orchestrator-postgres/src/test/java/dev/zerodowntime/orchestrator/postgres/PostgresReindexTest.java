package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.Reindex;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.Step;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Rebuilding indexes, on a real server. */
@PostgresTest
@Timeout(120)
class PostgresReindexTest {

  /** 61 bytes, the last but one half of an umlaut: the server's own names cut it short. */
  private static final String LONG = "it's \"" + "x".repeat(50) + "äöü'";

  private final TestDatabase db;

  PostgresReindexTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void users() {
    db.execute(
        "DROP SCHEMA IF EXISTS public, control CASCADE",
        "CREATE SCHEMA public",
        "CREATE TABLE users (id bigint PRIMARY KEY, b int, c text)",
        "INSERT INTO users SELECT n, n, 'c' || n FROM generate_series(1, 500) n",
        "CREATE UNIQUE INDEX " + Sql.quote(LONG) + " ON users (b)",
        "CREATE INDEX plain ON users (lower(c)) WHERE b > 3",
        "COMMENT ON INDEX plain IS 'kept'");
  }

  private StepRunner<Reindex> runner(UnaryOperator<Reindex.Builder> how) {
    Reindex.Builder builder = Reindex.of("billing/reindex").table("users");
    return new StepRunner<>(db, new PostgresReindex(), how.apply(builder).build());
  }

  private String indexes() {
    return db.rows(
            "SELECT pg_get_indexdef(i.indexrelid), indisvalid, indisready, indisprimary,"
                + " obj_description(c.oid, 'pg_class'), (SELECT conname FROM pg_constraint WHERE"
                + " conindid = c.oid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE"
                + " indrelid = 'users'::regclass ORDER BY 1")
        .toString();
  }

  private String identity(String index) {
    return db.rows("SELECT " + Probes.identity(Sql.regclass("public", index) + "::oid")).toString();
  }

  @Test
  void rebuildsEachAndKnowsIt() throws SQLException {
    String before = indexes();
    String plain = identity("plain");
    String pkey = identity("users_pkey");
    StepRunner<Reindex> run = runner(b -> b).preflight();
    assertThat(run.rest(Reindex.DONE, Direction.UP))
        .containsExactly("reindex:users_pkey", "reindex:" + LONG, "reindex:plain");
    assertThat(indexes()).isEqualTo(before);
    assertThat(identity("plain")).isNotEqualTo(plain);
    assertThat(identity("users_pkey")).isNotEqualTo(pkey);
    assertThat(run.rest(Reindex.DONE, Direction.UP)).as("once is enough").isEmpty();
    assertThat(run.down(Reindex.DONE)).isEmpty();
    // Who goes up again means it.
    assertThat(run.preflight().rest(Reindex.DONE, Direction.UP)).hasSize(3);
  }

  /** CONCURRENTLY gives the name another oid; without it, only another file. Either counts. */
  @Test
  void whatElseRebuildsItCountsAsWellAndNothingElseDoes() throws SQLException {
    StepRunner<Reindex> run = runner(b -> b.name("plain")).preflight();
    OnlineStep step = (OnlineStep) run.steps(Reindex.DONE, Direction.UP).get(0);
    assertThat(step.statement()).isEqualTo("REINDEX INDEX CONCURRENTLY \"public\".\"plain\"");
    db.execute(
        "UPDATE users SET c = c || 'x'",
        "VACUUM users",
        "ALTER INDEX plain SET (fillfactor = 50)",
        "ALTER INDEX plain RENAME TO other",
        "ALTER INDEX other RENAME TO plain");
    assertThat(run.holds(step.done())).isFalse();
    long oid = run.count("SELECT 'plain'::regclass::oid::bigint");
    db.execute("REINDEX INDEX plain");
    assertThat(run.count("SELECT 'plain'::regclass::oid::bigint")).isEqualTo(oid);
    assertThat(run.holds(step.done())).isTrue();
    run.preflight();
    db.execute("REINDEX INDEX CONCURRENTLY plain");
    assertThat(run.count("SELECT 'plain'::regclass::oid::bigint")).isNotEqualTo(oid);
    step = (OnlineStep) run.steps(Reindex.DONE, Direction.UP).get(0);
    assertThat(run.holds(step.done())).isTrue();
    run.preflight();
    db.execute("VACUUM FULL users");
    step = (OnlineStep) run.steps(Reindex.DONE, Direction.UP).get(0);
    assertThat(run.holds(step.done())).isTrue();
  }

  /**
   * Holds the table, and nothing else: a SELECT sent by the driver keeps its snapshot until the
   * transaction's next statement, and would be waited for before the swap already.
   */
  private static final String READER = "LOCK TABLE users IN ACCESS SHARE MODE";

  private void cutOff(String index, String with, String label) throws Exception {
    try (Connection other = db.dataSource().getConnection();
        Statement s = other.createStatement()) {
      other.setAutoCommit(false);
      s.execute(with);
      IndexLocks.cutOff(
          db,
          "REINDEX INDEX CONCURRENTLY public." + Sql.quote(index),
          "a.wait_event_type = 'Lock' AND "
              + Sql.regclass("public", PostgresReindex.leftover(index, label))
              + " IS NOT NULL");
      other.rollback();
    }
  }

  private boolean exists(String name) {
    return db.queryOne("SELECT " + Sql.regclass("public", name) + " IS NOT NULL");
  }

  private boolean valid(String name) {
    return db.queryOne(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = " + Sql.regclass("public", name));
  }

  /** Before the swap the leftover is the new one, and nothing has happened. */
  @Test
  void aRunThatDiedBeforeTheSwapBeginsAgain() throws Exception {
    for (String index : new String[] {LONG, "users_pkey"}) {
      String before = indexes();
      StepRunner<Reindex> run = runner(b -> b.name(index)).preflight();
      String was = identity(index);
      cutOff(index, "UPDATE users SET b = b WHERE id = 1", "_ccnew");
      String fresh = PostgresReindex.leftover(index, "_ccnew");
      assertThat(exists(fresh)).as(fresh).isTrue();
      assertThat(valid(fresh)).isFalse();
      assertThat(valid(index)).isTrue();
      assertThat(identity(index)).isEqualTo(was);

      OnlineStep step = (OnlineStep) run.steps(Reindex.DONE, Direction.UP).get(0);
      assertThat(run.holds(step.done())).isFalse();
      assertThat(run.holds(step.broken())).isTrue();
      step.repair().forEach(db::execute);
      assertThat(run.holds(step.broken())).isFalse();
      assertThat(indexes()).isEqualTo(before);
      assertThat(run.rest(Reindex.DONE, Direction.UP)).containsExactly("reindex:" + index);
      assertThat(indexes()).isEqualTo(before);
    }
  }

  /** After the swap the leftover is the old one, and only that is left to do. */
  @Test
  void aRunThatDiedAfterTheSwapHasRebuiltIt() throws Exception {
    for (String index : new String[] {LONG, "users_pkey"}) {
      String before = indexes();
      StepRunner<Reindex> run = runner(b -> b.name(index)).preflight();
      String was = identity(index);
      // Waited for only at the end.
      cutOff(index, READER, "_ccold");
      String old = PostgresReindex.leftover(index, "_ccold");
      assertThat(exists(old)).as(old).isTrue();
      assertThat(valid(old)).isFalse();
      assertThat(valid(index)).isTrue();
      assertThat(identity(index)).isNotEqualTo(was);
      assertThat(identity(old)).as("it is the old one").isEqualTo(was);

      OnlineStep step = (OnlineStep) run.steps(Reindex.DONE, Direction.UP).get(0);
      assertThat(run.holds(step.done())).isTrue();
      assertThat(run.rest(Reindex.DONE, Direction.UP)).containsExactly("drop-old:" + index);
      assertThat(indexes()).isEqualTo(before);
    }
  }

  /** Several, from before anybody declared anything; and one that only looks like them stays. */
  @Test
  void leftoversOfOthersAreFoundAndDroppedFirst() throws Exception {
    db.execute("CREATE INDEX other_ccnew ON users (b)");
    String before = indexes();
    cutOff("plain", "UPDATE users SET b = b WHERE id = 1", "_ccnew");
    cutOff("plain", "UPDATE users SET b = b WHERE id = 1", "_ccnew");
    cutOff("plain", READER, "_ccold");
    StepRunner<Reindex> run = runner(b -> b).preflight();
    assertThat(run.rest(Reindex.DONE, Direction.UP))
        .containsExactly(
            "drop-leftover:plain_ccnew",
            "drop-leftover:plain_ccnew1",
            "drop-leftover:plain_ccold",
            "reindex:users_pkey",
            "reindex:" + LONG,
            "reindex:other_ccnew",
            "reindex:plain");
    assertThat(indexes()).isEqualTo(before);
  }

  @Test
  void anInvalidIndexBecomesWhole() throws SQLException {
    db.execute("DROP INDEX " + Sql.quote(LONG), "UPDATE users SET b = 7 WHERE id = 8");
    assertThatThrownBy(() -> db.execute("CREATE UNIQUE INDEX CONCURRENTLY u ON users (b)"))
        .hasMessageContaining("duplicated");
    StepRunner<Reindex> run = runner(b -> b.name("u")).preflight();
    Step step = run.steps(Reindex.DONE, Direction.UP).get(0);
    assertThatThrownBy(() -> db.execute(step.sql().get(0))).hasMessageContaining("duplicated");
    assertThat(run.holds(((OnlineStep) step).broken())).isTrue();
    ((OnlineStep) step).repair().forEach(db::execute);
    db.execute("UPDATE users SET b = 8 WHERE id = 8");
    run.run(step);
    assertThat(valid("u")).isTrue();
  }

  private void refused(UnaryOperator<Reindex.Builder> how, String... parts) {
    assertThatThrownBy(() -> runner(how).preflight())
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains("billing/reindex").contains(parts));
  }

  @Test
  void badInputIsRefusedByName() {
    db.execute(
        "CREATE TABLE parted (b int) PARTITION BY RANGE (b)",
        "CREATE INDEX parted_b ON parted (b)",
        "CREATE TABLE bare (b int)",
        "CREATE TABLE ex (b int, r int4range, EXCLUDE USING gist (r WITH &&))",
        "CREATE INDEX ex_b ON ex (b)");
    refused(b -> b.name("Plain"), "no index \"Plain\"", "plain");
    refused(b -> b.table("bare"), "has no index");
    refused(b -> b.table("parted"), "partitioned table");
    refused(b -> b.table("ex"), "[ex_r_excl]", "exclusion", "name(...)");
    refused(b -> b.table("ex").name("ex_r_excl"), "[ex_r_excl]", "exclusion");
    db.execute("CREATE INDEX plain_ccnew ON users (lower(c)) WHERE b > 3");
    refused(b -> b.name("plain"), "\"plain_ccnew\"", "not what a killed run");
    db.execute("DROP INDEX plain_ccnew", "CREATE TABLE plain_ccold (id int)");
    refused(b -> b.name("plain"), "\"plain_ccold\"", "Rename it");
  }
}
