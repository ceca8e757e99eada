package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.BackfillProgress;
import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.FleetStatus;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.ReleaseManifest;
import dev.zerodowntime.orchestrator.SessionGroup;
import dev.zerodowntime.orchestrator.Shortcut;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.State;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.internal.control.ControlTables;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Member;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Pinned;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Release;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import dev.zerodowntime.orchestrator.internal.flyway.Unfinished;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.Step;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Says what is, what is waited for, and what the author does next. Changes nothing. */
final class Reporter {

  private final EngineContext ctx;
  private final Driver driver;
  private final Gates gates;
  private volatile long seenMigrations = -1;

  Reporter(EngineContext ctx, Driver driver) {
    this.ctx = ctx;
    this.driver = driver;
    this.gates = driver.gates();
  }

  Snapshot snapshot() throws SQLException {
    return Db.autoCommit(
        ctx.dataSource(), c -> Snapshot.read(c, ctx.reader(), ctx.timing(), ctx.rules()));
  }

  /**
   * In one round trip, which is this member's heartbeat: it is registered, and no migration is
   * unfinished or new.
   */
  boolean stillSettled() throws SQLException {
    return Db.autoCommit(
        ctx.dataSource(),
        connection ->
            ctx.role().counted()
                ? ctx.fleet().heartbeatIfSettled(connection, ctx.member(), seenMigrations)
                : ctx.reader().settled(connection, seenMigrations));
  }

  /** Whether anybody else is in the fleet who could drive. */
  boolean anyLive() throws SQLException {
    Snapshot snapshot = snapshot();
    return snapshot.members().stream().anyMatch(snapshot::live);
  }

  /** Whether no build has ever used this database: none is known, or counted. */
  boolean nobodyYet() throws SQLException {
    Snapshot snapshot = snapshot();
    return snapshot.applications().isEmpty()
        && snapshot.members().isEmpty()
        && snapshot.releases().isEmpty()
        && snapshot.pinned().isEmpty();
  }

  /**
   * Migrations whose tables nobody else should change yet; none before there are control tables.
   */
  List<Unfinished> unfinished() throws SQLException {
    if (!installed()) {
      return List.of();
    }
    return Db.autoCommit(ctx.dataSource(), ctx.reader()::migrations).stream()
        .filter(each -> !Conflicts.over(each, wholeTable(each)))
        .map(this::unfinished)
        .toList();
  }

  /** Whether there are control tables. */
  boolean installed() throws SQLException {
    return ctx.tables().installed(ctx.dataSource()).isPresent();
  }

  private static boolean wholeTable(MigrationRow row) {
    return row.columns().contains(Migration.WHOLE_TABLE);
  }

  private Unfinished unfinished(MigrationRow row) {
    Lifecycle lifecycle = row.lifecycle();
    // What has not begun, and what only waits for its purge: there, columns are all that is its
    // own.
    boolean contracted =
        !wholeTable(row)
            && row.state().atRest()
            && (row.state().reached() == 0
                || (lifecycle.purge() > 0 && row.state().reached() == lifecycle.purge() - 1));
    return new Unfinished(
        row.id(),
        Rows.names(ctx, row),
        contracted ? row.columns() : Set.of(),
        lifecycle.name(row.state().reached())
            + (row.status() == MigrationStatus.ACTIVE ? "" : ", " + row.status()));
  }

  /**
   * How long it will take at most until silent members are gone, if nothing but they are in the way
   * of what a build needs; nothing where something else is too.
   */
  Duration silenceLeft(List<Registrar.Unfit> unfit) throws SQLException {
    Snapshot snapshot = snapshot();
    List<Member> silent = new ArrayList<>();
    long left = 0;
    for (Member member : snapshot.members()) {
      long quiet = snapshot.now() - member.heartbeatAt();
      if (member.closed() == null
          && quiet > 3 * ctx.timing().heartbeat().toMillis()
          && !member.sessionLeft()) {
        silent.add(member);
        left = Math.max(left, ctx.timing().expiry().toMillis() * 2 - member.still());
      }
    }
    boolean theirs = !silent.isEmpty();
    Snapshot without = snapshot.without(silent);
    for (Registrar.Unfit each : unfit) {
      MigrationRow row = snapshot.migration(each.migration().key()).orElse(each.migration());
      theirs &= blocked(snapshot, row, each) && !blocked(without, row, each);
    }
    return theirs ? Duration.ofMillis(Math.max(0, left)) : Duration.ZERO;
  }

