package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.DatabaseException;
import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.Readiness;
import dev.zerodowntime.orchestrator.ReleaseManifest;
import dev.zerodowntime.orchestrator.ReleaseTooOldException;
import dev.zerodowntime.orchestrator.SchemaNotReadyException;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Control;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import dev.zerodowntime.orchestrator.spi.ServerInfo;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code advance()} and {@code drive()}. */
final class Startup {

  private static final Logger LOG = LoggerFactory.getLogger(Startup.class);
  static final long POLL_MILLIS = 50;

  /** How often whoever waits is told in the log for what. */
  private static final long TELL_NANOS = Duration.ofSeconds(30).toNanos();

  private final EngineContext ctx;
  private final ServerInfo server;
  private final Driver driver;
  private final Membership membership;
  private final Reporter reporter;
  private final Background background;
  private final BackfillCrew crew;
  private final boolean inBackground;
  private final boolean developmentOnRows;
  private final ReentrantLock turn = new ReentrantLock();
  private volatile boolean closed;
  private boolean prepared;

  /** The last report, once it says that nothing is left to do. */
  private @Nullable AdvanceReport settled;

  Startup(
      EngineContext ctx,
      ServerInfo server,
      Driver driver,
      Membership membership,
      Reporter reporter,
      Background background,
      BackfillCrew crew,
      boolean inBackground,
      boolean developmentOnRows) {
    this.ctx = ctx;
    this.server = server;
    this.driver = driver;
    this.membership = membership;
    this.reporter = reporter;
    this.background = background;
    this.crew = crew;
    this.inBackground = inBackground;
    this.developmentOnRows = developmentOnRows;
  }

  /** Makes sure that the control tables are there, are ours, and know this build's declarations. */
  void prepare() throws SQLException {
    tables();
    if (!prepared) {
      new DeclarationCheck(ctx).run(Db.autoCommit(ctx.dataSource(), ctx.reader()::migrations));
      Declarer declarer = new Declarer(ctx);
      for (MigrationRow changed : declarer.declare()) {
        startOver(changed);
      }
      declarer.declare();
      prepared = true;
    }
  }

  /** In DEVELOPMENT, a changed declaration is rolled back, so that it can run again. */
  private void startOver(MigrationRow changed) throws SQLException {
    LOG.info("{} was changed since it started; rolling it back to run it again", changed.id());
    target(changed, 0);
    long deadline = System.nanoTime() + ctx.timing().startupBudget().toNanos();
    while (true) {
      MigrationRow row =
          Db.autoCommit(
                  ctx.dataSource(), c -> ctx.reader().migration(c, changed.id(), changed.schema()))
              .orElse(changed);
      if (row.state().upper() == 0) {
        target(row, null);
        return;
      }
      Driver.Pass pass = driver.pass(true, deadline);
      if (System.nanoTime() - deadline >= 0) {
        throw new DeclarationException(
            ErrorCode.DECLARATION_CHANGED,
            "Migration "
                + changed.id()
                + " was changed since it started, and can't be rolled back to run again: "
                + pass.waits().getOrDefault(changed.key(), List.of()),
            "Stop the other processes that use this development database, or create it anew.");
      }
      if (!pass.busy()) {
        sleep(POLL_MILLIS);
      }
    }
  }

  void target(MigrationRow row, @Nullable Integer phase) throws SQLException {
    Db.autoCommit(
        ctx.dataSource(),
        c -> {
          ctx.migrations()
              .target(
                  c, row, phase, phase == null ? null : MigrationRow.ROLLBACK, ctx.application());
          return true;
        });
  }

  /** Makes sure that the control tables are there and are ours. */
  void tables() throws SQLException {
    if (prepared) {
      return;
    }
    ctx.tables()
        .ensure(
            ctx.ddlDataSource(),
            ctx.dataSource(),
            ctx.application(),
            ctx.environment(),
            developmentOnRows,
            server);
    Control control = Db.autoCommit(ctx.dataSource(), ctx.reader()::control);
    requireEnvironment(ctx, control);
    if (ctx.foreign(control)) {
      LOG.error(
          "the control tables were written on another server ({}) than this one ({}); nothing"
              + " moves until somebody calls moved() or copied()",
          control.identity(),
          server.identity());
    }
  }

