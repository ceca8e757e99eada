package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.BackfillProgress;
import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.Readiness;
import dev.zerodowntime.orchestrator.Readiness.Missing;
import dev.zerodowntime.orchestrator.Readiness.Verdict;
import dev.zerodowntime.orchestrator.ReleaseManifest;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Application;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Judges a build by its manifest, as it would be judged if it asked to be admitted. */
final class Await {

  private static final Set<Wait.Kind> FOR_A_PERSON =
      EnumSet.of(
          Wait.Kind.APPROVAL,
          Wait.Kind.PAUSED,
          Wait.Kind.HELD,
          Wait.Kind.FAILED,
          Wait.Kind.NO_APPLICATION);

  private final EngineContext ctx;
  private final Reporter reporter;
  private final ReleaseManifest manifest;
  private final Admission admission;

  Await(EngineContext ctx, Reporter reporter, ReleaseManifest manifest) {
    this.ctx = ctx;
    this.reporter = reporter;
    this.manifest = manifest;
    this.admission = Admission.of(manifest);
  }

  /** What would be refused whatever the schema is. */
  void requireAcceptable() throws SQLException {
    DeclarationCheck.requireSameStages(
        ctx,
        Db.autoCommit(ctx.dataSource(), ctx.reader()::releases),
        manifest.application(),
        manifest.release(),
        admission.stages());
  }

  /**
   * Where no application has ever registered nothing is entered; the first release may need a phase
   * before it can.
   */
  void introduce() throws SQLException {
    ctx.transaction(
        connection -> {
          ctx.reader().lockFleetShared(connection);
          List<Application> known = ctx.reader().applications(connection);
          if (known.isEmpty()) {
            ctx.fleet().application(connection, manifest.application());
          }
          return true;
        });
  }

  /**
   * Looks once.
   *
   * @param pass what this process's driver has just found
   */
  Readiness look(Driver.Pass pass) throws SQLException {
    Snapshot snapshot = reporter.snapshot();
    List<Missing> missing = new ArrayList<>(undeclared(snapshot));
    boolean declared = missing.isEmpty();
    boolean up = false;
    boolean blocked = false;
    for (MigrationRow row : snapshot.migrations()) {
      Registrar.Unfit unfit = admission.unfit(ctx.rules(), snapshot, row).orElse(null);
      if (unfit == null) {
        continue;
      }
      if (unfit.direction() == Direction.UP) {
        up = true;
        missing.add(ahead(snapshot, unfit, pass));
      } else {
        List<String> inTheWay = inTheWay(snapshot, unfit);
        blocked |= !inTheWay.isEmpty();
        missing.add(behind(unfit, inTheWay));
      }
    }
    Verdict verdict =
        blocked
            ? Verdict.LEFT_BEHIND
            : !declared
                ? Verdict.NOT_DECLARED
                : up ? Verdict.NOT_YET : missing.isEmpty() ? Verdict.READY : Verdict.REOPENS;
    return new Readiness(manifest.application(), manifest.release(), verdict, missing);
  }

  /** Migrations that only the manifest knows; those that are fine before their first phase are. */
  private List<Missing> undeclared(Snapshot snapshot) {
    List<Missing> missing = new ArrayList<>();
    for (Map.Entry<String, ReleaseManifest.Declaration> each :
        new TreeMap<>(manifest.declarations()).entrySet()) {
      String id = each.getKey();
      if (snapshot.migrations().stream().anyMatch(row -> row.id().equals(id))) {
        continue;
      }
      Lifecycle lifecycle = each.getValue().lifecycle();
      List<String> stages = each.getValue().stages();
      if (lifecycle == null) {
        missing.add(
            unknown(
                id, "", "", "deploy the application that declares it first, or correct the id"));
        continue;
      }
      Span lowest = lifecycle.span(stages.get(0));
      if (lowest.low() > 0) {
        missing.add(
            unknown(
                id,
                stages.get(0),
                lifecycle.name(lowest.low()),
                "let a job wait that declares it, with the thisBuild(...) of the release; or"
                    + " release a build first that declares it at "
                    + lifecycle.oldest().stage()));
      }
    }
    return missing;
  }

  private static Missing unknown(String id, String stage, String needs, String next) {
    return new Missing(id, "", "", stage, needs, List.of(), null, false, next);
  }

