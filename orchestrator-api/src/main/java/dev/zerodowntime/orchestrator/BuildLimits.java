package dev.zerodowntime.orchestrator;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * When a long statement that blocks nobody, such as an index build or the validation of a
 * constraint, is too much for the server all the same. It is watched from a second connection, once
 * per {@link Timing#tick()}; three looks in a row beyond a limit, and it is cancelled, what it left
 * is removed, and it is tried again later. Load signals of the builder ({@link LoadSignal}) count
 * as well: free space of a disk, which no server tells over SQL, is one.
 *
 * <p>A build is begun like a backfill's batch: within the window of its {@link Pace}, while
 * replicas are no further behind than that allows and no signal is above its limit. What can't be
 * read keeps a build from beginning, and doesn't cancel one. On the way back nothing is held back
 * or cancelled. Immutable; start from {@link #DEFAULT}.
 *
 * @param maxLag how far replicas may fall behind; null: as they like
 * @param maxWaiting how many sessions of others may wait for the build, directly or in the queue
 *     behind it; null: as many as there are
 * @param maxTime how long it may take; null: as long as it needs
 * @param retryAfter how long after it was cancelled it may begin again
 */
public record BuildLimits(
    @Nullable Duration maxLag,
    @Nullable Integer maxWaiting,
    @Nullable Duration maxTime,
    Duration retryAfter) {

  /**
   * Replicas at most a minute behind, at most 5 sessions waiting, as long as it needs; again after
   * 10 minutes.
   */
  public static final BuildLimits DEFAULT =
      new BuildLimits(Duration.ofMinutes(1), 5, null, Duration.ofMinutes(10));

  /** Checks the ranges. */
  public BuildLimits {
    notNegative("maxLag", maxLag);
    notNegative("retryAfter", retryAfter);
    if (maxTime != null && (maxTime.isNegative() || maxTime.isZero())) {
      throw new IllegalArgumentException("maxTime must be positive: " + maxTime);
    }
    if (maxWaiting != null && maxWaiting < 0) {
      throw new IllegalArgumentException("maxWaiting must not be negative: " + maxWaiting);
    }
  }

  private static void notNegative(String name, @Nullable Duration value) {
    if (value != null && value.isNegative()) {
      throw new IllegalArgumentException(name + " must not be negative: " + value);
    }
  }

  /**
   * Replaces the limit of replication lag.
   *
   * @param lag how far replicas may fall behind; null: as they like
   * @return a copy
   */
  public BuildLimits maxLag(@Nullable Duration lag) {
    return new BuildLimits(lag, maxWaiting, maxTime, retryAfter);
  }

  /**
   * Replaces the limit of waiting sessions.
   *
   * @param sessions how many may wait; null: as many as there are
   * @return a copy
   */
  public BuildLimits maxWaiting(@Nullable Integer sessions) {
    return new BuildLimits(maxLag, sessions, maxTime, retryAfter);
  }

  /**
   * Replaces the limit of its time.
   *
   * @param time how long it may take; null: as long as it needs
   * @return a copy
   */
  public BuildLimits maxTime(@Nullable Duration time) {
    return new BuildLimits(maxLag, maxWaiting, time, retryAfter);
  }

  /**
   * Replaces the pause before it is tried again.
   *
   * @param pause how long
   * @return a copy
   */
  public BuildLimits retryAfter(Duration pause) {
    return new BuildLimits(maxLag, maxWaiting, maxTime, pause);
  }

  /** As data, for the control tables; -1 where there is no limit. */
  Map<String, Object> toMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("maxLagMillis", maxLag == null ? -1L : maxLag.toMillis());
    map.put("maxWaiting", maxWaiting == null ? -1L : (long) maxWaiting);
    map.put("maxTimeMillis", maxTime == null ? -1L : maxTime.toMillis());
    map.put("retryAfterMillis", retryAfter.toMillis());
    return map;
  }

  /** From data in the control tables. Fields that are missing have their default. */
  static BuildLimits fromMap(Map<?, ?> map) {
    Long waiting = limit(map, "maxWaiting", 5L);
    Duration retry = duration(limit(map, "retryAfterMillis", DEFAULT.retryAfter.toMillis()));
    return new BuildLimits(
        duration(limit(map, "maxLagMillis", Duration.ofMinutes(1).toMillis())),
        waiting == null ? null : waiting.intValue(),
        duration(limit(map, "maxTimeMillis", -1L)),
        retry == null ? DEFAULT.retryAfter : retry);
  }

  private static @Nullable Duration duration(@Nullable Long millis) {
    return millis == null ? null : Duration.ofMillis(millis);
  }

  private static @Nullable Long limit(Map<?, ?> map, String name, long otherwise) {
    long value = map.get(name) instanceof Number number ? number.longValue() : otherwise;
    return value < 0 ? null : value;
  }
}
