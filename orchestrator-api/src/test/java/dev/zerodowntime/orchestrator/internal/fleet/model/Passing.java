package dev.zerodowntime.orchestrator.internal.fleet.model;

import dev.zerodowntime.orchestrator.internal.fleet.FleetRules;
import dev.zerodowntime.orchestrator.internal.fleet.model.Slot.Process;

/**
 * Time passes by one tick. Ages are counted up to where they stop to matter, which is what makes
 * the worlds finite. The backup's times are points in time too, so its ages grow as well.
 */
final class Passing {

  private final FleetRules rules;
  private final Flaw flaw;
  private final Scenario scenario;
  private final Membership membership;

  Passing(Scenario scenario, FleetRules rules, Flaw flaw, Membership membership) {
    this.scenario = scenario;
    this.rules = rules;
    this.flaw = flaw;
    this.membership = membership;
  }

  /** Whether every process has sent the heartbeat that was due; none is while nobody can. */
  boolean due(World world) {
    if (world.down) {
      return true;
    }
    for (Slot slot : world.slots) {
      if (owesHeartbeat(slot)) {
        return false;
      }
    }
    return true;
  }

  /**
   * Whether a process has a heartbeat to send before the next tick. Where heartbeats are not steps
   * of their own, those that only say that all is well are left out.
   */
  boolean owesHeartbeat(Slot slot) {
    if (slot.process == Process.RUNNING) {
      return !slot.beat
          && (scenario.bounds().detailed() || slot.row == Row.NONE || sessionLost(slot));
    }
    return slot.process == Process.WOKEN;
  }

  private boolean sessionLost(Slot slot) {
    return scenario.bounds().sessions() && !slot.session;
  }

  void tick(World world) {
    world.recent = 0;
    age(world.database);
    int live = 0;
    for (int release = 0; release < world.database.releases.length; release++) {
      live |= world.live(release) ? 1 << release : 0;
    }
    age(world.database.releases, live);
    for (Slot slot : world.slots) {
      slot.beat = false;
      drain(world, slot);
    }
    for (int driver = 0; driver < 2; driver++) {
      if (world.sinceLook[driver] != World.NONE) {
        // An outage that keeps a heartbeat from being sent is longer than the longest gap.
        int ticks = world.down ? Scenario.GAP + 1 : 1;
        world.sinceLook[driver] = Math.min(Scenario.GAP + 1, world.sinceLook[driver] + ticks);
      }
    }
    if (world.backedUp) {
      tickBackup(world);
    }
  }

  private void drain(World world, Slot slot) {
    if (slot.row == Row.NONE || !Row.closed(slot.row)) {
      return;
    }
    slot.row = Row.aged(slot.row);
    int since = Row.sinceClose(slot.row);
    if (slot.process == Process.CLOSING && since >= Scenario.DRAIN) {
      slot.vacate();
    }
    if (!rules.draining(since, Scenario.DRAIN)) {
      membership.strikeOff(world, slot);
      if (flaw != Flaw.DRAIN_UNNOTICED) {
        world.database.changed = 0;
      }
    }
  }

  private static void age(Database database) {
    database.fitUp = older(database.fitUp, Scenario.SOAK);
    database.fitDown = older(database.fitDown, Scenario.SOAK);
    database.changed = older(database.changed, Scenario.SOAK);
  }

  private static void age(ReleaseRow[] releases, int live) {
    for (int i = 0; i < releases.length; i++) {
      ReleaseRow release = releases[i];
      if ((live & 1 << i) != 0) {
        release.proven = true;
        release.age = 0;
        release.trueAge = 0;
      } else {
        release.outlived |= release.known() && live != 0;
        release.age = older(release.age, Scenario.HORIZON);
        release.trueAge = older(release.trueAge, Scenario.HORIZON);
      }
    }
  }

  private static int older(int age, int limit) {
    return age == Database.NEVER ? age : Math.min(limit, age + 1);
  }

  private void tickBackup(World world) {
    if (world.backupAge == scenario.bounds().lostTicks()) {
      world.backedUp = false;
      world.backupAge = 0;
      world.failovers = 0;
      for (Slot slot : world.slots) {
        slot.saved = Row.NONE;
        slot.same = false;
      }
      return;
    }
    world.backupAge++;
    age(world.backup);
    int live = 0;
    for (int release = 0; release < world.backup.releases.length; release++) {
      live |= world.liveInBackup(release) ? 1 << release : 0;
    }
    age(world.backup.releases, live);
    for (Slot slot : world.slots) {
      if (slot.saved != Row.NONE && Row.closed(slot.saved)) {
        world.backup.releases[Row.release(slot.saved)].age = 0;
        slot.saved = Row.NONE;
        slot.same = false;
        world.backup.changed = 0;
      }
    }
  }
}
