package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.State;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.internal.control.Events.Event;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.CallStep;
import dev.zerodowntime.orchestrator.spi.CopyStep;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.NotYetException;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.Repeat;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs the steps of a phase being entered, from the one that is not confirmed yet. */
final class StepRunner {

  /** The pointer's value when every step is confirmed and only the phase is not. */
  static final String END = "#end";

  private static final Logger LOG = LoggerFactory.getLogger(StepRunner.class);

  private final EngineContext ctx;
  private final Readers readers;
  private final DdlRunner ddl;
  private final OnlineRunner online;
  private final CopyRunner copies;
  private final CallRunner calls;
  private final ScanRunner scans;
  private final Preflight preflight;

  StepRunner(EngineContext ctx, BackfillShared shared) {
    this.ctx = ctx;
    this.readers = new Readers(ctx);
    this.ddl = new DdlRunner(ctx, readers);
    BuildWatch watch = new BuildWatch(ctx, shared.throttle(), shared.alone());
    this.online = new OnlineRunner(ctx, watch, shared.alone());
    this.copies = new CopyRunner(ctx, watch);
    this.calls = new CallRunner(ctx);
    this.scans = new ScanRunner(ctx, shared);
    this.preflight = new Preflight(ctx);
  }

  /** Leaves backfills to others. */
  void letGo() {
    scans.letGo();
  }

  /** Gives running statements a moment to end. */
  void close() {
    online.close();
    copies.close();
  }

  /**
   * Runs what it can.
   *
   * @param row a migration that is entering a phase
   * @param lease the lease, held
   * @param longSteps whether backfills and online builds may be run, or only waited for
   * @param deadline when to stop backfilling, by {@link System#nanoTime()}
   * @return {@link Outcome.Kind#DONE} when the phase is reached
   */
  Outcome run(MigrationRow row, Lease lease, boolean longSteps, long deadline) throws SQLException {
    Optional<Operation<?>> operation = ctx.operation(row);
    if (operation.isEmpty()) {
      return Outcome.cant(missing(ctx, row));
    }
    Outcome before = online.before(row);
    if (before == null) {
      before = copies.before(row);
    }
    if (before != null) {
      return before;
    }
    State state = row.state();
    String phase = row.lifecycle().name(state.entering());
    List<Step> steps =
        operation.get().steps(ctx.target(row), row.facts(), state.upper(), state.direction());
    int at = position(steps, row.step());
    for (; at < steps.size(); at++) {
      Step step = steps.get(at);
      String next = at + 1 < steps.size() ? steps.get(at + 1).name() : END;
      StepContext context = new StepContext(ctx, row, phase, step, next, lease);
      boolean isLong = !(step instanceof DdlStep || step instanceof CallStep);
      if (isLong && !longSteps) {
        return Outcome.running(step.summary() + ", in the background");
      }
      Outcome outcome = runStep(context, deadline);
      if (outcome.kind() == Outcome.Kind.FAILED) {
        outcome = anew(context, operation.get(), outcome);
      }
      if (outcome.kind() == Outcome.Kind.FAILED) {
        fail(context, outcome.waiting() == null ? "" : outcome.waiting().what());
      }
      if (!outcome.done()) {
        return outcome;
      }
    }
    Outcome behind = readers.behind(row);
    if (behind != null) {
      return behind;
    }
    reached(row, phase, lease);
    return Outcome.DONE;
  }

  static String missing(EngineContext ctx, MigrationRow row) {
    return "this driver's library has no "
        + row.lifecycle().operation()
        + " for "
        + ctx.dialect().name()
        + "; a driver that has it must go on";
  }

  private Outcome runStep(StepContext context, long deadline) throws SQLException {
    Step step = context.step();
    try {
      if (step instanceof DdlStep each) {
        return ddl.run(context, each);
      }
      if (step instanceof OnlineStep each) {
        long patience = Math.max(1, (deadline - System.nanoTime()) / 1_000_000);
        return online.run(context, each, Math.min(patience, ctx.timing().tick().toMillis()));
      }
      if (step instanceof CopyStep each) {
        long patience = Math.max(1, (deadline - System.nanoTime()) / 1_000_000);
        return copies.run(context, each, Math.min(patience, ctx.timing().tick().toMillis()));
      }
      if (step instanceof CallStep each) {
        return calls.run(context, each);
      }
      return scans.run(context, deadline);
    } catch (Lease.PausedException e) {
      return Outcome.running("paused before step " + step.name());
    } catch (SQLException e) {
      SqlErrorKind kind = ctx.dialect().classify(e);
      if (kind == SqlErrorKind.CONNECTION_LOST) {
        // Nobody knows whether it happened. The next attempt asks the catalog first.
        LOG.warn(
            "{}: connection lost in step {}; its outcome is unknown and will be probed",
            context.row().id(),
            step.name());
        throw e;
      }
      if (kind == SqlErrorKind.DEADLOCK) {
        // Also a question to the control tables, where the pool's own default is SERIALIZABLE.
        String what = kind + " in step " + step.name() + ": " + e.getMessage();
        context.waits(kind.name(), what, null);
        return Outcome.retry(Wait.Kind.LOCK, what);
      }
      return Outcome.failed(
          "step "
              + step.name()
              + " ("
              + step.summary()
              + ") failed: "
              + e.getMessage()
              + " [SQLSTATE "
              + e.getSQLState()
              + "]"
              + explained(e)
              + "; its SQL: "
              + String.join("; ", step.sql())
              + "; mend the cause, then resume the migration");
    }
  }

