package dev.zerodowntime.orchestrator.internal.control;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The rows that say what is counted. Times are milliseconds of the database's clock. */
public final class FleetRows {

  private FleetRows() {}

  /** The one row about the database as a whole. */
  public record Control(
      int version,
      int minReader,
      String environment,
      String identity,
      String incarnation,
      String incarnationObserver,
      long incarnationStill,
      boolean paused,
      @Nullable String pausedReason,
      String serverIncarnation,
      long now,
      long fleetChanged) {}

  /** An application that has registered. */
  public record Application(String name, long firstSeen) {}

  /**
   * A release of an application; stages are the highest declared, by migration key; touches the
   * tables that any of its builds uses, null for all.
   */
  public record Release(
      String application,
      String release,
      Map<String, String> stages,
      Map<String, List<String>> declared,
      Set<String> finished,
      @Nullable Set<String> touches,
      long deploySeq,
      @Nullable Long lastMember,
      boolean proven,
      boolean forgotten) {}

  /** A running instance; stages by migration key; readers are the replicas it queries. */
  public record Member(
      String id,
      String application,
      String release,
      Map<String, String> stages,
      Set<String> finished,
      @Nullable Set<String> touches,
      Set<String> readers,
      String host,
      long registered,
      long heartbeat,
      long heartbeatAt,
      @Nullable Long closed,
      boolean sessionLeft,
      String observer,
      long observed,
      long still,
      boolean rowTypeSafe,
      boolean columnTypeSafe,
      String driverFacts) {}

  /** Somebody counted until a person ends it. */
  public record Pinned(
      long id,
      String application,
      String label,
      Map<String, String> stages,
      boolean rowTypeSafe,
      long since) {}

  /** The right to drive. */
  public record Lease(@Nullable String token, @Nullable String holderName, long expiresIn) {}

  /** A person's consent that has not been made use of. */
  public record Approval(
      long id, String key, String phase, String kind, @Nullable String planHash, String by) {}
}
