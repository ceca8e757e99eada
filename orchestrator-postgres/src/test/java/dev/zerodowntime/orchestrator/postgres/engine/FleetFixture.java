package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.FleetStatus;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/**
 * One table with rows, and the removal of a column that rejects rows without it: an operation in
 * which every stage excludes some phase, so that the fleet's rules show at every step.
 */
@PostgresTest
abstract class FleetFixture {

  static final String ID = "billing/drop-zip";

  /** USES [0,0], NOT_READING [0,1], UNUSED [1,3]; purged only after a week. */
  static final DropColumn DROP = drop(Duration.ofDays(7));

  TestDatabase database;

  static DropColumn drop(Duration retention) {
    return DropColumn.of(ID)
        .table("users")
        .column("zip")
        .retention(retention)
        .fillBackWithSql("''")
        .build();
  }

  @BeforeEach
  void createDatabase() {
    database = TestDatabase.create("fleet");
    database.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY, zip text NOT NULL)",
        "INSERT INTO users VALUES (1, '1')",
        "CREATE TABLE orders (id bigint PRIMARY KEY)");
    Members.install(database.dataSource());
  }

  @AfterEach
  void dropDatabase() {
    database.close();
  }

  /** A member that stays counted without heartbeats. */
  OrchestratorBuilder member(String release) {
    return Members.member(database.dataSource(), release).timing(Members::patient);
  }

  OrchestratorBuilder member(String release, DropColumn.Code... stages) {
    return member(release).thisBuild(DROP, stages);
  }

  OrchestratorBuilder job() {
    return Members.driver(database.dataSource()).timing(Members::patient);
  }

  static Orchestrator joined(OrchestratorBuilder builder) {
    Orchestrator member = builder.build();
    assertThat(member.advance().admitted()).isTrue();
    return member;
  }

  /** Makes an application known, with the migration declared and nobody left who is counted. */
  void nobodyIsLeft() {
    joined(member("0", DropColumn.Code.USES)).close();
  }

  static MigrationReport of(AdvanceReport report) {
    return report.migration(ID).orElseThrow();
  }

  static MigrationReport of(FleetStatus status) {
    return status.migrations().stream()
        .filter(each -> each.id().equals(ID))
        .findFirst()
        .orElseThrow();
  }

  /** Drives as far as gates allow, and says how far that is. */
  static String driven(Orchestrator driver) {
    return of(driver.drive()).phase();
  }

  /** What a migration waits for, of one kind. */
  static String waits(MigrationReport report, Wait.Kind kind) {
    return report.waits().stream()
        .filter(each -> each.kind() == kind)
        .map(Wait::toString)
        .reduce("", (a, b) -> a + b + "\n");
  }

  static String waits(Orchestrator driver, Wait.Kind kind) {
    return waits(of(driver.drive()), kind);
  }

  long count(String table) {
    return database.queryLong("SELECT count(*) FROM orchestrator." + table);
  }
}
