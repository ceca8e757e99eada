package dev.zerodowntime.orchestrator.internal.fleet.model;

import dev.zerodowntime.orchestrator.internal.fleet.FleetRules;
import dev.zerodowntime.orchestrator.internal.fleet.model.Bounds.Failover;
import dev.zerodowntime.orchestrator.internal.fleet.model.Slot.Process;

/** Everything that can happen next. */
final class Steps {

  /** Receives what can happen. */
  interface Sink {

    /**
     * @param action what happens
     * @param who the slot or the driver that it happens to
     * @param next the world after it; the same object every time
     * @param fair whether it goes on happening when no more faults occur
     */
    void accept(Action action, int who, World next, boolean fair);
  }

  private final Scenario scenario;
  private final Membership membership;
  private final Driving driving;
  private final Surroundings surroundings;
  private final Passing passing;
  private final World next;

  Steps(Scenario scenario, FleetRules rules, Flaw flaw) {
    this.scenario = scenario;
    Counting counting = new Counting(scenario, rules, flaw);
    membership = new Membership(scenario, rules, flaw, counting);
    driving = new Driving(scenario, rules, flaw, counting);
    surroundings = new Surroundings(scenario, counting);
    passing = new Passing(scenario, rules, flaw, membership);
    next = new World(scenario);
  }

  /** Reports every next world. */
  void from(World world, Sink to) {
    Sink sink = scenario.bounds().detailed() ? to : watching(to);
    if (passing.due(world)) {
      passing.tick(next(world));
      sink.accept(Action.TICK, 0, next, true);
    }
    if (world.down) {
      surroundings.recover(next(world));
      sink.accept(Action.RECOVER, 0, next, true);
      return;
    }
    registrations(world, sink);
    for (int i = 0; i < world.slots.length; i++) {
      processes(world, i, sink);
    }
    drivers(world, sink);
    rollOut(world, sink);
    people(world, sink);
    server(world, sink);
  }

  /**
   * Where looks are not steps of their own, one driver looks after everything that happens. Nobody
   * is found to be gone sooner by looking less often; and whoever is found to be gone may still be
   * struck off at any later time.
   */
  private Sink watching(Sink to) {
    return (action, who, world, fair) -> {
      if (!world.down) {
        driving.takeOver(world, 0);
        driving.look(world, 0);
        driving.evaluate(world, 0);
      }
      to.accept(action, who, world, fair);
    };
  }

  private World next(World world) {
    next.copy(world);
    return next;
  }

  private void registrations(World world, Sink sink) {
    int free = world.free();
    if (free == World.NONE) {
      return;
    }
    membership.register(next(world), free, world.wanted);
    sink.accept(Action.REGISTER, world.wanted, next, true);
    for (int release = 0; release <= scenario.operation().newest(); release++) {
      // Those may restart whose processes have not all been replaced.
      if (world.restarts > 0 && release != world.wanted && world.live(release)) {
        membership.register(next(world), free, release);
        next.restarts--;
        sink.accept(Action.REGISTER, release, next, false);
      }
    }
  }

  private void processes(World world, int i, Sink sink) {
    Slot slot = world.slots[i];
    Process process = slot.process;
    if (membership.gone(slot)) {
      membership.expel(next(world), next.slots[i]);
      sink.accept(Action.EXPEL, i, next, true);
    }
    if (passing.owesHeartbeat(slot)) {
      membership.heartbeat(next(world), next.slots[i]);
      sink.accept(Action.HEARTBEAT, i, next, true);
    }
    if (process == Process.RUNNING) {
      boolean replaced = slot.release != world.wanted;
      if (replaced || world.stops > 0) {
        surroundings.close(next(world).slots[i]);
        next.stops -= replaced ? 0 : 1;
        sink.accept(Action.CLOSE, i, next, replaced);
      }
      if (world.freezes > 0) {
        surroundings.freeze(next(world), next.slots[i]);
        sink.accept(Action.FREEZE, i, next, false);
      }
    }
    boolean runs = process == Process.RUNNING || scenario.bounds().detailed() && slot.believes();
    if (runs && world.crashes > 0) {
      surroundings.crash(next(world), next.slots[i]);
      sink.accept(Action.CRASH, i, next, false);
    }
    if (process == Process.FROZEN) {
      surroundings.wake(next(world).slots[i]);
      if (!scenario.bounds().detailed()) {
        membership.heartbeat(next, next.slots[i]);
      }
      sink.accept(Action.WAKE, i, next, true);
    }
    if (process == Process.UNFIT) {
      membership.askAgain(next(world), next.slots[i]);
      sink.accept(Action.ASK_AGAIN, i, next, true);
      next(world).slots[i].vacate();
      sink.accept(Action.END, i, next, true);
    }
    if (process == Process.JOINING) {
      membership.join(next(world), next.slots[i]);
      sink.accept(Action.JOIN, i, next, true);
    }
  }

