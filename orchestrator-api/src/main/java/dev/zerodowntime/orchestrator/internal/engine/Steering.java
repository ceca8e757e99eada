package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.State;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import dev.zerodowntime.orchestrator.operation.PhasePlan;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Drives one migration somewhere, within one call. */
final class Steering {

  private static final Logger LOG = LoggerFactory.getLogger(Steering.class);

  /** What an author's own plans are called among the operations. */
  private static final String PLAN = PhasePlan.TYPE.name();

  private final EngineContext ctx;
  private final Startup startup;
  private final Driver driver;
  private final Reporter reporter;
  private final BackfillCrew crew;
  private final boolean inBackground;

  Steering(
      EngineContext ctx,
      Startup startup,
      Driver driver,
      Reporter reporter,
      BackfillCrew crew,
      boolean inBackground) {
    this.ctx = ctx;
    this.startup = startup;
    this.driver = driver;
    this.reporter = reporter;
    this.crew = crew;
    this.inBackground = inBackground;
  }

  /**
   * Registers a declared migration, and carries it out as far as this build fits, if the fleet
   * allows it: where its tables have no rows, or in a database that nobody has used yet.
   */
  boolean place(String id) throws SQLException {
    if (!ctx.role().drives()) {
      // Its advance() says what it declares; the tables may not be there before that.
      return false;
    }
    return startup.inTurn(
        () -> {
          startup.tables();
          new Declarer(ctx).declare(each -> each.id().equals(id));
          try {
            for (MigrationRow row : rows(id)) {
              if (ctx.declarations().same(row).isPresent() && !row.finished()) {
                place(row);
              }
            }
            return true;
          } finally {
            crew.shared().alone().over();
            driver.gates().aim(null);
            driver.release();
          }
        });
  }

  private void place(MigrationRow row) throws SQLException {
    boolean empty = !new Rows(ctx).any(row);
    // Where scripts have brought rows, but no build has seen them yet, they are nobody's.
    boolean nobody = reporter.nobodyYet();
    if (empty || nobody) {
      // A plan's statements may reach other tables; and what has begun may have put rows away.
      boolean here = row.state().upper() == 0 && !row.lifecycle().operation().equals(PLAN);
      boolean free = nobody || here;
      if (free) {
        crew.shared().alone().with(row, nobody);
      }
      carryOut(row, new Gates.Aim(row.key(), stages(row), true, free, empty));
    }
  }

  /** What this build's code does; if it says nothing, the oldest. */
  private List<String> stages(MigrationRow row) {
    return ctx.declarations()
        .about(row)
        .map(Engine.Declaration::stages)
        .orElseGet(() -> List.of(row.lifecycle().oldest().stage()));
  }

  private void carryOut(MigrationRow row, Gates.Aim wanted) throws SQLException {
    driver.takeTurn();
    driver.gates().aim(wanted);
    long deadline = deadline();
    while (true) {
      Driver.Pass pass = pass(deadline);
      MigrationRow now = now(row);
      if (now.finished() || (now.state().atRest() && now.state().reached() >= wanted.top(now))) {
        LOG.info(
            "{}: driven to {} before this build joins",
            row.id(),
            now.lifecycle().name(now.state().reached()));
        return;
      }
      boolean othersLead = !pass.leading() && reporter.anyLive();
      boolean failed = now.status() != MigrationStatus.ACTIVE;
      boolean over = System.nanoTime() - deadline >= 0;
      if (othersLead
          || stuck(pass, now, deadline)
          || failed
          || over
          || !driver.gates().isAimedAt(now)) {
        LOG.info(
            "{} goes on in phases, from {}; it waits for {}",
            row.id(),
            now.lifecycle().name(now.state().reached()),
            failed ? now.status() : pass.waits().getOrDefault(row.key(), List.of()));
        return;
      }
      rest(pass);
    }
  }

