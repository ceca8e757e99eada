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
    if (slot.process != Process.RUNNING) {
      return slot.process == Process.WOKEN;
    }
    boolean news =
        slot.row == Row.NONE
            || Watch.current(Row.watch(slot.row))
            || scenario.bounds().sessions() && !slot.session;
    return !slot.beat && (news || scenario.bounds().detailed());
  }

  /** One tick later. */
  void tick(World world) {
    world.recent = 0;
    age(world.database);
    int live = 0;
    int running = 0;
    for (Slot slot : world.slots) {
      int release = slot.row == Row.NONE ? 0 : 1 << Row.release(slot.row);
      live |= release;
      running |= slot.process == Process.RUNNING ? release : 0;
    }
    age(world.database.releases, live, running);
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

  private void age(ReleaseRow[] releases, int live, int running) {
    for (int i = 0; i < releases.length; i++) {
      ReleaseRow release = releases[i];
      if ((live & 1 << i) != 0) {
        release.age = 0;
        release.trueAge = 0;
      } else {
        boolean taken = release.known && running != 0 && flaw != Flaw.NEVER_SUPERSEDED;
        release.superseded |= taken;
        release.age = older(release.age, scenario.horizon());
        release.trueAge = older(release.trueAge, scenario.horizon());
      }
    }
  }

  private static int older(int age, int limit) {
    return age == Database.NEVER || age >= limit ? age : age + 1;
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
    for (Slot slot : world.slots) {
      live |= slot.saved == Row.NONE ? 0 : 1 << Row.release(slot.saved);
    }
    age(world.backup.releases, live, live);
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
