package dev.zerodowntime.orchestrator.junit;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.ThisBuild;
import dev.zerodowntime.orchestrator.Wait;
import java.util.List;
import java.util.Objects;
import javax.sql.DataSource;
import org.flywaydb.core.api.configuration.FluentConfiguration;

/**
 * Applies everything that a build declares to a new database, as a developer's first start does.
 */
public final class FromScratch {

  private FromScratch() {}

  /**
   * Applies what a build declares, in {@link Environment#DEVELOPMENT}.
   *
   * @param database a new database
   * @param build the build
   * @return what was done
   * @throws AssertionError if a migration has not come as far as this build fits
   */
  public static AdvanceReport apply(DataSource database, ThisBuild build) {
    try (Orchestrator orchestrator = orchestrator(database, build)) {
      return finished(orchestrator.advance());
    }
  }

  /**
   * Applies the application's Flyway scripts and what a build declares, in one order.
   *
   * @param database a new database
   * @param build the build
   * @param flyway the application's Flyway, but for its data source; is changed, so each call needs
   *     a new one
   * @return what was done after the scripts
   * @throws AssertionError if a migration has not come as far as this build fits
   */
  public static AdvanceReport apply(
      DataSource database, ThisBuild build, FluentConfiguration flyway) {
    try (Orchestrator orchestrator = orchestrator(database, build)) {
      flyway.dataSource(database);
      orchestrator.joinFlyway(flyway);
      flyway.load().migrate();
      return finished(orchestrator.advance());
    }
  }

  private static Orchestrator orchestrator(DataSource database, ThisBuild build) {
    return Orchestrator.builder(Objects.requireNonNull(database, "database"))
        .thisBuild(build)
        // Whatever it is elsewhere: here nobody else drives.
        .role(Role.BOTH)
        .environment(Environment.DEVELOPMENT)
        .developmentOnExistingRows()
        .background(false)
        .build();
  }

  private static AdvanceReport finished(AdvanceReport report) {
    List<String> behind =
        report.migrations().stream()
            .filter(each -> !asFarAsItGoes(each))
            .map(MigrationReport::toString)
            .toList();
    if (!behind.isEmpty()) {
      throw new AssertionError(
          "In a new database, migrations have not come as far as this build fits:\n"
              + String.join("\n", behind));
    }
    return report;
  }

  /** Nothing but this build itself may be in the way. */
  private static boolean asFarAsItGoes(MigrationReport migration) {
    boolean itself =
        !migration.waits().isEmpty()
            && migration.waits().stream()
                .allMatch(each -> each.kind() == Wait.Kind.FLEET || each.kind() == Wait.Kind.HELD);
    return migration.status() != MigrationStatus.FAILED
        && migration.state().atRest()
        && (migration.finished() || itself);
  }
}
