package dev.zerodowntime.orchestrator;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How fast a backfill goes, and what it gives way to. Immutable; start from {@link #DEFAULT} and
 * replace single values. People may change each of them while a backfill runs, see {@link
 * Orchestrator#backfill}.
 *
 * @param minRows the fewest rows of a batch; fewer only where a batch of so many would take longer
 *     than the lock budget
 * @param maxRows the most rows of a batch, 10,000 at most
 * @param target how long a batch should take: its size moves towards that
 * @param pause the pause between two batches of a worker
 * @param workers how many work on one backfill at the same time, in all processes together
 * @param maxLag how far replicas may be behind before the backfill waits for them; null: as they
 *     like
 * @param maxWaiting how many sessions of others may wait for a batch before batches get smaller and
 *     rarer; null: as many as there are
 * @param window when batches may run
 */
public record Pace(
    int minRows,
    int maxRows,
    Duration target,
    Duration pause,
    int workers,
    @Nullable Duration maxLag,
    @Nullable Integer maxWaiting,
    BackfillWindow window) {

  /** The most rows that a batch can have. */
  public static final int MOST_ROWS = 10_000;

  /** Long enough for what comes with every batch not to count. */
  private static final Duration FULL_SPEED = Duration.ofMillis(100);

  private static final Duration MOST_TARGET = Duration.ofMinutes(10);
  private static final Duration MOST_PAUSE = Duration.ofDays(1);

  /** The most workers of one backfill. */
  public static final int MOST_WORKERS = 64;

  /**
   * Batches of 1,000 to 10,000 rows that take 5 ms, 100 ms apart; one worker; replicas at most 10 s
   * behind; at most 5 sessions waiting; at any time.
   */
  public static final Pace DEFAULT =
      new Pace(
          1_000,
          MOST_ROWS,
          Duration.ofMillis(5),
          Duration.ofMillis(100),
          1,
          Duration.ofSeconds(10),
          5,
          BackfillWindow.ALWAYS);

  /** Checks the ranges. */
  public Pace {
    range("minRows", minRows, 1, MOST_ROWS);
    range("maxRows", maxRows, 1, MOST_ROWS);
    if (minRows > maxRows) {
      throw new IllegalArgumentException(
          "minRows " + minRows + " must not be greater than maxRows " + maxRows);
    }
    if (target.compareTo(Duration.ofMillis(1)) < 0 || target.compareTo(MOST_TARGET) > 0) {
      throw new IllegalArgumentException(
          "target must lie between 1 ms and " + MOST_TARGET + ", but is " + target);
    }
    if (pause.isNegative() || pause.compareTo(MOST_PAUSE) > 0) {
      throw new IllegalArgumentException(
          "pause must lie between 0 and " + MOST_PAUSE + ", but is " + pause);
    }
    range("workers", workers, 1, MOST_WORKERS);
    if (maxLag != null && maxLag.isNegative()) {
      throw new IllegalArgumentException("maxLag must not be negative: " + maxLag);
    }
    if (maxWaiting != null && maxWaiting < 0) {
      throw new IllegalArgumentException("maxWaiting must not be negative: " + maxWaiting);
    }
  }

  private static void range(String name, int value, int least, int most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(
          name + " must lie between " + least + " and " + most + ", but is " + value);
    }
  }

  /**
   * As fast as the server can: no pause, nothing watched but load signals. For tables that nobody
   * uses.
   *
   * @return a copy with batches that take 100 ms, no pause, no limits and no window
   */
  public Pace fullSpeed() {
    return new Pace(
        minRows, maxRows, FULL_SPEED, Duration.ZERO, workers, null, null, BackfillWindow.ALWAYS);
  }

  /**
   * Replaces the bounds of the batch size.
   *
   * @param min the fewest rows
   * @param max the most rows
   * @return a copy
   */
  public Pace rows(int min, int max) {
    return new Pace(min, max, target, pause, workers, maxLag, maxWaiting, window);
  }

  /**
   * Replaces the time that a batch should take.
   *
   * @param time how long
   * @return a copy
   */
  public Pace target(Duration time) {
    return new Pace(minRows, maxRows, time, pause, workers, maxLag, maxWaiting, window);
  }

  /**
   * Replaces the pause.
   *
   * @param time how long
   * @return a copy
   */
  public Pace pause(Duration time) {
    return new Pace(minRows, maxRows, target, time, workers, maxLag, maxWaiting, window);
  }

  /**
   * Replaces the number of workers.
   *
   * @param number how many, in all processes together
   * @return a copy
   */
  public Pace workers(int number) {
    return new Pace(minRows, maxRows, target, pause, number, maxLag, maxWaiting, window);
  }

  /**
   * Replaces the limit of replication lag.
   *
   * @param lag how far replicas may be behind; null: as they like
   * @return a copy
   */
  public Pace maxLag(@Nullable Duration lag) {
    return new Pace(minRows, maxRows, target, pause, workers, lag, maxWaiting, window);
  }

  /**
   * Replaces the limit of waiting sessions.
   *
   * @param sessions how many may wait; null: as many as there are
   * @return a copy
   */
  public Pace maxWaiting(@Nullable Integer sessions) {
    return new Pace(minRows, maxRows, target, pause, workers, maxLag, sessions, window);
  }

  /**
   * Replaces the window.
   *
   * @param times when batches may run
   * @return a copy
   */
  public Pace window(BackfillWindow times) {
    return new Pace(minRows, maxRows, target, pause, workers, maxLag, maxWaiting, times);
  }

  /**
   * As data, for the control tables.
   *
   * @return the fields by name
   */
  Map<String, Object> toMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("minRows", (long) minRows);
    map.put("maxRows", (long) maxRows);
    map.put("targetMillis", target.toMillis());
    map.put("pauseMillis", pause.toMillis());
    map.put("workers", (long) workers);
    map.put("maxLagMillis", maxLag == null ? -1L : maxLag.toMillis());
    map.put("maxWaiting", maxWaiting == null ? -1L : (long) maxWaiting);
    map.put("window", window.toString());
    return map;
  }

  /**
   * How long a backfill takes at this pace. What it waits for, such as its window or a replica, is
   * not counted.
   *
   * @param rows how many rows it has to look at
   * @return such as {@code 4.2 s to 42 s}: with the largest batches, and with the smallest
   */
  public String estimate(long rows) {
    return Durations.text(atLeast(rows, maxRows)) + " to " + Durations.text(atLeast(rows, minRows));
  }

  private Duration atLeast(long rows, int batch) {
    long rounds = (rows / batch + 1 + workers - 1) / workers;
    return target.plus(pause).multipliedBy(rounds);
  }

  /** From data in the control tables. Fields that are missing have their default. */
  static Pace fromMap(Map<?, ?> map) {
    Pace other = DEFAULT;
    return new Pace(
        (int) number(map, "minRows").orElse((long) other.minRows).longValue(),
        (int) number(map, "maxRows").orElse((long) other.maxRows).longValue(),
        number(map, "targetMillis").map(Duration::ofMillis).orElse(other.target),
        number(map, "pauseMillis").map(Duration::ofMillis).orElse(other.pause),
        (int) number(map, "workers").orElse((long) other.workers).longValue(),
        limit(map, "maxLagMillis", Duration.ofSeconds(10).toMillis())
            .map(Duration::ofMillis)
            .orElse(null),
        limit(map, "maxWaiting", 5).map(Long::intValue).orElse(null),
        map.get("window") instanceof String text ? BackfillWindow.parse(text) : other.window);
  }

  private static Optional<Long> number(Map<?, ?> map, String name) {
    return map.get(name) instanceof Number n ? Optional.of(n.longValue()) : Optional.empty();
  }

  private static Optional<Long> limit(Map<?, ?> map, String name, long otherwise) {
    long value = number(map, name).orElse(otherwise);
    return value < 0 ? Optional.empty() : Optional.of(value);
  }
}
