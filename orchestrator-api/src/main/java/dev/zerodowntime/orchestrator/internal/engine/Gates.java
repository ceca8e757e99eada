package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.State;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.Wait.Kind;
import dev.zerodowntime.orchestrator.internal.control.ControlTables;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Approval;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Member;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Pinned;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import dev.zerodowntime.orchestrator.internal.fleet.Counted;
import dev.zerodowntime.orchestrator.internal.fleet.Fleet;
import dev.zerodowntime.orchestrator.internal.fleet.Objection;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Evaluates every gate of a migration at rest. Reads only what the snapshot holds. */
final class Gates {

  private final EngineContext ctx;
  private final BackupWatch backups;
  private final HealthWatch health;

  /** The migration that is driven before this process joins, if there is one. */
  private volatile @Nullable Aim aim;

  /** Whether this process drives to be let in. */
  private volatile boolean joining;

  /** The migration that is driven to some phase, if there is one. */
  private volatile @Nullable Stop stop;

  Gates(EngineContext ctx, BackupWatch backups, HealthWatch health) {
    this.ctx = ctx;
    this.backups = backups;
    this.health = health;
  }

  /**
   * The one migration that a process which has not joined yet drives, and how.
   *
   * @param key the migration
   * @param stages what this build's code does; no phase is entered that none of them can run
   *     against
   * @param now whether nothing has to have held for a while, and nobody has to have registered
   * @param free whether there is nothing to consent to, to keep or to save
   * @param empty whether that is because its tables have no rows
   */
  record Aim(String key, List<String> stages, boolean now, boolean free, boolean empty) {

    /** The highest phase to enter. */
    int top(MigrationRow row) {
      return stages.stream().mapToInt(each -> row.stage(each).span().high()).max().orElse(0);
    }

    private boolean at(MigrationRow row) {
      return key.equals(row.key()) && !row.goesDown();
    }
  }

  /**
   * A migration that is to stop somewhere.
   *
   * @param id the migration, in all of its schemas
   * @param phase the highest phase to enter
   */
  record Stop(String id, int phase) {}

  /** While this process drives to be let in, nothing goes further than its build fits. */
  void joining(boolean asked) {
    joining = asked;
  }

  /** Lets a migration go up to some phase, and no further. */
  void stopAt(@Nullable Stop where) {
    stop = where;
  }

  private boolean isStopped(MigrationRow row) {
    Stop now = stop;
    return now != null && now.id().equals(row.id());
  }

  /** Drives one migration, and no other. */
  void aim(@Nullable Aim which) {
    aim = which;
  }

  /** Whether a migration is the one that is driven. */
  boolean isAimedAt(MigrationRow row) {
    Aim now = aim;
    return now != null && now.at(row);
  }

  private boolean isNow(MigrationRow row) {
    Aim now = aim;
    return now != null && now.now() && now.at(row);
  }

  private boolean isFree(MigrationRow row) {
    Aim now = aim;
    return now != null && now.free() && now.at(row);
  }

  /** Whether it is carried out on the ground that its tables have no rows. */
  boolean isEmpty(MigrationRow row) {
    Aim now = aim;
    return now != null && now.empty() && now.at(row);
  }

  /** Whether a migration is not to go any further, and why. */
  private Optional<String> beyond(Snapshot snapshot, MigrationRow row) {
    if (joining && !row.goesDown()) {
      OptionalInt top =
          Admission.of(ctx).declared(snapshot, row).stream()
              .mapToInt(each -> each.span().high())
              .max();
      if (top.isPresent() && row.state().reached() >= top.getAsInt()) {
        return Optional.of("this is as far as this build fits, which is about to join");
      }
    }
    Aim now = aim;
    Stop end = stop;
    if (now != null && !now.at(row)) {
      return Optional.of("another one is driven");
    }
    if (now != null && row.state().reached() >= now.top(row)) {
      return Optional.of("this is as far as this build fits");
    }
    if (end != null && isStopped(row) && !row.goesDown() && row.state().reached() >= end.phase()) {
      return Optional.of("it was driven to " + row.lifecycle().name(end.phase()));
    }
    return Optional.empty();
  }

  /** What keeps a migration where it is, and since when the fleet fits its neighbouring phases. */
  record Evaluation(List<Wait> waits, OptionalLong fitUp, OptionalLong fitDown) {}

