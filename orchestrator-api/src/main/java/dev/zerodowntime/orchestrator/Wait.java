package dev.zerodowntime.orchestrator;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Something a migration waits for.
 *
 * @param kind the kind of gate
 * @param what who or what is in the way, by name
 * @param since since when, by the database's clock, if known
 * @param left how long it will still take, if that is known
 */
public record Wait(Kind kind, String what, @Nullable Instant since, @Nullable Duration left) {

  /** The kinds of gates. */
  public enum Kind {
    /** Somebody counted is incompatible with the next phase. */
    FLEET,
    /** The fleet fits, but not for long enough yet. */
    SOAK,
    /** Members may exist that have not reported since the server restarted. */
    INCARNATION,
    /** Everything is paused, or this migration is. */
    PAUSED,
    /** A person must approve. */
    APPROVAL,
    /** Quarantined data is kept for a while. */
    RETENTION,
    /** A backup must be confirmed before something is dropped. */
    BACKUP,
    /** Another migration goes first. */
    ORDER,
    /** The application's driver would trip over a changed row type. */
    DRIVER,
    /** The application's health is watched for a time after a phase. */
    HEALTH,
    /** A lock could not be had within the budget. */
    LOCK,
    /** A replica has not replayed the phase yet, or does not answer. */
    REPLICA,
    /** A backfill or an online build is running. */
    RUNNING,
    /** A backfill gives way to the load, or waits for its window. */
    LOAD,
    /** Another driver holds the lease. */
    LEASE,
    /** A step failed. */
    FAILED,
    /** A person has rolled it back, and not resumed it. */
    HELD,
    /** No application is known: nobody can say what code runs. */
    NO_APPLICATION
  }

  /**
   * A wait whose age and end are unknown.
   *
   * @param kind the kind of gate
   * @param what who or what is in the way
   * @return the wait
   */
  public static Wait of(Kind kind, String what) {
    return new Wait(kind, what, null, null);
  }

  @Override
  public String toString() {
    return kind
        + ": "
        + what
        + (left == null ? "" : " (" + Durations.text(left) + " left)")
        + (since == null ? "" : ", since " + since);
  }
}
