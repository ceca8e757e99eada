package dev.zerodowntime.orchestrator.internal.fleet.model;

import dev.zerodowntime.orchestrator.State;

/** The control tables, apart from the members' rows, and the schema itself. */
final class Database {

  /** Never has the whole fleet been seen to fit. */
  static final int NEVER = -1;

  /** No target but the last phase. */
  static final int NO_TARGET = -1;

  State state = State.NOT_STARTED;

  /** The phase that the schema really has. */
  int schema;

  /** The phase to go down to, or {@link #NO_TARGET}. */
  int target = NO_TARGET;

  /** Whether the target is a person's, kept until told to resume. */
  boolean byHand;

  /** Ticks since the fleet has fitted the way up, up to the soak time. */
  int fitUp = NEVER;

  /** Ticks since the fleet has fitted the way down. */
  int fitDown = NEVER;

  /** Ticks since a member joined or was struck off, up to the soak time. */
  int changed = Scenario.SOAK;

  boolean pinned;

  /** Whether any build has ever asked to join. */
  boolean known;

  final ReleaseRow[] releases;

  Database(int releases) {
    this.releases = new ReleaseRow[releases];
    for (int i = 0; i < releases; i++) {
      this.releases[i] = new ReleaseRow();
    }
  }

  void copy(Database other) {
    state = other.state;
    schema = other.schema;
    target = other.target;
    byHand = other.byHand;
    fitUp = other.fitUp;
    fitDown = other.fitDown;
    changed = other.changed;
    pinned = other.pinned;
    known = other.known;
    for (int i = 0; i < releases.length; i++) {
      releases[i].copy(other.releases[i]);
    }
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("state ").append(state);
    text.append(", schema ").append(schema);
    if (target != NO_TARGET) {
      text.append(", target ").append(target).append(byHand ? " by hand" : "");
    }
    text.append(", fit ").append(fitUp).append('/').append(fitDown);
    text.append(", changed ").append(changed).append(pinned ? ", pinned" : "");
    for (int i = 0; i < releases.length; i++) {
      text.append(", r").append(i).append(' ').append(releases[i]);
    }
    return text.toString();
  }
}
