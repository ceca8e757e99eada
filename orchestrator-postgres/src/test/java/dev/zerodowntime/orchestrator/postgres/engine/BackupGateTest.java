package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.zerodowntime.orchestrator.BackupGate;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.Timing;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** The backup gate is somebody else's code: it may say no, fail, or never answer. */
class BackupGateTest extends FleetFixture {

  private static final AddColumn OTHER =
      AddColumn.of("billing/other").table("users").column("note", "text").build();

  private final AtomicInteger asked = new AtomicInteger();

  /** A gate that answered is left alone for sixty ticks: a moment. */
  private static Timing impatient(Timing timing) {
    return Members.patient(timing).tick(Duration.ofMillis(10));
  }

  private OrchestratorBuilder job(BackupGate gate) {
    return job()
        .timing(BackupGateTest::impatient)
        .backupGate(
            (migration, drops) -> {
              asked.incrementAndGet();
              return gate.confirmed(migration, drops);
            });
  }

  /** Nothing but the gate is in the way any more. */
  private void contracted() {
    nobodyIsLeft();
    try (Orchestrator job = job().build()) {
      assertThat(driven(job)).isEqualTo("CONTRACT");
    }
    retained();
  }

  private void retained() {
    database.execute(
        "UPDATE orchestrator.migration SET since = now() - interval '8 days' WHERE reached = 2");
  }

  private String phase(String id) {
    return database.queryOne(
        "SELECT lifecycle::json->'phases'->>reached FROM orchestrator.migration WHERE id = '"
            + id
            + "'");
  }

  @Test
  void oneThatFailsStopsNothingElseAndIsAskedAgain() throws Exception {
    contracted();
    Logger logger =
        (Logger)
            LoggerFactory.getLogger("dev.zerodowntime.orchestrator.internal.engine.BackupWatch");
    ListAppender<ILoggingEvent> log = new ListAppender<>();
    log.start();
    logger.addAppender(log);
    AtomicBoolean mended = new AtomicBoolean();
    try (Orchestrator member =
        job((migration, drops) -> {
              if (!mended.get()) {
                throw new IllegalStateException("no vault");
              }
              return true;
            })
            .role(Role.BOTH)
            .thisBuild(DROP, DropColumn.Code.UNUSED)
            .thisBuild(OTHER, AddColumn.Code.UNAWARE)
            .build()) {
      assertThat(member.advance().admitted()).isTrue();
      assertThat(waits(member, Wait.Kind.BACKUP))
          .contains(
              "the backup gate failed: java.lang.IllegalStateException: no vault",
              "approve(\"" + ID + "\", \"PURGE\")");
      assertThat(phase(OTHER.id())).isEqualTo("DONE");
      assertThat(member.status().migrations().get(0).waits().toString()).contains("no vault");
      Eventually.until(
          "it is asked again",
          () -> {
            member.drive();
            return asked.get() > 1;
          });
      assertThat(log.list).filteredOn(each -> each.getLevel() == Level.ERROR).hasSize(1);
      mended.set(true);
      Eventually.until("it is purged", () -> driven(member).equals("PURGE"));
    } finally {
      logger.detachAppender(log);
    }
  }

  @Test
  void oneThatHangsHoldsUpNeitherHeartbeatsNorOtherMigrations() throws Exception {
    contracted();
    CountDownLatch answer = new CountDownLatch(1);
    try (Orchestrator member =
            member("1", DropColumn.Code.UNUSED)
                .timing(
                    t -> Members.quick(t).heartbeat(Duration.ofMillis(100), Duration.ofMinutes(10)))
                .backupGate(
                    (migration, drops) -> {
                      asked.incrementAndGet();
                      return answered(answer);
                    })
                .background(true)
                .build();
        Orchestrator other =
            member("2", DropColumn.Code.UNUSED).thisBuild(OTHER, AddColumn.Code.UNAWARE).build()) {
      assertThat(member.advance().admitted()).isTrue();
      Eventually.until("it was asked", () -> asked.get() == 1);
      long beats = heartbeats();
      assertThat(other.advance().admitted()).isTrue();
      Eventually.until("heartbeats go on", () -> heartbeats() > beats + 5);
      Eventually.until("others go on", () -> phase(OTHER.id()).equals("DONE"));
      assertThat(phase(ID)).isEqualTo("CONTRACT");
      assertThat(asked).hasValue(1);
      answer.countDown();
      Eventually.until("it is purged", () -> phase(ID).equals("PURGE"));
      assertThat(asked).hasValue(1);
    }
  }

  private long heartbeats() {
    return database.queryLong("SELECT heartbeat FROM orchestrator.member WHERE release = '1'");
  }

  private static boolean answered(CountDownLatch latch) {
    try {
      latch.await();
      return true;
    } catch (InterruptedException e) {
      return false;
    }
  }

  @Test
  void aJobGivesUpWaitingForOneThatHangs() throws Exception {
    contracted();
    CountDownLatch never = new CountDownLatch(1);
    CountDownLatch interrupted = new CountDownLatch(1);
    try (Orchestrator job =
        job((migration, drops) -> {
              boolean answered = answered(never);
              interrupted.countDown();
              return answered;
            })
            .build()) {
      assertThat(waits(job, Wait.Kind.BACKUP)).contains("has not answered yet");
      assertThat(driven(job)).isEqualTo("CONTRACT");
      assertThat(asked).hasValue(1);
    }
    Eventually.until("it is interrupted", () -> interrupted.getCount() == 0);
  }

  @Test
  void oneThatSaysNoIsLeftAloneForAMinute() {
    contracted();
    try (Orchestrator job =
        job((migration, drops) -> false)
            .timing(t -> Members.patient(t).tick(Duration.ofSeconds(1)))
            .build()) {
      for (int i = 0; i < 5; i++) {
        assertThat(driven(job)).isEqualTo("CONTRACT");
      }
      assertThat(asked).hasValue(1);
    }
  }

  @Test
  void aConfirmationIsForOneStay() throws Exception {
    contracted();
    try (Orchestrator person = job().build();
        Orchestrator job =
            job((migration, drops) -> {
                  // Something comes between the answer and the purge.
                  person.pause(ID);
                  return asked.get() == 1;
                })
                .build()) {
      assertThat(driven(job)).isEqualTo("CONTRACT");
      assertThat(asked).hasValue(1);
      person.rollback(ID, "RELAX");
      assertThat(driven(job)).isEqualTo("RELAX");
      person.resume(ID);
      assertThat(driven(job)).isEqualTo("CONTRACT");
      retained();
      Eventually.until(
          "it is asked again",
          () -> {
            job.drive();
            return asked.get() == 2;
          });
      person.resume(ID);
      assertThat(driven(job)).isEqualTo("CONTRACT");
    }
  }
}
