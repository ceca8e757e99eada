package dev.zerodowntime.orchestrator.internal.fleet.model;

import dev.zerodowntime.orchestrator.internal.fleet.model.Bounds.Failover;
import dev.zerodowntime.orchestrator.internal.fleet.model.Slot.Process;

/** What happens around the library: processes end, the roll-out moves, the server fails. */
final class Surroundings {

  private final Scenario scenario;
  private final Counting counting;

  Surroundings(Scenario scenario, Counting counting) {
    this.scenario = scenario;
    this.counting = counting;
  }

  /** A process closes: its last transactions run, and its row says so. */
  void close(Slot slot) {
    if (slot.row == Row.NONE) {
      slot.vacate();
      return;
    }
    slot.process = Process.CLOSING;
    slot.beat = false;
    slot.session = false;
    slot.row = Row.watch(Row.close(slot.row), Watch.UNSEEN);
  }

  /** A process ends without a word; its row stays. */
  void crash(World world, Slot slot) {
    world.crashes--;
    slot.vacate();
  }

  /** A process sends nothing any more. */
  void freeze(World world, Slot slot) {
    world.freezes--;
    slot.process = Process.FROZEN;
    slot.beat = false;
  }

  /** A frozen process goes on. */
  void wake(Slot slot) {
    slot.process = Process.WOKEN;
  }

  /**
   * Whether the next release may be rolled out. Pipelines check that successive releases share a
   * phase; so nobody is skipped: who is still counted and shares no phase with the next release has
   * had another release take its place.
   */
  boolean rollsOut(World world) {
    Operation operation = scenario.operation();
    if (world.wanted == operation.newest() || !begun(world)) {
      return false;
    }
    int next = world.wanted + 1;
    for (int release = 0; release < next; release++) {
      boolean counts = runs(world, release) || counting.warm(world, release);
      if (counts && !counting.superseded(world, release) && !operation.share(release, next)) {
        return false;
      }
    }
    return true;
  }

  private static boolean runs(World world, int release) {
    for (Slot slot : world.slots) {
      if (slot.process != Process.NONE && slot.release == release) {
        return true;
      }
    }
    return world.live(release);
  }

  /** Whether the roll-out may go back to the release before. */
  boolean rollsBack(World world) {
    return world.rollBacks > 0 && world.wanted > 0 && begun(world);
  }

  /** Whether the wanted release has come, or can't; else it might as well not have been wanted. */
  private boolean begun(World world) {
    return world.live(world.wanted) || !counting.joins(world, world.wanted);
  }

  /**
   * Whether a person may forget a release: a restore may have brought one back that was replaced,
   * and with it nothing of the one that replaced it.
   */
  boolean forgets(World world, int release) {
    boolean restored =
        scenario.bounds().failover() == Failover.RESTORE && world.failovers == 0 && !world.backedUp;
    return restored
        && world.database.releases[release].known
        && release != world.wanted
        && !runs(world, release);
  }

  /** A person forgets a release. */
  void forget(World world, int release) {
    ReleaseRow row = world.database.releases[release];
    row.superseded = true;
    row.age = scenario.horizon();
    row.trueAge = scenario.horizon();
  }

  /** The server can't be reached any more; every session ends. */
  void fail(World world) {
    world.failovers--;
    world.down = true;
    for (Slot slot : world.slots) {
      slot.session = false;
    }
  }

  /** The server can be reached again; unless it was only the network, as a new incarnation. */
  void recover(World world) {
    world.down = false;
    if (scenario.bounds().failover() == Failover.OUTAGE) {
      return;
    }
    if (world.backedUp) {
      restore(world);
    }
    world.holder = World.NONE;
    world.incarnation = Watch.moved(world.incarnation);
  }

  /** A backup is made of everything in the database. */
  void backUp(World world) {
    world.backedUp = true;
    world.backupAge = 0;
    world.backup.copy(world.database);
    for (Slot slot : world.slots) {
      slot.saved = slot.row;
      slot.same = slot.process != Process.NONE;
    }
  }

  /** Everything in the database is as it was; the processes are as they are. */
  private void restore(World world) {
    for (Slot slot : world.slots) {
      if (slot.process != Process.NONE && !slot.same && slot.saved != Row.NONE) {
        moveAway(world, slot);
      }
    }
    for (Slot slot : world.slots) {
      slot.row = slot.saved;
      slot.saved = Row.NONE;
      slot.same = false;
      if (slot.process == Process.CLOSING && !Row.closed(slot.row)) {
        slot.vacate();
      } else if (slot.process == Process.UNFIT && slot.row != Row.NONE) {
        slot.process = Process.RUNNING;
      } else if (slot.process == Process.NONE) {
        slot.vacate();
      }
    }
    world.database.copy(world.backup);
    world.backedUp = false;
    world.backupAge = 0;
    world.failovers = 0;
    world.recent = 0;
    world.backup.copy(new Database(world.backup.releases.length));
  }

  /** Another's row comes back where a process is now: one of them needs other room, or ends. */
  private static void moveAway(World world, Slot slot) {
    for (Slot other : world.slots) {
      if (other.process == Process.NONE && other.saved == Row.NONE) {
        other.row = Row.NONE;
        other.saved = slot.saved;
        slot.saved = Row.NONE;
        return;
      }
    }
    slot.vacate();
  }
}
