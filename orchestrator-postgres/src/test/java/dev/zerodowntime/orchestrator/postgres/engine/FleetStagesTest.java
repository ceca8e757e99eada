package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.SchemaNotReadyException;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** By which stage a build is judged, and what a process does in the fleet. */
class FleetStagesTest extends FleetFixture {

  private OrchestratorBuilder shop() {
    return member("1").application("shop");
  }

  @Test
  void oneBuildCanServeBothSides() {
    DropColumn.Code[] all = DropColumn.Code.values();
    try (Orchestrator first = member("1", all).build()) {
      assertThatThrownBy(() -> first.stage(DROP))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContainingAll(ID, "advance()");
      first.pauseAll("to see the first choice");
      first.advance();
      assertThat(first.stage(DROP)).isEqualTo(DropColumn.Code.NOT_READING);
      first.resumeAll();
      assertThat(driven(first)).isEqualTo("RELAX");
      try (Orchestrator second = joined(member("1", all))) {
        assertThat(second.stage(DROP)).isEqualTo(DropColumn.Code.UNUSED);
        first.advance();
        assertThat(first.stage(DROP)).isEqualTo(DropColumn.Code.NOT_READING);
        assertThat(waits(second, Wait.Kind.FLEET)).contains("billing 1 at NOT_READING");
        first.close();
        assertThat(driven(second)).isEqualTo("CONTRACT");
      }
    }
  }

  @Test
  void aBuildThatDeclaresNothingIsAtTheOldestStage() {
    try (Orchestrator silent = joined(member("1"));
        Orchestrator next = joined(member("2", DropColumn.Code.NOT_READING))) {
      assertThat(waits(next, Wait.Kind.FLEET)).contains("1 member of billing 1 at USES [0,0]");
      silent.close();
      assertThat(driven(next)).isEqualTo("RELAX");
    }
  }

  /** The person's word lasts longer than the release that needed more. */
  @Test
  void aReleaseThatReopensFurtherDownDoesNotEndAPersonsHold() {
    try (Orchestrator next = joined(member("3", DropColumn.Code.UNUSED))) {
      assertThat(driven(next)).isEqualTo("CONTRACT");
    }
    try (Orchestrator middle =
        joined(member("2", DropColumn.Code.NOT_READING, DropColumn.Code.UNUSED))) {
      middle.rollback(ID, "RELAX");
      assertThat(driven(middle)).isEqualTo("RELAX");
    }
    try (Orchestrator old = joined(member("1", DropColumn.Code.USES))) {
      assertThat(driven(old)).isEqualTo("NOT_STARTED");
    }
    try (Orchestrator job = job().build()) {
      assertThat(driven(job)).isEqualTo("NOT_STARTED");
      assertThat(waits(job, Wait.Kind.HELD)).contains("rolled back by billing 2", "resume(");
      job.resume(ID);
      assertThat(driven(job)).isEqualTo("CONTRACT");
    }
  }

  private long moves(String outcome, String way) {
    return database.queryLong(
        "SELECT count(*) FROM orchestrator.event WHERE kind = 'PHASE' AND outcome = '"
            + outcome
            + "' AND detail = '"
            + way
            + "'");
  }

  /** Nothing but its own request holds the phase that it asked for, until it is there. */
  @Test
  void aReleaseThatComesBackFindsThePhaseItAskedFor() {
    nobodyIsLeft();
    try (Orchestrator next = joined(member("3", DropColumn.Code.UNUSED))) {
      assertThat(driven(next)).isEqualTo("CONTRACT");
    }
    long up = moves("ENTERING", "UP");
    try (Orchestrator old = joined(member("1", DropColumn.Code.USES))) {
      assertThat(moves("REACHED", "DOWN")).isEqualTo(2);
      assertThat(moves("ENTERING", "UP")).isEqualTo(up);
      assertThat(driven(old)).isEqualTo("NOT_STARTED");
    }
    assertThat(database.<Object>queryOne("SELECT target FROM orchestrator.migration")).isNull();
  }

