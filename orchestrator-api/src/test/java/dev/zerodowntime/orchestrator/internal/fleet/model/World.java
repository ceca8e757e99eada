package dev.zerodowntime.orchestrator.internal.fleet.model;

import dev.zerodowntime.orchestrator.internal.fleet.model.Slot.Process;

/** Everything there is at one moment: database, processes, drivers, and what may still happen. */
final class World {

  /** No driver, no phase, no look. */
  static final int NONE = -1;

  final Database database;

  /** What a restore would bring back; its members' rows are in the slots. */
  final Database backup;

  /** Whether there is a backup. */
  boolean backedUp;

  /** Ticks since the backup. */
  int backupAge;

  final Slot[] slots;

  /** The driver whose token is in the lease, or {@link #NONE}. */
  int holder = NONE;

  /** For each driver, ticks of its own clock since its last successful look, or {@link #NONE}. */
  final int[] sinceLook = {NONE, NONE};

  /** For each driver, the phase it set out to enter; only broken protocols rely on it. */
  final int[] claim = {NONE, NONE};

  /** What drivers have seen of the server's incarnation. */
  int incarnation;

  /** Whether the server can't be reached. */
  boolean down;

  /** Whether a person has paused everything. */
  boolean paused;

  /** The release that the roll-out wants everywhere. */
  int wanted;

  // What may still happen; see Bounds.
  int crashes;
  int freezes;
  int rollBacks;
  int stops;
  int restarts;
  int failovers;
  int commands;
  int pauses;
  int pins;

  /** The stages of those that were struck off since the last tick, as a set of bits. */
  int recent;

  World(Scenario scenario) {
    int releases = scenario.operation().releases().size();
    database = new Database(releases);
    backup = new Database(releases);
    slots = new Slot[scenario.bounds().members()];
    for (int i = 0; i < slots.length; i++) {
      slots[i] = new Slot();
    }
  }

  /** Before anything was deployed. The server has run for long. */
  static World first(Scenario scenario) {
    World world = new World(scenario);
    Bounds bounds = scenario.bounds();
    world.incarnation = Watch.settled(scenario.expiry());
    world.holder = bounds.detailed() ? NONE : 0;
    world.crashes = bounds.crashes();
    world.freezes = bounds.freezes();
    world.rollBacks = bounds.rollBacks();
    world.stops = bounds.stops();
    world.restarts = bounds.restarts();
    world.failovers = bounds.failover() == Bounds.Failover.NONE ? 0 : 1;
    world.commands = bounds.commands();
    world.pauses = bounds.pauses();
    world.pins = bounds.pins();
    world.database.pinned = bounds.pinned();
    world.database.known = bounds.pinned();
    return world;
  }

  /** Whether any row of this release is left. */
  boolean live(int release) {
    for (Slot slot : slots) {
      if (slot.row != Row.NONE && Row.release(slot.row) == release) {
        return true;
      }
    }
    return false;
  }

  /** The first free slot, or {@link #NONE}. */
  int free() {
    for (int i = 0; i < slots.length; i++) {
      if (slots[i].process == Process.NONE && slots[i].row == Row.NONE) {
        return i;
      }
    }
    return NONE;
  }

  void copy(World other) {
    database.copy(other.database);
    backedUp = other.backedUp;
    backupAge = other.backupAge;
    if (backedUp) {
      backup.copy(other.backup);
    }
    for (int i = 0; i < slots.length; i++) {
      slots[i].copy(other.slots[i]);
    }
    holder = other.holder;
    for (int i = 0; i < 2; i++) {
      sinceLook[i] = other.sinceLook[i];
      claim[i] = other.claim[i];
    }
    incarnation = other.incarnation;
    down = other.down;
    paused = other.paused;
    wanted = other.wanted;
    crashes = other.crashes;
    freezes = other.freezes;
    rollBacks = other.rollBacks;
    stops = other.stops;
    restarts = other.restarts;
    failovers = other.failovers;
    commands = other.commands;
    pauses = other.pauses;
    pins = other.pins;
    recent = other.recent;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(database.toString());
    text.append(" | wanted ").append(wanted);
    text.append(down ? ", down" : "").append(paused ? ", paused" : "");
    text.append(", lease ").append(holder == NONE ? "free" : Scenario.DRIVERS[holder]);
    text.append(", looked ").append(sinceLook[0]).append('/').append(sinceLook[1]);
    text.append(", incarnation ").append(Watch.text(incarnation));
    if (claim[0] != NONE || claim[1] != NONE) {
      text.append(", claims ").append(claim[0]).append('/').append(claim[1]);
    }
    for (Slot slot : slots) {
      text.append(" | ").append(slot);
    }
    if (backedUp) {
      text.append(" | backup of ").append(backupAge).append(" ticks: ").append(backup);
    }
    return text.toString();
  }
}
