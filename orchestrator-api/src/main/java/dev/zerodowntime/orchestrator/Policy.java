package dev.zerodowntime.orchestrator;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * How a migration is carried out, as opposed to what it does. Not part of the checksum: changing it
 * in an incident is an event in the log, not an edit of history. Immutable; start from {@link
 * #DEFAULT} and replace single values.
 *
 * @param pace how fast backfills go, and what they give way to
 * @param builds when long builds are cancelled
 * @param retention how long a quarantined object is kept before it may be purged
 * @param healthyFor for how long after each phase the {@link HealthCheck} must find nothing; zero:
 *     it is not asked
 * @param backups names of the phases before which the {@link BackupGate} is asked, besides the
 *     purge
 * @param approvals names of the phases that wait for {@link Orchestrator#approve}
 * @param allowedTriggers row triggers of the application that may fire during the backfill
 * @param allowedFunctions functions whose text names a column that is renamed or dropped, and that
 *     go on working all the same
 * @param byCopy whether the table is to be copied by a tool; looked at once, before the first phase
 */
public record Policy(
    Pace pace,
    BuildLimits builds,
    Duration retention,
    Duration healthyFor,
    Set<String> backups,
    Set<String> approvals,
    Set<String> allowedTriggers,
    Set<String> allowedFunctions,
    boolean byCopy) {

  /**
   * {@link Pace#DEFAULT}; {@link BuildLimits#DEFAULT}; 7 days of retention; no health check, backup
   * or approval but those that a purge needs.
   */
  public static final Policy DEFAULT =
      new Policy(
          Pace.DEFAULT,
          BuildLimits.DEFAULT,
          Duration.ofDays(7),
          Duration.ZERO,
          Set.of(),
          Set.of(),
          Set.of(),
          Set.of(),
          false);

  /** Checks the ranges. */
  public Policy {
    if (retention.isNegative()) {
      throw new IllegalArgumentException("retention must not be negative: " + retention);
    }
    if (healthyFor.isNegative()) {
      throw new IllegalArgumentException("healthyFor must not be negative: " + healthyFor);
    }
    backups = Set.copyOf(backups);
    approvals = Set.copyOf(approvals);
    allowedTriggers = Set.copyOf(allowedTriggers);
    allowedFunctions = Set.copyOf(allowedFunctions);
  }

  /**
   * As data, for the control tables.
   *
   * @return the fields by name
   */
  public Map<String, Object> toMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("pace", pace.toMap());
    map.put("builds", builds.toMap());
    map.put("retentionMillis", retention.toMillis());
    map.put("healthyForMillis", healthyFor.toMillis());
    map.put("backups", List.copyOf(new TreeSet<>(backups)));
    map.put("approvals", List.copyOf(new TreeSet<>(approvals)));
    map.put("allowedTriggers", List.copyOf(new TreeSet<>(allowedTriggers)));
    map.put("allowedFunctions", List.copyOf(new TreeSet<>(allowedFunctions)));
    if (byCopy) {
      map.put("byCopy", true);
    }
    return map;
  }

  /**
   * From data in the control tables. Fields that are missing have their default.
   *
   * @param map the fields by name
   * @return the policy
   */
  public static Policy fromMap(Map<String, Object> map) {
    return new Policy(
        map.get("pace") instanceof Map<?, ?> pace ? Pace.fromMap(pace) : DEFAULT.pace,
        map.get("builds") instanceof Map<?, ?> builds
            ? BuildLimits.fromMap(builds)
            : DEFAULT.builds,
        Duration.ofMillis(number(map.get("retentionMillis"), DEFAULT.retention.toMillis())),
        Duration.ofMillis(number(map.get("healthyForMillis"), 0)),
        names(map.get("backups")),
        names(map.get("approvals")),
        names(map.get("allowedTriggers")),
        names(map.get("allowedFunctions")),
        Boolean.TRUE.equals(map.get("byCopy")));
  }

  /**
   * Replaces the pace.
   *
   * @param other how fast backfills go
   * @return a copy
   */
  public Policy pace(Pace other) {
    return new Policy(
        other,
        builds,
        retention,
        healthyFor,
        backups,
        approvals,
        allowedTriggers,
        allowedFunctions,
        byCopy);
  }

  /**
   * Replaces the limits of long builds.
   *
   * @param other when they are cancelled
   * @return a copy
   */
  public Policy builds(BuildLimits other) {
    return new Policy(
        pace,
        other,
        retention,
        healthyFor,
        backups,
        approvals,
        allowedTriggers,
        allowedFunctions,
        byCopy);
  }

  /**
   * Replaces the retention.
   *
   * @param other how long a quarantined object is kept
   * @return a copy
   */
  public Policy retention(Duration other) {
    return new Policy(
        pace,
        builds,
        other,
        healthyFor,
        backups,
        approvals,
        allowedTriggers,
        allowedFunctions,
        byCopy);
  }

  /**
   * Replaces the time that the health check watches.
   *
   * @param other how long after each phase
   * @return a copy
   */
  public Policy healthyFor(Duration other) {
    return new Policy(
        pace,
        builds,
        retention,
        other,
        backups,
        approvals,
        allowedTriggers,
        allowedFunctions,
        byCopy);
  }

  /**
   * Replaces the phases before which a backup is confirmed.
   *
   * @param other their names
   * @return a copy
   */
  public Policy backups(Set<String> other) {
    return new Policy(
        pace,
        builds,
        retention,
        healthyFor,
        other,
        approvals,
        allowedTriggers,
        allowedFunctions,
        byCopy);
  }

  /**
   * Replaces the phases that wait for approval.
   *
   * @param other their names
   * @return a copy
   */
  public Policy approvals(Set<String> other) {
    return new Policy(
        pace,
        builds,
        retention,
        healthyFor,
        backups,
        other,
        allowedTriggers,
        allowedFunctions,
        byCopy);
  }

  /**
   * Replaces the triggers that may fire during the backfill.
   *
   * @param other their names
   * @return a copy
   */
  public Policy allowedTriggers(Set<String> other) {
    return new Policy(
        pace, builds, retention, healthyFor, backups, approvals, other, allowedFunctions, byCopy);
  }

  /**
   * Replaces the functions that go on working all the same.
   *
   * @param other their names
   * @return a copy
   */
  public Policy allowedFunctions(Set<String> other) {
    return new Policy(
        pace, builds, retention, healthyFor, backups, approvals, allowedTriggers, other, byCopy);
  }

  /**
   * Says whether the table is to be copied by a tool.
   *
   * @param other whether
   * @return a copy
   */
  public Policy byCopy(boolean other) {
    return new Policy(
        pace,
        builds,
        retention,
        healthyFor,
        backups,
        approvals,
        allowedTriggers,
        allowedFunctions,
        other);
  }

  private static long number(@Nullable Object value, long otherwise) {
    return value instanceof Number n ? n.longValue() : otherwise;
  }

  private static Set<String> names(@Nullable Object value) {
    Set<String> names = new TreeSet<>();
    if (value instanceof List<?> list) {
      list.forEach(each -> names.add(String.valueOf(each)));
    }
    return names;
  }
}
