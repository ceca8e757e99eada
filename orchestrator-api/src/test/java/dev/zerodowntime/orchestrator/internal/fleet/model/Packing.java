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

  private static final int MOST_WORDS = 8;
  private final Scenario scenario;
  private final boolean backups;
  private final Flaw flaw;
  private final boolean ownTimeOnly;
  private final long[] codes;
  private final Bits bits = new Bits(MOST_WORDS);
  private final Ranking ranking;

  Packing(Scenario scenario, FleetRules rules, Flaw flaw) {
    this.scenario = scenario;
    this.flaw = flaw;
    ownTimeOnly = Watch.ownTimeOnly(rules, scenario.expiry());
    backups = scenario.bounds().failover() == Bounds.Failover.RESTORE;
    codes = new long[scenario.bounds().members()];
    ranking = new Ranking(scenario.operation(), rules);
  }

  /** How many words a world has at most. */
  int words() {
    World world = World.first(scenario);
    world.backedUp = backups;
    pack(world);
    return (bits.length() + 63) / 64;
  }

  /** Brings a world into its common form. Returns its words; the same array every time. */
  long[] pack(World world) {
    if (world.holder == 1) {
      swapDrivers(world);
    }
    ranking.settle(world.database.releases);
    ranking.settle(world.backup.releases);
    bits.clear();
    for (int i = 0; i < codes.length; i++) {
      codes[i] = code(world.slots[i]);
    }
    Arrays.sort(codes);
    for (long code : codes) {
      bits.put(code, Slot.bits(backups));
    }
    put(world.database);
    bits.put(world.holder + 1, 2);
    for (int i = 0; i < 2; i++) {
      bits.put(sinceLook(world, i) + 1, 2);
      if (flaw.reliesOnClaims()) {
        bits.put(world.claim[i] + 1, 4);
      }
    }
    bits.put(incarnation(world.incarnation), Watch.BITS);
    bits.put(world.down);
    bits.put(world.paused);
    bits.put(world.wanted, 2);
    bits.put(world.crashes, 2);
    bits.put(world.freezes, 1);
    bits.put(world.rollBacks, 2);
    bits.put(world.stops, 2);
    bits.put(world.restarts, 1);
    bits.put(world.failovers, 1);
    bits.put(world.commands, 1);
    bits.put(world.pauses, 1);
    bits.put(world.pins, 1);
    bits.put(world.recent, 4);
    if (backups) {
      bits.put(world.backedUp);
      bits.put(world.backupAge, 2);
      if (world.backedUp) {
        put(world.backup);
      }
    }
    return bits.words;
  }

  private int sinceLook(World world, int driver) {
    int since = world.sinceLook[driver];
    boolean forgotten = ownTimeOnly && (since > Scenario.GAP || !observed(world, driver));
    return forgotten ? World.NONE : since;
  }

  private boolean observed(World world, int driver) {
    boolean observed = observes(world.incarnation, driver);
    for (Slot slot : world.slots) {
      observed |= observes(Row.watch(slot.row), driver);
      observed |= observes(Row.watch(slot.saved), driver);
    }
    return observed;
  }

  private boolean observes(int watch, int driver) {
    return Watch.by(watch, driver) && Watch.still(watch) < scenario.expiry();
  }

  private long code(Slot slot) {
    if (flaw.reliesOnOldCounters() || !ownTimeOnly) {
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
      return flaw.reliesOnOldCounters() ? watch : Watch.UNSEEN;
    }
    return Watch.still(watch) == scenario.expiry() ? Watch.settled(scenario.expiry()) : watch;
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
      bits.put(release.known);
      bits.put(release.age, 2);
      bits.put(release.superseded);
      bits.put(release.trueAge, 2);
    }
  }

  /** Fills a world from its words. */
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
      world.claim[i] = flaw.reliesOnClaims() ? (int) bits.take(4) - 1 : World.NONE;
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
    world.pins = bits.take();
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
      release.known = bits.flag();
      release.age = (int) bits.take(2);
      release.superseded = bits.flag();
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
