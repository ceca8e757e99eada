package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.internal.control.BackfillStore;
import dev.zerodowntime.orchestrator.internal.control.Db;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The threads of this process that work on backfills, whoever drives. How many work on one backfill
 * is decided by its row: those that find enough others there do nothing.
 */
final class BackfillCrew implements AutoCloseable {

  /** Nobody asks more often whether there is something to do, in multiples of the tick. */
  private static final int IDLE_TICKS = 5;

  private final EngineContext ctx;
  private final BackfillShared shared;
  private final int size;
  private final List<Repeating> threads = new ArrayList<>();
  private final List<BackfillWorker> workers = new ArrayList<>();
  private int shifts;

  BackfillCrew(EngineContext ctx, Stop stop, Throttle throttle, BackfillReports reports, int size) {
    this.ctx = ctx;
    this.size = size;
    this.shared = new BackfillShared(stop, throttle, new Alone(), reports, this::wakeUp);
  }

  /** What the driver's own worker shares with these. */
  BackfillShared shared() {
    return shared;
  }

  /** Has the threads work until {@link #leave} was called as often. */
  synchronized void enter() {
    shifts++;
    if (shifts > 1 || shared.stop().asked()) {
      return;
    }
    for (int i = 1; i <= size; i++) {
      BackfillWorker worker = new BackfillWorker(ctx, shared, "backfill-" + i);
      Repeating thread =
          new Repeating(
              "orchestrator-backfill-" + i + " " + ctx.application(),
              () -> work(worker),
              ctx.timing().tick().toNanos());
      threads.add(thread);
      workers.add(worker);
      thread.start();
    }
  }

  /** See {@link #enter}. */
  void leave() {
    synchronized (this) {
      shifts--;
      if (shifts > 0) {
        return;
      }
    }
    end();
  }

  private void end() {
    List<Repeating> leaving;
    List<BackfillWorker> theirs;
    synchronized (this) {
      leaving = List.copyOf(threads);
      theirs = List.copyOf(workers);
      threads.clear();
      workers.clear();
    }
    leaving.forEach(Repeating::close);
    theirs.forEach(BackfillWorker::letGo);
  }

  private synchronized void wakeUp() {
    threads.forEach(Repeating::wake);
  }

  private long work(BackfillWorker worker) throws SQLException {
    long tick = ctx.timing().tick().toNanos();
    if (shared.stop().asked()) {
      return IDLE_TICKS * tick;
    }
    List<BackfillStore.Open> open = Db.autoCommit(ctx.dataSource(), ctx.backfills()::open);
    Set<String> worked = new HashSet<>();
    boolean more = false;
    boolean others = false;
    for (BackfillStore.Open each : open) {
      Optional<BackfillTask> task =
          Db.autoCommit(ctx.dataSource(), c -> BackfillTask.of(ctx, c, each));
      if (task.isPresent()) {
        worked.add(task.get().key());
        BackfillWorker.Result result = worker.work(task.get(), System.nanoTime() + tick);
        more |= result.kind() == BackfillWorker.Result.Kind.MORE;
        others |= result.kind() == BackfillWorker.Result.Kind.IDLE;
      }
    }
    worker.letGo(worked);
    if (more) {
      return 0;
    }
    // A large fleet does not ask all at once.
    long pause = others ? tick : IDLE_TICKS * tick;
    return pause / 2 + ThreadLocalRandom.current().nextLong(pause / 2 + 1);
  }

  @Override
  public void close() {
    synchronized (this) {
      shifts = 0;
    }
    end();
  }
}
