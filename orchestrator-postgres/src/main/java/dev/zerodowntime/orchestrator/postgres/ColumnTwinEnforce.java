package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.Step;
import java.util.ArrayList;
import java.util.List;

/** The new column gets everything that the old one has, and keeps up with what changes there. */
final class ColumnTwinEnforce {

  private final ColumnTwin twin;
  private final boolean byTrigger;

  ColumnTwinEnforce(ColumnTwin twin, boolean byTrigger) {
    this.twin = twin;
    this.byTrigger = byTrigger;
  }

  /** All but the default. */
  List<Step> add() {
    List<Step> steps = new ArrayList<>();
    if (byTrigger) {
      steps.add(new ColumnTwinSync(twin).settle());
    }
    steps.addAll(new ColumnTwinConstraints(twin).addNotNull());
    steps.addAll(new ColumnTwinIndexes(twin).addTwins());
    steps.addAll(new ColumnTwinConstraints(twin).addTwins());
    steps.addAll(new ColumnTwinSettings(twin).add());
    return steps;
  }

  /** What changed since, before the old column steps back; usually nothing. */
  List<Step> catchUp() {
    List<Step> steps = new ArrayList<>();
    if (twin.facts().flag(ColumnFactsGaps.GAPS)) {
      ColumnFacts gone = twin.facts().optionalMap(ColumnFactsGaps.GONE);
      if (gone != null) {
        steps.addAll(remove(twin.with(gone)));
      }
      steps.addAll(add());
    }
    return steps;
  }

  /** The way back. */
  List<Step> remove() {
    return remove(twin);
  }

  private static List<Step> remove(ColumnTwin twin) {
    List<Step> steps = new ArrayList<>(new ColumnTwinConstraints(twin).dropTwins());
    steps.addAll(new ColumnTwinIndexes(twin).dropTwins());
    steps.addAll(new ColumnTwinConstraints(twin).dropNotNull());
    return steps;
  }
}
