package dev.zerodowntime.orchestrator.testing;

import dev.zerodowntime.orchestrator.AdvanceReport;
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
    return of(report(orchestrator, migration), migration);
  }

  /** The same, and what became of all others. */
  public static AdvanceReport report(Orchestrator orchestrator, String migration) {
    AdvanceReport report = orchestrator.drive();
    for (int i = 1; i < MOST && passes(of(report, migration)); i++) {
      report = orchestrator.drive();
    }
    return report;
  }

  private static MigrationReport of(AdvanceReport report, String migration) {
    return report.migration(migration).orElseThrow();
  }

  private static boolean passes(MigrationReport report) {
    return report.waits().stream()
        .anyMatch(each -> each.kind() == Wait.Kind.LOCK || each.kind() == Wait.Kind.LOAD);
  }
}
