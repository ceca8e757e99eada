package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.AttachPartition;
import dev.zerodowntime.orchestrator.operation.DetachPartition;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.LockBudget;
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

/** Partitions that come and go, on a real server. */
@PostgresTest
class PostgresPartitionTest {

  private static final String ALL =
      "SELECT (SELECT jsonb_agg(to_jsonb(events) ORDER BY id) FROM events)::text";

  private final TestDatabase db;

  PostgresPartitionTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void events() {
    db.execute(
        "DROP SCHEMA IF EXISTS public, control CASCADE",
        "CREATE SCHEMA public",
        "CREATE TABLE events (id bigint, at date NOT NULL, n int CHECK (n > 0), PRIMARY KEY (id,"
            + " at)) PARTITION BY RANGE (at)",
        "CREATE UNIQUE INDEX events_n ON events (at, n DESC)",
        "CREATE INDEX events_lower ON events ((n % 7)) WHERE n > 3",
        "CREATE TABLE jan PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')",
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.n := NEW.n + 1;"
            + " RETURN NEW; END'",
        "CREATE TRIGGER touch BEFORE UPDATE ON events FOR EACH ROW EXECUTE FUNCTION touch()",
        "CREATE TABLE \"Feb\" (n int CONSTRAINT events_n_check CHECK (n > 0), gone int, at date NOT NULL, id bigint NOT NULL)",
        "ALTER TABLE \"Feb\" DROP COLUMN gone",
        "CREATE UNIQUE INDEX ON \"Feb\" (id)",
        "INSERT INTO \"Feb\" SELECT n, '2026-02-01'::date + n % 28, n FROM generate_series(1, 300)"
            + " n",
        "INSERT INTO events SELECT n, '2026-01-01'::date + n % 28, n FROM generate_series(1, 30)"
            + " n");
  }

  private StepRunner<AttachPartition> attach(String bound) {
    return new StepRunner<>(
        db,
        new PostgresAttachPartition(),
        AttachPartition.of("billing/attach").table("events").partition("Feb").bound(bound).build());
  }

  private StepRunner<AttachPartition> attach() {
    return attach("FOR VALUES FROM ('2026-02-01') TO (date '2026-02-28' + 1)");
  }

  private StepRunner<DetachPartition> detach(String table, String partition) {
    return new StepRunner<>(
        db,
        new PostgresDetachPartition(),
        DetachPartition.of("billing/detach").table(table).partition(partition).build());
  }

  private void withDefault() {
    db.execute(
        "CREATE TABLE rest PARTITION OF events DEFAULT",
        "INSERT INTO rest SELECT n, '2027-01-01'::date + n, n FROM generate_series(1, 100) n");
  }

  /** Everything about the tables that a way back must restore. */
  private List<List<Object>> catalog() {
    return db.rows(
        "SELECT 'c ' || conrelid::regclass || conname || pg_get_constraintdef(oid) || convalidated"
            + " FROM pg_constraint WHERE connamespace = 'public'::regnamespace UNION ALL SELECT 'i '"
            + " || pg_get_indexdef(indexrelid) || indisvalid FROM pg_index JOIN pg_class ON oid ="
            + " indexrelid WHERE relnamespace = 'public'::regnamespace UNION ALL SELECT 'h ' ||"
            + " inhrelid::regclass || inhparent::regclass || inhdetachpending FROM pg_inherits UNION"
            + " ALL SELECT 't ' || tgrelid::regclass || tgname FROM pg_trigger ORDER BY 1");
  }

