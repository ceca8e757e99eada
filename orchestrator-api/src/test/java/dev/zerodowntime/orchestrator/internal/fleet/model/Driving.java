package dev.zerodowntime.orchestrator.internal.fleet.model;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.State;
import dev.zerodowntime.orchestrator.internal.fleet.Fleet;
import dev.zerodowntime.orchestrator.internal.fleet.FleetRules;

/**
 * The transactions of drivers. Each method is one of them, committed as a whole; {@link #enter} and
 * {@link #confirm} hold the exclusive lock of the fleet row. All but {@link #takeOver} do nothing
 * without the lease's token.
 */
final class Driving {

  private final Scenario scenario;
  private final FleetRules rules;
  private final Flaw flaw;
  private final Counting counting;

  Driving(Scenario scenario, FleetRules rules, Flaw flaw, Counting counting) {
    this.scenario = scenario;
    this.rules = rules;
    this.flaw = flaw;
    this.counting = counting;
  }

  /** A driver takes the lease, with a token that never was before; the other's is void. */
  void takeOver(World world, int driver) {
    world.holder = driver;
    if (!scenario.bounds().detailed()) {
      world.sinceLook[1 - driver] = World.NONE;
    }
    State state = world.database.state;
    world.claim[driver] = state.atRest() ? World.NONE : state.entering();
  }

  /** A driver looks at every member's heartbeat counter and at the server's incarnation. */
  void look(World world, int driver) {
    if (world.holder != driver) {
      return;
    }
    int since = world.sinceLook[driver];
    for (Slot slot : world.slots) {
      boolean watched = scenario.bounds().detailed() || slot.process != Slot.Process.RUNNING;
      if (watched && slot.row != Row.NONE && !Row.closed(slot.row)) {
        int watch = Watch.look(rules, Row.watch(slot.row), driver, since);
        slot.row = Row.watch(slot.row, watch);
      }
    }
    world.incarnation = Watch.look(rules, world.incarnation, driver, since);
    world.sinceLook[driver] = 0;
  }

  /** A driver enters the next phase of the way it has to go, or notes since when the fleet fits. */
  void enter(World world, int driver) {
    Database database = world.database;
    if (world.holder != driver && flaw != Flaw.ENTER_WITHOUT_TOKEN || !database.state.atRest()) {
      return;
    }
    boolean decided = world.claim[driver] != World.NONE;
    if (flaw == Flaw.GATES_BEFORE_LOCK && decided) {
      boolean down = world.claim[driver] < database.state.reached();
      database.state = database.state.entering(down ? Direction.DOWN : Direction.UP);
      return;
    }
    Fleet fleet = counting.fleet(world);
    lapse(world);
    State pair = way(database);
    if (pair == null) {
      return;
    }
    boolean up = pair.direction() == Direction.UP;
    int since = counting.fitSince(world, fleet, pair, up ? database.fitUp : database.fitDown);
    if (up) {
      database.fitUp = since;
    } else {
      database.fitDown = since;
    }
    if (rules.objections(fleet, pair).isEmpty() && counting.soaked(since)) {
      world.claim[driver] = pair.entering();
      if (flaw != Flaw.GATES_BEFORE_LOCK && flaw != Flaw.ENTERING_WRITTEN_LATE) {
        database.state = pair;
        forgetFit(database);
      }
    }
  }

  private void forgetFit(Database database) {
    if (flaw != Flaw.SOAK_CARRIED_OVER) {
      database.fitUp = Database.NEVER;
      database.fitDown = Database.NEVER;
    }
  }

  /** A request to reopen is dropped when no release is left that would come back. */
  private void lapse(World world) {
    Database database = world.database;
    if (database.target == Database.NO_TARGET || database.byHand || flaw == Flaw.REQUEST_KEPT) {
      return;
    }
    for (int release = 0; release < database.releases.length; release++) {
      boolean lower = scenario.operation().highest(release).high() <= database.target;
      if (lower && (world.live(release) || counting.warm(world, release))) {
        return;
      }
    }
    database.target = Database.NO_TARGET;
  }

  private State way(Database database) {
    if (database.target == Database.NO_TARGET) {
      return counting.up(database.state);
    }
    return database.target < database.state.reached() ? counting.down(database.state) : null;
  }

  /** A driver runs the statements of the phase being entered. */
  void run(World world, int driver) {
    Database database = world.database;
    boolean late = flaw == Flaw.ENTERING_WRITTEN_LATE;
    boolean zombie = flaw == Flaw.RUN_WITHOUT_TOKEN && world.holder != driver;
    if (zombie || late && world.holder == driver) {
      if (world.claim[driver] != World.NONE) {
        database.schema = world.claim[driver];
      }
    } else if (world.holder == driver && !database.state.atRest()) {
      database.schema = database.state.entering();
    }
  }

  /** A driver confirms the phase whose statements have run. */
  void confirm(World world, int driver) {
    Database database = world.database;
    if (world.holder != driver && flaw != Flaw.CONFIRM_WITHOUT_TOKEN) {
      return;
    }
    if (flaw == Flaw.ENTERING_WRITTEN_LATE) {
      if (world.claim[driver] == World.NONE || database.schema != world.claim[driver]) {
        return;
      }
      database.state = State.at(database.schema);
    } else if (flaw == Flaw.CONFIRM_WITHOUT_TOKEN && world.holder != driver) {
      if (database.state.atRest() || world.claim[driver] != database.state.entering()) {
        return;
      }
      database.state = database.state.confirmed();
    } else {
      if (database.state.atRest() || database.schema != database.state.entering()) {
        return;
      }
      database.state = database.state.confirmed();
    }
    world.claim[driver] = World.NONE;
    arrived(world);
  }

  private void arrived(World world) {
    Database database = world.database;
    boolean reached = database.target >= database.state.reached();
    if (reached && !database.byHand && flaw != Flaw.TARGET_KEPT) {
      database.target = Database.NO_TARGET;
    }
    if (flaw == Flaw.SOAK_CARRIED_OVER) {
      return;
    }
    Fleet fleet = counting.fleet(world);
    State up = counting.up(database.state);
    State down = counting.down(database.state);
    database.fitUp = up == null ? Database.NEVER : fresh(world, fleet, up);
    database.fitDown = down == null ? Database.NEVER : fresh(world, fleet, down);
  }

  private int fresh(World world, Fleet fleet, State pair) {
    return counting.fitSince(world, fleet, pair, Database.NEVER);
  }

  /** A driver turns back while a phase is entered above the target. */
  void reverse(World world, int driver) {
    Database database = world.database;
    State state = database.state;
    if (world.holder != driver || state.atRest() || state.direction() == Direction.DOWN) {
      return;
    }
    boolean purging =
        state.entering() == scenario.operation().purge() && flaw != Flaw.PURGE_REVERSED;
    if (!purging && database.target != Database.NO_TARGET && database.target < state.entering()) {
      database.state = state.reversed();
      world.claim[driver] = database.state.entering();
    }
  }
}
