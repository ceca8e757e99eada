package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.BackfillListener;
import dev.zerodowntime.orchestrator.BackfillProgress;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells log and listener how backfills get on that this process works on. Thread-safe. */
final class BackfillReports {

  private static final Logger LOG = LoggerFactory.getLogger(BackfillReports.class);
  private static final long LISTENER_NANOS = Duration.ofSeconds(1).toNanos();
  private static final long LOG_NANOS = Duration.ofSeconds(30).toNanos();

  private final EngineContext ctx;
  private final @Nullable BackfillListener listener;
  private final Map<String, Told> told = new HashMap<>();
  private final ReentrantLock listening = new ReentrantLock();

  BackfillReports(EngineContext ctx, @Nullable BackfillListener listener) {
    this.ctx = ctx;
    this.listener = listener;
  }

  /** When somebody was last told, by {@link System#nanoTime()}. */
  private record Told(long listener, long log) {}

  /** How far a backfill has come; empty if it has not begun. */
  static Optional<BackfillProgress> read(
      EngineContext ctx, Connection connection, MigrationRow row, String step) throws SQLException {
    var found = ctx.backfills().read(connection, row, step);
    return found.isEmpty()
        ? Optional.empty()
        : Optional.of(found.get().progress(row, ctx.chunks().read(connection, row, step)));
  }

  /** Something has moved: says so, if it is time to. */
  void moved(BackfillTask task) throws SQLException {
    tell(task.row(), task.name(), false);
  }

  /** It has ended, in whatever way: says so. */
  void ended(BackfillTask task) throws SQLException {
    tell(task.row(), task.name(), true);
  }

  private void tell(MigrationRow row, String step, boolean last) throws SQLException {
    Due due = due(row.key() + "|" + step, last);
    if (!due.listener() && !due.log()) {
      return;
    }
    BackfillProgress progress =
        Db.autoCommit(ctx.ddlDataSource(), c -> read(ctx, c, row, step)).orElse(null);
    if (progress == null) {
      return;
    }
    if (due.log()) {
      LOG.info("{} step {}: {}", row.id(), step, progress);
    }
    BackfillListener to = listener;
    if (due.listener() && to != null) {
      tell(to, progress, last);
    }
  }

  /** What is due. */
  private record Due(boolean listener, boolean log) {}

  private synchronized Due due(String key, boolean last) {
    long now = System.nanoTime();
    Told before = told.computeIfAbsent(key, k -> new Told(now - LISTENER_NANOS, now));
    boolean toListener = listener != null && (last || now - before.listener() >= LISTENER_NANOS);
    boolean toLog = last || now - before.log() >= LOG_NANOS;
    told.put(key, new Told(toListener ? now : before.listener(), toLog ? now : before.log()));
    if (last) {
      told.remove(key);
    }
    return new Due(toListener, toLog);
  }

  /** One call at a time; a slow listener misses some, and holds up none but the one who calls. */
  private void tell(BackfillListener to, BackfillProgress progress, boolean last) {
    if (last) {
      listening.lock();
    } else if (!listening.tryLock()) {
      return;
    }
    try {
      to.progress(progress);
    } catch (RuntimeException e) {
      LOG.warn("the backfill listener failed: {}", e.toString(), e);
    } finally {
      listening.unlock();
    }
  }
}
