package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.ReleaseTooOldException;
import dev.zerodowntime.orchestrator.SchemaNotReadyException;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.testing.Threads;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Builds that the schema, or the rest of the fleet, has no place for. */
@PostgresTest
class BadInputFleetTest {

  private static final String ID = "billing/drop-zip";
  private static final DropColumn DROP = drop(Duration.ofDays(7));

  private TestDatabase database;

  @BeforeEach
  void create() {
    database = TestDatabase.create("bad_fleet");
    database.execute(
        "CREATE TABLE orders (id bigint PRIMARY KEY)",
        "CREATE TABLE users (id bigint PRIMARY KEY, zip text NOT NULL)",
        "INSERT INTO users VALUES (1, '1')");
    Members.install(database.dataSource());
  }

  @AfterEach
  void drop() {
    database.close();
  }

  private static DropColumn drop(Duration retention) {
    return DropColumn.of(ID)
        .table("users")
        .column("zip")
        .retention(retention)
        .fillBackWithSql("''")
        .build();
  }

  private OrchestratorBuilder release(String release, DropColumn drop, DropColumn.Code stage) {
    return Members.member(database.dataSource(), release)
        .timing(t -> Members.patient(t).startupBudget(Duration.ofMillis(300)))
        .thisBuild(drop, stage);
  }

  private String phase(Orchestrator any) {
    return any.status().migrations().get(0).phase();
  }

  private Orchestrator driven(String release, DropColumn drop, String to) {
    Orchestrator member =
        release(release, drop, DropColumn.Code.UNUSED)
            .timing(t -> Members.patient(t).startupBudget(Duration.ofSeconds(30)))
            .build();
    member.advance();
    member.drive(to.equals("PURGE") ? Duration.ofSeconds(30) : Duration.ZERO);
    assertThat(phase(member)).isEqualTo(to);
    return member;
  }

  private OrchestratorBuilder shop() {
    return Members.member(database.dataSource(), "1").application("shop").timing(Members::patient);
  }

  @Test
  void anApplicationThatAnUnfinishedMigrationDoesNotFit() {
    try (Orchestrator billing = driven("2", DROP, "CONTRACT");
        Orchestrator shop = shop().build()) {
      Untouched.refuses(
          database,
          ReleaseTooOldException.class,
          ErrorCode.APPLICATION_NOT_FIT,
          shop::advance,
          "Application shop",
          ID,
          "users",
          "CONTRACT",
          "USES",
          "touches(",
          "adopted(",
          "Migration.ref(\"" + ID + "\"");
      assertThat(shop.fit()).isFalse();
      assertThat(
              database.queryLong(
                  "SELECT count(*) FROM orchestrator.application WHERE name = 'shop'"))
          .isZero();
      try (Orchestrator elsewhere = shop().touches("orders").build()) {
        assertThat(elsewhere.advance().admitted()).isTrue();
      }
      assertThat(billing.fit()).isTrue();
    }
  }

  @Test
  void anApplicationMaySayWhatItDoes() {
    try (Orchestrator billing = driven("2", DROP, "CONTRACT");
        Orchestrator shop =
            shop().thisBuild(Migration.ref(ID, DropColumn.class), DropColumn.Code.UNUSED).build()) {
      assertThat(shop.advance().admitted()).isTrue();
      assertThat(billing.fit()).isTrue();
    }
  }

  @Test
  void anApplicationThatCameAfterTheEndIsNotAsked() {
    driven("2", drop(Duration.ZERO), "PURGE").close();
    try (Orchestrator shop = shop().build()) {
      assertThat(shop.advance().admitted()).isTrue();
    }
  }

  @Test
  void aReleaseBehindThePurge() {
    driven("2", drop(Duration.ZERO), "PURGE").close();
    try (Orchestrator old = release("1", drop(Duration.ZERO), DropColumn.Code.USES).build()) {
      Untouched.refuses(
          database,
          ReleaseTooOldException.class,
          ErrorCode.RELEASE_TOO_OLD,
          old::advance,
          "Release 1 of billing",
          ID,
          "USES",
          "PURGE",
          "can't be undone",
          "UNUSED");
    }
  }

