package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.Timing;
import dev.zerodowntime.orchestrator.internal.control.ControlReader;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Application;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Approval;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Control;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Member;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Pinned;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Release;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import dev.zerodowntime.orchestrator.internal.fleet.Counted;
import dev.zerodowntime.orchestrator.internal.fleet.Fleet;
import dev.zerodowntime.orchestrator.internal.fleet.FleetRules;
import dev.zerodowntime.orchestrator.internal.fleet.Observation;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Everything the gates look at, read in one transaction, after the fleet row was locked.
 *
 * @param control the database as a whole
 * @param applications known applications
 * @param releases known releases
 * @param members running instances
 * @param pinned members counted until a person ends them
 * @param migrations all migrations in declaration order
 * @param approvals what persons consented to
 * @param timing the durations
 * @param rules the rules
 */
record Snapshot(
    Control control,
    Map<String, Application> applications,
    List<Release> releases,
    List<Member> members,
    List<Pinned> pinned,
    List<MigrationRow> migrations,
    List<Approval> approvals,
    Timing timing,
    FleetRules rules) {

  static Snapshot read(Connection connection, ControlReader reader, Timing timing, FleetRules rules)
      throws SQLException {
    Map<String, Application> applications = new LinkedHashMap<>();
    for (Application each : reader.applications(connection)) {
      applications.put(each.name(), each);
    }
    return new Snapshot(
        reader.control(connection),
        applications,
        reader.releases(connection),
        reader.members(connection),
        reader.pinned(connection),
        reader.migrations(connection),
        reader.approvals(connection),
        timing,
        rules);
  }

  long now() {
    return control.now();
  }

  /** The same with other members: those struck off are gone. */
  Snapshot without(List<Member> gone) {
    List<Member> left = new ArrayList<>(members);
    left.removeAll(gone);
    return new Snapshot(
        control, applications, releases, left, pinned, migrations, approvals, timing, rules);
  }

  Optional<MigrationRow> migration(String key) {
    return migrations.stream().filter(each -> each.key().equals(key)).findFirst();
  }

  /** Whether a member counts: alive as far as anybody knows, or not yet drained. */
  boolean live(Member member) {
    Long closed = member.closed();
    return closed == null || rules.draining(now() - closed, timing.drain().toMillis());
  }

  /** Whether a member may be struck off. */
  boolean gone(Member member, Observation seen) {
    if (member.closed() != null) {
      return !live(member);
    }
    return rules.gone(seen, member.sessionLeft(), timing.expiry().toMillis());
  }

  /** Whether a new server incarnation holds everything. */
  boolean held() {
    return rules.held(
        new Observation(
            control.incarnation(), control.incarnationObserver(), control.incarnationStill()),
        timing.expiry().toMillis());
  }

  /** When a member last joined or was struck off. */
  long fleetChanged() {
    long changed = control.fleetChanged();
    for (Member member : members) {
      changed = Math.max(changed, member.registered());
    }
    for (Release release : releases) {
      Long last = release.lastMember();
      changed = Math.max(changed, last == null ? 0 : last);
    }
    for (Pinned pin : pinned) {
      changed = Math.max(changed, pin.since());
    }
    return changed == 0 ? now() : changed;
  }

  boolean hasLiveMember(String application, String release) {
    return members.stream()
        .anyMatch(
            each ->
                each.application().equals(application)
                    && each.release().equals(release)
                    && live(each));
  }

  boolean superseded(Release release) {
    return releases.stream()
        .anyMatch(
            each ->
                each.application().equals(release.application())
                    && each.deploySeq() > release.deploySeq()
                    && each.proven());
  }

  boolean warm(Release release) {
    Long last = release.lastMember();
    return !release.forgotten()
        && !hasLiveMember(release.application(), release.release())
        && rules.warm(
            last == null ? 0 : now() - last, timing.horizon().toMillis(), superseded(release));
  }

  /** How long a warm release stays warm, for people. */
  String warmUntil(Release release) {
    Long last = release.lastMember();
    return superseded(release) && last != null
        ? "until " + Instant.ofEpochMilli(last + timing.horizon().toMillis())
        : "until a later release has been live for the soak time";
  }

  /** The stage by which code of an application is judged, or empty if it isn't counted. */
  Optional<StageSpan> stage(
      MigrationRow migration,
      String application,
      Map<String, String> stages,
      Set<String> finished) {
    String declared = stages.get(migration.key());
    if (declared != null) {
      // A stage that the row no longer knows: its declaration changed before it started.
      return Optional.of(
          migration.lifecycle().stages().stream()
              .filter(each -> each.stage().equals(declared))
              .findFirst()
              .orElse(migration.lifecycle().oldest()));
    }
    if (finished.contains(migration.id())) {
      return Optional.of(migration.lifecycle().newest());
    }
    Application known = applications.get(application);
    return counts(migration, known)
        ? Optional.of(migration.lifecycle().oldest())
        : Optional.empty();
  }

  /** Whether an application that says nothing about a migration is counted for it. */
  boolean counts(MigrationRow migration, @Nullable Application application) {
    Long finished = migration.finishedAt();
    if (application == null) {
      return finished == null;
    }
    Set<String> touches = application.touches();
    return (touches == null || touches.contains(migration.table()))
        && (finished == null || application.firstSeen() < finished);
  }

  /** Everybody counted for a migration, alike ones together. */
  Fleet fleet(MigrationRow migration, boolean foreignServer) {
    Map<String, Integer> live = new LinkedHashMap<>();
    Map<String, StageSpan> stages = new LinkedHashMap<>();
    for (Member member : members) {
      if (live(member)) {
        stage(migration, member.application(), member.stages(), member.finished())
            .ifPresent(
                stage -> {
                  String name =
                      member.application()
                          + " "
                          + member.release()
                          + (member.closed() == null ? "" : " (draining)")
                          + " at "
                          + stage.stage();
                  live.merge(name, 1, Integer::sum);
                  stages.put(name, stage);
                });
      }
    }
    List<Counted> counted = new ArrayList<>();
    live.forEach(
        (name, count) -> {
          StageSpan stage = java.util.Objects.requireNonNull(stages.get(name));
          counted.add(
              new Counted(
                  Counted.Kind.LIVE,
                  count + (count == 1 ? " member of " : " members of ") + name,
                  stage.stage(),
                  stage.span()));
        });
    for (Pinned pin : pinned) {
      stage(migration, pin.application(), pin.stages(), Set.of())
          .ifPresent(
              stage ->
                  counted.add(
                      new Counted(
                          Counted.Kind.PINNED,
                          "pinned member \""
                              + pin.label()
                              + "\" of "
                              + pin.application()
                              + " at "
                              + stage.stage(),
                          stage.stage(),
                          stage.span())));
    }
    for (Release release : releases) {
      if (warm(release)) {
        stage(migration, release.application(), release.stages(), release.finished())
            .ifPresent(
                stage ->
                    counted.add(
                        new Counted(
                            Counted.Kind.WARM,
                            "warm release "
                                + release.application()
                                + " "
                                + release.release()
                                + " at "
                                + stage.stage()
                                + " ("
                                + warmUntil(release)
                                + ")",
                            stage.stage(),
                            stage.span())));
      }
    }
    return new Fleet(counted, !applications.isEmpty(), control.paused() || foreignServer, held());
  }

  /** A span by stage name, for a build's own declaration. */
  static Span span(MigrationRow row, String stage) {
    return row.lifecycle().span(stage);
  }
}
