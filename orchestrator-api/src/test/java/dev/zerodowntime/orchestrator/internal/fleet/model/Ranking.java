package dev.zerodowntime.orchestrator.internal.fleet.model;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.State;
import dev.zerodowntime.orchestrator.internal.fleet.FleetRules;

/**
 * Brings the releases' rows into a form that is the same for all that can't be told apart by
 * anything that may still happen: of a release that never holds back it doesn't matter how long ago
 * it was live, nor whether another has taken its place.
 */
final class Ranking {

  private final boolean[] holdsBack;

  Ranking(Operation operation, FleetRules rules) {
    holdsBack = new boolean[operation.releases().size()];
    for (int release = 0; release < holdsBack.length; release++) {
      Span span = operation.highest(release);
      for (int phase = 0; phase < operation.last(); phase++) {
        holdsBack[release] |= rules.holdsBack(span, State.at(phase).entering(Direction.UP));
        holdsBack[release] |= rules.holdsBack(span, State.at(phase + 1).entering(Direction.DOWN));
      }
    }
  }

  /** Changes what can't matter. */
  void settle(ReleaseRow[] releases) {
    for (int i = 0; i < releases.length; i++) {
      if (releases[i].known && !holdsBack[i]) {
        releases[i].age = 0;
        releases[i].trueAge = 0;
        releases[i].superseded = true;
      }
    }
  }
}