  /** A build for one kind of database does nothing on another. */
  static void requireEnvironment(EngineContext ctx, Control control) {
    if (!control.environment().equals(ctx.environment().name())) {
      throw new DatabaseException(
          ErrorCode.WRONG_ENVIRONMENT,
          "This build is configured for "
              + ctx.environment()
              + ", but the database is "
              + control.environment(),
          "Configure environment("
              + control.environment()
              + "); or, if this is a copy of another database, say so with copied().",
          null);
    }
  }

  AdvanceReport advance() throws SQLException {
    turn.lock();
    try {
      AdvanceReport before = settled;
      if (before != null && reporter.stillSettled()) {
        return before;
      }
      settled = null;
      prepare();
      long deadline = System.nanoTime() + ctx.timing().startupBudget().toNanos();
      if (ctx.role().counted()) {
        admit(deadline);
      }
      Driver.Pass pass = Driver.Pass.NOT_LEADING;
      if (ctx.role().drives()) {
        driver.takeTurn();
        boolean inline = ctx.environment() == Environment.DEVELOPMENT;
        pass = pass(inline, deadline);
        while (inline && (pass.busy() || pass.running() || pass.soon()) && before(deadline)) {
          sleep(POLL_MILLIS);
          pass = pass(true, deadline);
        }
      }
      if (inBackground) {
        background.start();
      } else {
        driver.release();
      }
      AdvanceReport report = report(pass);
      if (report.settled() && report.admitted()) {
        settled = nothingDone(report);
      }
      return report;
    } finally {
      turn.unlock();
    }
  }

  /**
   * A pass of a process that may serve already: a database that goes away in the middle of
   * somebody's migration is no reason not to start.
   */
  private Driver.Pass pass(boolean longSteps, long deadline) throws SQLException {
    try {
      return driver.pass(longSteps, deadline);
    } catch (SQLException e) {
      if (!membership.admitted()) {
        throw e;
      }
      LOG.warn("could not drive; the next pass will go on from here: {}", e.getMessage());
      return Driver.Pass.NOT_LEADING;
    }
  }

  /** Calls that drive exclude each other. */
  <T> T inTurn(Failures.Call<T> call) throws SQLException {
    turn.lock();
    try {
      requireOpen();
      return call.run();
    } finally {
      turn.unlock();
    }
  }

