package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.MigrationPlan;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.StepFunction;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.operation.PhasePlan;
import dev.zerodowntime.orchestrator.operation.PlanPhase;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.ds.PGSimpleDataSource;

/** Plans of an author's own: who carries them out, and what the server says to them. */
@PostgresTest
@Timeout(120)
class PhasePlanTest {

  private enum Code implements CodeStage {
    OLD,
    NEW
  }

  private static final String ID = "billing/plan";
  private static final String ADD = "ALTER TABLE users ADD a int";
  private static final String HAS_A =
      "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('users') AND attname ="
          + " 'a' AND NOT attisdropped)";

  private TestDatabase database;

  @BeforeEach
  void createDatabase() {
    database = TestDatabase.create("plan");
    database.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(20), other_id bigint)",
        "INSERT INTO users SELECT i, 'n' || i, 1 FROM generate_series(1, 2500) i",
        "CREATE TABLE others (id bigint PRIMARY KEY)",
        "INSERT INTO others VALUES (1)");
    Members.install(database.dataSource());
  }

  @AfterEach
  void dropDatabase() {
    database.close();
  }

  private static PhasePlan<Code> plan(Consumer<PlanPhase.Builder> steps) {
    return PhasePlan.of(ID, Code.class)
        .table("users")
        .phase("EXPAND", steps)
        .stage(Code.OLD, "NOT_STARTED", "EXPAND")
        .stage(Code.NEW, "EXPAND", "EXPAND")
        .build();
  }

  private static PhasePlan<Code> sql(String... approvals) {
    return PhasePlan.of(ID, Code.class)
        .table("users")
        .phase("EXPAND", p -> p.ddl("add a", ADD).probe(HAS_A).undo("ALTER TABLE users DROP a"))
        .phase(
            "BACKFILL",
            p -> p.backfill("fill a", rows -> rows.set("a", "id * 2")).verify("all", "a IS NULL"))
        .phase(
            "INDEX",
            p ->
                p.online("index a", "CREATE UNIQUE INDEX CONCURRENTLY users_a ON users (a)")
                    // Says nothing of whether it is whole: that is known.
                    .probe("SELECT to_regclass('users_a') IS NOT NULL")
                    .undo("DROP INDEX CONCURRENTLY users_a"))
        .stage(Code.OLD, "NOT_STARTED", "INDEX")
        .stage(Code.NEW, "BACKFILL", "INDEX")
        .approvalBefore(approvals)
        .build();
  }

  private OrchestratorBuilder member(PhasePlan<Code> plan) {
    return Members.member(database.dataSource(), "1")
        .timing(Members::patient)
        .thisBuild(plan, Code.OLD);
  }

  private Orchestrator job() {
    return Members.driver(database.dataSource()).timing(Members::patient).build();
  }

  /** Declares a plan, by a build that then is gone. */
  private void declared(PhasePlan<Code> plan) {
    try (Orchestrator declaring = member(plan).role(Role.MEMBER).build()) {
      assertThat(declaring.advance().admitted()).isTrue();
    }
  }

  /** As of any operation, though a plan's stages are its author's. */
  @Test
  void codeIsToldItsStage() {
    PhasePlan<Code> plan = sql();
    try (Orchestrator build = member(plan).role(Role.MEMBER).build()) {
      build.advance();
      assertThat(build.stage(plan)).isEqualTo(Code.OLD);
    }
  }

  private static MigrationReport of(Orchestrator orchestrator) {
    return orchestrator.drive().migrations().get(0);
  }

  private String failure(PhasePlan<Code> plan) {
    try (Orchestrator member = member(plan).build()) {
      member.advance();
      MigrationReport report = of(member);
      assertThat(report.status()).as(report.toString()).isEqualTo(MigrationStatus.FAILED);
      return String.valueOf(report.lastError());
    }
  }

  @Test
  void aDriverThatDoesNotDeclareItCarriesOutSql() {
    declared(sql());
    try (Orchestrator job = job()) {
      assertThat(of(job).phase()).isEqualTo("INDEX");
      assertThat(database.queryLong("SELECT count(*) FROM users WHERE a = id * 2")).isEqualTo(2500);
      job.rollback(ID);
      assertThat(of(job).phase()).isEqualTo("NOT_STARTED");
      assertThat(
              database.queryLong(
                  "SELECT count(*) FROM pg_attribute WHERE attrelid ="
                      + " 'users'::regclass AND attname = 'a'"))
          .isZero();
    }
  }

  @Test
  void planShowsAllPhasesBeforeTheirRowsAreKnown() {
    try (Orchestrator member = member(sql()).build()) {
      MigrationPlan plan = member.plan().get(0);
      assertThat(plan.toString())
          .contains(ADD, "DROP a", "INDEX CONCURRENTLY users_a", "\"a\" = (id * 2)", "a IS NULL")
          .contains("ACCESS EXCLUSIVE on \"public\".\"users\"");
    }
  }

  /** The SQL of its rows is complete only when a phase is about to be entered. */
  @Test
  void phasesWaitForApproval() {
    declared(sql("BACKFILL", "INDEX"));
    try (Orchestrator job = job()) {
      assertThat(of(job).phase()).isEqualTo("EXPAND");
      job.approve(ID, "BACKFILL");
      assertThat(of(job).phase()).isEqualTo("EXPAND");
      job.approve(ID, "BACKFILL");
      assertThat(of(job).phase()).isEqualTo("BACKFILL");
      job.approve(ID, "INDEX");
      assertThat(of(job).phase()).isEqualTo("INDEX");
    }
  }

  /** A driver died while it was built; what is left goes with the way back. */
  @Test
  void aBrokenIndexIsTakenBackToo() {
    declared(sql());
    try (Orchestrator job = job()) {
      assertThat(of(job).phase()).isEqualTo("INDEX");
      database.execute(
          "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'users_a'::regclass");
      job.rollback(ID, "BACKFILL");
      assertThat(of(job).phase()).isEqualTo("BACKFILL");
      assertThat(database.rows("SELECT 1 FROM pg_class WHERE relname = 'users_a'")).isEmpty();
    }
  }

  /** What an attempt at an index leaves is known without being told. */
  @Test
  void aBrokenIndexIsRemovedAndBuiltAgain() {
    declared(sql());
    try (Orchestrator job = job()) {
      assertThat(of(job).phase()).isEqualTo("INDEX");
      job.rollback(ID, "BACKFILL");
      assertThat(of(job).phase()).isEqualTo("BACKFILL");
      database.execute("UPDATE users SET a = 4 WHERE id IN (2, 3)");
      job.resume(ID);
      MigrationReport report = of(job);
      assertThat(report.status()).isEqualTo(MigrationStatus.FAILED);
      assertThat(report.lastError()).contains("index a", "users_a");
      assertThat(database.rows("SELECT 1 FROM pg_class WHERE relname = 'users_a'")).isEmpty();
      database.execute("UPDATE users SET a = id * 2");
      job.resume(ID);
      assertThat(of(job).phase()).isEqualTo("INDEX");
    }
  }

  @Test
  void aRowThatIsWrongStopsIt() {
    PhasePlan<Code> plan = plan(p -> p.verify("short names", "length(users.name) > 4"));
    assertThat(failure(plan)).contains("short names", "no row may be wrong", "1501 rows");
    database.execute("UPDATE users SET name = 'n'");
    try (Orchestrator job = job()) {
      job.resume(ID);
      assertThat(of(job).phase()).isEqualTo("EXPAND");
    }
  }

  private static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private static PhasePlan<Code> java(StepFunction up) {
    return plan(p -> p.java("call", up).undo(c -> execute(c, "DELETE FROM others WHERE id = 7")));
  }

  @Test
  void aDriverWithoutTheCodeHandsOver() {
    PhasePlan<Code> plan = java(c -> execute(c, "INSERT INTO others VALUES (7)"));
    declared(plan);
    try (Orchestrator job = job()) {
      assertThat(FleetFixture.waits(of(job), Wait.Kind.LEASE))
          .contains("step call", "Java code that this build doesn't have", ID);
      assertThat(database.queryLong("SELECT count(*) FROM orchestrator.lease WHERE token IS NULL"))
          .isEqualTo(1);
      try (Orchestrator member = member(plan).build()) {
        member.advance();
        assertThat(of(member).phase()).isEqualTo("EXPAND");
        assertThat(database.queryLong("SELECT count(*) FROM others WHERE id = 7")).isEqualTo(1);
        member.rollback(ID);
        assertThat(of(member).phase()).isEqualTo("NOT_STARTED");
        assertThat(database.queryLong("SELECT count(*) FROM others WHERE id = 7")).isZero();
      }
    }
  }

  @Test
  void codeThatFailsHasDoneNothing() {
    assertThat(
            failure(
                java(
                    c -> {
                      execute(c, "INSERT INTO others VALUES (7)");
                      throw new IllegalStateException("no more");
                    })))
        .contains("step call", "IllegalStateException: no more", "resume");
    assertThat(database.queryLong("SELECT count(*) FROM others")).isEqualTo(1);
  }

  @Test
  void codeCanNotEndItsTransaction() {
    assertThat(failure(java(Connection::commit))).contains("must not call commit");
    try (Orchestrator job = job()) {
      assertThat(of(job).phase()).isEqualTo("NOT_STARTED");
    }
  }

  @Test
  void codeMayLockNoTable() {
    assertThat(failure(java(c -> execute(c, "LOCK TABLE others IN SHARE MODE"))))
        .contains("it took SHARE on \"public\".\"others\"", "declares no lock on that table");
  }

  private static PhasePlan<Code> ddl(String sql, Consumer<PlanPhase.Builder> more) {
    return plan(
        p -> {
          p.ddl("step", sql).probe(HAS_A).undoNothing();
          more.accept(p);
        });
  }

  private void untouched() {
    assertThat(database.rows(HAS_A).toString()).isEqualTo("[[false]]");
  }

  /** The text doesn't say what it calls. */
  @Test
  void aLockThatIsNotDeclaredRollsTheStepBack() {
    database.execute(
        "CREATE FUNCTION sly() RETURNS int LANGUAGE plpgsql AS 'BEGIN LOCK TABLE others IN EXCLUSIVE"
            + " MODE; RETURN 1; END'");
    String sly = ADD + " DEFAULT sly()";
    assertThat(failure(ddl(sly, p -> p.override("volatile-default", "a test"))))
        .contains("it took EXCLUSIVE on \"public\".\"others\"", "rolled back");
    untouched();
  }

  @Test
  void aLockThatIsStrongerThanDeclaredRollsTheStepBack() {
    assertThat(failure(ddl(ADD, p -> p.locks("SHARE ROW EXCLUSIVE", "users"))))
        .contains(
            "it took ACCESS EXCLUSIVE on \"public\".\"users\"", "declares SHARE ROW EXCLUSIVE");
    untouched();
  }

  /** What rewrites it is a function of a domain's default, of which the text says nothing. */
  @Test
  void aTableThatIsRewrittenRollsTheStepBack() {
    database.execute("CREATE DOMAIN chance AS int DEFAULT (random() * 1000000)::int");
    String sql = "ALTER TABLE users ADD a chance";
    assertThat(failure(ddl(sql, p -> {}))).contains("it rewrote \"public\".\"users\"");
    untouched();
    PhasePlan<Code> allowed =
        PhasePlan.of("billing/allowed", Code.class)
            .table("others")
            .phase(
                "EXPAND",
                p ->
                    p.ddl("step", sql.replace("users", "others"))
                        .probe(HAS_A.replace("users", "others"))
                        .undoNothing()
                        .override("table-rewrite", "it has one row"))
            .stage(Code.OLD, "NOT_STARTED", "EXPAND")
            .stage(Code.NEW, "EXPAND", "EXPAND")
            .build();
    try (Orchestrator member =
        Members.member(database.dataSource(), "2")
            .timing(Members::patient)
            .thisBuild(allowed, Code.OLD)
            .build()) {
      member.advance();
      member.drive();
      assertThat(member.plan().toString()).contains("OVERRIDES rule table-rewrite: it has one row");
    }
    assertThat(
            database.queryLong(
                "SELECT count(*) FROM orchestrator.event WHERE kind = 'STEP' AND outcome ="
                    + " 'APPLIED' AND detail LIKE '%OVERRIDES rule table-rewrite: it has one row'"))
        .isEqualTo(1);
  }

  /** What the text says of foreign keys, indexes and triggers is what the server says. */
  @Test
  void locksAreReadFromTheText() {
    database.execute(
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'");
    PhasePlan<Code> plan =
        plan(
            p ->
                p.ddl("table", "CREATE TABLE made (id int, o bigint REFERENCES others)")
                    .probe("SELECT to_regclass('made') IS NOT NULL")
                    .undo("DROP TABLE made")
                    .undoLocks("ACCESS EXCLUSIVE", "made", "others")
                    .ddl(
                        "key",
                        "ALTER TABLE ONLY users ADD CONSTRAINT k FOREIGN KEY (other_id) REFERENCES"
                            + " others NOT VALID")
                    .probe("SELECT EXISTS (SELECT FROM pg_constraint WHERE conname = 'k')")
                    .undo("ALTER TABLE users DROP CONSTRAINT k")
                    .undoLocks("ACCESS EXCLUSIVE", "users", "others")
                    .ddl(
                        "trigger",
                        "CREATE TRIGGER t BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION f()")
                    .probe("SELECT EXISTS (SELECT FROM pg_trigger WHERE tgname = 't')")
                    .undo("DROP TRIGGER t ON users")
                    .ddl("view", "CREATE VIEW v AS SELECT id FROM users")
                    .probe("SELECT to_regclass('v') IS NOT NULL")
                    .undo("DROP VIEW v")
                    .ddl("statistics", "ALTER TABLE users ALTER name SET STATISTICS 50")
                    .probe(
                        "SELECT attstattarget = 50 FROM pg_attribute WHERE attrelid ="
                            + " 'users'::regclass AND attname = 'name'")
                    .undo("ALTER TABLE users ALTER name SET STATISTICS -1")
                    .ddl("comment", "COMMENT ON COLUMN public.users.name IS 'who'")
                    .probe("SELECT col_description('users'::regclass, 2) IS NOT NULL")
                    .undo("COMMENT ON COLUMN users.name IS NULL"));
    declared(plan);
    try (Orchestrator job = job()) {
      assertThat(of(job).phase()).isEqualTo("EXPAND");
      String shown = job.status().toString() + database.rows("SELECT * FROM orchestrator.event");
      assertThat(shown).doesNotContain("FAILED");
      job.rollback(ID);
      assertThat(of(job).phase()).isEqualTo("NOT_STARTED");
    }
  }

  private PGSimpleDataSource elsewhere() {
    database.execute(
        "CREATE SCHEMA elsewhere", "CREATE TABLE elsewhere.users (id bigint PRIMARY KEY)");
    PGSimpleDataSource elsewhere = database.newDataSource();
    elsewhere.setCurrentSchema("elsewhere");
    return elsewhere;
  }

  /** A driver that would find another table of that name touches nothing. */
  @Test
  void namesWithoutASchemaMustMeanTheMigrationsOwn() {
    declared(sql());
    try (Orchestrator job = Members.driver(elsewhere()).timing(Members::patient).build()) {
      MigrationReport report = of(job);
      assertThat(report.status()).isEqualTo(MigrationStatus.FAILED);
      assertThat(report.lastError()).contains("\"elsewhere\"", "\"public\"", "{schema}");
    }
    try (Orchestrator job = job()) {
      job.resume(ID);
      assertThat(of(job).phase()).isEqualTo("INDEX");
    }
    // The way back asks nobody before: the step itself finds out.
    PGSimpleDataSource other = database.newDataSource();
    other.setCurrentSchema("elsewhere");
    try (Orchestrator job = Members.driver(other).timing(Members::patient).build()) {
      job.rollback(ID);
      MigrationReport report = of(job);
      assertThat(report.lastError()).contains("looked up in schema elsewhere");
    }
    assertThat(database.rows(HAS_A).toString()).isEqualTo("[[true]]");
  }

  @Test
  void namesWithTheSchemaMeanItEverywhere() {
    declared(
        plan(
            p ->
                p.ddl("add a", ADD.replace("users", "{schema}.users"))
                    .probe(HAS_A.replace("users", "{schema}.users"))
                    .undo("ALTER TABLE {schema}.users DROP a")));
    try (Orchestrator job = Members.driver(elsewhere()).timing(Members::patient).build()) {
      assertThat(of(job).phase()).isEqualTo("EXPAND");
      assertThat(database.rows(HAS_A).toString()).isEqualTo("[[true]]");
      job.rollback(ID);
      assertThat(of(job).phase()).isEqualTo("NOT_STARTED");
    }
    untouched();
  }

  @Test
  void aPredicateThatTheServerDoesNotTakeIsRefusedBefore() {
    try (Orchestrator member = member(plan(p -> p.verify("wrong", "nonsense > 1"))).build()) {
      assertThatThrownBy(member::advance)
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("step \"wrong\"")
          .hasMessageContaining("nonsense");
    }
  }

  @Test
  void aClosedPhaseAsksBefore() {
    declared(plan(p -> p.ddl("add a", ADD).probe(HAS_A).closed("it is a test")));
    try (Orchestrator job = job()) {
      assertThat(FleetFixture.waits(of(job), Wait.Kind.APPROVAL))
          .contains("no way back out of EXPAND: it is a test", "approve(");
      untouched();
      job.approve(ID, "EXPAND");
      assertThat(of(job).phase()).isEqualTo("EXPAND");
      assertThatThrownBy(() -> job.rollback(ID)).hasMessageContaining("EXPAND");
    }
  }

  /** What nobody finished going up is taken back: only what has happened. */
  @Test
  void itTurnsRoundInTheMiddle() {
    PhasePlan<Code> plan =
        plan(
            p ->
                p.ddl("add a", ADD)
                    .probe(HAS_A)
                    .undo("ALTER TABLE users DROP a")
                    .ddl("taken", "CREATE TABLE others (id int)")
                    .probe("SELECT to_regclass('nothing') IS NOT NULL")
                    .undo("DROP TABLE others"));
    assertThat(failure(plan)).contains("step taken", "already exists", "CREATE TABLE others");
    try (Orchestrator job = job()) {
      job.rollback(ID);
      assertThat(of(job).phase()).isEqualTo("NOT_STARTED");
    }
    untouched();
    assertThat(database.queryLong("SELECT count(*) FROM others")).isEqualTo(1);
  }
}
