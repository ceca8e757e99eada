package dev.zerodowntime.orchestrator.internal.engine;

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
import java.util.HashMap;
import java.util.HashSet;
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
 * @param proven by application, the place in deployment order of the last release that was proven
 * @param warmReleases releases without members that may be rolled back to; once for all migrations,
 *     since a database may know thousands of releases
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
    Map<String, Long> proven,
    List<Release> warmReleases,
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
            Map.of(),
            List.of(),
            timing,
            rules)
        .withWarmth();
  }

  /** The same with what follows from it, worked out once for all migrations. */
  private Snapshot withWarmth() {
    Map<String, Long> newest = new HashMap<>();
    for (Release each : releases) {
      if (each.proven()) {
        newest.merge(each.application(), each.deploySeq(), Math::max);
      }
    }
    Set<String> live = new HashSet<>();
    for (Member member : members) {
      if (live(member)) {
        live.add(member.application() + " " + member.release());
      }
    }
    Snapshot judged = with(newest, List.of());
    List<Release> warm = new ArrayList<>();
    for (Release each : releases) {
      if (!live.contains(each.application() + " " + each.release()) && judged.warm(each)) {
        warm.add(each);
      }
    }
    return with(newest, warm);
  }

  private Snapshot with(Map<String, Long> newestProven, List<Release> warm) {
    return new Snapshot(
        control,
        applications,
        releases,
        members,
        pinned,
        migrations,
        approvals,
        newestProven,
        warm,
        timing,
        rules);
  }

  private boolean warm(Release release) {
    Long last = release.lastMember();
    return !release.forgotten()
        && rules.warm(
            last == null ? 0 : now() - last, timing.horizon().toMillis(), superseded(release));
  }

  /** Whether a release of the same application that was deployed later has been proven. */
  private boolean superseded(Release release) {
    return proven.getOrDefault(release.application(), -1L) > release.deploySeq();
  }

  /**
   * Releases that nobody will ever ask for: superseded, cold, and without a member for so long that
   * their stages are of no interest either.
   */
  List<Release> forgettable(long keptMillis) {
    List<Release> old = new ArrayList<>();
    for (Release each : releases) {
      Long last = each.lastMember();
      if (superseded(each)
          && last != null
          && now() - last > Math.max(keptMillis, timing.horizon().toMillis())
          && members.stream().noneMatch(member -> isOf(member, each))) {
        old.add(each);
      }
    }
    return old;
  }

  private static boolean isOf(Member member, Release release) {
    return member.application().equals(release.application())
        && member.release().equals(release.release());
  }

  long now() {
    return control.now();
  }

  /** The same with other members: those struck off are gone. */
  Snapshot without(List<Member> gone) {
    List<Member> left = new ArrayList<>(members);
    left.removeAll(gone);
    return new Snapshot(
            control,
            applications,
            releases,
            left,
            pinned,
            migrations,
            approvals,
            Map.of(),
            List.of(),
            timing,
            rules)
        .withWarmth();
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

  /** How long a warm release stays warm, for people. */
  String warmUntil(Release release) {
    Long until = coldAt(release);
    return until != null
        ? "until " + Instant.ofEpochMilli(until)
        : "until a later release has been live for the soak time";
  }

  private @Nullable Long coldAt(Release release) {
    Long last = release.lastMember();
    return superseded(release) && last != null ? last + timing.horizon().toMillis() : null;
  }

  /** When a member will be counted no more, if it is leaving, or a driver watches its silence. */
  private @Nullable Long goneAt(Member member) {
    Long closed = member.closed();
    if (closed != null) {
      return closed + timing.drain().toMillis();
    }
    return silent(member).isEmpty()
        ? null
        : now() + Math.max(0, timing.expiry().toMillis() - member.still());
  }

  /** The stage by which code of an application is judged, or empty if it isn't counted. */
  Optional<StageSpan> stage(
      MigrationRow migration,
      String application,
      Map<String, String> stages,
      Set<String> finished,
      @Nullable Set<String> touches) {
    String declared = stages.get(migration.key());
    if (declared != null) {
      return Optional.of(migration.stage(declared));
    }
    if (finished.contains(migration.id())) {
      return Optional.of(migration.lifecycle().newest());
    }
    return counts(migration, applications.get(application), touches)
        ? Optional.of(migration.lifecycle().oldest())
        : Optional.empty();
  }

  /** By what a member says of itself, or empty if it isn't counted for the migration. */
  Optional<StageSpan> stage(MigrationRow migration, Member member) {
    return stage(
        migration, member.application(), member.stages(), member.finished(), member.touches());
  }

  /** Nobody has asked whoever is pinned which tables it uses. */
  Optional<StageSpan> stage(MigrationRow migration, Pinned pin) {
    return stage(migration, pin.application(), pin.stages(), Set.of(), null);
  }

  /**
   * Whether code that says nothing about a migration is counted for it.
   *
   * @param touches the tables that this very build uses, null for all: what another build of its
   *     application says is of no account
   */
  boolean counts(
      MigrationRow migration, @Nullable Application application, @Nullable Set<String> touches) {
    Long finished = migration.finishedAt();
    return (touches == null || touches.contains(migration.table()))
        && (finished == null || (application != null && application.firstSeen() < finished));
  }

  /** A member that a driver watches standing still is counted until the expiry is over. */
  private String silent(Member member) {
    return member.still() > 0 && !member.sessionLeft() ? " (silent, expires soon)" : "";
  }

  /** Everybody counted for a migration, alike ones together. */
  Fleet fleet(MigrationRow migration, boolean foreignServer) {
    Map<String, Integer> live = new LinkedHashMap<>();
    Map<String, StageSpan> stages = new LinkedHashMap<>();
    Map<String, Long> until = new HashMap<>();
    for (Member member : members) {
      if (live(member)) {
        stage(migration, member)
            .ifPresent(
                stage -> {
                  String name =
                      member.application()
                          + " "
                          + member.release()
                          + (member.closed() == null ? silent(member) : " (draining)")
                          + " at "
                          + stage.stage();
                  live.merge(name, 1, Integer::sum);
                  stages.put(name, stage);
                  Long gone = goneAt(member);
                  if (gone != null) {
                    until.merge(name, gone, Math::max);
                  }
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
                  stage.span(),
                  until.get(name)));
        });
    for (Pinned pin : pinned) {
      stage(migration, pin)
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
    for (Release release : warmReleases) {
      stage(
              migration,
              release.application(),
              release.stages(),
              release.finished(),
              release.touches())
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
                          stage.span(),
                          coldAt(release))));
    }
    return new Fleet(counted, !applications.isEmpty(), control.paused() || foreignServer, held());
  }
}
