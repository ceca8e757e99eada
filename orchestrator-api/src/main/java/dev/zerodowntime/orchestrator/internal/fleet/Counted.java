package dev.zerodowntime.orchestrator.internal.fleet;

import dev.zerodowntime.orchestrator.Span;

/**
 * Somebody whom the gates of one migration must ask.
 *
 * @param kind why it is counted
 * @param name how to call it in a message, such as {@code 2 members of billing 2026.46}
 * @param stage the code stage it is judged by
 * @param span the phases that stage can run against
 */
public record Counted(Kind kind, String name, String stage, Span span) {

  /** Why somebody is counted. */
  public enum Kind {
    /** A member with a heartbeat, or one that drains. */
    LIVE,
    /** Counted until a person ends it. */
    PINNED,
    /** A release without members that may be rolled back to: only holds back. */
    WARM
  }
}
