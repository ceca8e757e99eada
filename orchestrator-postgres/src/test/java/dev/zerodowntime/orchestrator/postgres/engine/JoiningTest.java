package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.operation.RenameColumnInCode;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A build that needs a phase, and drives there itself, while nobody is counted. */
@PostgresTest
class JoiningTest {

  @Test
  void itGoesNoFurtherThanItFits(TestDatabase database) {
    database.execute("CREATE TABLE users (id bigint PRIMARY KEY, name text)");
    try (Orchestrator first =
        Members.member(database.dataSource(), "1").environment(Environment.DEVELOPMENT).build()) {
      first.advance();
    }
    RenameColumnInCode rename =
        RenameColumnInCode.of("billing/in-code")
            .table("users")
            .from("name")
            .to("full_name")
            .build();
    try (Orchestrator member =
        Members.member(database.dataSource(), "2")
            .environment(Environment.DEVELOPMENT)
            // One slice of driving is enough for everything that gates allow.
            .timing(timing -> Members.patient(timing).tick(Duration.ofSeconds(20)))
            .thisBuild(rename, RenameColumnInCode.Code.DUAL_WRITE)
            .build()) {
      AdvanceReport report = member.advance();
      assertThat(report.admitted()).isTrue();
      assertThat(report.migration(rename.id()).orElseThrow().phase()).isEqualTo("ENFORCE");
      assertThat(member.stage(rename)).isEqualTo(RenameColumnInCode.Code.DUAL_WRITE);
    }
  }
}
