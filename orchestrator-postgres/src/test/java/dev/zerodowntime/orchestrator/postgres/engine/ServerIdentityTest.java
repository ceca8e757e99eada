package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.DatabaseException;
import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.Timing;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.time.Duration;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Restarts, copies and moves of the database, and what it is for. */
class ServerIdentityTest extends FleetFixture {

  @Test
  void aNewIncarnationHoldsEverythingForOneExpiry() throws Exception {
    nobodyIsLeft();
    String incarnation = database.queryOne("SELECT incarnation FROM orchestrator.control");
    database.execute("UPDATE orchestrator.control SET incarnation = 'started long ago'");
    try (Orchestrator job = job().build()) {
      assertThat(waits(job, Wait.Kind.INCARNATION)).contains("the server restarted");
      assertThat(driven(job)).isEqualTo("NOT_STARTED");
    }
    try (Orchestrator job = Members.driver(database.dataSource()).build()) {
      assertThat(database.<String>queryOne("SELECT incarnation FROM orchestrator.control"))
          .isEqualTo(incarnation);
      Eventually.until(
          "one expiry was watched",
          () -> of(job.drive(Duration.ofMillis(500))).phase().equals("CONTRACT"));
      assertThat(database.queryLong("SELECT incarnation_still FROM orchestrator.control"))
          .isGreaterThanOrEqualTo(400);
    }
    assertThat(
            database.queryLong(
                "SELECT count(*) FROM orchestrator.event WHERE kind = 'INCARNATION'"))
        .isEqualTo(1);
  }

  /** A database that was restored has a token that was valid once: its holder must ask anew. */
  @Test
  void aLeaseOfAnotherIncarnationIsVoid() throws Exception {
    nobodyIsLeft();
    try (Orchestrator holder =
            job()
                .timing(t -> Members.patient(t).lease(Duration.ofHours(1)))
                .background(true)
                .build();
        Orchestrator other = job().build()) {
      holder.advance();
      String token = database.queryOne("SELECT token FROM orchestrator.lease");
      assertThat(other.drive().leading()).isFalse();
      database.execute("UPDATE orchestrator.lease SET incarnation = 'started long ago'");
      Eventually.until(
          "the token is another one",
          () -> !token.equals(database.queryOne("SELECT token FROM orchestrator.lease")));
    }
  }

  /** In the middle of a pass, too: it is asked for anew at once, not after a part of its time. */
  @Test
  void aLeaseThatBecomesVoidDuringAPassIsAskedForAtOnce() throws Exception {
    nobodyIsLeft();
    database.execute(
        "CREATE SEQUENCE seen",
        "CREATE FUNCTION restored() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN"
            + " IF tg_tag = 'ALTER TABLE' AND nextval('public.seen') = 1 THEN"
            + " UPDATE orchestrator.lease SET incarnation = 'started long ago'; END IF; END $$",
        "CREATE EVENT TRIGGER restored ON ddl_command_end EXECUTE FUNCTION restored()");
    try (Orchestrator holder =
        job().timing(t -> Members.patient(t).lease(Duration.ofHours(1))).background(true).build()) {
      holder.pauseAll("its background thread is to do it");
      assertThat(of(holder.advance()).phase()).isEqualTo("NOT_STARTED");
      database.execute("UPDATE orchestrator.control SET paused = false");
      Eventually.until("it goes on", () -> of(holder.status()).phase().equals("CONTRACT"));
      assertThat(database.queryLong("SELECT last_value FROM seen WHERE is_called")).isPositive();
      assertThat(
              database.queryLong(
                  "SELECT count(*) FROM orchestrator.lease WHERE incarnation = 'started long ago'"))
          .isZero();
    }
  }

  /** A newer library may have upgraded the tables while this one runs. */
  @Test
  void whoCanNoLongerReadTheTablesStopsDrivingAndSaysSo() throws Exception {
    try (Orchestrator member =
            joined(member("1").role(Role.MEMBER).timing(Members::quick).background(true));
        Orchestrator job = job().build()) {
      Eventually.until("it is fit", member::fit);
      assertThat(job.drive().leading()).isTrue();
      database.execute("UPDATE orchestrator.control SET min_reader = 999");
      Eventually.until("it noticed", () -> !member.fit());
      assertThat(job.drive().leading()).isFalse();
      assertThat(database.queryLong("SELECT count(*) FROM orchestrator.member")).isEqualTo(1);
      database.execute("UPDATE orchestrator.control SET min_reader = 1");
      Eventually.until("it is fit again", member::fit);
    }
  }

  @Nested
  class AnotherServer {

    private Orchestrator job;

    private void joinedBefore() {
      try (Orchestrator member = member("1").thisBuild(DROP, DropColumn.Code.NOT_READING).build()) {
        member.pauseAll("to arrange things");
        member.advance();
      }
      job = job().build();
      job.advance();
      database.execute(
          "UPDATE orchestrator.control SET paused = false, identity = 'system 1 / 2'",
          "INSERT INTO orchestrator.approval (phase, kind) VALUES ('EXPAND', 'PHASE')");
    }