  private void requireNothingIsRead(Step step) throws SQLException {
    List<String> said = new ArrayList<>();
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      c.setAutoCommit(false);
      s.execute("SET client_min_messages = debug1");
      s.execute(((DdlStep) step).sql().get(0));
      for (SQLWarning w = s.getWarnings(); w != null; w = w.getNextWarning()) {
        said.add(w.getMessage());
      }
      c.rollback();
    }
    assertThat(said)
        .anyMatch(each -> each.contains("is implied by existing constraints"))
        .noneMatch(each -> each.contains("verifying table"))
        .noneMatch(each -> each.contains("building index"));
  }

  private static Step named(StepRunner<?> run, int phase, Direction direction, String name) {
    return run.steps(phase, direction).stream()
        .filter(each -> each.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  /** With one that came since, the server would refuse to detach CONCURRENTLY. */
  @Test
  void theWayBackNamesADefaultPartitionThatCameSince() throws SQLException {
    StepRunner<AttachPartition> run = attach().preflight();
    run.up(AttachPartition.ENFORCE);
    run.preflight();
    run.up(AttachPartition.DONE);
    back(run);
    withDefault();
    assertThatThrownBy(() -> db.execute("ALTER TABLE events DETACH PARTITION \"Feb\" CONCURRENTLY"))
        .hasMessageContaining("concurrently");
    refusesBack(run, "\"rest\"", "CONCURRENTLY", "DETACH PARTITION \"public\".\"rest\"");
    db.execute("ALTER TABLE events DETACH PARTITION rest");
    back(run);
    run.rest(AttachPartition.DONE, Direction.DOWN);
    run.down(AttachPartition.ENFORCE);
  }

  @Test
  void theWayBackNamesADefaultPartitionThatIsGone() throws SQLException {
    withDefault();
    StepRunner<AttachPartition> run = attach().preflight();
    run.up(AttachPartition.ENFORCE);
    run.preflight();
    run.up(AttachPartition.DONE);
    back(run);
    db.execute("ALTER TABLE events DETACH PARTITION rest");
    refusesBack(run, "\"rest\"", "not there any more", "abandon");
    db.execute("CREATE TABLE rest2 PARTITION OF events DEFAULT");
    refusesBack(run, "\"rest2\"", "instead of \"public\".\"rest\"");
  }

  private void back(StepRunner<AttachPartition> run) throws SQLException {
    try (Connection c = db.dataSource().getConnection()) {
      run.support.preflightBack(run.migration, run.target, AttachPartition.DONE, run.facts, c);
    }
  }

  private void refusesBack(StepRunner<AttachPartition> run, String... parts) {
    assertThatThrownBy(() -> back(run))
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains(parts));
  }

  private void attachesAndDetaches() throws SQLException {
    List<List<Object>> before = catalog();
    StepRunner<AttachPartition> run = attach().preflight();
    run.up(AttachPartition.ENFORCE);
    assertThatThrownBy(() -> db.execute("INSERT INTO \"Feb\" VALUES (1, '2026-03-01', 1000)"))
        .hasMessageContaining("zdo_bound_");
    run.preflight();
    for (Step each : run.steps(AttachPartition.DONE, Direction.UP)) {
      if (each.name().equals("attach")) {
        requireNothingIsRead(each);
      }
      run.run(each);
    }
    assertThat(db.queryLong("SELECT count(*) FROM ONLY \"Feb\"")).isEqualTo(300);
    assertThat(
            db.queryLong(
                "SELECT count(*) FROM events WHERE at BETWEEN '2026-02-01' AND" + " '2026-02-28'"))
        .isEqualTo(300);
    assertThat(
            db.queryLong(
                "SELECT count(*) FROM pg_inherits h JOIN pg_index i ON i.indexrelid = inhrelid"
                    + " WHERE indrelid = '\"Feb\"'::regclass"))
        .isEqualTo(3);
    assertThat(run.leftovers()).isEmpty();
    run.rest(AttachPartition.DONE, Direction.DOWN);
    assertThatThrownBy(() -> db.execute("INSERT INTO \"Feb\" VALUES (1, '2026-03-01', 1000)"))
        .hasMessageContaining("zdo_bound_");
    run.rest(AttachPartition.ENFORCE, Direction.DOWN);
    assertThat(run.leftovers()).isEmpty();
    if (db.server().majorVersion() < 18) {
      assertThat(catalog()).isEqualTo(before);
    }
    // And again.
    run.preflight().rest(AttachPartition.ENFORCE, Direction.UP);
    run.rest(AttachPartition.DONE, Direction.UP);
  }

  @Test
  void attachesWithoutAReadAndGoesBack() throws SQLException {
    attachesAndDetaches();
  }

  @Test
  void aDefaultPartitionIsNotReadEither() throws SQLException {
    withDefault();
    attachesAndDetaches();
    assertThat(attachedNow()).isTrue();
  }

  private boolean attachedNow() {
    return db.queryOne(Probes.all(Probes.partition("events", "\"Feb\"")).sql());
  }

  @Test
  void rowsThatAreOutOfBoundsAreFoundFirst() throws SQLException {
    withDefault();
    db.execute(
        "INSERT INTO \"Feb\" VALUES (9, '2026-03-01', 901), (9, '2026-01-31', 902)",
        "INSERT INTO rest VALUES (9, '2026-02-03', 903)");
    StepRunner<AttachPartition> run = attach().preflight();
    for (String name : List.of("verify-rows", "verify-default")) {
      VerifyStep verify = (VerifyStep) named(run, AttachPartition.ENFORCE, Direction.UP, name);
      assertThat(run.count(verify.sql().get(0))).isEqualTo(name.equals("verify-rows") ? 2 : 1);
      assertThat(verify.scan().keys().get(0).name()).isEqualTo("\"id\"");
    }
  }

  @Test
  void detachesConcurrentlyAndAttachesAgainWithoutARead() throws SQLException {
    attach().preflight().up(AttachPartition.ENFORCE);
    StepRunner<AttachPartition> in = attach().preflight();
    in.up(AttachPartition.DONE);
    String all = db.queryOne(ALL);
    List<List<Object>> before = catalog();
    StepRunner<DetachPartition> run = detach("events", "Feb").preflight();
    // The server ends it itself here: the last step finds nothing to do.
    assertThat(run.rest(DetachPartition.DONE, Direction.UP))
        .containsExactly("add-bound-check", "validate-bound", "detach");
    assertThat(attachedNow()).isFalse();
    assertThat(run.leftovers()).hasSize(1).first().asString().contains("constraint zdo_bound_");
    requireNothingIsRead(named(run, DetachPartition.DONE, Direction.DOWN, "attach"));
    run.rest(DetachPartition.DONE, Direction.DOWN);
    assertThat(db.<String>queryOne(ALL)).isEqualTo(all);
    assertThat(catalog()).isEqualTo(before);
  }

  /** What is interrupted after its first transaction is ended by another statement. */
  @Test
  void anInterruptedDetachmentIsFinished() throws SQLException {
    StepRunner<DetachPartition> run = detach("events", "jan").preflight();
    List<Step> steps = run.steps(DetachPartition.DONE, Direction.UP);
    run.run(steps.get(0));
    run.run(steps.get(1));
    OnlineStep detach = (OnlineStep) steps.get(2);
    assertThat(detach.bounded()).isTrue();
    try (Connection reader = db.dataSource().getConnection();
        Statement reads = reader.createStatement();
        Connection mine = db.dataSource().getConnection();
        Statement s = mine.createStatement()) {
      reader.setAutoCommit(false);
      reads.execute("SELECT count(*) FROM events");
      new PostgresLongStatements().limit(mine, Duration.ofSeconds(2));
      assertThatThrownBy(() -> s.execute(detach.statement()))
          .satisfies(
              e ->
                  assertThat(PostgresErrors.classify((SQLException) e).name())
                      .isIn("LOCK_TIMEOUT", "CANCELLED"));
      assertThat(run.holds(detach.done())).isTrue();
      assertThatThrownBy(() -> detach("events", "jan").preflight())
          .hasMessageContaining("half detached")
          .hasMessageContaining("FINALIZE");
      assertThat(db.queryLong("SELECT count(*) FROM events")).isZero();
      assertThat(run.holds(((DdlStep) steps.get(3)).done())).isFalse();
      reader.commit();
    }
    assertThat(run.rest(DetachPartition.DONE, Direction.UP)).containsExactly("finalize");
    assertThat(db.queryLong("SELECT count(*) FROM jan")).isEqualTo(30);
  }

  private void references() {
    db.execute(
        "CREATE TABLE days (at date PRIMARY KEY)",
        "INSERT INTO days SELECT '2026-01-01'::date + i FROM generate_series(0, 700) i",
        "ALTER TABLE events ADD CONSTRAINT day FOREIGN KEY (at) REFERENCES days",
        "ALTER TABLE \"Feb\" ADD CONSTRAINT day FOREIGN KEY (at) REFERENCES days");
  }

  /** Says the server of each statement, while it is not committed; then it is undone. */
  private void requireDeclared(StepRunner<?> run, int phase, Direction direction)
      throws SQLException {
    for (Step each : run.steps(phase, direction)) {
      if (each instanceof OnlineStep online && run.holds(online.done())) {
        continue;
      }
      if (each instanceof DdlStep ddl) {
        if (run.holds(ddl.done())) {
          continue;
        }
        try (Connection c = db.dataSource().getConnection();
            Statement s = c.createStatement()) {
          c.setAutoCommit(false);
          LockBudget.Tables before = PostgresOwnLocks.tables(c);
          for (String sql : ddl.sql()) {
            s.execute(sql);
          }
          assertThat(PostgresOwnLocks.violation(c, ddl.locks(), false, before))
              .as(each.name())
              .isEmpty();
          c.rollback();
        }
      }
      run.run(each);
    }
  }

  /** What foreign keys point to is locked as well: declared, and before the partition. */
  @Test
  void whatForeignKeysPointToIsLockedFirst() throws SQLException {
    references();
    attach().preflight().up(AttachPartition.ENFORCE);
    StepRunner<AttachPartition> in = attach().preflight();
    requireDeclared(in, AttachPartition.DONE, Direction.UP);
    StepRunner<DetachPartition> out = detach("events", "Feb").preflight();
    requireDeclared(out, DetachPartition.DONE, Direction.UP);
    requireDeclared(out, DetachPartition.DONE, Direction.DOWN);
    assertThat(attachedNow()).isTrue();
    assertThat(named(out, DetachPartition.DONE, Direction.DOWN, "attach").sql().get(0))
        .isEqualTo("LOCK TABLE ONLY \"public\".\"days\" IN ACCESS EXCLUSIVE MODE");
    // Which waits for all statements that are under way, and must not be what they wait for.
    assertThat(named(out, DetachPartition.DONE, Direction.UP, "finalize").sql()).hasSize(1);
  }

  @Test
  void alsoWhereThereIsADefaultPartition() throws SQLException {
    references();
    withDefault();
    attach().preflight().up(AttachPartition.ENFORCE);
    StepRunner<AttachPartition> run = attach().preflight();
    requireDeclared(run, AttachPartition.DONE, Direction.UP);
    requireDeclared(run, AttachPartition.DONE, Direction.DOWN);
    assertThat(attachedNow()).isFalse();
  }

  /** To refer to a table is not to be allowed to lock it: then the statement locks it by itself. */
  @Test
  void whoMayNotLockWhatItRefersToStillAttaches() throws SQLException {
    references();
    db.execute(
        "DROP ROLE IF EXISTS zdo_owner",
        "CREATE ROLE zdo_owner",
        "GRANT USAGE, CREATE ON SCHEMA public TO zdo_owner",
        "GRANT REFERENCES, SELECT ON days TO zdo_owner",
        "ALTER TABLE events OWNER TO zdo_owner",
        "ALTER TABLE jan OWNER TO zdo_owner");
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      s.execute("SET ROLE zdo_owner");
      StepRunner<DetachPartition> run = detach("events", "jan").preflight(c);
      Step attach = named(run, DetachPartition.DONE, Direction.DOWN, "attach");
      assertThat(attach.sql()).hasSize(1);
      assertThat(((DdlStep) attach).locks().toString()).contains("\"days\"");
      s.execute("ALTER TABLE events DETACH PARTITION jan");
      s.execute(attach.sql().get(0));
    } finally {
      db.execute("DROP OWNED BY zdo_owner CASCADE", "DROP ROLE zdo_owner");
    }
  }

  /** Whoever only uses the partitioned table doesn't stand in the way of attaching one. */
  @Test
  void onlyWhoIsInTheWayIsWaitedFor() throws SQLException {
    withDefault();
    StepRunner<AttachPartition> run = attach().preflight();
    DdlStep attach = (DdlStep) named(run, AttachPartition.DONE, Direction.UP, "attach");
    for (String table : List.of("jan", "events", "rest", "\"Feb\"")) {
      try (Connection other = db.dataSource().getConnection();
          Connection mine = db.dataSource().getConnection();
          Statement s = other.createStatement()) {
        other.setAutoCommit(false);
        s.execute("LOCK TABLE ONLY " + table + " IN ROW EXCLUSIVE MODE");
        assertThat(new PostgresLockBudget().blockers(mine, attach, Duration.ofMillis(-1)))
            .as(table)
            .hasSize(table.equals("rest") || table.contains("Feb") ? 1 : 0);
      }
    }
  }

  private static void refused(StepRunner<? extends Migration<?>> run, String... parts) {
    assertThatThrownBy(run::preflight)
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains(parts));
  }

  @Test
  void badInputIsRefusedByName() {
    assertThatThrownBy(() -> attach("DEFAULT"))
        .isInstanceOf(DeclarationException.class)
        .hasMessageContaining("FOR VALUES");
    refused(attach("FOR VALUES FROM ('2026-01-31') TO ('2026-03-01')"), "would overlap", "\"jan\"");
    refused(attach("FOR VALUES IN (1)"), "invalid bound");
    refused(attach("FOR VALUES FROM ('x') TO ('y')"), "invalid input syntax");
    refused(detach("events", "Feb"), "is not a partition of \"public\".\"events\"", "jan");
    refused(detach("Feb", "jan"), "is not partitioned");
    db.execute("ALTER TABLE \"Feb\" DROP CONSTRAINT events_n_check");
    refused(attach(), "missing constraint \"events_n_check\"");
    db.execute("ALTER TABLE \"Feb\" ADD CONSTRAINT events_n_check CHECK (n > 0)");
    db.execute("ALTER TABLE \"Feb\" ALTER id DROP NOT NULL");
    refused(attach(), "NOT NULL");
    db.execute(
        "ALTER TABLE \"Feb\" ALTER id SET NOT NULL",
        "CREATE TRIGGER touch BEFORE UPDATE ON \"Feb\" FOR EACH ROW EXECUTE FUNCTION touch()");
    refused(attach(), "triggers", "touch");
  }

  @Test
  void foreignKeysAreRefusedByName() {
    db.execute(
        "CREATE TABLE ns (n int PRIMARY KEY)",
        "INSERT INTO ns SELECT generate_series(1, 1000)",
        "ALTER TABLE events ADD CONSTRAINT of_n FOREIGN KEY (n) REFERENCES ns");
    refused(attach(), "lacks the foreign key", "REFERENCES", "AddForeignKey");
    db.execute(
        "ALTER TABLE \"Feb\" ADD FOREIGN KEY (n) REFERENCES ns",
        "CREATE TABLE users (id bigint, at date, FOREIGN KEY (id, at) REFERENCES events)");
    refused(attach(), "users", "references \"public\".\"events\"");
    refused(detach("events", "jan"), "users", "references \"public\".\"events\"");
  }

  @Test
  void whatHasADefaultPartitionOrIsNoPlainTableIsRefused() {
    db.execute(
        "CREATE TABLE hashed (n int) PARTITION BY HASH (n)",
        "CREATE TABLE h1 PARTITION OF hashed FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
        "CREATE TABLE mar PARTITION OF events FOR VALUES FROM ('2026-03-01') TO ('2026-04-01')"
            + " PARTITION BY LIST (at)");
    refused(detach("hashed", "h1"), "partitioned by HASH (n)");
    refused(detach("events", "mar"), "partitioned itself");
    withDefault();
    refused(detach("events", "jan"), "default partition", "\"rest\"", "CONCURRENTLY");
  }
}