  private boolean blocked(Snapshot snapshot, MigrationRow row, Registrar.Unfit unfit) {
    Direction way = unfit.direction();
    int reached = row.state().reached();
    // Another driver may have got there since the build was found not to fit.
    boolean there = way == Direction.UP ? reached >= unfit.phase() : reached <= unfit.phase();
    if (there || !row.state().atRest()) {
      return false;
    }
    return !ctx.rules()
        .objections(snapshot.fleet(row, ctx.foreign(snapshot.control())), row.state().entering(way))
        .isEmpty();
  }

  /** Who doesn't leave by itself; whoever drains is soon gone. */
  List<String> inTheWayOfReopening(MigrationRow row, int phase) throws SQLException {
    Snapshot snapshot = snapshot();
    List<Member> draining =
        snapshot.members().stream().filter(each -> each.closed() != null).toList();
    return Registrar.inTheWay(ctx, snapshot.without(draining), row, phase);
  }

  /** Reports on every migration after a pass. */
  List<MigrationReport> reports(Driver.Pass pass) throws SQLException {
    Snapshot snapshot = snapshot();
    Map<String, List<String>> done = driver.takeDone();
    List<MigrationReport> reports = new ArrayList<>();
    for (MigrationRow row : snapshot.migrations()) {
      List<Wait> waits = pass.waits().get(row.key());
      reports.add(
          report(
              snapshot,
              row,
              done.getOrDefault(row.key(), List.of()),
              pass.leading() ? waits : null));
    }
    seenMigrations = snapshot.migrations().size();
    return reports;
  }

  /** What a migration waits for, and what its author does next. */
  MigrationReport waiting(Snapshot snapshot, MigrationRow row, Driver.Pass pass)
      throws SQLException {
    return report(snapshot, row, List.of(), pass.leading() ? pass.waits().get(row.key()) : null);
  }

  /** What is known to be in the way of a phase beyond the next. */
  List<Wait> ahead(Snapshot snapshot, MigrationRow row, int phase) {
    return gates.ahead(snapshot, row, phase);
  }

  /** Most of what is noted is about locks; the rest begins with its kind. */
  private static Wait noted(String text) {
    for (Wait.Kind kind : Wait.Kind.values()) {
      String prefix = kind + ": ";
      if (text.startsWith(prefix)) {
        return Wait.of(kind, text.substring(prefix.length()));
      }
    }
    return Wait.of(Wait.Kind.LOCK, text);
  }

  /** What another driver is doing, as far as the control tables tell. */
  private Wait moving(MigrationRow row) throws SQLException {
    String waiting = row.waiting();
    if (waiting != null) {
      return noted(waiting);
    }
    String step = row.step();
    if (step != null) {
      Optional<BackfillProgress> progress =
          Db.autoCommit(ctx.dataSource(), c -> BackfillReports.read(ctx, c, row, step));
      if (progress.isPresent()) {
        return Wait.of(Wait.Kind.RUNNING, progress.get() + whole(row));
      }
    }
    return Wait.of(
        Wait.Kind.RUNNING,
        step == null
            ? "about to begin"
            : step.equals(StepRunner.END) ? "confirming the phase" : "step " + step);
  }

  /** How far several walks have come together, such as those over a table's partitions. */
  private String whole(MigrationRow row) throws SQLException {
    Operation<?> operation = ctx.operation(row).orElse(null);
    State state = row.state();
    if (operation == null || state.atRest()) {
      return "";
    }
    List<BackfillStep> walks = new ArrayList<>();
    for (Step step :
        operation.steps(ctx.target(row), row.facts(), state.upper(), state.direction())) {
      if (step instanceof BackfillStep walk) {
        walks.add(walk);
      }
    }
    if (walks.stream().map(each -> each.scan().table()).distinct().count() < 2) {
      return "";
    }
    return Db.autoCommit(
        ctx.dataSource(),
        connection -> {
          long seen = 0;
          long total = 0;
          for (BackfillStep walk : walks) {
            BackfillProgress begun =
                BackfillReports.read(ctx, connection, row, walk.name()).orElse(null);
            long rows = ctx.dialect().scans().estimate(connection, walk.scan());
            long walked = begun == null ? 0 : begun.rowsSeen();
            boolean done = begun != null && begun.state() == BackfillProgress.State.DONE;
            if (rows < 0 && !done) {
              return "";
            }
            seen += walked;
            total += done ? walked : Math.max(rows, walked);
          }
          return "; all " + walks.size() + " walks: " + seen + " of about " + total + " rows";
        });
  }

