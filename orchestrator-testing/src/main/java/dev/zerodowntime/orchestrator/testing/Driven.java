package dev.zerodowntime.orchestrator.testing;

import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Wait;

/** Drives on a machine that may have much else to do. */
public final class Driven {

  private static final int MOST = 20;

  private Driven() {}

  /**
   * Drives again while a lock was not to be had in time, or a reading of the load: that passes.
   *
   * @return what became of the migration
   */
  public static MigrationReport drive(Orchestrator orchestrator, String migration) {
    MigrationReport report = once(orchestrator, migration);
    for (int i = 1; i < MOST && passes(report); i++) {
      report = once(orchestrator, migration);
    }
    return report;
  }

  private static MigrationReport once(Orchestrator orchestrator, String migration) {
    return orchestrator.drive().migration(migration).orElseThrow();
  }

  private static boolean passes(MigrationReport report) {
    return report.waits().stream()
        .anyMatch(each -> each.kind() == Wait.Kind.LOCK || each.kind() == Wait.Kind.LOAD);
  }
}