  /**
   * Drives migrations as far as their gates allow and this build fits, within the start-up budget:
   * what is started next waits for them.
   */
  boolean settle(Set<String> ids) throws SQLException {
    if (!ctx.role().drives()) {
      return false;
    }
    return startup.inTurn(
        () -> {
          startup.tables();
          try {
            for (String id : ids) {
              for (MigrationRow row : rows(id)) {
                carryOut(row, new Gates.Aim(row.key(), stages(row), false, false, false));
              }
            }
            return true;
          } finally {
            driver.gates().aim(null);
            driver.release();
          }
        });
  }

  /**
   * Whether nothing is gained by looking again: what it waits for doesn't end by itself in time.
   */
  private static boolean stuck(Driver.Pass pass, MigrationRow now, long deadline) {
    List<Wait> waits = pass.waits().getOrDefault(now.key(), List.of());
    boolean passes = !waits.isEmpty() && waits.stream().allMatch(each -> passes(each, deadline));
    return pass.leading() && !goesOn(pass) && now.state().atRest() && !passes;
  }

  private static boolean passes(Wait wait, long deadline) {
    Duration left = wait.left();
    // How long a server has been the same only adds up while somebody looks.
    return wait.kind() == Wait.Kind.INCARNATION
        || (left != null && left.toNanos() < deadline - System.nanoTime());
  }

  /** Drives one migration to a phase, up or down, and no further. */
  AdvanceReport driveTo(String id, String phase) throws SQLException {
    if (ctx.environment() != Environment.DEVELOPMENT) {
      throw new DeclarationException(
          ErrorCode.WRONG_ENVIRONMENT,
          "driveTo(\"" + id + "\", \"" + phase + "\") was called in " + ctx.environment(),
          "It is for tests, in DEVELOPMENT. Here, migrations stop at phases that wait for"
              + " approvalBefore(...), or at pause(id).");
    }
    return startup.inTurn(
        () -> {
          startup.prepare();
          List<MigrationRow> rows = rows(id);
          if (rows.isEmpty()) {
            throw new DeclarationException(
                ErrorCode.UNKNOWN_MIGRATION,
                "There is no migration " + id + " here",
                "Declare it with thisBuild(...), or correct the id.");
          }
          rows.forEach(each -> each.lifecycle().position(phase));
          crew.enter();
          try {
            Driver.Pass pass = Driver.Pass.NOT_LEADING;
            for (MigrationRow row : rows) {
              pass = driveTo(row, row.lifecycle().position(phase));
            }
            return startup.report(pass);
          } finally {
            driver.gates().stopAt(null);
            crew.leave();
            if (!inBackground) {
              driver.release();
            }
          }
        });
  }

  private Driver.Pass driveTo(MigrationRow row, int phase) throws SQLException {
    driver.takeTurn();
    driver.gates().stopAt(new Gates.Stop(row.id(), phase));
    startup.target(row, phase < row.state().upper() ? phase : null);
    long deadline = deadline();
    while (true) {
      Driver.Pass pass = pass(deadline);
      State now = now(row).state();
      boolean there = now.atRest() && now.reached() == phase;
      boolean stuck = pass.leading() && !goesOn(pass);
      if (there || stuck || System.nanoTime() - deadline >= 0) {
        return pass;
      }
      rest(pass);
    }
  }

  private long deadline() {
    return System.nanoTime() + ctx.timing().startupBudget().toNanos();
  }

  private List<MigrationRow> rows(String id) throws SQLException {
    return Db.autoCommit(ctx.dataSource(), ctx.reader()::migrations).stream()
        .filter(each -> each.id().equals(id))
        .toList();
  }

  private MigrationRow now(MigrationRow row) throws SQLException {
    return Db.autoCommit(ctx.dataSource(), c -> ctx.reader().migration(c, row.id(), row.schema()))
        .orElse(row);
  }

  private Driver.Pass pass(long deadline) throws SQLException {
    return driver.pass(true, Math.min(deadline, System.nanoTime() + ctx.timing().tick().toNanos()));
  }

  private static boolean goesOn(Driver.Pass pass) {
    return pass.busy() || pass.soon() || pass.running();
  }

  private static void rest(Driver.Pass pass) {
    if (!pass.busy()) {
      Startup.sleep(Startup.POLL_MILLIS);
    }
  }
}
