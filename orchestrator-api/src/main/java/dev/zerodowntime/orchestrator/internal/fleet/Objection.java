package dev.zerodowntime.orchestrator.internal.fleet;

import org.jspecify.annotations.Nullable;

/**
 * Why a phase may not be entered now.
 *
 * @param reason the rule
 * @param by who is in the way, for {@link Reason#NOT_FIT}
 */
public record Objection(Reason reason, @Nullable Counted by) {

  /** The rule that objects. */
  public enum Reason {
    /** A person has paused everything. */
    PAUSED,
    /** The server restarted, failed over or was restored; members need one expiry to report. */
    NEW_INCARNATION,
    /** No application is known, so nobody can say what code runs. */
    NO_APPLICATION,
    /** Somebody counted is incompatible with the phase. */
    NOT_FIT
  }
}
