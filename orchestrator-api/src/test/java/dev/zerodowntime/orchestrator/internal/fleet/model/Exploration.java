package dev.zerodowntime.orchestrator.internal.fleet.model;

import dev.zerodowntime.orchestrator.internal.fleet.FleetRules;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Explores every world of a scenario, breadth first, so that the first thing found to be broken is
 * found on a shortest way.
 */
final class Exploration {

  private final Scenario scenario;
  private final FleetRules rules;
  private final Flaw flaw;
  private final Promise promise;
  private final Packing packing;
  private final StateSet states;
  private final World world;
  private final long[] words;
  private int[] parents = new int[1 << 12];
  private int[] edges = new int[1 << 14];
  private int[] firstEdge = new int[1 << 12];
  private int edgeCount;
  private final BitSet finished = new BitSet();
  private final BitSet welcome = new BitSet();
  private @Nullable String broken;

  Exploration(Scenario scenario, FleetRules rules, Flaw flaw) {
    this.scenario = scenario;
    this.rules = rules;
    this.flaw = flaw;
    promise = new Promise(scenario);
    packing = new Packing(scenario, rules, flaw);
    int width = packing.words();
    states = new StateSet(width);
    words = new long[width];
    world = new World(scenario);
  }

  /** Explores, and judges progress if nothing is broken. */
  Exploration run() {
    states.add(packing.pack(World.first(scenario)));
    Steps steps = new Steps(scenario, rules, flaw);
    for (int number = 0; number < states.size() && broken == null; number++) {
      load(number);
      if (promise.finished(world)) {
        finished.set(number);
      }
      if (promise.welcome(world)) {
        welcome.set(number);
      }
      firstEdge = room(firstEdge, number + 1);
      int from = number;
      steps.from(world, (action, who, next, fair) -> found(from, action, who, next, fair));
      firstEdge[number + 1] = edgeCount;
    }
    if (broken == null) {
      judge();
    }
    return this;
  }

  int size() {
    return states.size();
  }

  /** What is broken, with the way to it, or null. */
  @Nullable String broken() {
    return broken;
  }

  private void load(int number) {
    states.get(number, words);
    packing.unpack(words, world);
  }

  private void found(int from, Action action, int who, World next, boolean fair) {
    if (broken != null) {
      return;
    }
    String what = promise.broken(world, action, who, next);
    int number = states.add(packing.pack(next));
    if (number < 0) {
      number = -1 - number;
      parents = room(parents, number);
      parents[number] = from;
    }
    if (what != null) {
      String last = action + " " + who + "\n    " + next;
      broken = what + way(from) + "\n  " + last;
      return;
    }
    if (fair && number != from) {
      edges = room(edges, edgeCount);
      edges[edgeCount++] = action == Action.ROLL_OUT ? -1 - number : number;
    }
  }

  private static int[] room(int[] array, int index) {
    return index < array.length ? array : Arrays.copyOf(array, Math.max(index, array.length) * 2);
  }

  private void judge() {
    int stuck = stuck(finished, true);
    if (stuck >= 0) {
      broken = "the roll-out can't come to its end any more" + way(stuck);
      return;
    }
    int refused = stuck(welcome, false);
    if (refused >= 0) {
      broken = "a release that is rolled back to can't come back" + way(refused);
    }
  }

  /** The first world from which no goal can be reached without faults, or -1. */
  private int stuck(BitSet goals, boolean rollsOut) {
    BitSet good = (BitSet) goals.clone();
    boolean more = true;
    while (more) {
      more = false;
      for (int number = states.size() - 1; number >= 0; number--) {
        if (!good.get(number) && leadsTo(good, number, rollsOut)) {
          good.set(number);
          more = true;
        }
      }
    }
    int first = good.nextClearBit(0);
    return first < states.size() ? first : -1;
  }

  private boolean leadsTo(BitSet good, int number, boolean rollsOut) {
    for (int i = firstEdge[number]; i < firstEdge[number + 1]; i++) {
      int edge = edges[i];
      if (edge >= 0 ? good.get(edge) : rollsOut && good.get(-1 - edge)) {
        return true;
      }
    }
    return false;
  }

  private String way(int to) {
    Deque<Integer> numbers = new ArrayDeque<>();
    for (int number = to; number > 0; number = parents[number]) {
      numbers.push(number);
    }
    load(0);
    StringBuilder text = new StringBuilder("\n    ").append(world);
    Steps steps = new Steps(scenario, rules, flaw);
    int from = 0;
    for (int number : numbers) {
      load(from);
      String[] step = {null};
      steps.from(
          world,
          (action, who, next, fair) -> {
            if (step[0] == null && states.add(packing.pack(next)) == number) {
              step[0] = "\n  " + action + " " + who;
            }
          });
      load(number);
      text.append(step[0]).append("\n    ").append(world);
      from = number;
    }
    return text.toString();
  }
}
