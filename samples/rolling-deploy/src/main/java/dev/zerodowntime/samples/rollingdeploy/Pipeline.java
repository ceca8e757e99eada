package dev.zerodowntime.samples.rollingdeploy;

import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Role;
import java.util.List;
import java.util.stream.Collectors;
import javax.sql.DataSource;

/**
 * What a pipeline does with the library: it says what only those can know who run the instances,
 * and looks. It drives nothing; the instances do that among themselves.
 */
final class Pipeline implements AutoCloseable {

  private static final String APPLICATION = "users";

  private final Orchestrator orchestrator;

  Pipeline(DataSource database) {
    orchestrator =
        Orchestrator.builder(database)
            .application(APPLICATION)
            .release("pipeline")
            .role(Role.DRIVER)
            .background(false)
            .build();
  }

  /** No instance without the library is left. */
  void everyInstanceHasLibrary() {
    orchestrator.adopted(APPLICATION);
  }

  /** Whether all that the releases have announced is carried out to its end. */
  boolean finished() {
    List<MigrationReport> migrations = migrations();
    return migrations.size() == 2 && migrations.stream().allMatch(MigrationReport::finished);
  }

  /** Where each migration is, in one line. */
  String phases() {
    return migrations().stream()
        .map(each -> each.id() + " " + each.phase())
        .collect(Collectors.joining(", "));
  }

  /** Everything there is to know, for whoever finds out why something waits. */
  String status() {
    return orchestrator.status().toString();
  }

  private List<MigrationReport> migrations() {
    return orchestrator.status().migrations();
  }

  @Override
  public void close() {
    orchestrator.close();
  }
}
