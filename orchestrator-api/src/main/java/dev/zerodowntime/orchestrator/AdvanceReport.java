package dev.zerodowntime.orchestrator;

import java.util.List;
import java.util.Optional;

/**
 * What a call did, and what every migration waits for.
 *
 * @param application this build's application
 * @param release this build's release
 * @param admitted whether this process is counted in the fleet, or is a driver that is not counted
 * @param leading whether this process holds the lease
 * @param migrations every migration, in declaration order
 */
public record AdvanceReport(
    String application,
    String release,
    boolean admitted,
    boolean leading,
    List<MigrationReport> migrations) {

  /** Copies the list. */
  public AdvanceReport {
    migrations = List.copyOf(migrations);
  }

  /**
   * One migration's report.
   *
   * @param id its id
   * @return the first of that id; empty if there is none
   */
  public Optional<MigrationReport> migration(String id) {
    return migrations.stream().filter(each -> each.id().equals(id)).findFirst();
  }

  /**
   * Whether nothing is left to do.
   *
   * @return true when every migration is at its last phase
   */
  public boolean settled() {
    return migrations.stream().allMatch(MigrationReport::finished);
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    text.append(application).append(' ').append(release);
    text.append(admitted ? "" : " (not admitted)").append(leading ? ", driving" : "");
    if (migrations.isEmpty()) {
      text.append(": nothing to do");
    }
    migrations.forEach(each -> text.append("\n  ").append(each));
    return text.toString();
  }
}
