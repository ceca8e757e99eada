package dev.zerodowntime.orchestrator.internal.fleet.model;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.State;
import dev.zerodowntime.orchestrator.internal.fleet.FleetRules;
import dev.zerodowntime.orchestrator.internal.fleet.StageChoice;
import dev.zerodowntime.orchestrator.internal.fleet.model.Slot.Process;
import java.util.List;

/**
 * The transactions of members. Each method is one of them, committed as a whole; registrations hold
 * the shared lock of the fleet row, striking off holds the exclusive one.
 */
final class Membership {

  private final Scenario scenario;
  private final FleetRules rules;
  private final Flaw flaw;
  private final Counting counting;

  Membership(Scenario scenario, FleetRules rules, Flaw flaw, Counting counting) {
    this.scenario = scenario;
    this.rules = rules;
    this.flaw = flaw;
    this.counting = counting;
  }

  /** A process of a release starts in a free slot and asks to join. */
  void register(World world, int slot, int release) {
    Operation operation = scenario.operation();
    StageChoice choice = counting.choose(world, release);
    if (choice.admitted() || flaw != Flaw.REFUSED_UNKNOWN) {
      world.database.known = true;
    }
    if (!choice.admitted()) {
      refused(world, release, choice);
      return;
    }
    Slot place = world.slots[slot];
    place.vacate();
    place.release = release;
    place.stage = operation.releases().get(release).get(choice.stage());
    if (flaw == Flaw.REGISTRATION_IN_TWO) {
      place.process = Process.JOINING;
    } else {
      join(world, place);
    }
  }

  /** A process writes its row: a new one, or one whose row is gone. */
  void join(World world, Slot slot) {
    boolean returns = slot.process == Process.UNFIT || slot.believes();
    boolean deployed = !world.live(slot.release) && (!returns || flaw == Flaw.RETURN_DEPLOYS);
    slot.process = Process.RUNNING;
    slot.beat = scenario.bounds().detailed();
    slot.session = scenario.bounds().sessions();
    slot.row = Row.of(slot.release, slot.stage);
    Database database = world.database;
    ReleaseRow release = database.releases[slot.release];
    if (deployed || !release.known) {
      release.deployed();
    }
    release.age = 0;
    release.trueAge = 0;
    joined(database, slot.stage);
    database.changed = 0;
  }

  private void joined(Database database, int stage) {
    Span span = counting.span(stage);
    State up = counting.up(database.state);
    if (up != null && rules.resetsSoak(span, up)) {
      database.fitUp = Database.NEVER;
    }
    State down = counting.down(database.state);
    if (down != null && rules.resetsSoak(span, down)) {
      database.fitDown = Database.NEVER;
    }
  }

  /** Whether a person may pin builds at the oldest stage. */
  boolean pinnable(World world) {
    return !world.database.pinned && rules.fits(counting.span(0), world.database.state);
  }

  /** A person pins builds at the oldest stage. */
  void pin(World world) {
    world.database.pinned = true;
    world.database.known = true;
    if (flaw != Flaw.PIN_UNNOTICED) {
      joined(world.database, 0);
    }
  }

  /** A person says that the pinned builds are gone. */
  void unpin(World world) {
    world.database.pinned = false;
    left(world, 0);
    if (flaw != Flaw.UNPIN_UNNOTICED) {
      world.database.changed = 0;
    }
  }

  /** A process heartbeats; when its row is gone, it asks to join again with the stage it has. */
  void heartbeat(World world, Slot slot) {
    if (slot.row != Row.NONE) {
      slot.row = Row.watch(slot.row, Watch.moved(Row.watch(slot.row)));
      slot.process = Process.RUNNING;
      slot.beat = scenario.bounds().detailed();
      slot.session = scenario.bounds().sessions();
      return;
    }
    if (flaw == Flaw.LOST_ROW_IGNORED) {
      slot.process = Process.RUNNING;
      slot.beat = true;
      return;
    }
    askAgain(world, slot);
  }

  /** A process asks to join with the stage it has. */
  void askAgain(World world, Slot slot) {
    StageChoice choice = rules.choose(List.of(counting.span(slot.stage)), world.database.state);
    if (choice.admitted() || flaw == Flaw.LOST_ROW_REWRITTEN) {
      join(world, slot);
      return;
    }
    slot.process = Process.UNFIT;
    slot.beat = false;
    slot.session = false;
    refused(world, slot.release, choice);
  }

  private void refused(World world, int release, StageChoice choice) {
    if (choice.direction() == Direction.UP || tooLate(world.database.state, choice.phase())) {
      return;
    }
    if (counting.inTheWay(world, choice.phase())) {
      return;
    }
    Database database = world.database;
    ReleaseRow row = database.releases[release];
    boolean lower = database.target == Database.NO_TARGET || choice.phase() < database.target;
    if (flaw != Flaw.REOPEN_UNTOUCHED && (lower || flaw != Flaw.REOPEN_TOUCHED_ONCE)) {
      if (!row.known) {
        row.deployed();
      }
      row.age = 0;
    }
    row.trueAge = 0;
    if (lower && flaw != Flaw.REOPEN_UNHEARD) {
      database.target = choice.phase();
    }
  }

  /** Whether the way down to a phase is closed for ever. */
  boolean tooLate(State state, int phase) {
    int purge = scenario.operation().purge();
    return purge >= 0 && phase < purge && state.upper() >= purge && flaw != Flaw.PURGE_UNDONE;
  }

  /** Whether {@link #expel} would strike the member off. */
  boolean gone(Slot slot) {
    if (slot.row == Row.NONE || Row.closed(slot.row)) {
      return false;
    }
    int watch = Row.watch(slot.row);
    return (Watch.current(watch) || flaw == Flaw.EXPEL_WITHOUT_COMPARING)
        && rules.gone(Watch.observation(watch), slot.session, scenario.expiry());
  }

  /** A silent member is struck off. */
  void expel(World world, Slot slot) {
    strikeOff(world, slot);
    if (flaw != Flaw.EXPEL_UNNOTICED) {
      world.database.changed = 0;
    }
    if (slot.process == Process.NONE) {
      slot.vacate();
    }
  }

  /** Notes that a member or a pinned one was struck off in this tick, if that may matter. */
  private void left(World world, int stage) {
    if (scenario.bounds().detailed()) {
      world.recent |= 1 << stage;
    }
  }

  /** Removes a row. */
  void strikeOff(World world, Slot slot) {
    int release = Row.release(slot.row);
    left(world, Row.stage(slot.row));
    slot.row = Row.NONE;
    if (!world.live(release)) {
      boolean kept = flaw != Flaw.EXPEL_FORGETS_RELEASE;
      world.database.releases[release].age = kept ? 0 : scenario.horizon();
    }
  }
}
