package dev.zerodowntime.orchestrator.internal.fleet.model;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.State;
import dev.zerodowntime.orchestrator.internal.fleet.Fleet;
import dev.zerodowntime.orchestrator.internal.fleet.FleetRules;
import org.jspecify.annotations.Nullable;

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
    if (world.holder == driver) {
      return;
    }
    world.holder = driver;
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
        int watch = Watch.look(rules, Row.watch(slot.row), driver, since, scenario.expiry());
        slot.row = Row.watch(slot.row, watch);
      }
    }
    world.incarnation = Watch.look(rules, world.incarnation, driver, since, scenario.expiry());
    world.sinceLook[driver] = 0;
  }

  /** A driver notes since when the fleet has fitted its neighbouring phases. */
  void evaluate(World world, int driver) {
    Database database = world.database;
    if (world.holder != driver && flaw != Flaw.ENTER_WITHOUT_TOKEN || !database.state.atRest()) {
      return;
    }
    lapse(world);
    Fleet fleet = counting.fleet(world);
    database.fitUp = fit(world, fleet, counting.up(database.state), database.fitUp);
    database.fitDown = fit(world, fleet, counting.down(database.state), database.fitDown);
  }

  /** A driver enters the next phase of the way it has to go, if it may. */
  void enter(World world, int driver) {
    Database database = world.database;
    if (world.holder != driver && flaw != Flaw.ENTER_WITHOUT_TOKEN || !database.state.atRest()) {
      return;
    }
    if (flaw == Flaw.GATES_BEFORE_LOCK && world.claim[driver] != World.NONE) {
      boolean down = world.claim[driver] < database.state.reached();
      database.state = database.state.entering(down ? Direction.DOWN : Direction.UP);
      return;
    }
    evaluate(world, driver);
    State pair = way(database);
    if (pair == null) {
      return;
    }
    int since = pair.direction() == Direction.UP ? database.fitUp : database.fitDown;
    if (rules.objections(counting.fleet(world), pair).isEmpty() && counting.soaked(since)) {
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

  /** A request to reopen is dropped when somebody stands in its way; whoever asked asks again. */
  private void lapse(World world) {
    Database database = world.database;
    boolean asked = database.target != Database.NO_TARGET && !database.byHand;
    if (asked && flaw != Flaw.REQUEST_KEPT && counting.inTheWay(world, database.target)) {
      database.target = Database.NO_TARGET;
    }
  }

  private @Nullable State way(Database database) {
    if (database.target == Database.NO_TARGET) {
      return counting.up(database.state);
    }
    if (database.target < database.state.reached()) {
      return counting.down(database.state);
    }
    return database.byHand ? null : counting.up(database.state);
  }

  private int fit(World world, Fleet fleet, @Nullable State pair, int stored) {
    return pair == null ? Database.NEVER : counting.fitSince(world, fleet, pair, stored);
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
    database.fitUp = fit(world, fleet, counting.up(database.state), Database.NEVER);
    database.fitDown = fit(world, fleet, counting.down(database.state), Database.NEVER);
  }

  /** A driver turns back while a phase is entered above the target. */
  void reverse(World world, int driver) {
    if (world.holder == driver && turns(world.database)) {
      world.database.state = world.database.state.reversed();
      world.claim[driver] = world.database.state.entering();
    }
  }

  /** Whether a driver that reads this turns back. */
  boolean turns(Database database) {
    State state = database.state;
    if (state.atRest() || state.direction() == Direction.DOWN) {
      return false;
    }
    boolean purging = state.entering() == scenario.operation().purge() && flaw != Flaw.PURGE_UNDONE;
    return !purging && database.target != Database.NO_TARGET && database.target < state.entering();
  }
}
