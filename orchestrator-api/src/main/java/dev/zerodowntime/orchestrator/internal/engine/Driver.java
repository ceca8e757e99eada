package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.State;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Member;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import dev.zerodowntime.orchestrator.spi.NotYetException;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import dev.zerodowntime.orchestrator.spi.Step;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Drives migrations as far as their gates allow, one pass at a time. Thread-safe: passes of one
 * process exclude each other; passes of different processes are excluded by the lease.
 */
final class Driver {

  private static final Logger LOG = LoggerFactory.getLogger(Driver.class);
  private static final int MOST_DOUBLINGS = 5;
  private static final long RELEASE_SECONDS = 2;

  /** For how many lease times a driver stands back that can't drive something. */
  private static final int STANDS_BACK = 2;

  private final EngineContext ctx;
  private final Lease lease;
  private final BackupWatch backups;
  private final HealthWatch health;
  private final Gates gates;
  private final Gatekeeper gatekeeper;
  private final StepRunner steps;
  private final Preflight preflight;
  private final ReentrantLock turn = new ReentrantLock();
  private final Map<String, Retry> retries = new HashMap<>();
  private final Map<String, List<String>> done = new LinkedHashMap<>();

  /** By {@link System#nanoTime()}; others get a turn until then. */
  private long standsBackUntil = System.nanoTime();

  Driver(EngineContext ctx, BackfillShared shared) {
    this.ctx = ctx;
    this.lease = new Lease(ctx);
    this.backups = new BackupWatch(ctx);
    this.health = new HealthWatch(ctx);
    this.gates = new Gates(ctx, backups, health);
    this.gatekeeper = new Gatekeeper(ctx, gates, health);
    this.steps = new StepRunner(ctx, shared);
    this.preflight = new Preflight(ctx);
  }

  private record Retry(int failures, long notBefore, @Nullable Wait reason) {}

  /**
   * What a pass found.
   *
   * @param leading whether this process holds the lease
   * @param waits what each migration waits for; empty where nobody looked
   * @param busy whether there is something to do at once: a backfill's next batch
   * @param soon whether a lock will be tried for again
   * @param running whether a long statement is running
   */
  record Pass(
      boolean leading, Map<String, List<Wait>> waits, boolean busy, boolean soon, boolean running) {

    static final Pass NOT_LEADING = new Pass(false, Map.of(), false, false, false);

    /** The lease was ours and is no longer: perhaps nobody's, so it is asked for again soon. */
    static final Pass LOST = new Pass(false, Map.of(), false, true, false);
  }

  /** What was done since the last call, by migration. */
  Map<String, List<String>> takeDone() {
    turn.lock();
    try {
      Map<String, List<String>> taken = new LinkedHashMap<>(done);
      done.clear();
      return taken;
    } finally {
      turn.unlock();
    }
  }

  /**
   * Does what may be done now.
   *
   * @param longSteps whether backfills and online builds may be run here
   * @param deadline when to stop, by {@link System#nanoTime()}
   */
  Pass pass(boolean longSteps, long deadline) throws SQLException {
    turn.lock();
    try {
      if (System.nanoTime() - standsBackUntil < 0 || !lease.hold()) {
        gatekeeper.blinked();
        steps.letGo();
        return Pass.NOT_LEADING;
      }
      return drive(longSteps, deadline);
    } catch (Lease.LeaseLostException e) {
      LOG.info("the lease was lost: taken over, or void");
      gatekeeper.blinked();
      return Pass.LOST;
    } catch (SQLException e) {
      gatekeeper.blinked();
      if (ctx.dialect().classify(e) == SqlErrorKind.CONNECTION_LOST) {
        lease.lose();
      }
      throw e;
    } finally {
      turn.unlock();
    }
  }

  /** Somebody wants this process to drive now, whoever else could. */
  void takeTurn() {
    turn.lock();
    try {
      standsBackUntil = System.nanoTime();
    } finally {
      turn.unlock();
    }
  }

  /** The gates, as this driver knows them. */
  Gates gates() {
    return gates;
  }

  /** Ends what can be ended, and gives the lease back. */
  void close() {
    backups.close();
    health.close();
    steps.close();
    release();
  }