  private MigrationReport report(
      Snapshot snapshot, MigrationRow row, List<String> done, @Nullable List<Wait> known)
      throws SQLException {
    return report(snapshot, row, done, known, Optional.empty());
  }

  /**
   * @param unconfirmed what whoever drives may wait for as well, and so can't note
   */
  private MigrationReport report(
      Snapshot snapshot,
      MigrationRow row,
      List<String> done,
      @Nullable List<Wait> known,
      Optional<String> unconfirmed)
      throws SQLException {
    List<Wait> waits = new ArrayList<>();
    if (row.status() == MigrationStatus.ACTIVE) {
      unconfirmed.ifPresent(what -> waits.add(Wait.of(Wait.Kind.REPLICA, what)));
    }
    String noted = row.waiting();
    if (row.state().atRest()) {
      List<Wait> found =
          known != null && !known.isEmpty() ? known : gates.evaluate(snapshot, row).waits();
      found.stream().filter(each -> !each.what().equals("done")).forEach(waits::add);
      if (found.isEmpty() && noted != null) {
        // What the driver found when it was about to enter the phase.
        waits.add(Wait.of(Wait.Kind.ORDER, noted));
      }
    } else {
      Gates.status(row, waits);
      if (waits.isEmpty() && known != null) {
        waits.addAll(known);
      } else if (waits.isEmpty()) {
        waits.add(moving(row));
      }
    }
    String stage =
        snapshot.members().stream()
            .filter(each -> each.id().equals(ctx.member()))
            .findFirst()
            .flatMap(each -> snapshot.stage(row, each))
            .map(StageSpan::stage)
            .orElse(null);
    return new MigrationReport(
        row.id(),
        row.schema(),
        row.lifecycle().operation(),
        row.lifecycle(),
        row.state(),
        row.status(),
        stage,
        shortcuts(row),
        done,
        row.status() == MigrationStatus.DONE && !row.goesDown()
            ? waits.stream().filter(each -> each.kind() == Wait.Kind.HEALTH).toList()
            : waits,
        next(snapshot, row, waits),
        row.lastError());
  }

  private List<Shortcut> shortcuts(MigrationRow row) {
    return row.finished() || !Preflight.captured(row)
        ? List.of()
        : ctx.operation(row).map(each -> each.shortcuts(row.facts())).orElse(List.of());
  }

  /** What the author of the migration does next. */
  private String next(Snapshot snapshot, MigrationRow row, List<Wait> waits) {
    State state = row.state();
    if (row.finished()) {
      boolean declared = ctx.declarations().about(row).isPresent();
      return declared
          ? "the declaration may be deleted; name it in finished(\"" + row.id() + "\") then"
          : "";
    }
    boolean onlyCode =
        waits.stream().anyMatch(each -> each.kind() == Wait.Kind.FLEET)
            && row.status() == MigrationStatus.ACTIVE
            && !row.goesDown()
            && !row.reopened()
            && !row.heldByPerson();
    if (!onlyCode) {
      return "";
    }
    int phase = Math.min(state.upper() + 1, row.lifecycle().last());
    String follows = "; then " + row.lifecycle().name(phase) + " follows";
    boolean released =
        snapshot.members().stream()
            .filter(each -> each.closed() == null && snapshot.live(each))
            .map(each -> Optional.ofNullable(each.stages().get(row.key())))
            .flatMap(Optional::stream)
            .anyMatch(each -> row.stage(each).span().high() >= phase);
    if (released) {
      return "the code for it is out: stop what is named above, or let it drain and cool down"
          + " (forgetRelease(application, release) says that nobody rolls back to one;"
          + " touches(...) that an application doesn't use the table)"
          + follows;
    }
    for (StageSpan stage : row.lifecycle().stages()) {
      if (stage.span().high() >= phase && stage.span().low() <= state.upper()) {
        return "release code that is at "
            + stage.stage()
            + ", and declare it with thisBuild(…, "
            + stage.stage()
            + ")"
            + follows;
      }
    }
    return "";
  }