  @Test
  void aReleaseThatAskedAndDoesNotComeIsAwaitedForOneExpiry() throws Exception {
    nobodyIsLeft();
    try (Orchestrator next = joined(member("3", DropColumn.Code.UNUSED))) {
      assertThat(driven(next)).isEqualTo("CONTRACT");
    }
    try (Orchestrator old =
        member("1", DropColumn.Code.USES)
            .role(Role.MEMBER)
            .timing(t -> Members.patient(t).startupBudget(Duration.ofMillis(1)))
            .build()) {
      assertThatThrownBy(old::advance).isInstanceOf(SchemaNotReadyException.class);
    }
    try (Orchestrator patient = job().build()) {
      assertThat(driven(patient)).isEqualTo("NOT_STARTED");
      assertThat(waits(patient, Wait.Kind.FLEET)).contains("billing 1 has asked to come back");
    }
    try (Orchestrator quick = Members.driver(database.dataSource()).build()) {
      Eventually.until("it goes on without it", () -> driven(quick).equals("CONTRACT"));
    }
    assertThat(database.queryLong("SELECT count(*) FROM orchestrator.event WHERE kind = 'REOPEN'"))
        .isEqualTo(2);
  }

  @Test
  void everyApplicationCountsUnlessItNarrowsItself() {
    try (Orchestrator shop = joined(shop());
        Orchestrator billing = joined(member("1", DropColumn.Code.NOT_READING))) {
      assertThat(waits(billing, Wait.Kind.FLEET)).contains("1 member of shop 1 at USES");
      shop.close();
      try (Orchestrator narrowed = joined(shop().release("2").touches("orders"))) {
        assertThat(driven(billing)).isEqualTo("RELAX");
        assertThat(narrowed.fit()).isTrue();
      }
    }
  }

  /** What a new release says of itself doesn't exempt the old one, which still runs. */
  @Test
  void anotherReleaseOfTheApplicationIsJudgedByWhatItSaysItself() {
    try (Orchestrator billing = member("1", DropColumn.Code.NOT_READING).build();
        Orchestrator old = joined(shop())) {
      billing.pauseAll("until everybody is there");
      billing.advance();
      try (Orchestrator narrowed = joined(shop().release("2").touches("orders"))) {
        billing.resumeAll();
        assertThat(driven(billing)).isEqualTo("NOT_STARTED");
        assertThat(waits(billing, Wait.Kind.FLEET)).contains("shop 1").doesNotContain("shop 2");
        old.close();
        assertThat(driven(billing)).isEqualTo("RELAX");
        assertThat(narrowed.fit()).isTrue();
      }
    }
  }

  @Test
  void anotherTeamDeclaresItsStageByReference() {
    try (Orchestrator billing = joined(member("1", DropColumn.Code.NOT_READING));
        Orchestrator shop =
            joined(
                shop()
                    .thisBuild(Migration.ref(ID, DropColumn.class), DropColumn.Code.NOT_READING))) {
      assertThat(driven(billing)).isEqualTo("RELAX");
      assertThat(of(billing.drive()).waits())
          .anyMatch(w -> w.what().contains("shop 1 at NOT_READING"));
      assertThat(of(shop.drive()).stage()).isEqualTo("NOT_READING");
    }
  }

  @Test
  void aDeletedDeclarationIsNamed() {
    try (Orchestrator next = joined(member("2", DropColumn.Code.UNUSED))) {
      assertThat(driven(next)).isEqualTo("CONTRACT");
      try (Orchestrator without = member("3").build()) {
        assertThatThrownBy(without::advance).hasMessageContaining(ID);
      }
      try (Orchestrator named = joined(member("4").finished(ID))) {
        database.execute("UPDATE orchestrator.migration SET since = now() - interval '8 days'");
        assertThat(driven(named)).isEqualTo("PURGE");
        assertThat(of(next.drive()).next()).contains("finished(\"" + ID + "\")");
      }
    }
  }

  @Test
  void aMemberIsCountedAndDrivesNothing() {
    try (Orchestrator member = joined(member("1", DropColumn.Code.NOT_READING).role(Role.MEMBER))) {
      assertThat(member.advance().leading()).isFalse();
      assertThat(count("member")).isEqualTo(1);
      assertThat(member.status().migrations().get(0).phase()).isEqualTo("NOT_STARTED");
      assertThat(member.status().driver()).isNull();
    }
  }