    /** In a process that was running when it happened, and in a new one. */
    private void pausesEveryone() {
      assertThat(waits(job, Wait.Kind.PAUSED)).contains("another server", "moved()", "copied()");
      assertThat(driven(job)).isEqualTo("NOT_STARTED");
      try (Orchestrator other = job().build()) {
        assertThat(waits(other, Wait.Kind.PAUSED)).contains("system 1 / 2");
        assertThat(other.status().migrations().get(0).waits())
            .anyMatch(each -> each.what().contains("another server"));
      }
    }

    /** A copy that was taken while a phase was being entered. */
    @Test
    void nothingGoesOnInTheMiddleOfAPhaseEither() {
      joinedBefore();
      database.execute("UPDATE orchestrator.migration SET entering = 1");
      assertThat(waits(job, Wait.Kind.PAUSED)).contains("another server");
      assertThat(
              database.queryLong(
                  "SELECT count(*) FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname"
                      + " = 'zip' AND attnotnull"))
          .isEqualTo(1);
      job.moved();
      assertThat(driven(job)).isEqualTo("CONTRACT");
      job.close();
    }

    @Test
    void isPausedUntilToldThatItMoved() {
      joinedBefore();
      pausesEveryone();
      job.moved();
      assertThat(count("approval")).isEqualTo(1);
      assertThat(count("release")).isEqualTo(1);
      assertThat(driven(job)).isEqualTo("CONTRACT");
      job.close();
    }

    @Test
    void isPausedUntilToldThatItWasCopied() {
      joinedBefore();
      joined(member("2", DropColumn.Code.NOT_READING));
      pausesEveryone();
      job.copied();
      assertThat(count("approval")).isZero();
      assertThat(count("release")).isZero();
      assertThat(count("member")).isZero();
      assertThat(driven(job)).isEqualTo("CONTRACT");
      job.close();
    }

    @Test
    void aCopyMayGetAnotherEnvironment() {
      joinedBefore();
      try (Orchestrator developer =
          Members.member(database.dataSource(), "dev")
              .environment(Environment.DEVELOPMENT)
              .thisBuild(DROP, DropColumn.Code.UNUSED)
              .build()) {
        developer.copied();
        assertThat(developer.advance().admitted()).isTrue();
        assertThat(developer.status().environment()).isEqualTo("DEVELOPMENT");
      }
      job.close();
    }
  }

  @Nested
  class Environments {

    @Test
    void aProductionDatabaseRefusesDevelopers() {
      try (Orchestrator developer =
          member("dev").environment(Environment.DEVELOPMENT).developmentOnExistingRows().build()) {
        Untouched.refuses(
            database,
            DatabaseException.class,
            ErrorCode.WRONG_ENVIRONMENT,
            developer::advance,
            "DEVELOPMENT",
            "PRODUCTION",
            "environment(");
      }
    }

    @Test
    void rowsNeedAnExplicitWord() {
      try (TestDatabase other = TestDatabase.create("development")) {
        other.execute("CREATE TABLE t (id int)", "INSERT INTO t VALUES (1)");
        try (Orchestrator developer =
            Members.member(other.dataSource(), "1").environment(Environment.DEVELOPMENT).build()) {
          Untouched.refuses(
              other,
              DatabaseException.class,
              ErrorCode.WRONG_ENVIRONMENT,
              developer::advance,
              "DEVELOPMENT",
              "has rows",
              "developmentOnExistingRows()");
          assertThat(
                  other.queryLong(
                      "SELECT count(*) FROM pg_namespace WHERE nspname = 'orchestrator'"))
              .isZero();
        }
        try (Orchestrator developer =
            Members.member(other.dataSource(), "1")
                .environment(Environment.DEVELOPMENT)
                .developmentOnExistingRows()
                .build()) {
          assertThat(developer.advance().admitted()).isTrue();
          assertThat(developer.status().pinned()).isEmpty();
        }
      }
    }

    @Test
    void developmentCompletesInline() {
      try (TestDatabase own = TestDatabase.create("inline")) {
        own.execute("CREATE TABLE users (id bigint PRIMARY KEY, zip text NOT NULL)");
        own.execute("INSERT INTO users SELECT i, 'z' || i FROM generate_series(1, 3000) i");
        AdvanceReport report = developed(own, "1", "length(zip)");
        assertThat(report.settled()).as(report.toString()).isTrue();
        assertThat(own.queryLong("SELECT count(*) FROM users WHERE size = length(zip)"))
            .isEqualTo(3000);
        AdvanceReport again = developed(own, "1", "length(zip) + 1");
        assertThat(again.settled()).as(again.toString()).isTrue();
        assertThat(own.queryLong("SELECT count(*) FROM users WHERE size = length(zip) + 1"))
            .isEqualTo(3000);
      }
    }

    private AdvanceReport developed(TestDatabase own, String release, String fill) {
      AddColumn add =
          AddColumn.of("billing/add")
              .table("users")
              .column("size", "int")
              .notNull()
              .fillWithSql(fill)
              .approvalBefore("EXPAND")
              .batchPause(Duration.ZERO)
              .build();
      try (Orchestrator developer =
          Members.member(own.dataSource(), release)
              .environment(Environment.DEVELOPMENT)
              .developmentOnExistingRows()
              .backupGate(null)
              .timing(ServerIdentityTest::developers)
              .thisBuild(add, AddColumn.Code.READS)
              .build()) {
        return developer.advance();
      }
    }
  }

  /** The environment's own durations, without its patience for others. */
  private static Timing developers(Timing timing) {
    return timing.lease(Duration.ofMillis(300));
  }
}
