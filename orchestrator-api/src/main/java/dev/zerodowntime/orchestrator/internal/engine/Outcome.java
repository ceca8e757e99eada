package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Wait;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What came of running a migration's steps. Failure to get a lock and the like are values; only
 * what nobody foresaw is an exception.
 *
 * @param kind what came of it
 * @param waiting what it waits for, where it does
 * @param after how long to leave it alone before it is tried again; null: as usual
 */
record Outcome(Kind kind, @Nullable Wait waiting, @Nullable Duration after) {

  enum Kind {
    /** The step is done. */
    DONE,
    /** The slice of time is over, and there is more to do. */
    MORE,
    /** A long statement is running. */
    RUNNING,
    /** Try again later. */
    RETRY,
    /** Not now; looked at again with the next tick. */
    HELD,
    /** Not by this process: another driver may be able to. */
    CANT,
    /** It failed, and repeating won't mend it. */
    FAILED
  }

  static final Outcome DONE = new Outcome(Kind.DONE, null);

  Outcome(Kind kind, @Nullable Wait waiting) {
    this(kind, waiting, null);
  }

  static Outcome more(String what) {
    return new Outcome(Kind.MORE, Wait.of(Wait.Kind.RUNNING, what));
  }

  static Outcome running(String what) {
    return new Outcome(Kind.RUNNING, Wait.of(Wait.Kind.RUNNING, what));
  }

  static Outcome retry(Wait.Kind kind, String what) {
    return new Outcome(Kind.RETRY, Wait.of(kind, what));
  }

  static Outcome later(String what, Duration after) {
    return new Outcome(Kind.RETRY, Wait.of(Wait.Kind.LOAD, what), after);
  }

  static Outcome cant(String what) {
    return new Outcome(Kind.CANT, Wait.of(Wait.Kind.LEASE, what));
  }

  static Outcome failed(String what) {
    return new Outcome(Kind.FAILED, Wait.of(Wait.Kind.FAILED, what));
  }

  boolean done() {
    return kind == Kind.DONE;
  }
}
