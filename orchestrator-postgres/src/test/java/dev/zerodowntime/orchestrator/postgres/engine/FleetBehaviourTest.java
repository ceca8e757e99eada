package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.SchemaNotReadyException;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import java.time.Duration;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Who is counted, and for how long. */
class FleetBehaviourTest extends FleetFixture {

  private static final Duration HOUR = Duration.ofHours(1);

  /** Somebody who drains is gone in an hour; somebody who serves has to be stopped. */
  @Test
  void aBuildIsToldToComeBackLaterOnlyWhereTimeIsAllThatIsMissing() {
    joined(member("0", DropColumn.Code.USES).role(Role.MEMBER)).close();
    Orchestrator serving = joined(member("1", DropColumn.Code.USES).role(Role.MEMBER));
    try (Orchestrator next =
        member("2", DropColumn.Code.UNUSED)
            .role(Role.MEMBER)
            .timing(
                timing -> Members.patient(timing).drain(HOUR).startupBudget(Duration.ofMillis(50)))
            .build()) {
      assertThatThrownBy(next::advance)
          .isInstanceOf(SchemaNotReadyException.class)
          .hasMessageContainingAll("billing 0 (draining)", "left)", "billing 1")
          .hasMessageEndingWith("Remove what it waits for, then start this build again.");
      serving.close();
      assertThatThrownBy(next::advance)
          .isInstanceOf(SchemaNotReadyException.class)
          .hasMessageContaining("Start this build again in ");
    } finally {
      serving.close();
    }
  }

  @Nested
  class Silent {

    /** However old a heartbeat is by the clock: only what a driver has watched counts. */
    @Test
    void aMemberIsCountedUntilADriverHasSeenItStandStill() throws Exception {
      // No pool: as long as one of its sessions were left, it would be counted.
      joined(
          Members.member(database.newDataSource(), "1")
              .timing(Members::patient)
              .thisBuild(DROP, DropColumn.Code.USES));
      database.execute("UPDATE orchestrator.member SET heartbeat_at = now() - interval '1 day'");
      try (Orchestrator job = Members.driver(database.dataSource()).build()) {
        assertThat(waits(job, Wait.Kind.FLEET)).contains("1 member of billing 1 at USES");
        assertThat(count("member")).isEqualTo(1);
        Eventually.until(
            "the silent member is struck off",
            () -> {
              job.drive(Duration.ofMillis(500));
              return count("member") == 0;
            });
        assertThat(driven(job)).isEqualTo("CONTRACT");
      }
      assertThat(
              database.queryLong(
                  "SELECT count(*) FROM orchestrator.event WHERE kind = 'MEMBER_GONE' AND detail"
                      + " LIKE '%silent for%'"))
          .isEqualTo(1);
    }

    @Test
    void asLongAsASessionOfItIsLeftItIsCounted() throws Exception {
      try (HikariDataSource pool = database.pool(3);
          Orchestrator job = Members.driver(database.dataSource()).build()) {
        joined(Members.member(pool, "1").thisBuild(DROP, DropColumn.Code.USES));
        Eventually.until(
            "a driver has watched it for more than the expiry",
            () -> {
              job.drive(Duration.ofMillis(500));
              return database.queryLong("SELECT still FROM orchestrator.member") > 400;
            });
        assertThat(waits(job, Wait.Kind.FLEET)).contains("billing 1 at USES");
        pool.close();
        Eventually.until(
            "it is struck off when its sessions are gone",
            () -> {
              job.drive(Duration.ofMillis(500));
              return count("member") == 0;
            });
      }
    }

    @Test
    void whoHeartbeatsIsNeverStruckOff() throws Exception {
      try (Orchestrator alive =
              Members.member(database.dataSource(), "1")
                  .timing(
                      t ->
                          Members.quick(t)
                              .heartbeat(Duration.ofMillis(100), Duration.ofSeconds(20)))
                  .background(true)
                  .thisBuild(DROP, DropColumn.Code.USES)
                  .build();
          Orchestrator job =
              Members.driver(database.dataSource())
                  .timing(
                      t ->
                          Members.quick(t)
                              .heartbeat(Duration.ofMillis(100), Duration.ofSeconds(20)))
                  .build()) {
        alive.advance();
        long before = database.queryLong("SELECT heartbeat FROM orchestrator.member");
        Eventually.until(
            "it has heartbeat ten times",
            () -> database.queryLong("SELECT heartbeat FROM orchestrator.member") > before + 10);
        assertThat(waits(job, Wait.Kind.FLEET)).contains("billing 1 at USES");
        assertThat(alive.fit()).isTrue();
      }
    }

    @Test
    void whoWasStruckOffRegistersAgainWithItsNextHeartbeat() throws Exception {
      try (Orchestrator member =
          joined(
              member("1", DropColumn.Code.USES, DropColumn.Code.NOT_READING)
                  .timing(t -> Members.quick(t).heartbeat(Duration.ofMillis(100), HOUR))
                  .background(true))) {
        database.execute("DELETE FROM orchestrator.member");
        Eventually.until("it is there again", () -> count("member") == 1);
        Eventually.until("it is fit", member::fit);
        assertThat(member.stage(DROP)).isEqualTo(DropColumn.Code.NOT_READING);
        String stages = database.queryOne("SELECT stages FROM orchestrator.member");
        assertThat(stages).contains("NOT_READING");
      }
    }