  /** Who drains is gone soon: there is nothing to stop. */
  @Test
  void aReleaseBehindTheContractWhileTheNewOneDrains() throws Exception {
    driven("2", DROP, "CONTRACT").close();
    try (Orchestrator old =
        release("1", DROP, DropColumn.Code.USES)
            .timing(
                t ->
                    Members.patient(t)
                        .drain(Duration.ofHours(1))
                        .horizon(Duration.ofHours(1))
                        .startupBudget(Duration.ofMinutes(1)))
            .build()) {
      CompletableFuture<AdvanceReport> advanced =
          CompletableFuture.supplyAsync(old::advance, Threads.ONE_EACH);
      // It drives while it waits; by then it would have been refused.
      Eventually.until(
          "it waits",
          () ->
              database.queryLong("SELECT count(*) FROM orchestrator.lease WHERE expires_at > now()")
                  == 1);
      assertThat(advanced).isNotDone();
      assertThat(phase(old)).isEqualTo("CONTRACT");
      database.execute("UPDATE orchestrator.member SET closed_at = closed_at - interval '2 hours'");
      assertThat(advanced.get(60, TimeUnit.SECONDS).admitted()).isTrue();
      assertThat(phase(old)).isEqualTo("NOT_STARTED");
    }
  }

  @Test
  void beforeThePurgeTheSchemaComesBackForARolledBackRelease() {
    driven("2", DROP, "CONTRACT").close();
    try (Orchestrator old =
        release("1", DROP, DropColumn.Code.USES)
            .timing(t -> Members.patient(t).horizon(Duration.ofHours(1)))
            .build()) {
      assertThat(old.advance().admitted()).isTrue();
      assertThat(old.stage(DROP)).isEqualTo(DropColumn.Code.USES);
      assertThat(phase(old)).isEqualTo("NOT_STARTED");
    }
    assertThat(database.<String>queryOne("SELECT zip FROM users")).isEqualTo("1");
    assertThat(
            database.queryLong(
                "SELECT count(*) FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname ="
                    + " 'zip' AND attnotnull"))
        .isEqualTo(1);
  }

  @Test
  void aReleaseThatNeedsAPhaseWhichAMemberBlocks() {
    try (Orchestrator old = release("1", DROP, DropColumn.Code.USES).build();
        Orchestrator next = release("2", DROP, DropColumn.Code.UNUSED).build()) {
      old.advance();
      SchemaNotReadyException notReady =
          Untouched.refuses(
              database,
              SchemaNotReadyException.class,
              ErrorCode.SCHEMA_NOT_READY,
              next::advance,
              "Release 2 of billing",
              "needs RELAX of " + ID,
              "NOT_STARTED",
              "1 member of billing 1 at USES");
      assertThat(notReady.waiting()).hasSize(1);
      assertThat(notReady.waiting().get(0).waits())
          .anyMatch(each -> each.kind() == Wait.Kind.FLEET);
      assertThat(next.fit()).isFalse();
    }
  }

  /** Only a silence that alone is in the way is worth more patience than the start-up budget. */
  @Test
  void aSilenceThatIsNotInTheWayIsNotWaitedFor() {
    try (Orchestrator old = release("1", DROP, DropColumn.Code.USES).build();
        Orchestrator silent = shop().touches("orders").build();
        Orchestrator next = release("2", DROP, DropColumn.Code.UNUSED).build()) {
      silent.advance();
      old.advance();
      database.execute(
          "UPDATE orchestrator.member SET heartbeat_at = now() - interval '1 hour' WHERE"
              + " application = 'shop'");
      // Twice the expiry, 20 minutes, would be waited for.
      SchemaNotReadyException notReady =
          assertTimeoutPreemptively(
              Duration.ofMinutes(3),
              () -> catchThrowableOfType(SchemaNotReadyException.class, next::advance));
      assertThat(notReady).hasMessageContaining("1 member of billing 1 at USES");
    }
  }

  @Test
  void aReleaseThatNeedsAPhaseWhichHasToWait() {
    Duration soak = Duration.ofHours(1);
    try (Orchestrator old =
            release("1", DROP, DropColumn.Code.NOT_READING)
                .timing(t -> Members.patient(t).soak(soak))
                .build();
        Orchestrator next =
            release("2", DROP, DropColumn.Code.UNUSED)
                .timing(t -> Members.patient(t).soak(soak).startupBudget(Duration.ofMillis(300)))
                .build()) {
      old.advance();
      SchemaNotReadyException notReady =
          Untouched.refuses(
              database,
              SchemaNotReadyException.class,
              ErrorCode.SCHEMA_NOT_READY,
              next::advance,
              "Release 2 of billing",
              "needs RELAX of " + ID,
              "SOAK");
      assertThat(notReady.remedy()).containsPattern("in 3[56]\\d\\d s");
    }
  }
}