  private String explained(SQLException error) {
    try {
      return Db.autoCommit(ctx.ddlDataSource(), c -> ctx.dialect().explain(c, error))
          .map(each -> " (" + each + ")")
          .orElse("");
    } catch (SQLException e) {
      // The error itself matters more.
      return "";
    }
  }

  /**
   * What steps are made from may have changed since: then there are others.
   *
   * @return what came of it; the failure where nothing has changed
   */
  private Outcome anew(StepContext context, Operation<?> operation, Outcome failure)
      throws SQLException {
    MigrationRow row = context.row();
    State state = row.state();
    if (!operation.recapturesOnFailure(state.upper(), state.direction(), row.facts())) {
      return failure;
    }
    Preflight.Found found;
    try {
      found = preflight.run(operation, ctx.target(row), state.upper(), row.facts());
    } catch (RefusedException e) {
      String why = failure.waiting() == null ? "" : failure.waiting().what() + "; looked at anew: ";
      return Outcome.failed(why + e.getMessage());
    } catch (NotYetException e) {
      return Outcome.retry(Wait.Kind.ORDER, e.what());
    }
    if (found.facts().equals(row.facts())) {
      return failure;
    }
    List<String> stopped =
        stopped(
            operation.steps(ctx.target(row), row.facts(), state.upper(), state.direction()),
            operation.steps(ctx.target(row), found.facts(), state.upper(), state.direction()));
    ctx.transaction(
        connection -> {
          context.lease().require(connection);
          for (String step : stopped) {
            if (ctx.backfills()
                .read(connection, row, step)
                .filter(each -> !each.done())
                .isPresent()) {
              ctx.backfills().discard(connection, row, step);
            }
          }
          ctx.migrations().facts(connection, row, found.lifecycle(), found.facts());
          // The same pair; from its first step on.
          ctx.migrations().state(connection, row, state);
          return true;
        });
    return Outcome.more("the catalog has changed meanwhile, and so do the steps");
  }

  /**
   * Walks that there are no more, such as those over a table that is gone. One that may not be made
   * twice is remembered all the same: its table may come back.
   */
  private static List<String> stopped(List<Step> before, List<Step> now) {
    Set<String> names = now.stream().map(Step::name).collect(Collectors.toSet());
    return before.stream()
        .filter(
            each ->
                each instanceof VerifyStep
                    || (each instanceof BackfillStep backfill
                        && !(backfill.repeat() instanceof Repeat.OncePerKey)))
        .map(Step::name)
        .filter(each -> !names.contains(each))
        .toList();
  }

  private static int position(List<Step> steps, @org.jspecify.annotations.Nullable String name) {
    if (END.equals(name)) {
      return steps.size();
    }
    for (int i = 0; i < steps.size(); i++) {
      if (steps.get(i).name().equals(name)) {
        return i;
      }
    }
    // Not begun, or begun by a library that named its steps differently: every step is
    // idempotent, so starting over is safe.
    return 0;
  }

  private void fail(StepContext context, String problem) throws SQLException {
    LOG.error("{} failed: {}", context.row().id(), problem);
    ctx.transaction(
        connection -> {
          context.lease().require(connection);
          ctx.migrations().status(connection, context.row(), MigrationStatus.FAILED, problem);
          // From now on the migration says it, until it is resumed: then it is tried again.
          ctx.backfills().error(connection, context.row(), context.step().name(), null);
          context.event(connection, "FAILED", null, null, null, "FAILED", problem);
          return true;
        });
  }

  private void reached(MigrationRow row, String phase, Lease lease) throws SQLException {
    State state = row.state().confirmed();
    boolean last = state.reached() == row.lifecycle().last() && state.direction() == Direction.UP;
    ctx.transaction(
        connection -> {
          lease.require(connection);
          ctx.migrations().reached(connection, row, state, last);
          ctx.events()
              .append(
                  connection,
                  row,
                  new Event(
                      "PHASE",
                      phase,
                      null,
                      null,
                      null,
                      null,
                      "REACHED",
                      state.direction().name(),
                      lease.token()));
          return true;
        });
    LOG.info(
        "{} {} {}",
        row.id(),
        state.direction() == Direction.UP ? "reached" : "went back to",
        phase);
  }
}
