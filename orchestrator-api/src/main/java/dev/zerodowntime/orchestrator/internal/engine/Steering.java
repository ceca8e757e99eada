package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.State;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import java.sql.SQLException;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Drives one migration somewhere, within one call. */
final class Steering {

  private static final Logger LOG = LoggerFactory.getLogger(Steering.class);

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
   * Registers a declared migration, and carries it out as far as this build fits, if its tables
   * have no rows and the fleet allows it.
   */
  boolean place(String id) throws SQLException {
    return startup.inTurn(
        () -> {
          startup.tables();
          new Declarer(ctx).declare(each -> each.id().equals(id));
          if (!ctx.role().drives()) {
            return false;
          }
          try {
            for (MigrationRow row : rows(id)) {
              Engine.Declaration declared = ctx.declarations().about(row).orElse(null);
              boolean same = ctx.declarations().same(row).isPresent();
              if (declared != null && same && !row.finished() && !new Rows(ctx).any(row)) {
                atOnce(row, new Gates.AtOnce(row.key(), declared.stages()));
              }
            }
            return true;
          } finally {
            driver.gates().atOnce(null);
            driver.release();
          }
        });
  }

  private void atOnce(MigrationRow row, Gates.AtOnce wanted) throws SQLException {
    driver.takeTurn();
    driver.gates().atOnce(wanted);
    long deadline = System.nanoTime() + ctx.timing().startupBudget().toNanos();
    while (true) {
      Driver.Pass pass = pass(deadline);
      MigrationRow now = now(row);
      if (now.finished() || (now.state().atRest() && now.state().reached() >= wanted.top(now))) {
        LOG.info(
            "{}: its tables have no rows; carried out at once, to {}",
            row.id(),
            now.lifecycle().name(now.state().reached()));
        return;
      }
      boolean othersLead = !pass.leading() && reporter.anyLive();
      boolean stuck = pass.leading() && !goesOn(pass) && now.state().atRest();
      boolean failed = now.status() != MigrationStatus.ACTIVE;
      boolean over = System.nanoTime() - deadline >= 0;
      if (othersLead || stuck || failed || over || !driver.gates().isAtOnce(now)) {
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
    driver.gates().stopAt(new Gates.Stop(row.key(), phase));
    startup.target(row, phase < row.state().upper() ? phase : null);
    long deadline = System.nanoTime() + ctx.timing().startupBudget().toNanos();
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
