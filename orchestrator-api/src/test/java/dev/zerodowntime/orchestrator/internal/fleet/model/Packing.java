package dev.zerodowntime.orchestrator.internal.fleet.model;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.State;
import dev.zerodowntime.orchestrator.internal.fleet.FleetRules;
import java.util.Arrays;

/**
 * Worlds as a few long words, alike where they differ only by names: members and the two drivers
 * are interchangeable.
 */
final class Packing {

  private static final int SLOT_LIMIT = 8;
  private final Scenario scenario;
  private final boolean backups;
  private final boolean faithful;
  private final boolean ownTimeOnly;
  private final long[] codes;
  private final Bits bits = new Bits(SLOT_LIMIT);
  private final World scratch;

  /**
   * @param scenario what is explored
   * @param faithful whether the protocol is whole, so that nobody relies on what is out of date: a
   *     claim without the lease, or what was seen of a counter that has moved since
   * @param rules the rules under test
   */
  Packing(Scenario scenario, boolean faithful, FleetRules rules) {
    this.scenario = scenario;
    ownTimeOnly = Watch.ownTimeOnly(rules);
    this.faithful = faithful;
    backups = scenario.bounds().failover() == Bounds.Failover.RESTORE;
    codes = new long[scenario.bounds().slots()];
    scratch = new World(scenario);
  }

  /** How many words a world has at most. */
  int words() {
    World world = World.first(scenario);
    world.backedUp = backups;
    pack(world);
    return (bits.length() + 63) / 64;
  }

  /** The words; the same array every time. */
  long[] pack(World world) {
    World from = world;
    if (world.holder == 1) {
      from = scratch;
      from.copy(world);
      swapDrivers(from);
    }
    bits.clear();
    for (int i = 0; i < codes.length; i++) {
      codes[i] = code(from.slots[i]);
    }
    Arrays.sort(codes);
    for (long code : codes) {
      bits.put(code, Slot.bits(backups));
    }
    put(from.database);
    bits.put(from.holder + 1, 2);
    for (int i = 0; i < 2; i++) {
      bits.put(sinceLook(from, i) + 1, 2);
      if (!faithful) {
        bits.put(from.claim[i] + 1, 4);
      }
    }
    bits.put(incarnation(from.incarnation), Watch.BITS);
    bits.put(from.down);
    bits.put(from.paused);
    bits.put(from.wanted, 2);
    bits.put(from.crashes, 2);
    bits.put(from.freezes, 1);
    bits.put(from.rollBacks, 2);
    bits.put(from.stops, 2);
    bits.put(from.restarts, 1);
    bits.put(from.failovers, 1);
    bits.put(from.commands, 1);
    bits.put(from.pauses, 1);
    bits.put(from.recent, 4);
    if (backups) {
      bits.put(from.backedUp);
      bits.put(from.backupAge, 2);
      if (from.backedUp) {
        put(from.backup);
      }
    }
    return bits.words;
  }

  private int sinceLook(World world, int driver) {
    int since = world.sinceLook[driver];
    boolean forgotten = ownTimeOnly && (since > Scenario.GAP || !observed(world, driver));
    return forgotten ? World.NONE : since;
  }

  private static boolean observed(World world, int driver) {
    boolean observed = observes(world.incarnation, driver);
    for (Slot slot : world.slots) {
      observed |= observes(Row.watch(slot.row), driver);
      observed |= observes(Row.watch(slot.saved), driver);
    }
    return observed;
  }

  private static boolean observes(int watch, int driver) {
    return Watch.by(watch, driver) && Watch.still(watch) < Scenario.EXPIRY;
  }

  private long code(Slot slot) {
    if (!faithful || !ownTimeOnly) {
      return slot.code(backups);
    }
    int row = slot.row;
    int saved = slot.saved;
    slot.row = settled(row);
    slot.saved = settled(saved);
    long code = slot.code(backups);
    slot.row = row;
    slot.saved = saved;
    return code;
  }

