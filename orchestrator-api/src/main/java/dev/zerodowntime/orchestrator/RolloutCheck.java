package dev.zerodowntime.orchestrator;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Whether releases can follow each other without downtime, found out without a database.
 *
 * <p>A build that declares several stages is taken at whichever suits: where its instances were
 * admitted at a lower one, they have to be started anew to be at a higher one.
 *
 * @param problems why they can't, and what to do; empty when they can
 */
public record RolloutCheck(List<String> problems) {

  /** Copies the list. */
  public RolloutCheck {
    problems = List.copyOf(problems);
  }

  /**
   * Whether the releases can roll out.
   *
   * @return true when there are no problems
   */
  public boolean ok() {
    return problems.isEmpty();
  }

  /**
   * Checks releases in the order in which they roll out: while one replaces the other, both must be
   * able to run against some phase of every migration; and so must the latest release of every
   * other application by then.
   *
   * @param manifests oldest first; of one application or of several that share a database
   * @return the result
   */
  public static RolloutCheck of(ReleaseManifest... manifests) {
    Set<String> problems = new LinkedHashSet<>(sameName(Arrays.asList(manifests)));
    Map<String, ReleaseManifest> running = new LinkedHashMap<>();
    for (ReleaseManifest each : manifests) {
      problems.addAll(new Rollout(each, List.copyOf(running.values())).problems());
      running.put(each.application(), each);
    }
    return new RolloutCheck(List.copyOf(problems));
  }

  /**
   * Checks whether a release can roll out while all of the others are still counted. These are
   * assumed to suit each other.
   *
   * @param candidate the release that is to roll out
   * @param counted the others, in any order, such as {@link Orchestrator#countedManifests()}
   * @return the result
   */
  public static RolloutCheck of(ReleaseManifest candidate, Collection<ReleaseManifest> counted) {
    Set<String> problems = new LinkedHashSet<>();
    for (ReleaseManifest each : counted) {
      problems.addAll(sameName(List.of(each, candidate)));
    }
    problems.addAll(new Rollout(candidate, List.copyOf(counted)).problems());
    return new RolloutCheck(List.copyOf(problems));
  }

  /** Production refuses a release string that stands for other stages than before. */
  private static List<String> sameName(List<ReleaseManifest> manifests) {
    List<String> problems = new ArrayList<>();
    for (int i = 1; i < manifests.size(); i++) {
      for (ReleaseManifest before : manifests.subList(0, i)) {
        ReleaseManifest now = manifests.get(i);
        if (before.application().equals(now.application())
            && before.release().equals(now.release())
            && !before.stagesById().equals(now.stagesById())) {
          problems.add(
              "release "
                  + now.release()
                  + " of "
                  + now.application()
                  + " is the name of two builds: one declares "
                  + before.stagesById()
                  + ", the other "
                  + now.stagesById()
                  + ". Give every build a release string of its own: warm releases and rollbacks"
                  + " are judged by it.");
        }
      }
    }
    return problems;
  }
}