  Evaluation evaluate(Snapshot snapshot, MigrationRow row) {
    Fleet fleet = snapshot.fleet(row, ctx.foreign(snapshot.control()));
    State state = row.state();
    Lifecycle lifecycle = row.lifecycle();
    State up = state.reached() < lifecycle.last() ? state.entering(Direction.UP) : null;
    boolean mayGoBack = lifecycle.reachable(state.reached(), state.reached() - 1);
    State down = mayGoBack ? state.entering(Direction.DOWN) : null;
    OptionalLong fitUp = fitSince(snapshot, fleet, up, row.fitUp());
    OptionalLong fitDown = fitSince(snapshot, fleet, down, row.fitDown());
    List<Wait> waits = new ArrayList<>();
    State pair = row.goesDown() ? down : up;
    status(row, waits);
    boolean now = isNow(row);
    beyond(snapshot, row).ifPresent(why -> waits.add(Wait.of(Kind.HELD, why)));
    if (waits.isEmpty() && !now && !row.goesDown() && health.watches(row, snapshot.now())) {
      waits.add(health.wait(row));
    }
    if (pair == null) {
      if (waits.isEmpty()) {
        waits.add(Wait.of(Kind.HELD, "done"));
      }
      return new Evaluation(waits, fitUp, fitDown);
    }
    if (row.heldByPerson()) {
      waits.add(
          Wait.of(
              Kind.HELD,
              "rolled back by " + row.targetBy() + "; resume(\"" + row.id() + "\") goes on"));
    }
    if (row.reopened() && reopenedFor(row, snapshot.now()) > 0) {
      waits.add(
          new Wait(
              Kind.FLEET,
              row.targetBy() + " has asked to come back to this phase, and is awaited",
              Instant.ofEpochMilli(row.since()),
              Duration.ofMillis(reopenedFor(row, snapshot.now()))));
    }
    objections(snapshot, row, fleet, pair, waits);
    if (!now && waits.stream().allMatch(each -> each.kind() == Kind.HEALTH)) {
      OptionalLong since = pair.direction() == Direction.UP ? fitUp : fitDown;
      long left = ctx.rules().soakLeft(since, snapshot.now(), ctx.timing().soak().toMillis());
      if (left > 0) {
        waits.add(
            new Wait(
                Kind.SOAK,
                "the fleet fits " + lifecycle.name(pair.entering()),
                since.isPresent() ? Instant.ofEpochMilli(since.getAsLong()) : null,
                Duration.ofMillis(left)));
      }
    }
    if (pair.direction() == Direction.UP) {
      upwards(snapshot, row, pair.entering(), waits);
    }
    if (!isFree(row)) {
      consent(snapshot, row, pair, waits);
    }
    driver(snapshot, row, pair, waits);
    return new Evaluation(waits, fitUp, fitDown);
  }

  /**
   * For how many more milliseconds a release is awaited for which the migration was taken back:
   * longer than it needs to ask again, which it does all the time while it starts.
   */
  long reopenedFor(MigrationRow row, long now) {
    return ctx.timing().expiry().toMillis() - (now - row.since());
  }

  private OptionalLong fitSince(
      Snapshot snapshot, Fleet fleet, @Nullable State pair, OptionalLong stored) {
    if (pair == null) {
      return OptionalLong.empty();
    }
    boolean fits =
        fleet.counted().stream()
            .filter(each -> each.kind() != Counted.Kind.WARM)
            .allMatch(each -> ctx.rules().fits(each.span(), pair));
    return ctx.rules().fitSince(stored, fits, snapshot.now(), snapshot.fleetChanged());
  }

  static void status(MigrationRow row, List<Wait> waits) {
    switch (row.status()) {
      case PAUSED ->
          waits.add(Wait.of(Kind.PAUSED, "paused; resume(\"" + row.id() + "\") goes on"));
      case ABANDONED -> waits.add(Wait.of(Kind.PAUSED, "abandoned: nothing drives it any more"));
      case FAILED ->
          waits.add(
              Wait.of(Kind.FAILED, row.lastError() + "; resume(\"" + row.id() + "\") tries again"));
      default -> {
        // Moves.
      }
    }
  }

  private void objections(
      Snapshot snapshot, MigrationRow row, Fleet fleet, State pair, List<Wait> waits) {
    Lifecycle lifecycle = row.lifecycle();
    for (Objection objection : ctx.rules().objections(fleet, pair)) {
      switch (objection.reason()) {
        case PAUSED -> waits.add(Wait.of(Kind.PAUSED, whyPaused(snapshot)));
        case NEW_INCARNATION ->
            waits.add(
                new Wait(
                    Kind.INCARNATION,
                    "the server restarted; members have one expiry to report",
                    null,
                    ctx.timing().expiry().minusMillis(snapshot.control().incarnationStill())));
        case NO_APPLICATION -> {
          if (!isNow(row) && !isStopped(row)) {
            waits.add(Wait.of(Kind.NO_APPLICATION, "no application has registered yet"));
          }
        }
        case NOT_FIT -> {
          Counted by = java.util.Objects.requireNonNull(objection.by());
          waits.add(
              new Wait(
                  Kind.FLEET,
                  by.name()
                      + " "
                      + by.span()
                      + " can't run against "
                      + (pair.direction() == Direction.UP
                          ? lifecycle.name(pair.entering())
                          : "the way back to " + lifecycle.name(pair.entering())),
                  Instant.ofEpochMilli(row.since()),
                  left(by.until(), snapshot.now())));
        }
      }
    }
  }

