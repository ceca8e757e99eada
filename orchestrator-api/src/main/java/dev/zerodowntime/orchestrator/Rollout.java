package dev.zerodowntime.orchestrator;

import dev.zerodowntime.orchestrator.internal.control.ControlTables;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One release that rolls out while others are counted.
 *
 * @param candidate the one
 * @param counted the others
 */
record Rollout(ReleaseManifest candidate, List<ReleaseManifest> counted) {

  /** Why it can't, and what to do. */
  List<String> problems() {
    List<String> problems = new ArrayList<>();
    Set<String> ids = new TreeSet<>(candidate.declarations().keySet());
    counted.forEach(each -> ids.addAll(each.declarations().keySet()));
    for (String id : ids) {
      List<ReleaseManifest.Declaration> declared =
          Stream.concat(counted.stream(), Stream.of(candidate))
              .flatMap(each -> Optional.ofNullable(each.declarations().get(id)).stream())
              .toList();
      List<Lifecycle> lifecycles =
          declared.stream()
              .flatMap(each -> Optional.ofNullable(each.lifecycle()).stream())
              .toList();
      Lifecycle lifecycle =
          lifecycles.stream().filter(each -> knowsAll(each, declared)).findFirst().orElse(null);
      if (lifecycles.isEmpty()) {
        unknown(id, problems);
      } else if (lifecycle == null || !oneOperation(lifecycles)) {
        problems.add(
            id
                + " is not the same everywhere: "
                + lifecycles.stream()
                    .map(each -> each.operation() + " with the stages " + each.stages())
                    .distinct()
                    .toList()
                + ". A migration is never edited once it has started: restore its declaration, and"
                + " declare the change as a migration with an id of its own.");
      } else {
        new Judged(id, lifecycle, table(declared)).check(problems);
      }
    }
    return problems;
  }

  private static boolean knowsAll(Lifecycle lifecycle, List<ReleaseManifest.Declaration> declared) {
    List<String> known = lifecycle.stages().stream().map(StageSpan::stage).toList();
    return declared.stream().allMatch(each -> known.containsAll(each.stages()));
  }

  private static boolean oneOperation(List<Lifecycle> lifecycles) {
    return lifecycles.stream().map(Lifecycle::operation).distinct().count() == 1
        && lifecycles.stream().map(Lifecycle::phases).distinct().count() == 1;
  }

  private static @Nullable String table(List<ReleaseManifest.Declaration> declared) {
    return declared.stream()
        .map(ReleaseManifest.Declaration::table)
        .filter(Objects::nonNull)
        .findFirst()
        .orElse(null);
  }

  /** Nobody knows its phases; where all say the same of it, none are needed. */
  private void unknown(String id, List<String> problems) {
    for (ReleaseManifest other : counted) {
      List<String> before = other.stagesById().get(id);
      List<String> now = candidate.stagesById().get(id);
      if (!Objects.equals(before, now)) {
        problems.add(
            id
                + ": "
                + name(other)
                + " declares "
                + (before == null ? "nothing" : before)
                + " and "
                + name(candidate)
                + " "
                + (now == null ? "nothing" : now)
                + "; no manifest given here has its phases. Add that of the application that"
                + " declares the migration itself, or those that are counted in the database.");
      }
    }
  }

  private static String name(ReleaseManifest manifest) {
    return (manifest.warm() ? "warm release " : "release ")
        + manifest.release()
        + " of "
        + manifest.application();
  }

  /** A migration whose phases are known. */
  private final class Judged {

    private final String id;
    private final Lifecycle lifecycle;
    private final @Nullable String table;

    Judged(String id, Lifecycle lifecycle, @Nullable String table) {
      this.id = id;
      this.lifecycle = lifecycle;
      this.table = table;
    }

    void check(List<String> problems) {
      List<StageSpan> mine = stages(candidate);
      if (mine.isEmpty()) {
        return;
      }
      Map<ReleaseManifest, List<StageSpan>> all = new LinkedHashMap<>();
      boolean pairs = true;
      for (ReleaseManifest other : counted) {
        List<StageSpan> theirs = stages(other);
        if (theirs.isEmpty()) {
          continue;
        }
        all.put(other, theirs);
        if (!share(mine, theirs, other)) {
          pairs = false;
          problems.add(
              id
                  + ": "
                  + name(other)
                  + said(other, theirs)
                  + " and "
                  + name(candidate)
                  + said(candidate, mine)
                  + "; no phase suits both. "
                  + remedy(other, theirs, mine));
        }
      }
      all.put(candidate, mine);
      if (pairs && !together(all)) {
        List<String> who = new ArrayList<>();
        all.forEach((each, stages) -> who.add(name(each) + said(each, stages)));
        problems.add(
            id
                + ": no phase suits all of them: "
                + String.join(", ", who)
                + ". Wait with "
                + name(candidate)
                + " until one of the others has been replaced.");
      }
    }

