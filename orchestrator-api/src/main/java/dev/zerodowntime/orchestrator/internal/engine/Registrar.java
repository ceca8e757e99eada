package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.State;
import dev.zerodowntime.orchestrator.internal.control.Events.Event;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Release;
import dev.zerodowntime.orchestrator.internal.control.FleetWriter.NewMember;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import dev.zerodowntime.orchestrator.internal.fleet.Counted;
import dev.zerodowntime.orchestrator.internal.fleet.Fleet;
import dev.zerodowntime.orchestrator.internal.fleet.StageChoice;
import dev.zerodowntime.orchestrator.spi.DriverInfo;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Lets this build into the fleet, or says which phases it would need. Runs under the shared lock of
 * the fleet row, so that no phase is entered between the decision and its commit.
 */
final class Registrar {

  private final EngineContext ctx;
  private final DriverInfo driver;
  private final boolean noStarQueries;

  Registrar(EngineContext ctx, DriverInfo driver, boolean noStarQueries) {
    this.ctx = ctx;
    this.driver = driver;
    this.noStarQueries = noStarQueries;
  }

  /** A migration whose state this build does not fit. */
  record Unfit(MigrationRow migration, StageSpan stage, int phase, Direction direction) {}

  /**
   * What came of it.
   *
   * @param stages the chosen stage by migration key; empty if the build was not admitted
   * @param unfit why not
   * @param newApplication whether the application was not known before
   */
  record Joined(Map<String, String> stages, List<Unfit> unfit, boolean newApplication) {
    boolean admitted() {
      return unfit.isEmpty();
    }
  }

  /**
   * Asks to be admitted.
   *
   * @param fixed the stages chosen before, if this process was a member already: they don't change
   *     during its life
   * @param returning whether this process was a member already and has been struck off: that is no
   *     new deployment of its release
   */
  Joined join(Map<String, String> fixed, boolean returning) throws SQLException {
    return ctx.transaction(
        connection -> {
          ctx.reader().lockFleetShared(connection);
          Snapshot snapshot = Snapshot.read(connection, ctx.reader(), ctx.timing(), ctx.rules());
          DeclarationCheck.requireSameStages(ctx, snapshot.releases());
          Map<String, String> chosen = new LinkedHashMap<>();
          Map<String, String> highest = new LinkedHashMap<>();
          Map<MigrationRow, Span> spans = new LinkedHashMap<>();
          List<Unfit> unfit = new ArrayList<>();
          for (MigrationRow row : snapshot.migrations()) {
            List<StageSpan> declared = declared(snapshot, row, fixed);
            if (declared.isEmpty()) {
              continue;
            }
            StageChoice choice =
                ctx.rules().choose(declared.stream().map(StageSpan::span).toList(), row.state());
            StageSpan top = declared.get(declared.size() - 1);
            if (!choice.admitted()) {
              unfit.add(new Unfit(row, top, choice.phase(), choice.direction()));
              continue;
            }
            StageSpan stage = declared.get(choice.stage());
            spans.put(row, stage.span());
            if (says(row)) {
              chosen.put(row.key(), stage.stage());
              highest.put(row.key(), top.stage());
            }
          }
          if (unfit.isEmpty()) {
            admit(connection, snapshot, chosen, highest, spans, returning);
          } else if (snapshot.applications().containsKey(ctx.application())) {
            reopen(connection, snapshot, unfit, highest);
          } else if (unfit.stream().allMatch(each -> each.direction() == Direction.UP)) {
            // The first build of the first application may need a phase at once. Its application is
            // known from now on, so that the phase can be entered; what ran before it is pinned.
            ctx.fleet().application(connection, ctx.application());
          }
          return new Joined(chosen, unfit, !snapshot.applications().containsKey(ctx.application()));
        });
  }

  private String self() {
    return ctx.application() + " " + ctx.release();
  }

  private boolean says(MigrationRow row) {
    return ctx.declarations().about(row).isPresent();
  }

  private List<StageSpan> declared(Snapshot snapshot, MigrationRow row, Map<String, String> fixed) {
    String before = fixed.get(row.key());
    if (before != null) {
      return List.of(row.stage(before));
    }
    return Admission.of(ctx).declared(snapshot, row);
  }