    @Test
    void whoWasStruckOffAndNoLongerFitsSaysSo() {
      try (Orchestrator old = joined(member("1", DropColumn.Code.USES))) {
        database.execute("DELETE FROM orchestrator.member");
        try (Orchestrator next = joined(member("2", DropColumn.Code.UNUSED))) {
          assertThat(driven(next)).isEqualTo("CONTRACT");
          old.advance();
          assertThat(old.fit()).isFalse();
          assertThat(next.fit()).isTrue();
          assertThat(database.<String>queryOne("SELECT release FROM orchestrator.member"))
              .isEqualTo("2");
          assertThat(driven(next)).isEqualTo("CONTRACT");
        }
      }
    }
  }

  @Test
  void aClosedMemberIsCountedWhileItDrains() {
    try (Orchestrator job = job().timing(t -> Members.patient(t).drain(HOUR)).build()) {
      Orchestrator old = joined(member("1", DropColumn.Code.USES));
      old.close();
      assertThat(waits(job, Wait.Kind.FLEET)).contains("1 member of billing 1 (draining) at USES");
      assertThat(job.status().members()).singleElement().asString().contains("draining");
      database.execute("UPDATE orchestrator.member SET closed_at = now() - interval '2 hours'");
      assertThat(driven(job)).isEqualTo("CONTRACT");
      assertThat(count("member")).isZero();
    }
  }

  @Nested
  class Warm {

    private Orchestrator next() {
      return joined(
          member("2", DropColumn.Code.NOT_READING).timing(t -> Members.patient(t).horizon(HOUR)));
    }

    private void oldCameAndWent() {
      joined(member("1", DropColumn.Code.USES)).close();
    }

    @Test
    void aReleaseHoldsBackUntilItsHorizon() {
      oldCameAndWent();
      try (Orchestrator next = next()) {
        assertThat(waits(next, Wait.Kind.FLEET)).contains("warm release billing 1 at USES");
        assertThat(next.status().warm()).singleElement().asString().contains("billing 1 until");
        database.execute(
            "UPDATE orchestrator.release SET last_member_at = now() - interval '2 hours' WHERE"
                + " release = '1'");
        assertThat(driven(next)).isEqualTo("RELAX");
      }
    }

    @Test
    void withoutASuccessorItHoldsBackWithoutEnd() {
      oldCameAndWent();
      database.execute(
          "DELETE FROM orchestrator.member",
          "UPDATE orchestrator.release SET last_member_at = now() - interval '9 days'");
      try (Orchestrator job = job().timing(t -> Members.patient(t).horizon(HOUR)).build()) {
        assertThat(waits(job, Wait.Kind.FLEET)).contains("warm release billing 1 at USES");
        assertThat(job.status().warm()).singleElement().asString().contains("later release");
        try (Orchestrator next = next()) {
          assertThat(driven(next)).isEqualTo("RELAX");
        }
      }
    }

    @Test
    void anUnprovenSuccessorDoesNotEndIt() {
      oldCameAndWent();
      try (Orchestrator next =
          joined(
              member("2", DropColumn.Code.NOT_READING)
                  .timing(t -> Members.patient(t).horizon(HOUR).soak(HOUR)))) {
        database.execute(
            "UPDATE orchestrator.release SET last_member_at = now() - interval '9 days' WHERE"
                + " release = '1'");
        assertThat(waits(next, Wait.Kind.FLEET)).contains("warm release billing 1 at USES");
      }
    }

    @Test
    void forgettingItEndsThat() {
      oldCameAndWent();
      try (Orchestrator next = next()) {
        assertThat(driven(next)).isEqualTo("NOT_STARTED");
        next.forgetRelease("billing", "1");
        assertThat(driven(next)).isEqualTo("RELAX");
        assertThat(next.status().warm()).isEmpty();
      }
    }

    @Test
    void downwardsItHasNoSay() {
      try (Orchestrator next = joined(member("2", DropColumn.Code.UNUSED))) {
        assertThat(driven(next)).isEqualTo("CONTRACT");
      }
      try (Orchestrator job = job().timing(t -> Members.patient(t).horizon(HOUR)).build()) {
        assertThat(driven(job)).isEqualTo("CONTRACT");
        assertThat(job.status().warm()).singleElement().asString().contains("billing 2");
        job.rollback(ID);
        assertThat(driven(job)).isEqualTo("NOT_STARTED");
      }
    }
  }

  @Nested
  class Pinned {

    @Test
    void aReportIsCountedUntilAPersonEndsIt() {
      try (Orchestrator job = job().build()) {
        job.pauseAll("to pin first");
      }
      try (Orchestrator member = joined(member("1", DropColumn.Code.NOT_READING))) {
        member.pin("billing", "nightly report");
        member.resumeAll();
        assertThat(waits(member, Wait.Kind.FLEET))
            .contains("\"nightly report\" of billing at USES");
        // Says something else: whatever ran before us.
        member.adopted("billing");
        assertThat(waits(member, Wait.Kind.FLEET)).contains("\"nightly report\"");
        assertThat(member.status().pinned()).singleElement().asString().contains("nightly report");
        member.unpin("billing", "nightly report");
        assertThat(driven(member)).isEqualTo("RELAX");
      }
    }

    @Test
    void adoptionIsForOneApplication() {
      try (Orchestrator member = joined(member("1"))) {
        database.execute(
            "INSERT INTO orchestrator.pinned_member (application, label) VALUES ('billing',"
                + " 'builds before us'), ('shop', 'builds before us')");
        member.adopted("billing");
        assertThat(database.rows("SELECT application FROM orchestrator.pinned_member").toString())
            .isEqualTo("[[shop]]");
      }
    }
  }
}
