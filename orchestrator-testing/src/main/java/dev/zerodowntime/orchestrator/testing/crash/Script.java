package dev.zerodowntime.orchestrator.testing.crash;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.StageSpan;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One way through an operation's phases, process by process. Made from the operation's own table of
 * phases and spans, so that one with other phases needs no other script.
 *
 * @param product where
 * @param name for messages
 * @param subject the operation
 * @param approvals phases before which it stops
 * @param installed whether the control tables are there at its start
 * @param setup acts that nobody cuts: others scripts do
 * @param acts acts to cut
 */
record Script(
    Product product,
    String name,
    Subject<?> subject,
    List<String> approvals,
    boolean installed,
    List<Act> setup,
    List<Act> acts) {

  /** A database that knows the library, without migrations. */
  static final Act INSTALL =
      new Act("install", "0", null, o -> o.adopted("billing"), 0, List.of(), Duration.ZERO, false);

  String migration() {
    return subject.migration(approvals).id();
  }

  /** The library meets a database for the first time. */
  static Script installation(Product product, Subject<?> subject) {
    Walk walk = new Walk(product, subject, List.of(), false);
    List<Act> acts = new ArrayList<>(List.of(INSTALL));
    acts.add(walk.up(0, walk.lifecycle.last()).get(0));
    return new Script(product, "installation", subject, List.of(), false, List.of(), acts);
  }

  /** All of an operation's. */
  static List<Script> of(Product product, Subject<?> subject) {
    Lifecycle lifecycle = subject.migration(List.of()).lifecycle();
    List<Script> scripts = new ArrayList<>();
    scripts.add(
        new Script(
            product,
            "up",
            subject,
            List.of(),
            true,
            List.of(),
            new Walk(product, subject, List.of(), false).up(0, lifecycle.last())));
    int top = lifecycle.purge() < 0 ? lifecycle.last() : lifecycle.purge() - 1;
    for (int phase = 1; phase <= top && lifecycle.reachable(phase, 0); phase++) {
      List<String> approvals =
          phase < lifecycle.last() ? List.of(lifecycle.name(phase + 1)) : List.of();
      Walk walk = new Walk(product, subject, approvals, phase < top);
      List<Act> setup = walk.up(0, phase);
      List<Act> acts = walk.down(phase, 0);
      if (phase == top) {
        acts.add(walk.again());
      }
      scripts.add(
          new Script(
              product,
              "down from " + lifecycle.name(phase),
              subject,
              approvals,
              true,
              setup,
              acts));
      if (phase == top) {
        Walk other = new Walk(product, subject, approvals, false);
        List<Act> before = other.up(0, phase);
        other
            .reopen(phase)
            .ifPresent(
                act ->
                    scripts.add(
                        new Script(
                            product, "reopen", subject, approvals, true, before, List.of(act))));
      }
    }
    return scripts;
  }

  /**
   * Makes acts: each movement by the oldest stage that fits it, movements of one stage together.
   */
  private static final class Walk {
    private final Product product;
    private final Subject<?> subject;
    private final String id;
    private final Lifecycle lifecycle;
    private final List<StageSpan> stages;

    /** Whether another walk makes the same movements, from further up. */
    private final boolean repeated;

    private int round;

    Walk(Product product, Subject<?> subject, List<String> approvals, boolean repeated) {
      this.product = product;
      this.subject = subject;
      this.id = subject.migration(approvals).id();
      this.lifecycle = subject.migration(approvals).lifecycle();
      this.stages = product.stages(subject.migration(approvals));
      this.repeated = repeated;
    }

    List<Act> up(int from, int to) {
      List<Act> acts = new ArrayList<>();
      int at = from;
      while (at < to) {
        StageSpan stage = fitting(at, at + 1);
        int end = at + 1;
        while (end < to && fitting(end, end + 1).equals(stage)) {
          end++;
        }
        acts.add(act("up to ", stage, Act.Verb.NOTHING, at, end, Duration.ZERO));
        at = end;
      }
      return acts;
    }

    List<Act> down(int from, int to) {
      List<Act> acts = new ArrayList<>();
      int at = from;
      while (at > to) {
        StageSpan stage = fitting(at - 1, at);
        int end = at - 1;
        while (end > to && fitting(end - 1, end).equals(stage)) {
          end--;
        }
        String phase = lifecycle.name(end);
        acts.add(act("down to ", stage, o -> back(o, phase), at, end, Duration.ZERO));
        at = end;
      }
      return acts;
    }

    /** Whoever says it again after a crash may find that nothing is left to consent to. */
    private void back(Orchestrator o, String phase) {
      o.rollback(id, phase);
      // Once it moves, the consent is spent, and another one would be for the next time.
      if (subject.consents() && atRest(o)) {
        try {
          o.approve(id, phase);
        } catch (DeclarationException e) {
          assertThat(e).hasMessageContaining("Nothing leads to");
        }
      }
    }

    private boolean atRest(Orchestrator person) {
      return person.status().migrations().stream()
          .allMatch(each -> !each.id().equals(id) || each.state().atRest());
    }

    /** What was rolled back goes on. */
    Act again() {
      StageSpan stage = stages.get(0);
      int end = Math.min(stage.span().high(), lifecycle.last());
      if (end == 0) {
        // That stage fits nothing above, so another one goes on, as far as it may.
        stage = fitting(0, 1);
        int top = lifecycle.purge() < 0 ? lifecycle.last() : lifecycle.purge() - 1;
        end = Math.min(stage.span().high(), top);
      }
      return act("again up to ", stage, o -> o.resume(id), 0, end, Duration.ZERO);
    }

    /** A release that the schema has left behind comes back. */
    Optional<Act> reopen(int phase) {
      return stages.stream()
          .filter(each -> each.span().high() < phase)
          // Who needs somebody's consent can't begin by itself.
          .filter(each -> !subject.consents())
          .reduce((a, b) -> b)
          .map(
              each ->
                  act(
                      "reopened down to ",
                      each,
                      Act.Verb.NOTHING,
                      phase,
                      each.span().high(),
                      Duration.ofHours(1)));
    }

    private StageSpan fitting(int low, int high) {
      return stages.stream()
          .filter(each -> each.span().low() <= low && each.span().high() >= high)
          .findFirst()
          .orElseThrow();
    }

    private Act act(
        String name, StageSpan stage, Act.Verb verb, int from, int end, Duration horizon) {
      String release = Integer.toString(1 + stages.indexOf(stage));
      return new Act(
          name + lifecycle.name(end) + " by " + stage.stage(),
          release,
          stage.stage(),
          verb,
          end,
          subject.writes(product, from, round++),
          horizon,
          repeated || name.startsWith("again"));
    }
  }
}
