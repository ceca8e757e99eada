package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.time.Duration;
import org.junit.jupiter.api.Test;

@PostgresTest
class AddColumnLifecycleTest {

  static final AddColumn REGION =
      AddColumn.of("billing/users-region")
          .table("users")
          .column("region", "text")
          .notNull()
          .fillWithSql("upper(country)")
          .batchPause(Duration.ZERO)
          .build();

  @Test
  void goesUpAsCodeFollows(TestDatabase database) {
    database.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY, country text NOT NULL)",
        "INSERT INTO users SELECT i, 'de' FROM generate_series(1, 2500) i");
    try (Orchestrator old =
            Members.member(database.dataSource(), "1")
                .thisBuild(REGION, AddColumn.Code.UNAWARE)
                .build();
        Orchestrator next =
            Members.member(database.dataSource(), "2")
                .thisBuild(REGION, AddColumn.Code.READS)
                .build()) {
      AdvanceReport first = old.advance();
      assertThat(first.migration(REGION.id()).orElseThrow().waits())
          .anyMatch(each -> each.what().contains("builds before us"));
      old.adopted("billing");
      AdvanceReport report = old.drive();
      assertThat(report.migration(REGION.id()).orElseThrow().phase()).isEqualTo("ENFORCE");
      assertThat(report.migration(REGION.id()).orElseThrow().waits())
          .anyMatch(each -> each.kind() == Wait.Kind.FLEET);
      assertThat(database.queryLong("SELECT count(*) FROM users WHERE region = 'DE'"))
          .isEqualTo(2500);
      next.advance();
      assertThat(next.stage(REGION)).isEqualTo(AddColumn.Code.READS);
      old.close();
      report = next.drive();
      assertThat(report.settled()).isTrue();
    }
    assertThat(
            database.rows(
                "SELECT phase, step FROM orchestrator.event WHERE kind = 'STEP' ORDER BY id"))
        .hasSizeGreaterThan(6)
        .doesNotHaveDuplicates();
  }
}