  /**
   * Gives the lease back, so that others need not wait for it to expire. A pass that hangs in the
   * network keeps it.
   */
  void release() {
    try {
      if (!turn.tryLock(RELEASE_SECONDS, TimeUnit.SECONDS)) {
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return;
    }
    try {
      steps.letGo();
      lease.release();
    } catch (SQLException e) {
      LOG.debug("the lease could not be released; it will expire", e);
    } finally {
      turn.unlock();
    }
  }

  private Pass drive(boolean longSteps, long deadline) throws SQLException {
    boolean busy;
    boolean soon;
    boolean running;
    Gatekeeper.Look look;
    Map<String, List<Wait>> waits;
    boolean progress;
    boolean cant;
    do {
      look = gatekeeper.look(lease);
      waits = new LinkedHashMap<>(look.waits());
      progress = backups.ask(look) | unwell(look);
      busy = false;
      soon = false;
      running = false;
      cant = nobodyToConfirm(look);
      Wait unseen = unseenReaders(look.snapshot());
      boolean stopped = look.snapshot().control().paused();
      boolean foreign = ctx.foreign(look.snapshot().control());
      for (MigrationRow row : work(look)) {
        if ((stopped || foreign) && !row.state().atRest()) {
          waits.put(
              row.key(), List.of(Wait.of(Wait.Kind.PAUSED, gates.whyPaused(look.snapshot()))));
          continue;
        }
        if (unseen != null) {
          cant = true;
          waits.put(row.key(), List.of(unseen));
          continue;
        }
        Retry retry = retries.get(row.key());
        if (retry != null && System.nanoTime() - retry.notBefore() < 0) {
          soon = true;
          Wait last = retry.reason();
          waits.put(
              row.key(),
              List.of(last == null ? Wait.of(Wait.Kind.LOCK, "trying again soon") : last));
          continue;
        }
        Outcome outcome = advance(row, longSteps, sliceEnd(deadline));
        switch (outcome.kind()) {
          case DONE -> {
            retries.remove(row.key());
            progress = true;
          }
          case MORE -> busy = true;
          case RUNNING -> running = true;
          case HELD -> soon = true;
          case RETRY -> {
            soon = true;
            backOff(row, outcome);
          }
          case CANT -> cant = true;
          case FAILED -> {
            // The migration's row says why; others go on.
          }
        }
        Wait wait = outcome.waiting();
        if (wait != null) {
          waits.put(row.key(), List.of(wait));
        }
        if (!lease.renew()) {
          return Pass.LOST;
        }
      }
    } while (progress && System.nanoTime() - deadline < 0);
    running |= backups.asking();
    if (cant && !busy && !progress && !running && !soon) {
      // Somebody else may be able to: they get a turn. This one comes back for the others.
      lease.release();
      standsBackUntil = System.nanoTime() + STANDS_BACK * ctx.timing().lease().toNanos();
    }
    return new Pass(true, waits, busy || progress, soon, running);
  }

  /** Migrations that move, and those that may enter their next phase, in declaration order. */
  private static List<MigrationRow> work(Gatekeeper.Look look) {
    List<MigrationRow> work = new ArrayList<>();
    List<MigrationRow> ready = look.ready();
    for (MigrationRow row : look.snapshot().migrations()) {
      if (row.status() == MigrationStatus.ACTIVE && !row.state().atRest()) {
        work.add(row);
      } else if (ready.contains(row)) {
        work.add(row);
      }
    }
    return work;
  }

  private Outcome advance(MigrationRow row, boolean longSteps, long deadline) throws SQLException {
    MigrationRow moving = row;
    if (!row.state().atRest()) {
      Integer target = row.target();
      boolean turnRound =
          target != null
              && row.state().direction() == Direction.UP
              && target < row.state().entering()
              && row.lifecycle().reachable(row.state().entering(), row.state().reached());
      if (turnRound) {
        Optional<MigrationRow> turned = gatekeeper.reverse(row, lease);
        if (turned.isEmpty()) {
          return Outcome.more("gone");
        }
        moving = turned.get();
      }
    } else {
      Optional<MigrationRow> entered;
      try {
        entered = enter(row);
      } catch (NotYetException e) {
        note(row, e.what());
        return Outcome.retry(Wait.Kind.ORDER, e.what());
      } catch (CantException e) {
        String what = String.valueOf(e.getMessage());
        note(row, what);
        return Outcome.cant(what);
      }
      if (entered.isEmpty()) {
        return Outcome.more("to be looked at again");
      }
      moving = entered.get();
      if (moving.state().atRest()) {
        return Outcome.DONE;
      }
    }
    State state = moving.state();
    Outcome outcome = steps.run(moving, lease, longSteps, deadline);
    if (outcome.done()) {
      done.computeIfAbsent(moving.key(), key -> new ArrayList<>())
          .add(
              (state.direction() == Direction.UP ? "reached " : "went back to ")
                  + moving.lifecycle().name(state.entering()));
    }
    return outcome;
  }

  /** For whoever asks another process, or the table. */
  private void note(MigrationRow row, String what) throws SQLException {
    if (!what.equals(row.waiting())) {
      Db.autoCommit(
          ctx.dataSource(),
          connection -> {
            ctx.migrations().waits(connection, row, what);
            return true;
          });
    }
  }

  /**
   * Replicas that some member's queries go to, and that this process can't look at: a lock would be
   * replayed there unseen.
   */
  private @Nullable Wait unseenReaders(Snapshot snapshot) {
    for (Member member : snapshot.members()) {
      for (String reader : member.readers()) {
        if (snapshot.live(member) && !ctx.readers().containsKey(reader)) {
          return Wait.of(
              Wait.Kind.REPLICA,
              "replica "
                  + reader
                  + " of "
                  + member.application()
                  + " "
                  + member.release()
                  + " is not known to this driver; a driver with .reader(\""
                  + reader
                  + "\", …) must go on");
        }
      }
    }
    return null;
  }

  /** Sends back what isn't well. */
  private boolean unwell(Gatekeeper.Look look) throws SQLException {
    boolean any = false;
    for (Map.Entry<MigrationRow, String> each : health.ask(look).entrySet()) {
      MigrationRow row = each.getKey();
      if (gatekeeper.unwell(row, lease, each.getValue())) {
        String what =
            "the health check after "
                + row.lifecycle().name(row.state().reached())
                + " failed: "
                + each.getValue();
        LOG.error("{}: {}", row.id(), what);
        done.computeIfAbsent(row.key(), key -> new ArrayList<>()).add(what);
        any = true;
      }
      health.settled(row);
    }
    return any;
  }

  /** Whether something waits for a gate or a check that another process may have. */
  private boolean nobodyToConfirm(Gatekeeper.Look look) {
    return look.waits().values().stream()
        .filter(waits -> waits.size() == 1)
        .map(waits -> waits.get(0).kind())
        .anyMatch(
            kind ->
                kind == Wait.Kind.BACKUP && ctx.backupGate() == null
                    || kind == Wait.Kind.HEALTH && ctx.healthCheck() == null);
  }

  /** This process can't; another may. */
  private static final class CantException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    CantException(String why) {
      super(why, null, false, false);
    }
  }

