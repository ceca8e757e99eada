package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.flywaydb.core.Flyway;
import org.flywaydb.database.postgresql.PostgreSQLDatabase;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** When nothing is left to do, the library costs next to nothing. */
@PostgresTest
class SettledAdvanceTest {

  private static final AddColumn REGION =
      AddColumn.of("billing/region").table("users").column("region", "text").build();

  private TestDatabase database;
  private Statements statements;

  @BeforeEach
  void create() {
    database = TestDatabase.create("settled");
    database.execute("CREATE TABLE users (id bigint PRIMARY KEY)");
    statements = new Statements(database.newDataSource());
  }

  @AfterEach
  void drop() {
    database.close();
  }

  private Orchestrator settled() {
    Orchestrator member =
        Members.member(statements.dataSource(), "1")
            .thisBuild(REGION, AddColumn.Code.READS)
            .build();
    member.advance();
    member.drive(Duration.ofSeconds(20));
    assertThat(member.advance().settled()).isTrue();
    assertThat(statements.executed()).isNotEmpty();
    statements.forget();
    return member;
  }

  private long heartbeat() {
    return database.queryLong("SELECT heartbeat FROM orchestrator.member");
  }

  @Test
  void aRepeatIsOneRoundTripAndAHeartbeat() {
    try (Orchestrator member = settled()) {
      long before = heartbeat();
      AdvanceReport report = member.advance();
      assertThat(statements.executed()).hasSize(1);
      assertThat(report.settled()).isTrue();
      assertThat(report.admitted()).isTrue();
      assertThat(report.migration("billing/region").orElseThrow().finished()).isTrue();
      assertThat(report.migration("billing/region").orElseThrow().done()).isEmpty();
      assertThat(heartbeat()).isEqualTo(before + 1);
      member.advance();
      assertThat(statements.executed()).hasSize(2);
    }
  }

  @Test
  void aJobsRepeatIsOneRoundTripToo() {
    settled().close();
    try (Orchestrator job = Members.driver(statements.dataSource()).build()) {
      assertThat(job.advance().settled()).isTrue();
      statements.forget();
      assertThat(job.advance().settled()).isTrue();
      assertThat(statements.executed()).hasSize(1);
    }
  }

  @Test
  void whatIsNewIsNoticed() {
    AddColumn other = AddColumn.of("shop/other").table("users").column("other", "text").build();
    try (Orchestrator member = settled();
        Orchestrator shop =
            Members.member(database.dataSource(), "1")
                .application("shop")
                .thisBuild(other, AddColumn.Code.UNAWARE)
                .build()) {
      shop.advance();
      AdvanceReport report = member.advance();
      assertThat(statements.executed()).hasSizeGreaterThan(1);
      assertThat(report.migration("shop/other")).isPresent();
    }
  }

  @Test
  void whoWasStruckOffRegistersAgain() {
    try (Orchestrator member = settled()) {
      database.execute("DELETE FROM orchestrator.member");
      assertThat(member.advance().admitted()).isTrue();
      assertThat(database.queryLong("SELECT count(*) FROM orchestrator.member")).isEqualTo(1);
    }
  }

  /**
   * Without Flyway on the class path at all, so that not even a stray reference would go unseen.
   */
  @Test
  void currentTablesNeedNoFlyway() throws Exception {
    AdvanceOnce.Ran fresh =
        AdvanceOnce.run(AdvanceOnce.class, database, AdvanceOnce.libraryOnly(), List.of());
    assertThat(fresh.exit()).as(fresh.output()).isNotZero();
    assertThat(fresh.output()).contains("org/flywaydb/core");
    settled().close();
    AdvanceOnce.Ran current =
        AdvanceOnce.run(AdvanceOnce.class, database, AdvanceOnce.libraryOnly(), List.of());
    assertThat(current.exit()).as(current.output()).isZero();
    assertThat(current.output()).contains("admitted: true");
  }

  @Test
  void currentTablesLoadNoFlywayClass() throws Exception {
    Set<Path> all = AdvanceOnce.libraryOnly();
    all.addAll(AdvanceOnce.where(Flyway.class, PostgreSQLDatabase.class));
    List<String> verbose = List.of("-verbose:class");
    AdvanceOnce.Ran fresh = AdvanceOnce.run(AdvanceOnce.class, database, all, verbose);
    assertThat(fresh.output()).contains("admitted: true").contains(" org.flywaydb.core.Flyway ");
    AdvanceOnce.Ran current = AdvanceOnce.run(AdvanceOnce.class, database, all, verbose);
    assertThat(current.output()).contains("admitted: true").doesNotContain("org.flywaydb");
    assertThat(current.exit()).isZero();
  }
}
