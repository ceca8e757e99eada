package dev.zerodowntime.samples.rollingdeploy;

import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Role;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import javax.sql.DataSource;

/**
 * What a pipeline does with the library: it says what only those can know who run the instances,
 * and looks. It drives nothing; the instances do that among themselves.
 */
final class Pipeline implements AutoCloseable {

  private static final String APPLICATION = "users";
  private static final Duration PATIENCE = Duration.ofSeconds(120);

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

  /** Waits until a migration has reached a phase that the next release needs. */
  void awaitPhase(String id, String phase) throws InterruptedException {
    await(
        id + " is to reach " + phase,
        () ->
            migrations().stream()
                .filter(each -> each.id().equals(id))
                .anyMatch(each -> each.state().reached() >= each.lifecycle().position(phase)));
  }

  /** Waits until all that the releases have announced is carried out to its end. */
  void awaitFinished() throws InterruptedException {
    await(
        "both migrations are to be finished",
        () -> {
          List<MigrationReport> migrations = migrations();
          return migrations.size() == 2 && migrations.stream().allMatch(MigrationReport::finished);
        });
  }

  private void await(String what, BooleanSupplier condition) throws InterruptedException {
    try {
      Await.until(what, PATIENCE, condition);
    } catch (IllegalStateException e) {
      // Everything there is to know, for whoever finds out why it waits.
      throw new IllegalStateException(e.getMessage() + "\n" + orchestrator.status(), e);
    }
  }

  /** Where each migration is, in one line. */
  String phases() {
    return migrations().stream()
        .map(each -> each.id() + " " + each.phase())
        .collect(Collectors.joining(", "));
  }

  private List<MigrationReport> migrations() {
    return orchestrator.status().migrations();
  }

  @Override
  public void close() {
    orchestrator.close();
  }
}