  private static @Nullable Duration left(@Nullable Long until, long now) {
    return until == null ? null : Duration.ofMillis(Math.max(0, until - now));
  }

  /**
   * What is already known to be in the way of a phase further up, beyond the one that is next: who
   * doesn't suit it, and what a person has to approve.
   */
  List<Wait> ahead(Snapshot snapshot, MigrationRow row, int phase) {
    List<Wait> waits = new ArrayList<>();
    Fleet fleet = snapshot.fleet(row, ctx.foreign(snapshot.control()));
    State pair = State.at(phase - 1).entering(Direction.UP);
    objections(snapshot, row, fleet, pair, waits);
    String name = row.lifecycle().name(phase);
    if (ctx.environment() == Environment.PRODUCTION
        && names(row.policy().approvals(), name)
        && approvals(snapshot, row, name).isEmpty()) {
      waits.add(approval(row, name));
    }
    return waits;
  }

  private static Wait approval(MigrationRow row, String phase) {
    return Wait.of(Kind.APPROVAL, "approve(\"" + row.id() + "\", \"" + phase + "\")");
  }

  String whyPaused(Snapshot snapshot) {
    if (!snapshot.control().paused()) {
      return "the control tables were written on another server ("
          + snapshot.control().identity()
          + "); call moved() or copied()";
    }
    String reason = snapshot.control().pausedReason();
    return "everything is paused" + (reason == null ? "" : ": " + reason);
  }

  private void upwards(Snapshot snapshot, MigrationRow row, int phase, List<Wait> waits) {
    String name = row.lifecycle().name(phase);
    if (row.state().reached() == 0) {
      order(snapshot, row, waits);
    }
    // Whoever is counted may have put a row there since somebody looked: quarantine is for that.
    boolean nobody = snapshot.fleet(row, false).counted().isEmpty();
    boolean atOnce = isFree(row) && (phase != row.lifecycle().purge() || nobody);
    boolean production = ctx.environment() == Environment.PRODUCTION && !atOnce;
    if (production
        && names(row.policy().approvals(), name)
        && approvals(snapshot, row, name).isEmpty()) {
      waits.add(approval(row, name));
    }
    if (production && phase == row.lifecycle().purge()) {
      long left = row.policy().retention().toMillis() - (snapshot.now() - row.since());
      if (left > 0) {
        waits.add(
            new Wait(
                Kind.RETENTION,
                "quarantined data is kept",
                Instant.ofEpochMilli(row.since()),
                Duration.ofMillis(left)));
        return;
      }
    }
    boolean backup = phase == row.lifecycle().purge() || names(row.policy().backups(), name);
    if (production
        && backup
        // The gate is shown the SQL, which follows from facts.
        && Preflight.captured(row)
        && !backups.confirmed(row)
        && approvals(snapshot, row, name).isEmpty()) {
      String call = "approve(\"" + row.id() + "\", \"" + name + "\")";
      waits.add(Wait.of(Kind.BACKUP, backups.state(row, call)));
    }
  }

  /** Phases are named in any case. */
  private static boolean names(Set<String> phases, String name) {
    return phases.stream().anyMatch(name::equalsIgnoreCase);
  }

  /** What a movement can't restore needs somebody's word. */
  private void consent(Snapshot snapshot, MigrationRow row, State pair, List<Wait> waits) {
    String name = row.lifecycle().name(pair.entering());
    if (!Preflight.captured(row)) {
      return;
    }
    ctx.operation(row)
        .flatMap(each -> each.consent(row.facts(), pair.upper(), pair.direction()))
        .filter(lost -> approvals(snapshot, row, name).isEmpty())
        .ifPresent(
            lost ->
                waits.add(
                    Wait.of(
                        Kind.APPROVAL,
                        lost + ": approve(\"" + row.id() + "\", \"" + name + "\") consents")));
  }

