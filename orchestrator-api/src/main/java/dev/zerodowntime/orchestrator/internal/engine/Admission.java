package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.ReleaseManifest;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Application;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import dev.zerodowntime.orchestrator.internal.fleet.FleetRules;
import dev.zerodowntime.orchestrator.internal.fleet.StageChoice;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A build that asks to be admitted, or may do so later, and what it says of itself.
 *
 * @param application its application
 * @param stages the stages it declares, oldest first, by migration id
 * @param finished ids that it names as finished
 * @param touches the tables it narrows itself to, or null
 */
record Admission(
    String application,
    Map<String, List<String>> stages,
    Set<String> finished,
    @Nullable Set<String> touches) {

  /** The process's own build. */
  static Admission of(EngineContext ctx) {
    EngineContext.Declarations own = ctx.declarations();
    return new Admission(ctx.application(), own.stagesById(), own.finished(), own.touches());
  }

  /** Any build that has left a manifest. */
  static Admission of(ReleaseManifest manifest) {
    Map<String, List<String>> stages = new LinkedHashMap<>();
    manifest.declarations().forEach((id, each) -> stages.put(id, each.stages()));
    return new Admission(
        manifest.application(), stages, Set.copyOf(manifest.finished()), manifest.touches());
  }

  /** The stages at which it may be judged, oldest first; none if it isn't counted. */
  List<StageSpan> declared(Snapshot snapshot, MigrationRow row) {
    List<String> declared = stages.get(row.id());
    if (declared != null) {
      List<StageSpan> spans = new ArrayList<>();
      for (StageSpan each : row.lifecycle().stages()) {
        if (declared.contains(each.stage())) {
          spans.add(each);
        }
      }
      // A stage that the row doesn't know: its library is older, or the declaration is wrong.
      declared.forEach(row.lifecycle()::span);
      return spans;
    }
    if (finished.contains(row.id())) {
      return List.of(row.lifecycle().newest());
    }
    Application known =
        snapshot
            .applications()
            .getOrDefault(application, new Application(application, Long.MAX_VALUE));
    return snapshot.counts(row, known, touches) ? List.of(row.lifecycle().oldest()) : List.of();
  }

  /** Why it would not be admitted as far as one migration goes; empty if it would. */
  Optional<Registrar.Unfit> unfit(FleetRules rules, Snapshot snapshot, MigrationRow row) {
    List<StageSpan> declared = declared(snapshot, row);
    if (declared.isEmpty()) {
      return Optional.empty();
    }
    StageChoice choice = rules.choose(declared.stream().map(StageSpan::span).toList(), row.state());
    return choice.admitted()
        ? Optional.empty()
        : Optional.of(
            new Registrar.Unfit(
                row, declared.get(declared.size() - 1), choice.phase(), choice.direction()));
  }
}