  @Test
  void aDriverIsNotCounted() {
    nobodyIsLeft();
    try (Orchestrator job = job().thisBuild(DROP, DropColumn.Code.USES).build()) {
      assertThat(job.advance().admitted()).isTrue();
      assertThat(driven(job)).isEqualTo("CONTRACT");
      assertThat(count("member")).isZero();
      assertThat(
              database.queryLong("SELECT count(*) FROM orchestrator.release WHERE release = 'job'"))
          .isZero();
    }
  }

  @Test
  void nothingIsEnteredBeforeAnyApplicationIsKnown() {
    try (Orchestrator job = job().thisBuild(DROP, DropColumn.Code.UNUSED).build()) {
      assertThat(waits(job, Wait.Kind.NO_APPLICATION)).contains("no application");
      assertThat(of(job.drive()).phase()).isEqualTo("NOT_STARTED");
    }
  }

  @Test
  void aMemberDrivesInTheBackground() throws Exception {
    try (Orchestrator both = joined(member("1", DropColumn.Code.NOT_READING).background(true))) {
      Eventually.until(
          "the background driver has gone on",
          () -> both.status().migrations().get(0).phase().equals("RELAX"));
    }
  }

  @Test
  void oneBuildDeclaresOneIdForEverySchemaOfItsTenants() {
    database.execute(
        "CREATE SCHEMA a",
        "CREATE SCHEMA b",
        "CREATE TABLE a.users (id bigint PRIMARY KEY)",
        "CREATE TABLE b.users (id bigint PRIMARY KEY)");
    AddColumn inA = add("a");
    AddColumn inB = add("b");
    try (Orchestrator member =
        joined(
            member("1")
                .thisBuild(inA, AddColumn.Code.WRITES)
                .thisBuild(inB, AddColumn.Code.WRITES))) {
      assertThat(member.stage(inA)).isEqualTo(AddColumn.Code.WRITES);
      assertThat(member.stage(inB)).isEqualTo(AddColumn.Code.WRITES);
      assertThat(member.plan()).extracting(each -> each.schema()).containsExactly("a", "b");
      assertThat(member.manifest().declarations()).containsOnlyKeys("billing/add");
      assertThat(member.drive(Duration.ofSeconds(20)).settled()).isTrue();
    }
    assertThat(database.rows("SELECT target_schema, status FROM orchestrator.migration ORDER BY 1"))
        .containsExactly(List.of("a", "DONE"), List.of("b", "DONE"));
    database.execute("CREATE SCHEMA c", "CREATE TABLE c.users (id bigint PRIMARY KEY)");
    // A new tenant is no new release.
    try (Orchestrator member =
        joined(
            member("1")
                .thisBuild(inA, AddColumn.Code.WRITES)
                .thisBuild(add("c"), AddColumn.Code.WRITES))) {
      assertThat(member.drive(Duration.ofSeconds(20)).settled()).isTrue();
    }
  }

  private static AddColumn add(String schema) {
    return AddColumn.of("billing/add").schema(schema).table("users").column("c", "text").build();
  }

  @Test
  void oneIdInTwoSchemasIsTwoMigrations() {
    database.execute(
        "CREATE SCHEMA a",
        "CREATE SCHEMA b",
        "CREATE TABLE a.users (id bigint PRIMARY KEY)",
        "CREATE TABLE b.users (id bigint PRIMARY KEY)");
    AddColumn add = AddColumn.of("billing/add").table("users").column("c", "text").build();
    for (String schema : List.of("a", "b")) {
      PGSimpleDataSource tenant = database.newDataSource();
      tenant.setCurrentSchema(schema);
      try (Orchestrator member =
          joined(
              Members.member(tenant, "1")
                  .timing(Members::patient)
                  .thisBuild(add, AddColumn.Code.WRITES))) {
        assertThat(member.stage(add)).isEqualTo(AddColumn.Code.WRITES);
        assertThat(member.drive(Duration.ofSeconds(20)).settled()).isTrue();
      }
    }
    assertThat(database.rows("SELECT target_schema, status FROM orchestrator.migration ORDER BY 1"))
        .containsExactly(List.of("a", "DONE"), List.of("b", "DONE"));
    assertThat(
            database.queryLong(
                "SELECT count(*) FROM pg_attribute WHERE attname = 'c' AND attrelid IN"
                    + " ('a.users'::regclass, 'b.users'::regclass)"))
        .isEqualTo(2);
  }
}
