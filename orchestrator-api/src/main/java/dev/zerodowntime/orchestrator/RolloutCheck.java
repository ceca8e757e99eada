package dev.zerodowntime.orchestrator;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Whether releases can follow each other without downtime, found out without a database.
 *
 * @param problems why they can't; empty when they can
 */
public record RolloutCheck(List<String> problems) {

  /** Copies the list. */
  public RolloutCheck {
    problems = List.copyOf(problems);
  }

  /**
   * Whether the releases can roll out in this order.
   *
   * @return true when there are no problems
   */
  public boolean ok() {
    return problems.isEmpty();
  }

  /**
   * Checks releases of one application in the order in which they roll out: while one replaces the
   * other, both must be able to run against some phase of every migration.
   *
   * @param manifests oldest first
   * @return the result
   */
  public static RolloutCheck of(ReleaseManifest... manifests) {
    List<String> problems = new ArrayList<>();
    for (int i = 1; i < manifests.length; i++) {
      compare(manifests[i - 1], manifests[i], problems);
    }
    return new RolloutCheck(problems);
  }

  private static void compare(
      ReleaseManifest before, ReleaseManifest after, List<String> problems) {
    Set<String> ids = new TreeSet<>(before.declarations().keySet());
    ids.addAll(after.declarations().keySet());
    for (String id : ids) {
      ReleaseManifest.Declaration old = before.declarations().get(id);
      ReleaseManifest.Declaration fresh = after.declarations().get(id);
      ReleaseManifest.Declaration either = fresh != null ? fresh : old;
      if (either == null) {
        continue;
      }
      Lifecycle lifecycle = either.lifecycle();
      List<StageSpan> oldStages = stages(before, id, old, lifecycle);
      List<StageSpan> newStages = stages(after, id, fresh, lifecycle);
      boolean shared =
          oldStages.stream()
              .anyMatch(a -> newStages.stream().anyMatch(b -> a.span().overlaps(b.span())));
      if (!shared) {
        problems.add(
            id
                + ": release "
                + before.release()
                + " is at "
                + oldStages
                + " and release "
                + after.release()
                + " at "
                + newStages
                + "; no phase suits both. Put a release in between"
                + between(lifecycle, oldStages, newStages)
                + ".");
      }
    }
  }

  private static String between(
      Lifecycle lifecycle, List<StageSpan> before, List<StageSpan> after) {
    for (StageSpan each : lifecycle.stages()) {
      boolean meetsBoth =
          before.stream().anyMatch(a -> a.span().overlaps(each.span()))
              && after.stream().anyMatch(b -> b.span().overlaps(each.span()));
      if (meetsBoth) {
        return " whose code is at " + each.stage();
      }
    }
    return "";
  }

  private static List<StageSpan> stages(
      ReleaseManifest manifest,
      String id,
      ReleaseManifest.@org.jspecify.annotations.Nullable Declaration declaration,
      Lifecycle lifecycle) {
    if (declaration != null) {
      return declaration.stages().stream()
          .map(stage -> new StageSpan(stage, lifecycle.span(stage)))
          .toList();
    }
    return List.of(manifest.finished().contains(id) ? lifecycle.newest() : lifecycle.oldest());
  }
}