  /** Who keeps the schema from going back; nobody goes back for an application that is new. */
  private List<String> inTheWay(Snapshot snapshot, Registrar.Unfit unfit) throws SQLException {
    if (!snapshot.applications().containsKey(manifest.application())) {
      return List.of("application " + manifest.application() + " is new here");
    }
    MigrationRow row = unfit.migration();
    boolean open = row.lifecycle().reachable(row.state().upper(), unfit.phase());
    return reporter.inTheWayOfReopening(row, unfit.phase()).stream()
        .map(each -> open ? each + " is in the way of going back" : each)
        .toList();
  }

  private Missing behind(Registrar.Unfit unfit, List<String> inTheWay) {
    MigrationRow row = unfit.migration();
    Lifecycle lifecycle = row.lifecycle();
    boolean known = admission.stages().containsKey(row.id());
    return new Missing(
        row.id(),
        row.schema(),
        lifecycle.name(row.state().reached()),
        unfit.stage().stage(),
        lifecycle.name(unfit.phase()),
        inTheWay.stream().map(each -> Wait.of(Wait.Kind.FLEET, each)).toList(),
        inTheWay.isEmpty() ? Duration.ZERO : null,
        false,
        inTheWay.isEmpty()
            ? "start it: it asks for the way back by itself"
            : known
                ? "roll forward, to a release that declares "
                    + lifecycle.newest().stage()
                    + (lifecycle.reachable(row.state().upper(), unfit.phase())
                        ? "; or stop what is in the way"
                        : "")
                : "declare it with the stage that the release's code is at; if it is done, name it"
                    + " in finished(\""
                    + row.id()
                    + "\")");
  }

  private Missing ahead(Snapshot snapshot, Registrar.Unfit unfit, Driver.Pass pass)
      throws SQLException {
    MigrationRow row = unfit.migration();
    MigrationReport report = reporter.waiting(snapshot, row, pass);
    List<Wait> waits = new ArrayList<>(report.waits());
    for (int phase = row.state().upper() + (row.state().atRest() ? 2 : 1);
        phase <= unfit.phase();
        phase++) {
      for (Wait each : reporter.ahead(snapshot, row, phase)) {
        // Who doesn't suit a phase doesn't suit those above it either; once is enough.
        if (waits.stream().noneMatch(known -> sameReason(known, each))) {
          waits.add(each);
        }
      }
    }
    return new Missing(
        row.id(),
        row.schema(),
        row.lifecycle().name(row.state().reached()),
        unfit.stage().stage(),
        row.lifecycle().name(unfit.phase()),
        waits,
        expected(row, waits),
        needsPerson(snapshot, unfit, waits),
        report.next());
  }

  private boolean needsPerson(Snapshot snapshot, Registrar.Unfit unfit, List<Wait> waits) {
    MigrationRow row = unfit.migration();
    boolean unknownDriver = waits.stream().anyMatch(each -> each.kind() == Wait.Kind.DRIVER);
    return waits.stream().anyMatch(each -> FOR_A_PERSON.contains(each.kind()))
        || snapshot.pinned().stream()
            .anyMatch(
                pin ->
                    snapshot
                        .stage(row, pin)
                        .filter(
                            stage ->
                                stage.span().high() < unfit.phase()
                                    || unknownDriver && !pin.rowTypeSafe())
                        .isPresent());
  }

  /** Two waits for the same member differ in the phase that it can't run against. */
  private static boolean sameReason(Wait known, Wait other) {
    return known.kind() == other.kind() && reason(known).equals(reason(other));
  }

  private static String reason(Wait wait) {
    int end = wait.what().indexOf(" can't run against ");
    return end < 0 ? wait.what() : wait.what().substring(0, end);
  }

  /** The longest of what is waited for; null if there is something that nobody can tell. */
  private @Nullable Duration expected(MigrationRow row, List<Wait> waits) throws SQLException {
    Duration longest = null;
    for (Wait wait : waits) {
      Duration left = wait.left();
      if (left == null && wait.kind() == Wait.Kind.RUNNING) {
        left = backfill(row).map(BackfillProgress::left).orElse(null);
      }
      if (left == null) {
        return null;
      }
      longest = longest == null || left.compareTo(longest) > 0 ? left : longest;
    }
    return longest;
  }

  private Optional<BackfillProgress> backfill(MigrationRow row) throws SQLException {
    String step = row.step();
    return step == null
        ? Optional.empty()
        : Db.autoCommit(ctx.dataSource(), c -> BackfillReports.read(ctx, c, row, step));
  }
}
