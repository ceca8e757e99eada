package dev.zerodowntime.orchestrator;

import java.time.Duration;
import java.time.Instant;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * How far a backfill, or a verification, has come, at one moment.
 *
 * @param migration the migration's id
 * @param schema the target schema
 * @param step the step's name
 * @param state what is being done
 * @param sweep how many times the table is walked through by now
 * @param rowsChanged rows changed so far, in all sweeps
 * @param rowsSeen rows walked over in this sweep
 * @param rowsTotal rows of the table: the server's estimate, never a count; empty if it has none
 * @param leftOver rows that this verification has found left or different so far
 * @param rowsPerSecond rows walked over per second, lately, by all workers together
 * @param workers how many work on it now
 * @param batchRows rows of a batch, lately
 * @param pace what it keeps to: the migration's policy, or what a person has set since
 * @param paused whether a person has paused it
 * @param waiting what it waits for, or null if it goes on
 * @param error why it stopped, or null
 * @param since when it began
 */
public record BackfillProgress(
    String migration,
    String schema,
    String step,
    State state,
    int sweep,
    long rowsChanged,
    long rowsSeen,
    OptionalLong rowsTotal,
    long leftOver,
    OptionalDouble rowsPerSecond,
    int workers,
    int batchRows,
    Pace pace,
    boolean paused,
    @Nullable String waiting,
    @Nullable String error,
    Instant since) {

  /** What is being done. */
  public enum State {
    /** Rows are changed. */
    RUNNING,
    /** Rows are looked at. */
    VERIFYING,
    /** It is done. */
    DONE,
    /** A row is in the way; {@link BackfillProgress#error} says which. */
    STOPPED
  }

  /**
   * The share of this walk that is done, as far as the estimate goes.
   *
   * @return 0 to 1; empty if there is no estimate
   */
  public OptionalDouble share() {
    if (state == State.DONE) {
      return OptionalDouble.of(1);
    }
    if (rowsTotal.isEmpty() || rowsTotal.getAsLong() <= 0) {
      return OptionalDouble.empty();
    }
    // An estimate may be too low; nobody is helped by more than all of it.
    return OptionalDouble.of(Math.min(1.0, (double) rowsSeen / rowsTotal.getAsLong()));
  }

  /**
   * How long this walk will still take at the present rate, as far as the estimate goes.
   *
   * @return null if there is no estimate or no rate
   */
  public @Nullable Duration left() {
    if (rowsTotal.isEmpty() || rowsPerSecond.isEmpty() || rowsPerSecond.getAsDouble() <= 0) {
      return null;
    }
    long rows = Math.max(0, rowsTotal.getAsLong() - rowsSeen);
    return Duration.ofMillis((long) (1_000.0 * rows / rowsPerSecond.getAsDouble()));
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    text.append(
        switch (state) {
          case RUNNING -> "backfilling";
          case VERIFYING -> "verifying";
          case DONE -> "done";
          case STOPPED -> "stopped";
        });
    share().ifPresent(share -> text.append(", ").append((int) (share * 100)).append(" %"));
    text.append(" (").append(rowsSeen).append(" of ");
    text.append(rowsTotal.isPresent() ? "about " + rowsTotal.getAsLong() : "an unknown number of");
    text.append(" rows walked over, ").append(rowsChanged).append(" changed)");
    if (sweep > 1) {
      text.append(", sweep ").append(sweep);
    }
    if (leftOver > 0) {
      text.append(", ").append(leftOver).append(" left or different");
    }
    if (state != State.DONE) {
      rowsPerSecond.ifPresent(rate -> text.append(", ").append(Math.round(rate)).append(" rows/s"));
      Duration left = left();
      if (left != null) {
        text.append(", about ").append(Durations.text(left)).append(" left");
      }
      text.append(", ").append(workers).append(workers == 1 ? " worker" : " workers");
      text.append(", batches of ").append(batchRows).append(batchRows == 1 ? " row" : " rows");
    }
    if (paused) {
      text.append(", PAUSED");
    }
    if (waiting != null) {
      text.append(", waits: ").append(waiting);
    }
    if (error != null) {
      text.append(", ").append(error);
    }
    return text.toString();
  }
}
