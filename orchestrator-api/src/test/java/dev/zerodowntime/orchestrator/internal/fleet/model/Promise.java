package dev.zerodowntime.orchestrator.internal.fleet.model;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.State;
import dev.zerodowntime.orchestrator.internal.fleet.FleetRules;
import dev.zerodowntime.orchestrator.internal.fleet.model.Slot.Process;
import org.jspecify.annotations.Nullable;

/**
 * What must hold of every world and of every step. Judges by what is true, not by what the rules
 * under test say: by the spans themselves, and by times that the model keeps beside those that are
 * stored.
 */
final class Promise {

  private final Scenario scenario;
  private final Counting counting;

  Promise(Scenario scenario) {
    this.scenario = scenario;
    counting = new Counting(scenario, FleetRules.STANDARD, Flaw.NONE);
  }

  /** What a step broke, or null. */
  @Nullable String broken(World before, Action action, int who, World after) {
    Database database = after.database;
    State state = database.state;
    if (database.schema != state.reached() && database.schema != state.entering()) {
      return "the schema is at " + database.schema + " although the state is " + state;
    }
    for (int i = 0; i < after.slots.length; i++) {
      Slot slot = after.slots[i];
      if (counted(slot) && !suits(slot.stage, database)) {
        return "a counted member at stage " + slot.stage + " doesn't fit " + state;
      }
      if (drives(action)
          && trusts(slot)
          && suits(slot.stage, before.database)
          && !suits(slot.stage, database)) {
        return "a running member at stage " + slot.stage + " doesn't fit " + state + " any more";
      }
    }
    if (database.pinned && !suits(0, database)) {
      return "a pinned member doesn't fit " + state;
    }
    if (stale(before, action, who) && !before.toString().equals(after.toString())) {
      return "driver " + Scenario.DRIVERS[who] + " did something without the lease's token";
    }
    // A restore puts the schema back as well.
    if (before.database.state.equals(state) || action == Action.RECOVER || action == Action.FAIL) {
      return null;
    }
    int purge = scenario.operation().purge();
    if (purge >= 0 && before.database.state.upper() >= purge && state.upper() < purge) {
      return "there was a way back from " + before.database.state;
    }
    if (state.direction() == Direction.DOWN && purge >= 0 && state.upper() >= purge) {
      return "phase " + purge + " is being left: " + state;
    }
    return before.database.state.atRest() && !state.atRest() ? entered(before, state) : null;
  }

  /**
   * Whether a driver does in the control tables what only the lease's holder may. A statement
   * without the token is judged by what it does to the schema.
   */
  private static boolean stale(World before, Action action, int who) {
    boolean guarded =
        action == Action.LOOK
            || action == Action.ENTER
            || action == Action.CONFIRM
            || action == Action.REVERSE;
    return guarded && before.holder != who;
  }

  private static boolean drives(Action action) {
    return action == Action.ENTER
        || action == Action.RUN
        || action == Action.CONFIRM
        || action == Action.REVERSE;
  }

  /** A member that has a row, or whose last transactions run. */
  private static boolean counted(Slot slot) {
    return slot.process == Process.CLOSING || slot.believes() && slot.row != Row.NONE;
  }

  /**
   * Somebody who rightly believes to be counted. A process that was frozen, and whose session
   * couldn't be told apart, is not until it has registered again.
   */
  private static boolean trusts(Slot slot) {
    return slot.process == Process.RUNNING || slot.believes() && slot.session;
  }

  private boolean suits(int stage, Database database) {
    Span span = counting.span(stage);
    return span.low() <= database.state.lower()
        && span.high() >= database.state.upper()
        && span.low() <= database.schema
        && span.high() >= database.schema;
  }

  private @Nullable String entered(World before, State pair) {
    if (!before.database.known) {
      return pair + " was entered although no application is known";
    }
    if (before.paused) {
      return pair + " was entered although everything is paused";
    }
    if (scenario.bounds().development()) {
      return null;
    }
    for (int stage = 0; stage < scenario.operation().stages().size(); stage++) {
      if ((before.recent & 1 << stage) != 0 && !counting.span(stage).fits(pair)) {
        return pair + " was entered sooner than the soak time after stage " + stage + " left";
      }
    }
    for (int release = 0; release <= scenario.operation().newest(); release++) {
      boolean beyond =
          pair.direction() == Direction.UP
              && scenario.operation().highest(release).high() < pair.upper();
      if (beyond && mayComeBack(before, release)) {
        return pair + " was entered although release " + release + " may be rolled back to";
      }
    }
    return null;
  }

  private boolean mayComeBack(World before, int release) {
    ReleaseRow row = before.database.releases[release];
    return row.trueAge < scenario.horizon() || row.known && !counting.superseded(before, release);
  }

  /** Whether the roll-out has come to its end for the migration. */
  boolean finished(World world) {
    State state = world.database.state;
    return state.atRest() && state.reached() == scenario.operation().last();
  }

  /** Whether the wanted release need not wait for the way down: it can join, or never will. */
  boolean welcome(World world) {
    State state = world.database.state;
    for (Span span : counting.declared(world.wanted)) {
      if (span.fits(state) || span.high() >= state.upper()) {
        return true;
      }
    }
    int purge = scenario.operation().purge();
    return purge >= 0 && state.upper() >= purge;
  }
}