  /** What everybody who is counted says of itself, as it would have told CI. */
  List<ReleaseManifest> counted() throws SQLException {
    List<ReleaseManifest> counted = new ArrayList<>();
    if (ctx.tables().installed(ctx.dataSource()).isEmpty()) {
      return counted;
    }
    Snapshot snapshot = snapshot();
    for (Release each : snapshot.releases()) {
      boolean live = snapshot.hasLiveMember(each.application(), each.release());
      if (live || snapshot.warmReleases().contains(each)) {
        counted.add(
            new ReleaseManifest(
                each.application(),
                each.release(),
                declared(snapshot, each.declared()),
                List.copyOf(each.finished()),
                each.touches(),
                !live));
      }
    }
    for (Pinned each : snapshot.pinned()) {
      Map<String, List<String>> stages = new LinkedHashMap<>();
      for (MigrationRow row : snapshot.migrations()) {
        String stage = each.stages().get(row.key());
        if (stage != null) {
          stages.put(row.id(), List.of(stage));
        }
      }
      counted.add(
          new ReleaseManifest(
              each.application(), each.label(), declared(snapshot, stages), List.of()));
    }
    return counted;
  }

  private static Map<String, ReleaseManifest.Declaration> declared(
      Snapshot snapshot, Map<String, List<String>> stages) {
    Map<String, ReleaseManifest.Declaration> declared = new LinkedHashMap<>();
    stages.forEach(
        (id, each) -> {
          MigrationRow row =
              snapshot.migrations().stream()
                  .filter(known -> known.id().equals(id))
                  .findFirst()
                  .orElse(null);
          declared.put(
              id,
              new ReleaseManifest.Declaration(
                  row != null && knows(row, each) ? row.lifecycle() : null,
                  row == null ? null : row.table(),
                  each));
        });
    return declared;
  }

  /** A stage that the row doesn't know any more was declared before the row was changed. */
  private static boolean knows(MigrationRow row, List<String> stages) {
    return stages.stream().allMatch(each -> row.stage(each).stage().equals(each));
  }

  FleetStatus status() throws SQLException {
    if (ctx.tables().installed(ctx.dataSource()).isEmpty()) {
      return new FleetStatus(
          "not installed yet: the first advance() does that",
          null,
          null,
          List.of(),
          List.of(),
          List.of(),
          List.of(),
          List.of(),
          Instant.now());
    }
    Snapshot snapshot = snapshot();
    List<String> members = new ArrayList<>();
    for (Member each : snapshot.members()) {
      members.add(
          each.application()
              + " "
              + each.release()
              + " on "
              + each.host()
              + (each.closed() != null
                  ? ", draining"
                  : ", heartbeat " + (snapshot.now() - each.heartbeatAt()) + " ms ago")
              + ", "
              + each.stages());
    }
    List<String> warm = new ArrayList<>();
    for (Release each : snapshot.warmReleases()) {
      warm.add(
          each.application()
              + " "
              + each.release()
              + " "
              + snapshot.warmUntil(each)
              + ", "
              + each.stages());
    }
    List<String> pinned = new ArrayList<>();
    for (Pinned each : snapshot.pinned()) {
      pinned.add(
          each.application()
              + ": "
              + each.label()
              + ", since "
              + Instant.ofEpochMilli(each.since()));
    }
    List<MigrationReport> reports = new ArrayList<>();
    Optional<String> unconfirmed =
        Db.autoCommit(ctx.dataSource(), ctx.dialect().replicas()::unconfirmed);
    for (MigrationRow row : snapshot.migrations()) {
      reports.add(report(snapshot, row, List.of(), null, unconfirmed));
    }
    String reason = snapshot.control().pausedReason();
    return new FleetStatus(
        snapshot.control().environment(),
        snapshot.control().paused() ? (reason == null ? "no reason given" : reason) : null,
        Db.autoCommit(ctx.dataSource(), ctx.reader()::leaseHolder).orElse(null),
        members,
        warm,
        pinned,
        strangers(snapshot),
        reports,
        Instant.ofEpochMilli(snapshot.now()));
  }

  /** Whoever is about to call adopted(...) wants to see that nobody is left. */
  private List<SessionGroup> strangers(Snapshot snapshot) {
    return snapshot.pinned().stream()
            .anyMatch(each -> each.label().equals(ControlTables.BUILDS_BEFORE_US))
        ? Outsiders.strangers(ctx)
        : List.of();
  }
}