  private static int settled(int row) {
    return Watch.current(Row.watch(row)) ? row : Row.watch(row, Watch.UNSEEN);
  }

  /** Once an incarnation has been watched for long enough, it doesn't matter who did. */
  private int incarnation(int watch) {
    if (!Watch.current(watch)) {
      return faithful ? Watch.UNSEEN : watch;
    }
    return watch >> 3 == Scenario.EXPIRY ? watch & ~6 | 2 : watch;
  }

  private void put(Database database) {
    State state = database.state;
    bits.put(state.reached(), 3);
    bits.put(state.entering(), 3);
    bits.put(state.direction() == Direction.DOWN);
    bits.put(database.schema, 3);
    bits.put(database.target + 1, 4);
    bits.put(database.byHand);
    bits.put(database.fitUp + 1, 2);
    bits.put(database.fitDown + 1, 2);
    bits.put(database.changed, 1);
    bits.put(database.pinned);
    bits.put(database.known);
    for (ReleaseRow release : database.releases) {
      bits.put(release.order, 3);
      bits.put(release.age, 2);
      bits.put(release.proven);
      bits.put(release.outlived);
      bits.put(release.trueAge, 2);
    }
  }

  void unpack(long[] words, World world) {
    System.arraycopy(words, 0, bits.words, 0, words.length);
    bits.rewind();
    for (Slot slot : world.slots) {
      slot.decode(bits.take(Slot.bits(backups)), backups);
    }
    take(world.database);
    world.holder = (int) bits.take(2) - 1;
    for (int i = 0; i < 2; i++) {
      world.sinceLook[i] = (int) bits.take(2) - 1;
      world.claim[i] = faithful ? World.NONE : (int) bits.take(4) - 1;
    }
    world.incarnation = (int) bits.take(Watch.BITS);
    world.down = bits.flag();
    world.paused = bits.flag();
    world.wanted = (int) bits.take(2);
    world.crashes = (int) bits.take(2);
    world.freezes = bits.take();
    world.rollBacks = (int) bits.take(2);
    world.stops = (int) bits.take(2);
    world.restarts = bits.take();
    world.failovers = bits.take();
    world.commands = bits.take();
    world.pauses = bits.take();
    world.recent = (int) bits.take(4);
    if (backups) {
      world.backedUp = bits.flag();
      world.backupAge = (int) bits.take(2);
      if (world.backedUp) {
        take(world.backup);
      }
    }
  }

  private void take(Database database) {
    int reached = (int) bits.take(3);
    int entering = (int) bits.take(3);
    Direction direction = bits.flag() ? Direction.DOWN : Direction.UP;
    database.state = new State(reached, entering, direction);
    database.schema = (int) bits.take(3);
    database.target = (int) bits.take(4) - 1;
    database.byHand = bits.flag();
    database.fitUp = (int) bits.take(2) - 1;
    database.fitDown = (int) bits.take(2) - 1;
    database.changed = bits.take();
    database.pinned = bits.flag();
    database.known = bits.flag();
    for (ReleaseRow release : database.releases) {
      release.order = (int) bits.take(3);
      release.age = (int) bits.take(2);
      release.proven = bits.flag();
      release.outlived = bits.flag();
      release.trueAge = (int) bits.take(2);
    }
  }

  private static void swapDrivers(World world) {
    world.holder = World.NONE == world.holder ? World.NONE : 1 - world.holder;
    int look = world.sinceLook[0];
    world.sinceLook[0] = world.sinceLook[1];
    world.sinceLook[1] = look;
    int claim = world.claim[0];
    world.claim[0] = world.claim[1];
    world.claim[1] = claim;
    world.incarnation = Watch.swapped(world.incarnation);
    for (Slot slot : world.slots) {
      slot.row = swapped(slot.row);
      slot.saved = swapped(slot.saved);
    }
  }

  private static int swapped(int row) {
    return row == Row.NONE ? row : Row.watch(row, Watch.swapped(Row.watch(row)));
  }
}
