package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Wait;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** A pin that nobody has, or that would break what runs, is a mistake and says so. */
class PinTest extends FleetFixture {

  private static final String BEFORE = "builds before us";

  private void refused(ErrorCode code, ThrowingCallable call, String... says) {
    List<List<Object>> pins = pins();
    Untouched.refuses(database, DeclarationException.class, code, call, says);
    assertThat(pins()).isEqualTo(pins);
  }

  private List<List<Object>> pins() {
    return database.rows("SELECT application, label FROM orchestrator.pinned_member ORDER BY id");
  }

  private void beforeUs(String application) {
    database.execute(
        "INSERT INTO orchestrator.pinned_member (application, label) VALUES ('"
            + application
            + "', '"
            + BEFORE
            + "')");
  }

  @Test
  void adoptionOfAnApplicationThatNobodyKnows() {
    try (Orchestrator member = joined(member("1"))) {
      beforeUs("billing");
      beforeUs("shop");
      refused(
          ErrorCode.INVALID_DECLARATION,
          () -> member.adopted("biling"),
          "No application biling is known",
          "billing, shop");
      member.adopted("billing");
      assertThat(pins()).containsExactly(List.of("shop", BEFORE));
    }
  }

  @Test
  void adoptionAtEveryStartChangesNothing() {
    joined(member("1").application("shop")).close();
    try (Orchestrator member = joined(member("1"))) {
      List<List<Object>> before = said();
      member.adopted("billing");
      member.adopted("shop");
      assertThat(said()).isEqualTo(before);
    }
    try (Orchestrator unregistered = job().application("new").build()) {
      unregistered.adopted("new");
    }
  }

  /** Since when the fleet is as it is, on which the soak depends, and what was logged. */
  private List<List<Object>> said() {
    return database.rows(
        "SELECT fleet_changed_at, (SELECT count(*) FROM orchestrator.event) FROM"
            + " orchestrator.control");
  }

  @Test
  void theEndOfAPinThatNobodyHas() {
    try (Orchestrator member = joined(member("1"))) {
      refused(
          ErrorCode.INVALID_DECLARATION,
          () -> member.unpin("billing", "a report"),
          "Nobody is pinned as \"a report\" of billing",
          "Nobody is pinned at all");
      member.pin("shop", "a report");
      refused(
          ErrorCode.INVALID_DECLARATION,
          () -> member.unpin("billing", "a report"),
          "\"a report\" of shop");
      refused(
          ErrorCode.INVALID_DECLARATION,
          () -> member.unpin("shop", "a rapport"),
          "\"a rapport\" of shop",
          "\"a report\" of shop");
      member.unpin("shop", "a report");
      assertThat(pins()).isEmpty();
    }
  }

  @Test
  void aPinOfNothing() {
    try (Orchestrator member = joined(member("1"))) {
      refused(ErrorCode.INVALID_DECLARATION, () -> member.pin("", "a report"), "application");
      refused(ErrorCode.INVALID_DECLARATION, () -> member.pin("billing", " "), "label");
    }
  }

  @Test
  void codeThatTheSchemaHasLeftBehind() {
    nobodyIsLeft();
    try (Orchestrator job = job().build()) {
      assertThat(driven(job)).isEqualTo("CONTRACT");
      for (String application : List.of("billing", "never seen")) {
        refused(
            ErrorCode.APPLICATION_NOT_FIT,
            () -> job.pin(application, "a report"),
            "\"a report\" of " + application,
            "USES [0,0]",
            ID,
            "CONTRACT",
            "rollback(\"" + ID + "\", \"NOT_STARTED\")");
      }
      job.rollback(ID, "NOT_STARTED");
      assertThat(driven(job)).as("nobody is in the way back").isEqualTo("NOT_STARTED");
      job.pin("billing", "a report");
      job.resume(ID);
      assertThat(driven(job)).isEqualTo("NOT_STARTED");
      assertThat(waits(job, Wait.Kind.FLEET)).contains("\"a report\" of billing at USES");
    }
  }

  @Test
  void codeThatHasNothingToDoWithWhatIsFinished() {
    nobodyIsLeft();
    try (Orchestrator job = job().build()) {
      job.drive();
      database.execute("UPDATE orchestrator.migration SET since = now() - interval '8 days'");
      assertThat(driven(job)).isEqualTo("PURGE");
      job.pin("billing", "a report");
      assertThat(pins()).hasSize(1);
    }
  }
}
