package dev.zerodowntime.orchestrator;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Everything about the database, its fleet and its migrations, at one moment.
 *
 * @param environment what the database is for
 * @param paused why everything is paused, or null if it is not
 * @param driver who holds the lease, or null if nobody does
 * @param members running instances
 * @param warm releases that hold back after their last member
 * @param pinned members counted until a person ends them
 * @param strangers while builds before the library are pinned: sessions on the database that can't
 *     be a member's, see {@link Diagnosis#strangers()}; else empty
 * @param migrations every migration, in declaration order
 * @param at when this was read, by the database's clock
 */
public record FleetStatus(
    String environment,
    @Nullable String paused,
    @Nullable String driver,
    List<String> members,
    List<String> warm,
    List<String> pinned,
    List<SessionGroup> strangers,
    List<MigrationReport> migrations,
    Instant at) {

  /** Copies the lists. */
  public FleetStatus {
    members = List.copyOf(members);
    warm = List.copyOf(warm);
    pinned = List.copyOf(pinned);
    strangers = List.copyOf(strangers);
    migrations = List.copyOf(migrations);
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    text.append(environment).append(" at ").append(at);
    text.append(paused == null ? "" : ", PAUSED: " + paused);
    text.append("\n  driver: ").append(driver == null ? "none" : driver);
    members.forEach(each -> text.append("\n  member: ").append(each));
    warm.forEach(each -> text.append("\n  warm: ").append(each));
    pinned.forEach(each -> text.append("\n  pinned: ").append(each));
    strangers.forEach(each -> text.append("\n  of no member: ").append(each));
    migrations.forEach(each -> text.append("\n  ").append(each));
    return text.toString();
  }
}
