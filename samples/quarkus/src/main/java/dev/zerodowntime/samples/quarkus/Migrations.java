package dev.zerodowntime.samples.quarkus;

import dev.zerodowntime.orchestrator.Timing;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import java.time.Duration;

/** What happens to the schema. */
final class Migrations {

  static final AddColumn REGION =
      AddColumn.of("users/2026-11-region")
          .table("users")
          .column("region", "text")
          .notNull()
          // For the rows that are there, and for releases that don't know of it.
          .fillWithSql("upper(country)")
          .build();

  static final RenameColumn FULL_NAME =
      RenameColumn.of("users/2026-11-full-name")
          .table("users")
          .from("name")
          .to("full_name")
          // Leave this out: it is 7 days then.
          .retention(Duration.ofSeconds(2))
          .build();

  private Migrations() {}

  /**
   * All rules of production, in a hurry: what takes a minute or a day there takes seconds here. A
   * real application leaves this out.
   */
  static Timing hurried(Timing production) {
    return production
        .heartbeat(Duration.ofMillis(500), Duration.ofSeconds(5))
        .soak(Duration.ofSeconds(1))
        .horizon(Duration.ofSeconds(3))
        .drain(Duration.ofMillis(500))
        .lease(Duration.ofSeconds(3))
        .startupBudget(Duration.ofSeconds(60))
        .tick(Duration.ofMillis(200));
  }
}