  private Optional<MigrationRow> enter(MigrationRow row) throws SQLException {
    if (gates.isEmpty(row) && new Rows(ctx).any(row)) {
      // Somebody has come by: from here on it has its phases.
      gates.aim(null);
      return Optional.empty();
    }
    Operation<?> operation = ctx.operation(row).orElse(null);
    if (operation == null) {
      throw new CantException(StepRunner.missing(ctx, row));
    }
    boolean up = !row.goesDown();
    int phase = up ? row.state().reached() + 1 : row.state().reached();
    boolean asks = up && (operation.recaptures(phase) || !Preflight.captured(row));
    Preflight.Found found = null;
    if (asks || !up) {
      try {
        if (up) {
          found = preflight.run(operation, ctx.target(row), phase, row.facts());
        } else {
          preflight.back(operation, ctx.target(row), phase, row.facts());
        }
      } catch (RefusedException e) {
        if (e.code() == ErrorCode.MISSING_PRIVILEGE) {
          // This process's user may not; another driver's may.
          throw new CantException(String.valueOf(e.getMessage()));
        }
        refuse(row, e);
        return Optional.of(row);
      }
      if (found != null && !Preflight.captured(row)) {
        // The gates look at the steps, which follow from the facts: store these first.
        store(row, found);
        return Optional.of(row);
      }
    }
    List<Step> planned =
        operation.steps(
            ctx.target(row),
            found == null ? row.facts() : found.facts(),
            phase,
            up ? Direction.UP : Direction.DOWN);
    return gatekeeper.enter(
        row,
        lease,
        new Gatekeeper.Prepared(
            planned,
            found == null ? null : found.lifecycle(),
            found == null ? null : found.facts()));
  }

  private void store(MigrationRow row, Preflight.Found found) throws SQLException {
    ctx.transaction(
        connection -> {
          lease.require(connection);
          MigrationRow now = ctx.reader().migration(connection, row.id(), row.schema()).orElse(row);
          if (now.operation().equals(row.operation())) {
            // Else it was declared anew meanwhile, and these are facts about something else.
            ctx.migrations().facts(connection, row, found.lifecycle(), found.facts());
          }
          return true;
        });
  }

  private void refuse(MigrationRow row, RefusedException refused) throws SQLException {
    LOG.error("{}", refused.getMessage());
    ctx.transaction(
        connection -> {
          lease.require(connection);
          ctx.migrations()
              .status(
                  connection, row, MigrationStatus.FAILED, String.valueOf(refused.getMessage()));
          return true;
        });
  }

  private long sliceEnd(long deadline) {
    long slice = System.nanoTime() + ctx.timing().tick().toNanos();
    return slice - deadline < 0 ? slice : deadline;
  }

  private void backOff(MigrationRow row, Outcome outcome) {
    Retry before = retries.get(row.key());
    int failures = before == null ? 1 : before.failures() + 1;
    long pause = ctx.timing().retryPause().toNanos() << Math.min(failures - 1, MOST_DOUBLINGS - 1);
    long most = ctx.timing().retryPause().toNanos() * 20;
    long jittered =
        Math.min(pause, most) / 2
            + ThreadLocalRandom.current().nextLong(Math.min(pause, most) / 2 + 1);
    Duration after = outcome.after();
    long rest = after == null ? jittered : Math.max(jittered, after.toNanos());
    retries.put(row.key(), new Retry(failures, System.nanoTime() + rest, outcome.waiting()));
  }
}