  /** Consents to exactly the SQL that the phase would run now. */
  private List<Approval> approvals(Snapshot snapshot, MigrationRow row, String phase) {
    String hash = Planner.hash(ctx, row, row.lifecycle().position(phase));
    return snapshot.approvals().stream()
        .filter(
            each ->
                each.key().equals(row.key())
                    && each.phase().equals(phase)
                    && (each.planHash() == null || hash.equals(each.planHash())))
        .toList();
  }

  /**
   * Consents that count no more once a migration moves: those to this movement, and, where it goes
   * down, those to the phase it leaves and beyond, since what they were given for is undone.
   */
  List<Approval> spent(Snapshot snapshot, MigrationRow row, State pair) {
    Lifecycle lifecycle = row.lifecycle();
    List<Approval> spent =
        new ArrayList<>(approvals(snapshot, row, lifecycle.name(pair.entering())));
    if (pair.direction() == Direction.DOWN) {
      for (int phase = pair.reached(); phase <= lifecycle.last(); phase++) {
        String undone = lifecycle.name(phase);
        snapshot.approvals().stream()
            .filter(each -> each.key().equals(row.key()) && each.phase().equals(undone))
            .forEach(spent::add);
      }
    }
    return spent;
  }

  /**
   * Migrations of one table start in declaration order, unless an earlier one can't start before
   * people or code have done something: then a later one need not wait for them too.
   */
  private void order(Snapshot snapshot, MigrationRow row, List<Wait> waits) {
    if (!row.after().isEmpty()) {
      for (String id : row.after()) {
        boolean usable =
            snapshot.migrations().stream()
                .anyMatch(
                    each ->
                        each.id().equals(id) && each.state().lower() >= each.lifecycle().usable());
        if (!usable) {
          waits.add(Wait.of(Kind.ORDER, "migration " + id + " goes first"));
        }
      }
      return;
    }
    for (MigrationRow earlier : snapshot.migrations()) {
      if (earlier.ordinal() < row.ordinal()
          && earlier.schema().equals(row.schema())
          && earlier.table().equals(row.table())
          && earlier.status() == MigrationStatus.ACTIVE
          && earlier.state().lower() == 0
          && !earlier.heldByPerson()
          && couldStart(snapshot, earlier)) {
        waits.add(Wait.of(Kind.ORDER, "migration " + earlier.id() + " goes first"));
      }
    }
  }

  private boolean couldStart(Snapshot snapshot, MigrationRow earlier) {
    return !earlier.state().atRest()
        || ctx.rules()
            .objections(snapshot.fleet(earlier, false), earlier.state().entering(Direction.UP))
            .isEmpty();
  }

  /** A changed row type breaks statements that some drivers have prepared. */
  private void driver(Snapshot snapshot, MigrationRow row, State pair, List<Wait> waits) {
    if (!Preflight.captured(row)) {
      // Its turn has not come yet; its steps follow from facts that are not there.
      return;
    }
    List<DdlStep> changes =
        ctx.operation(row).stream()
            .flatMap(
                each ->
                    each
                        .steps(ctx.target(row), row.facts(), pair.upper(), pair.direction())
                        .stream())
            .flatMap(each -> each instanceof DdlStep ddl ? Stream.of(ddl) : Stream.empty())
            .filter(each -> each.changesRowType() || each.changesColumnType())
            .toList();
    if (changes.isEmpty()) {
      return;
    }
    // Code without SELECT * is safe from other columns, but not from other types of its own.
    boolean types = changes.stream().anyMatch(DdlStep::changesColumnType);
    Set<String> unsafe = new LinkedHashSet<>();
    for (Member member : snapshot.members()) {
      if (snapshot.live(member)
          && !(types ? member.columnTypeSafe() : member.rowTypeSafe())
          && snapshot.stage(row, member).isPresent()) {
        unsafe.add(
            "members of "
                + member.application()
                + " "
                + member.release()
                + (types
                    ? " would trip over the changed type of a column, also where a query names it: "
                    : " would trip over the changed row type: ")
                + member.driverFacts());
      }
    }
    for (Pinned pin : snapshot.pinned()) {
      if (!pin.rowTypeSafe() && snapshot.stage(row, pin).isPresent()) {
        unsafe.add(
            "nobody knows the driver of pinned member \""
                + pin.label()
                + "\" of "
                + pin.application()
                + "; "
                + (pin.label().equals(ControlTables.BUILDS_BEFORE_US)
                    ? "adopted(\"" + pin.application() + "\")"
                    : "unpin(\"" + pin.application() + "\", \"" + pin.label() + "\")")
                + " ends it");
      }
    }
    // First in the list: it is the one that somebody can act on at once.
    waits.addAll(0, unsafe.stream().map(each -> Wait.of(Kind.DRIVER, each)).toList());
  }
}