  private void admit(
      Connection connection,
      Snapshot snapshot,
      Map<String, String> chosen,
      Map<String, String> highest,
      Map<MigrationRow, Span> spans,
      boolean returning)
      throws SQLException {
    ctx.fleet().application(connection, ctx.application());
    ctx.fleet()
        .release(
            connection,
            ctx.application(),
            ctx.release(),
            highest,
            ctx.declarations().stagesById(),
            ctx.declarations().finished(),
            releaseTouches(snapshot),
            !returning && !snapshot.hasLiveMember(ctx.application(), ctx.release()));
    for (Map.Entry<MigrationRow, Span> each : spans.entrySet()) {
      MigrationRow row = each.getKey();
      if (row.reopened() && self().equals(row.targetBy())) {
        ctx.migrations().reopened(connection, row);
      }
      if (!row.state().atRest()) {
        continue;
      }
      OptionalLong up = soak(each.getValue(), row, Direction.UP, row.fitUp());
      OptionalLong down = soak(each.getValue(), row, Direction.DOWN, row.fitDown());
      if (!up.equals(row.fitUp()) || !down.equals(row.fitDown())) {
        ctx.migrations().fit(connection, row, up, down);
      }
    }
    ctx.fleet()
        .member(
            connection,
            new NewMember(
                ctx.member(),
                ctx.application(),
                ctx.release(),
                ctx.role().name(),
                chosen,
                ctx.declarations().finished(),
                ctx.declarations().touches(),
                ctx.readers().keySet(),
                host(),
                driver.rowTypeSafe() || noStarQueries,
                driver.rowTypeSafe(),
                driver.facts()
                    + (noStarQueries ? ", noStarQueries" : "")
                    + "; "
                    + driver.remedy()));
    ctx.events().append(connection, null, Event.of("MEMBER_JOINED", null, chosen.toString()));
  }

  /** All that any build of the release touches: a web process and a batch job may differ. */
  private @Nullable Set<String> releaseTouches(Snapshot snapshot) {
    Set<String> mine = ctx.declarations().touches();
    for (Release each : snapshot.releases()) {
      if (each.application().equals(ctx.application()) && each.release().equals(ctx.release())) {
        Set<String> theirs = each.touches();
        if (mine == null || theirs == null) {
          return null;
        }
        Set<String> both = new TreeSet<>(mine);
        both.addAll(theirs);
        return both;
      }
    }
    return mine;
  }

  private OptionalLong soak(Span chosen, MigrationRow row, Direction way, OptionalLong since) {
    int next = row.state().reached() + (way == Direction.UP ? 1 : -1);
    if (next < 0 || next > row.lifecycle().last()) {
      return since;
    }
    State pair = row.state().entering(way);
    return ctx.rules().resetsSoak(chosen, pair) ? OptionalLong.empty() : since;
  }

  /** Asks for phases to be undone that have left this release behind. */
  private void reopen(
      Connection connection, Snapshot snapshot, List<Unfit> unfit, Map<String, String> highest)
      throws SQLException {
    boolean asked = false;
    boolean first = false;
    for (Unfit each : unfit) {
      if (each.direction() == Direction.DOWN
          && !inTheWay(ctx, snapshot, each.migration(), each.phase()).isEmpty()) {
        // All or nothing: it can't be let in, so nothing is undone for it.
        return;
      }
    }
    for (Unfit each : unfit) {
      MigrationRow row = each.migration();
      Integer target = row.target();
      if (each.direction() == Direction.DOWN) {
        // Every time it asks, not only the first: it is warm for as long as it keeps asking.
        asked = true;
        if (target == null || target > each.phase()) {
          first = true;
          // A person who has rolled it back has the last word: it goes further down for this
          // release, and stays there until that person resumes it.
          boolean held = MigrationRow.ROLLBACK.equals(row.targetReason()) && row.targetBy() != null;
          ctx.migrations()
              .target(
                  connection,
                  row,
                  each.phase(),
                  held ? MigrationRow.ROLLBACK : MigrationRow.REOPEN,
                  held ? String.valueOf(row.targetBy()) : self());
        }
      }
      if (each.direction() == Direction.DOWN && says(row)) {
        highest.put(row.key(), each.stage().stage());
      }
    }
    if (asked) {
      // As a warm release it holds the migration down until its members are there.
      ctx.fleet()
          .release(
              connection,
              ctx.application(),
              ctx.release(),
              highest,
              ctx.declarations().stagesById(),
              ctx.declarations().finished(),
              releaseTouches(snapshot),
              !snapshot.hasLiveMember(ctx.application(), ctx.release()));
    }
    if (first) {
      ctx.events().append(connection, null, Event.of("REOPEN", null, self() + " asks"));
    }
  }

  /** Who keeps a migration from going down to a phase; the reason, if there is no way at all. */
  static List<String> inTheWay(EngineContext ctx, Snapshot snapshot, MigrationRow row, int phase) {
    int from = row.state().upper();
    if (!row.lifecycle().reachable(from, phase)) {
      int end = row.lifecycle().purge() >= 0 ? row.lifecycle().purge() : row.lifecycle().closed();
      return List.of(row.lifecycle().name(end) + " can't be undone");
    }
    Fleet fleet = snapshot.fleet(row, false);
    Set<String> names = new LinkedHashSet<>();
    for (int upper = from; upper > phase; upper--) {
      State pair = new State(upper, upper - 1, Direction.DOWN);
      for (Counted each : fleet.counted()) {
        if (each.kind() != Counted.Kind.WARM && !ctx.rules().fits(each.span(), pair)) {
          names.add(each.name());
        }
      }
    }
    return List.copyOf(names);
  }

  static String host() {
    try {
      return InetAddress.getLocalHost().getHostName() + " pid " + ProcessHandle.current().pid();
    } catch (UnknownHostException e) {
      return "pid " + ProcessHandle.current().pid();
    }
  }
}
