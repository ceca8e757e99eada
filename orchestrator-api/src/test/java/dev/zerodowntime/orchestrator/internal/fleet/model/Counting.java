package dev.zerodowntime.orchestrator.internal.fleet.model;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.State;
import dev.zerodowntime.orchestrator.internal.fleet.Counted;
import dev.zerodowntime.orchestrator.internal.fleet.Counted.Kind;
import dev.zerodowntime.orchestrator.internal.fleet.Fleet;
import dev.zerodowntime.orchestrator.internal.fleet.FleetRules;
import dev.zerodowntime.orchestrator.internal.fleet.StageChoice;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** Reads the fleet from the tables, as every gate does. */
final class Counting {

  /** The database's time, in every transaction; all other times are kept as ages. */
  private static final long NOW = 100;

  private final Scenario scenario;
  private final FleetRules rules;
  private final Flaw flaw;
  private final Counted[] live;
  private final Counted[] warm;
  private final Counted pinned;
  private final List<List<Span>> declared = new ArrayList<>();

  Counting(Scenario scenario, FleetRules rules, Flaw flaw) {
    this.scenario = scenario;
    this.rules = rules;
    this.flaw = flaw;
    Operation operation = scenario.operation();
    live = new Counted[operation.stages().size()];
    for (int i = 0; i < live.length; i++) {
      live[i] = new Counted(Kind.LIVE, "member", "stage " + i, operation.stages().get(i));
    }
    warm = new Counted[operation.releases().size()];
    for (int i = 0; i < warm.length; i++) {
      declared.add(operation.declared(i));
      warm[i] = new Counted(Kind.WARM, "release " + i, "highest", operation.highest(i));
    }
    pinned = new Counted(Kind.PINNED, "builds before us", "stage 0", operation.stages().get(0));
  }

  /** Everything counted. */
  Fleet fleet(World world) {
    List<Counted> counted = new ArrayList<>();
    for (Slot slot : world.slots) {
      if (counts(slot.row)) {
        counted.add(live[Row.stage(slot.row)]);
      }
    }
    if (world.database.pinned) {
      counted.add(pinned);
    }
    for (int release = 0; release < warm.length; release++) {
      if (warm(world, release)) {
        counted.add(warm[release]);
      }
    }
    return new Fleet(counted, world.database.known, world.paused, held(world.incarnation));
  }

  private boolean counts(int row) {
    return row != Row.NONE
        && (!Row.closed(row) || rules.draining(Row.sinceClose(row), Scenario.DRAIN));
  }

  private boolean held(int incarnation) {
    boolean known = Watch.current(incarnation) || flaw == Flaw.OLD_INCARNATION_COUNTS;
    return !known || rules.held(Watch.observation(incarnation), scenario.expiry());
  }

  /** Whether a release without members is warm. */
  boolean warm(World world, int release) {
    ReleaseRow row = world.database.releases[release];
    return row.known
        && !world.live(release)
        && rules.warm(row.age, scenario.horizon(), superseded(world, release));
  }

  /** Whether another release has taken a release's place. */
  boolean superseded(World world, int release) {
    return world.database.releases[release].superseded;
  }

  /** Whether live and pinned members fit a movement. */
  boolean fits(Fleet fleet, State pair) {
    for (Counted each : fleet.counted()) {
      if (each.kind() != Kind.WARM && !rules.fits(each.span(), pair)) {
        return false;
      }
    }
    return true;
  }

  /** Whether a live or pinned member can't go down to a phase. */
  boolean inTheWay(World world, int phase) {
    Fleet fleet = fleet(world);
    for (int upper = world.database.state.upper(); upper > phase; upper--) {
      if (!fits(fleet, new State(upper, upper - 1, Direction.DOWN))) {
        return true;
      }
    }
    return false;
  }

  /** The new age of the fleet's fitness for a movement. */
  int fitSince(World world, Fleet fleet, State pair, int stored) {
    OptionalLong since =
        rules.fitSince(
            stored == Database.NEVER ? OptionalLong.empty() : OptionalLong.of(NOW - stored),
            fits(fleet, pair),
            NOW,
            NOW - world.database.changed);
    if (since.isEmpty()) {
      return Database.NEVER;
    }
    return (int) Math.min(Scenario.SOAK, NOW - since.getAsLong());
  }

  boolean soaked(int fitSince) {
    OptionalLong since =
        fitSince == Database.NEVER ? OptionalLong.empty() : OptionalLong.of(NOW - fitSince);
    return rules.soakLeft(since, NOW, scenario.soak()) == 0;
  }

  /** The movement upwards from a state at rest, or null where there is none. */
  State up(State state) {
    boolean possible = state.atRest() && state.reached() < scenario.operation().last();
    return possible ? state.entering(Direction.UP) : null;
  }

  /** The movement downwards from a state at rest, or null where there is none. */
  State down(State state) {
    int purge = scenario.operation().purge();
    boolean open = purge < 0 || state.reached() < purge || flaw == Flaw.PURGE_UNDONE;
    return state.atRest() && state.reached() > 0 && open ? state.entering(Direction.DOWN) : null;
  }

  /** What would come of a process of a release that asked to join now. */
  StageChoice choose(World world, int release) {
    return rules.choose(declared(release), world.database.state);
  }

  /** The spans of the stages that a release declares, oldest first. */
  List<Span> declared(int release) {
    return declared.get(release);
  }

  /** Whether a process of a release would be admitted now. */
  boolean joins(World world, int release) {
    return choose(world, release).admitted();
  }

  /** The span of a stage. */
  Span span(int stage) {
    return scenario.operation().stages().get(stage);
  }
}