  private void drivers(World world, Sink sink) {
    boolean straight = !driving.turns(world.database);
    boolean atRest = world.database.state.atRest();
    if (!scenario.bounds().detailed()) {
      if (atRest) {
        driving.enter(next(world), 0);
        sink.accept(Action.ENTER, 0, next, true);
        return;
      }
      driving.run(next(world), 0);
      driving.confirm(next, 0);
      sink.accept(Action.CONFIRM, 0, next, straight);
      if (!straight) {
        driving.reverse(next(world), 0);
        sink.accept(Action.REVERSE, 0, next, true);
      }
      return;
    }
    for (int driver = 0; driver < 2; driver++) {
      if (world.holder != driver) {
        driving.takeOver(next(world), driver);
        sink.accept(Action.TAKE_OVER, driver, next, true);
      }
      driving.look(next(world), driver);
      sink.accept(Action.LOOK, driver, next, true);
      driving.enter(next(world), driver);
      sink.accept(Action.ENTER, driver, next, true);
      driving.run(next(world), driver);
      sink.accept(Action.RUN, driver, next, straight);
      driving.confirm(next(world), driver);
      sink.accept(Action.CONFIRM, driver, next, straight);
      driving.reverse(next(world), driver);
      sink.accept(Action.REVERSE, driver, next, true);
    }
  }

  private void rollOut(World world, Sink sink) {
    if (surroundings.rollsOut(world)) {
      next(world).wanted++;
      sink.accept(Action.ROLL_OUT, 0, next, true);
    }
    if (surroundings.rollsBack(world)) {
      next(world).wanted--;
      next.rollBacks--;
      sink.accept(Action.ROLL_BACK, 0, next, false);
    }
  }

  private void people(World world, Sink sink) {
    if (world.database.pinned) {
      membership.unpin(next(world));
      sink.accept(Action.UNPIN, 0, next, true);
    }
    if (world.pins > 0 && membership.pinnable(world)) {
      membership.pin(next(world));
      next.pins--;
      sink.accept(Action.PIN, 0, next, false);
    }
    if (world.commands > 0 && !membership.tooLate(world.database.state, 0)) {
      next(world).commands--;
      next.database.target = 0;
      next.database.byHand = true;
      sink.accept(Action.COMMAND, 0, next, false);
    }
    if (world.database.byHand) {
      next(world).database.byHand = false;
      next.database.target = Database.NO_TARGET;
      sink.accept(Action.RESUME, 0, next, true);
    }
    for (int release = 0; release <= scenario.operation().newest(); release++) {
      if (surroundings.forgets(world, release)) {
        surroundings.forget(next(world), release);
        sink.accept(Action.FORGET, release, next, true);
      }
    }
    if (world.pauses > 0) {
      next(world).pauses--;
      next.paused = true;
      sink.accept(Action.PAUSE, 0, next, false);
    }
    if (world.paused) {
      next(world).paused = false;
      sink.accept(Action.UNPAUSE, 0, next, true);
    }
  }

  private void server(World world, Sink sink) {
    if (world.failovers == 0) {
      return;
    }
    boolean restore = scenario.bounds().failover() == Failover.RESTORE;
    if (restore && !world.backedUp) {
      surroundings.backUp(next(world));
      sink.accept(Action.BACK_UP, 0, next, false);
    }
    if (!restore || world.backedUp) {
      surroundings.fail(next(world));
      if (!scenario.bounds().detailed()) {
        surroundings.recover(next);
      }
      sink.accept(Action.FAIL, 0, next, false);
    }
  }
}
