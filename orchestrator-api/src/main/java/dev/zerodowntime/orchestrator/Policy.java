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
 * in an incident is an event in the log, not an edit of history.
 *
 * @param pace how fast backfills go, and what they give way to
 * @param retention how long a quarantined object is kept before it may be purged
 * @param approvals names of the phases that wait for {@link Orchestrator#approve}
 * @param allowedTriggers row triggers of the application that may fire during the backfill
 * @param allowedFunctions functions whose text names a column that is renamed or dropped, and that
 *     go on working all the same
 */
public record Policy(
    Pace pace,
    Duration retention,
    Set<String> approvals,
    Set<String> allowedTriggers,
    Set<String> allowedFunctions) {

  /** {@link Pace#DEFAULT}; 7 days of retention; no approvals. */
  public static final Policy DEFAULT =
      new Policy(Pace.DEFAULT, Duration.ofDays(7), Set.of(), Set.of(), Set.of());

  /** Checks the ranges. */
  public Policy {
    if (retention.isNegative()) {
      throw new IllegalArgumentException("retention must not be negative: " + retention);
    }
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
    map.put("retentionMillis", retention.toMillis());
    map.put("approvals", List.copyOf(new TreeSet<>(approvals)));
    map.put("allowedTriggers", List.copyOf(new TreeSet<>(allowedTriggers)));
    map.put("allowedFunctions", List.copyOf(new TreeSet<>(allowedFunctions)));
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
        Duration.ofMillis(number(map.get("retentionMillis"), DEFAULT.retention.toMillis())),
        names(map.get("approvals")),
        names(map.get("allowedTriggers")),
        names(map.get("allowedFunctions")));
  }

  /**
   * Replaces the pace.
   *
   * @param other how fast backfills go
   * @return a copy
   */
  public Policy pace(Pace other) {
    return new Policy(other, retention, approvals, allowedTriggers, allowedFunctions);
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
