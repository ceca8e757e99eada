package dev.zerodowntime.orchestrator.internal.fleet;

import dev.zerodowntime.orchestrator.Span;
import org.jspecify.annotations.Nullable;

/**
 * Somebody whom the gates of one migration must ask.
 *
 * @param kind why it is counted
 * @param name how to call it in a message, such as {@code 2 members of billing 2026.46}
 * @param stage the code stage it is judged by
 * @param span the phases that stage can run against
 * @param until when it will be counted no more, in milliseconds of the database's clock; null if
 *     that is not known
 */
public record Counted(Kind kind, String name, String stage, Span span, @Nullable Long until) {

  /**
   * Somebody who stays for as long as anybody knows.
   *
   * @param kind why it is counted
   * @param name how to call it in a message
   * @param stage the code stage it is judged by
   * @param span the phases that stage can run against
   */
  public Counted(Kind kind, String name, String stage, Span span) {
    this(kind, name, stage, span, null);
  }

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