  /** Ends calls that wait for gates. */
  void close() {
    closed = true;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("this orchestrator is closed");
    }
  }

  /** Joins the fleet; if this build needs another phase, tries to get there first. */
  private void admit(long deadline) throws SQLException {
    if (membership.admitted()) {
      membership.heartbeat();
      return;
    }
    long end = deadline;
    while (true) {
      requireOpen();
      Registrar.Joined joined;
      try {
        joined = membership.join();
      } catch (SQLException e) {
        // Somebody is frozen in the middle of a look at the fleet; the server ends that soon.
        if (ctx.dialect().classify(e) == SqlErrorKind.LOCK_TIMEOUT && before(end)) {
          continue;
        }
        throw e;
      }
      if (joined.admitted()) {
        return;
      }
      requireKnown(joined);
      refuseTooOld(joined);
      Driver.Pass pass = Driver.Pass.NOT_LEADING;
      if (ctx.role().drives()) {
        // Long steps too, in slices: nobody else may be there to run them.
        // No further than it fits: nobody who is counted may be there to hold anything back.
        driver.gates().joining(true);
        try {
          pass =
              driver.pass(true, Math.min(end, System.nanoTime() + ctx.timing().tick().toNanos()));
        } finally {
          driver.gates().joining(false);
        }
      }
      if (System.nanoTime() - end >= 0) {
        if (!ctx.role().drives() || !inBackground) {
          driver.release();
        }
        throw notReady(joined, pass);
      }
      if (!pass.busy()) {
        sleep(POLL_MILLIS);
      }
      end = Math.max(end, deadline + reporter.silenceLeft(joined.unfit()).toNanos());
    }
  }

  private void requireKnown(Registrar.Joined joined) {
    if (!joined.newApplication()) {
      return;
    }
    for (Registrar.Unfit each : joined.unfit()) {
      if (each.direction() == Direction.DOWN) {
        throw new ReleaseTooOldException(
            ErrorCode.APPLICATION_NOT_FIT,
            "Application "
                + ctx.application()
                + " is new here, and migration "
                + each.migration().id()
                + " on table "
                + each.migration().table()
                + " is at "
                + each.migration().lifecycle().name(each.migration().state().upper())
                + ", which its stage "
                + each.stage()
                + " does not fit",
            "Declare its stage with thisBuild(Migration.ref(\""
                + each.migration().id()
                + "\", …), …); or say with touches(...) which tables it uses, if not this"
                + " one; or, if only builds without the library used it so far, see"
                + " adopted(...).");
      }
    }
  }

  /**
   * Down there is no way if the reopening was refused: the row shows whether it was. Members that
   * only drain are waited for, as long as a start may take.
   */
  private void refuseTooOld(Registrar.Joined joined) throws SQLException {
    for (Registrar.Unfit each : joined.unfit()) {
      if (each.direction() == Direction.UP) {
        continue;
      }
      MigrationRow row = each.migration();
      List<String> inTheWay = reporter.inTheWayOfReopening(row, each.phase());
      if (!inTheWay.isEmpty()) {
        driver.release();
        throw new ReleaseTooOldException(
            ErrorCode.RELEASE_TOO_OLD,
            "Release "
                + ctx.release()
                + " of "
                + ctx.application()
                + " is at "
                + each.stage()
                + " of migration "
                + row.id()
                + ", which has reached "
                + row.lifecycle().name(row.state().upper())
                + "; it can't be taken back to "
                + row.lifecycle().name(each.phase())
                + ": "
                + String.join(", ", inTheWay),
            row.lifecycle().reachable(row.state().upper(), each.phase())
                ? "Stop these first, then start this release again; or roll forward."
                : ctx.declarations().about(row).isPresent()
                    ? "Roll forward: deploy a release that declares "
                        + row.lifecycle().newest().stage()
                        + "."
                    : "This build does not declare it, so its code counts as the oldest there is:"
                        + " if it no longer needs the old shape, name the migration in finished(\""
                        + row.id()
                        + "\").");
      }
    }
  }

  private SchemaNotReadyException notReady(Registrar.Joined joined, Driver.Pass pass)
      throws SQLException {
    List<MigrationReport> reports = reporter.reports(pass);
    StringBuilder problem = new StringBuilder();
    problem.append("Release ").append(ctx.release()).append(" of ").append(ctx.application());
    List<MigrationReport> waiting = new java.util.ArrayList<>();
    for (Registrar.Unfit each : joined.unfit()) {
      MigrationRow row = each.migration();
      problem
          .append(waiting.isEmpty() ? " needs " : "; and ")
          .append(row.lifecycle().name(each.phase()))
          .append(" of ")
          .append(row.id())
          .append(", which is at ")
          .append(row.lifecycle().name(row.state().reached()));
      for (MigrationReport report : reports) {
        if (report.id().equals(row.id()) && report.schema().equals(row.schema())) {
          waiting.add(report);
          report.waits().forEach(wait -> problem.append("; waits for ").append(wait));
        }
      }
    }
    Duration expected = Duration.ZERO;
    boolean stays = false;
    for (MigrationReport each : waiting) {
      for (Wait wait : each.waits()) {
        Duration left = wait.left();
        stays |= left == null && wait.kind() == Wait.Kind.FLEET;
        if (left != null && left.compareTo(expected) > 0) {
          expected = left;
        }
      }
    }
    return new SchemaNotReadyException(
        problem.toString(),
        stays || expected.isZero()
            ? "Remove what it waits for, then start this build again."
            : "Start this build again in "
                + expected.toSeconds()
                + " s or later; nothing is lost by trying.",
        waiting);
  }

  AdvanceReport drive(Duration patience) throws SQLException {
    turn.lock();
    try {
      prepare();
      crew.enter();
      try {
        return driveOn(patience);
      } finally {
        crew.leave();
      }
    } finally {
      turn.unlock();
    }
  }

  /** Waits until the builds of a release would be admitted, and drives where this process may. */
  Readiness await(ReleaseManifest manifest, Duration patience) throws SQLException {
    turn.lock();
    try {
      prepare();
      Await await = new Await(ctx, reporter, manifest);
      await.requireAcceptable();
      if (!ctx.role().drives()) {
        return await(await, patience);
      }
      crew.enter();
      try {
        return await(await, patience);
      } finally {
        crew.leave();
        if (!inBackground) {
          driver.release();
        }
      }
    } finally {
      turn.unlock();
    }
  }

  private Readiness await(Await await, Duration patience) throws SQLException {
    long end = System.nanoTime() + patience.toNanos();
    long told = System.nanoTime() - TELL_NANOS;
    Driver.Pass pass = Driver.Pass.NOT_LEADING;
    boolean tried = false;
    while (true) {
      requireOpen();
      if (membership.admitted()) {
        membership.heartbeat();
      }
      Readiness found = await.look(pass);
      boolean over = tried && !before(end) || Thread.currentThread().isInterrupted();
      if (found.verdict() != Readiness.Verdict.NOT_YET || over) {
        return found;
      }
      if (System.nanoTime() - told >= TELL_NANOS) {
        LOG.info("{}", found);
        told = System.nanoTime();
      }
      if (ctx.role().drives()) {
        if (!tried) {
          driver.takeTurn();
          await.introduce();
        }
        long slice = System.nanoTime() + ctx.timing().tick().toNanos();
        pass = driver.pass(true, slice - end < 0 ? slice : end);
      }
      tried = true;
      if (!pass.busy()) {
        long left = Math.max(0, (end - System.nanoTime()) / 1_000_000);
        long pause = pass.soon() ? POLL_MILLIS : ctx.timing().tick().toMillis();
        sleep(Math.min(pause, left));
      }
    }
  }

  private AdvanceReport driveOn(Duration patience) throws SQLException {
    driver.takeTurn();
    long deadline = System.nanoTime() + patience.toNanos();
    Driver.Pass pass;
    boolean again;
    do {
      if (membership.admitted()) {
        membership.heartbeat();
      }
      pass = driver.pass(true, System.nanoTime() + ctx.timing().tick().toNanos());
      boolean work = pass.busy() || pass.running();
      boolean mayOpen = before(deadline) && (!pass.leading() || unfinished(pass));
      again = (work || mayOpen) && !closed;
      if (again && !pass.busy()) {
        sleep(POLL_MILLIS);
      }
    } while (again && !Thread.currentThread().isInterrupted());
    if (!inBackground) {
      driver.release();
    }
    return report(pass);
  }

  private static boolean unfinished(Driver.Pass pass) {
    return pass.waits().values().stream()
        .anyMatch(
            waits ->
                waits.isEmpty() || waits.stream().noneMatch(each -> each.kind() == Wait.Kind.HELD));
  }

  /** What the next call says if nothing has changed. */
  private static AdvanceReport nothingDone(AdvanceReport report) {
    return new AdvanceReport(
        report.application(),
        report.release(),
        true,
        false,
        report.migrations().stream().map(Startup::nothingDone).toList());
  }

  private static MigrationReport nothingDone(MigrationReport report) {
    return new MigrationReport(
        report.id(),
        report.schema(),
        report.operation(),
        report.lifecycle(),
        report.state(),
        report.status(),
        report.stage(),
        report.shortcuts(),
        List.of(),
        report.waits(),
        report.next(),
        report.lastError());
  }

  AdvanceReport report(Driver.Pass pass) throws SQLException {
    return new AdvanceReport(
        ctx.application(),
        ctx.release(),
        membership.admitted() || !ctx.role().counted(),
        pass.leading(),
        reporter.reports(pass));
  }

  static boolean before(long deadline) {
    return System.nanoTime() - deadline < 0;
  }

  static void sleep(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
