package dev.zerodowntime.orchestrator;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Whether the schema is ready for a release, as {@link Orchestrator#await} has found it.
 *
 * @param application the application
 * @param release the release
 * @param verdict what to do
 * @param missing what it can't run against as it is; empty when it is ready
 */
public record Readiness(
    String application, String release, Verdict verdict, List<Missing> missing) {

  /** Copies the list. */
  public Readiness {
    missing = List.copyOf(missing);
  }

  /** What comes of it. */
  public enum Verdict {
    /** Every build of the release would be admitted now. */
    READY,
    /**
     * The schema has left the release behind, and goes back for it as soon as it asks, which its
     * members do when they start.
     */
    REOPENS,
    /** The time is over, and something is still waited for. Asking again is safe. */
    NOT_YET,
    /** The schema has left the release behind and can't go back as things are. */
    LEFT_BEHIND,
    /**
     * A phase is needed of a migration that is not known in this database, so that nobody can drive
     * it: only a build that declares it can.
     */
    NOT_DECLARED
  }

  /**
   * A migration that the release can't run against as it is.
   *
   * @param id its id
   * @param schema the target schema; empty if the migration is not known in this database
   * @param phase the phase reached; empty likewise
   * @param stage the highest stage that the release would be at; empty if it declares one that
   *     nobody knows the phases of
   * @param needs the phase that is needed; empty likewise
   * @param waits what keeps it from there: what is waited for now first, then what is known to be
   *     in the way of later phases; where there is no way back, who or what is in the way
   * @param expected how long that still takes, as far as it is known; null where somebody has to do
   *     something, or nobody can tell
   * @param needsPerson whether it never ends by itself, nor by deploying: somebody has to approve,
   *     resume, mend or unpin something
   * @param next what to do; empty when time alone is needed
   */
  public record Missing(
      String id,
      String schema,
      String phase,
      String stage,
      String needs,
      List<Wait> waits,
      @Nullable Duration expected,
      boolean needsPerson,
      String next) {

    /** Copies the list. */
    public Missing {
      waits = List.copyOf(waits);
    }

    @Override
    public String toString() {
      StringBuilder text = new StringBuilder(id);
      if (schema.isEmpty()) {
        text.append(" is not known in this database");
      } else {
        text.append(" (").append(schema).append(") has reached ").append(phase);
      }
      if (!needs.isEmpty()) {
        text.append("; ").append(stage).append(" needs ").append(needs);
      }
      waits.forEach(each -> text.append("\n    waits: ").append(each));
      if (needsPerson) {
        text.append("\n    ends only when somebody does something");
      } else if (expected != null) {
        text.append("\n    expected in ").append(Durations.text(expected));
      }
      if (!next.isEmpty()) {
        text.append("\n    next: ").append(next);
      }
      return text.toString();
    }
  }

  /**
   * Whether members of the release may be started.
   *
   * @return true if it is ready, or will be by starting
   */
  public boolean mayStart() {
    return verdict == Verdict.READY || verdict == Verdict.REOPENS;
  }

  /**
   * How long it will still take, as far as it is known.
   *
   * @return zero if it is ready; null if somebody has to do something, or nobody can tell
   */
  public @Nullable Duration expected() {
    Duration longest = Duration.ZERO;
    for (Missing each : missing) {
      Duration expected = each.expected();
      if (expected == null) {
        return null;
      }
      longest = expected.compareTo(longest) > 0 ? expected : longest;
    }
    return longest;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(application).append(' ').append(release);
    text.append(
        switch (verdict) {
          case READY -> " may start";
          case REOPENS -> " may start: the schema has left it behind, and goes back for it";
          case NOT_YET -> " can't start yet";
          case LEFT_BEHIND -> " can't start: the schema has left it behind";
          case NOT_DECLARED -> " can't start: it needs what no build has declared yet";
        });
    missing.forEach(each -> text.append("\n  ").append(each));
    return text.toString();
  }
}