    /** At what a build may be; none if it isn't counted for the migration. */
    private List<StageSpan> stages(ReleaseManifest manifest) {
      ReleaseManifest.Declaration declared = manifest.declarations().get(id);
      if (declared != null) {
        return declared.stages().stream()
            .map(stage -> new StageSpan(stage, lifecycle.span(stage)))
            .toList();
      }
      if (manifest.finished().contains(id)) {
        return List.of(lifecycle.newest());
      }
      Set<String> touches = manifest.touches();
      return touches != null && table != null && !touches.contains(table)
          ? List.of()
          : List.of(lifecycle.oldest());
    }

    private boolean share(List<StageSpan> mine, List<StageSpan> theirs, ReleaseManifest other) {
      return theirs.stream()
          .anyMatch(a -> mine.stream().anyMatch(b -> counts(a, other).overlaps(b.span())));
    }

    /** A warm release only holds back: what lies below it doesn't concern it. */
    private Span counts(StageSpan stage, ReleaseManifest of) {
      return of.warm() ? new Span(0, stage.span().high()) : stage.span();
    }

    private boolean together(Map<ReleaseManifest, List<StageSpan>> all) {
      for (int phase = 0; phase <= lifecycle.last(); phase++) {
        Span here = new Span(phase, phase);
        boolean suits =
            all.entrySet().stream()
                .allMatch(
                    each ->
                        each.getValue().stream()
                            .anyMatch(stage -> counts(stage, each.getKey()).overlaps(here)));
        if (suits) {
          return true;
        }
      }
      return false;
    }

    private boolean declares(ReleaseManifest manifest) {
      return manifest.declarations().containsKey(id);
    }

    private String said(ReleaseManifest manifest, List<StageSpan> stages) {
      if (declares(manifest)) {
        return " is at " + stages;
      }
      return (manifest.finished().contains(id)
              ? " names it as finished, which is "
              : " does not declare it, so its code counts as ")
          + stages.get(0);
    }

    private String remedy(ReleaseManifest other, List<StageSpan> theirs, List<StageSpan> mine) {
      boolean sameApplication = other.application().equals(candidate.application());
      boolean ahead = top(mine).high() > top(theirs).high();
      StringBuilder text = new StringBuilder();
      if (!ahead && !declares(candidate)) {
        text.append("Declare it with the stage that the code of ")
            .append(name(candidate))
            .append(" is at; if it is done, name it in finished(\"")
            .append(id)
            .append("\")");
        return sameApplication ? text + "." : text + orTouches(candidate) + ".";
      }
      List<String> chain = chain(theirs, mine);
      if (sameApplication || !ahead) {
        text.append(chain.size() > 1 ? "Put releases in between" : "Put a release in between");
      } else {
        text.append("First release code of ").append(other.application());
      }
      if (!chain.isEmpty()) {
        text.append(sameApplication || !ahead ? " whose code is at " : " that is at ")
            .append(String.join(", then at ", chain));
      }
      if (ahead && !declares(other) && !sameApplication) {
        text.append(orTouches(other));
      }
      if (other.warm()) {
        text.append("; or, if nobody will roll back to it, forgetRelease(\"")
            .append(other.application())
            .append("\", \"")
            .append(other.release())
            .append("\")");
      } else if (other.release().equals(ControlTables.BUILDS_BEFORE_US)) {
        text.append("; once no build without the library is running, adopted(\"")
            .append(other.application())
            .append("\")");
      }
      return text.append('.').toString();
    }

    private String orTouches(ReleaseManifest who) {
      return table == null
          ? ""
          : "; if "
              + who.application()
              + " does not use "
              + table
              + ", say which tables it does use with touches(...)";
    }

    private Span top(List<StageSpan> stages) {
      return stages.get(stages.size() - 1).span();
    }

    /** The fewest stages that lead from one to the other, each sharing a phase with the next. */
    private List<String> chain(List<StageSpan> from, List<StageSpan> to) {
      Deque<List<StageSpan>> open = new ArrayDeque<>(List.of(List.of()));
      Set<String> seen = new TreeSet<>();
      while (!open.isEmpty()) {
        List<StageSpan> way = open.remove();
        List<StageSpan> ends = way.isEmpty() ? from : List.of(way.get(way.size() - 1));
        if (!way.isEmpty() && overlap(ends, to)) {
          return way.stream().map(StageSpan::stage).toList();
        }
        for (StageSpan next : lifecycle.stages()) {
          if (overlap(ends, List.of(next)) && seen.add(next.stage())) {
            open.add(Stream.concat(way.stream(), Stream.of(next)).toList());
          }
        }
      }
      return List.of();
    }

    private static boolean overlap(List<StageSpan> some, List<StageSpan> others) {
      return some.stream()
          .anyMatch(a -> others.stream().anyMatch(b -> a.span().overlaps(b.span())));
    }
  }
}
