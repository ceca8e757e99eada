package dev.zerodowntime.orchestrator.internal.control;

import dev.zerodowntime.orchestrator.BackfillWindow;
import dev.zerodowntime.orchestrator.Pace;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What people have set for one backfill; null where the migration's policy holds.
 *
 * @param minRows see {@link Pace#minRows}
 * @param maxRows see {@link Pace#maxRows}
 * @param targetMillis see {@link Pace#target}
 * @param pauseMillis see {@link Pace#pause}
 * @param workers see {@link Pace#workers}
 * @param maxLagMillis see {@link Pace#maxLag}; negative: no limit
 * @param maxWaiting see {@link Pace#maxWaiting}; negative: no limit
 * @param window see {@link Pace#window}, as text
 */
public record PaceOverrides(
    @Nullable Integer minRows,
    @Nullable Integer maxRows,
    @Nullable Long targetMillis,
    @Nullable Long pauseMillis,
    @Nullable Integer workers,
    @Nullable Long maxLagMillis,
    @Nullable Integer maxWaiting,
    @Nullable String window) {

  /** Nothing set. */
  public static final PaceOverrides NONE =
      new PaceOverrides(null, null, null, null, null, null, null, null);

  /** Everything set. */
  public static PaceOverrides all(Pace pace) {
    Duration lag = pace.maxLag();
    Integer waiting = pace.maxWaiting();
    return new PaceOverrides(
        pace.minRows(),
        pace.maxRows(),
        pace.target().toMillis(),
        pace.pause().toMillis(),
        pace.workers(),
        lag == null ? -1L : lag.toMillis(),
        waiting == null ? -1 : waiting,
        pace.window().toString());
  }

  /**
   * The pace that results.
   *
   * @param policy the migration's
   * @throws IllegalArgumentException if what was set makes no sense, for people
   */
  public Pace over(Pace policy) {
    try {
      int most = maxRows != null ? maxRows : Math.max(policy.maxRows(), or(minRows, 1));
      int least = minRows != null ? minRows : Math.min(policy.minRows(), most);
      Duration lag = policy.maxLag();
      if (maxLagMillis != null) {
        lag = maxLagMillis < 0 ? null : Duration.ofMillis(maxLagMillis);
      }
      Integer waiting = policy.maxWaiting();
      if (maxWaiting != null) {
        waiting = maxWaiting < 0 ? null : maxWaiting;
      }
      return new Pace(
          least,
          most,
          targetMillis != null ? Duration.ofMillis(targetMillis) : policy.target(),
          pauseMillis != null ? Duration.ofMillis(pauseMillis) : policy.pause(),
          workers != null ? workers : policy.workers(),
          lag,
          waiting,
          window != null ? BackfillWindow.parse(window) : policy.window());
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "what was set in the table backfill can't be used: "
              + e.getMessage()
              + "; correct the column, or set it to NULL for the migration's own policy",
          e);
    }
  }

  private static int or(@Nullable Integer value, int otherwise) {
    return value != null ? value : otherwise;
  }
}
