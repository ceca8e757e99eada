package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.RowFunction;
import dev.zerodowntime.orchestrator.internal.control.Chunk;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.Repeat;
import dev.zerodowntime.orchestrator.spi.RowChange;
import dev.zerodowntime.orchestrator.spi.ScanSql;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * Changes the rows of one batch, in the caller's transaction. Locks of others are never waited for
 * while rows are locked here: either next to nothing is waited, and the whole batch fails where
 * somebody else has locked a row, or such rows are skipped.
 */
final class BatchRunner {

  /** How rows that others have locked are met. */
  enum Way {
    /** Cheapest: there are none; if there are, the batch fails. */
    AT_ONCE,
    /** They are skipped, and looked for afterwards. */
    AROUND_LOCKS,
    /** A batch of one row waits for it. */
    WAITING
  }

  private static final int SHOWN_KEYS = 5;

  /**
   * Long enough for the moments in which a file is extended, which servers count as waiting for a
   * lock, too; far too short for a deadlock with somebody else to be found on their side.
   */
  private static final long AT_ONCE_MILLIS = 20;

  private final EngineContext ctx;
  private final ScanSql sql;
  private final ScanReads reads;

  BatchRunner(EngineContext ctx, ScanReads reads) {
    this.ctx = ctx;
    this.sql = ctx.dialect().scans();
    this.reads = reads;
  }

  /**
   * A batch.
   *
   * @param task what is done
   * @param chunk the chunk it is the next part of
   * @param upTo the last key
   * @param limit how many milliseconds its statements may take, 0 for no limit
   * @param check whether to make sure that a row which was changed is not pending any more
   */
  record Batch(BackfillTask task, Chunk chunk, List<String> upTo, long limit, boolean check) {
    BackfillStep backfill() {
      BackfillStep backfill = task.backfill();
      if (backfill == null) {
        throw new IllegalStateException(task.name() + " changes nothing");
      }
      return backfill;
    }

    Object[] range(ScanSql sql) {
      return sql.range(task.scan(), chunk.from(), upTo).toArray();
    }
  }

  /**
   * What came of a batch.
   *
   * @param rows how many rows were changed
   * @param skipped keys of rows that are left since others have locked them
   */
  record Changed(long rows, List<List<String>> skipped) {}

  /** A row that was changed is pending again: changing it once more would do harm. */
  static final class UnrepeatableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    UnrepeatableException(List<String> key) {
      super(String.valueOf(key), null, false, false);
    }
  }

  /** The author's function failed. */
  static final class FunctionException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    FunctionException(Exception cause) {
      super(String.valueOf(cause), cause);
    }
  }

  /** The author's function took longer than a batch may. */
  static final class TooSlowException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TooSlowException() {
      super("the function takes longer than the lock budget", null, false, false);
    }
  }

  /** Which way suits a backfill, as long as nobody is in its way. */
  static Way usual(BackfillStep backfill) {
    return backfill.change() instanceof RowChange.Compute
            && !(backfill.repeat() instanceof Repeat.OncePerKey)
        ? Way.AROUND_LOCKS
        : Way.AT_ONCE;
  }

  Changed change(Connection connection, Batch batch, Way way) throws SQLException {
    BackfillStep backfill = batch.backfill();
    long start = System.nanoTime();
    long lockMillis = way == Way.AT_ONCE ? AT_ONCE_MILLIS : ctx.timing().lockBudget().toMillis();
    reads.limit(connection, batch.limit(), lockMillis);
    boolean bounded = batch.chunk().from() != null;
    long rows;
    if (backfill.change() instanceof RowChange.Compute compute) {
      rows = compute(connection, batch, compute, sql.read(backfill, bounded), batch.range(sql));
    } else {
      String statement =
          way == Way.AROUND_LOCKS
              ? sql.update(backfill, bounded)
              : sql.updateAll(backfill, bounded);
      rows =
          update(
              connection,
              batch.limit(),
              batch.task().tag(batch.chunk()) + statement,
              batch.range(sql));
    }
    // The rows stay locked: what follows has only what is left.
    long left = batch.limit() == 0 ? 0 : Math.max(1, batch.limit() - DdlRunner.millisSince(start));
    reads.limit(connection, left, ctx.timing().lockBudget().toMillis());
    return new Changed(rows, skipped(connection, batch, way));
  }

  private int update(Connection connection, long limit, String statement, Object... parameters)
      throws SQLException {
    return limit == 0 || sql.limitsRuns()
        ? Db.update(connection, statement, parameters)
        : Cutoff.update(connection, limit, statement, parameters);
  }

  /** Rows of the range that were not changed; none is looked for where none can be. */
  private List<List<String>> skipped(Connection connection, Batch batch, Way way)
      throws SQLException {
    BackfillStep backfill = batch.backfill();
    if (backfill.repeat() instanceof Repeat.OncePerKey) {
      // All of them were changed, and may be pending all the same.
      return List.of();
    }
    List<List<String>> left =
        way == Way.AROUND_LOCKS ? pending(connection, batch, "", SHOWN_KEYS) : List.of();
    // Those that are left are tried again, and must not be what was just changed.
    if (backfill.mustFinish() && (batch.check() || !left.isEmpty())) {
      List<List<String>> again = pending(connection, batch, sql.writtenHere(backfill.scan()), 1);
      if (!again.isEmpty()) {
        throw new UnrepeatableException(again.get(0));
      }
    }
    return left;
  }

  private List<List<String>> pending(Connection connection, Batch batch, String extra, int most)
      throws SQLException {
    return reads.pending(
        connection, batch.task().scan(), batch.chunk().from(), batch.upTo(), extra, most);
  }

  /** Waits for one row that others hold, holding nothing else meanwhile. */
  long changeOne(Connection connection, BackfillTask task, Chunk chunk, List<String> key)
      throws SQLException {
    Batch one = new Batch(task, chunk, key, 0, false);
    BackfillStep backfill = one.backfill();
    // How long it waits is limited; a single row can't be made smaller.
    reads.limit(connection, 0, ctx.timing().lockBudget().toMillis());
    if (backfill.change() instanceof RowChange.Compute compute) {
      return compute(
          connection, one, compute, sql.readOne(backfill), sql.key(task.scan(), key).toArray());
    }
    return Db.update(
        connection, task.tag(chunk) + sql.updateOne(backfill), sql.key(task.scan(), key).toArray());
  }

  private long compute(
      Connection connection,
      Batch batch,
      RowChange.Compute compute,
      String read,
      Object[] parameters)
      throws SQLException {
    RowFunction function = compute.function();
    if (function == null) {
      throw new IllegalStateException("this build has no function for " + batch.task().key());
    }
    List<ComputedRow> rows =
        Db.query(
            connection,
            batch.task().tag(batch.chunk()) + read,
            row -> ComputedRow.read(row, batch.task().scan(), compute),
            parameters);
    if (rows.isEmpty()) {
      return 0;
    }
    long start = System.nanoTime();
    try {
      function.apply(List.copyOf(rows));
    } catch (Exception e) {
      // An interrupt is the function's own affair: nobody interrupts a worker.
      throw new FunctionException(e);
    }
    if (batch.limit() > 0 && DdlRunner.millisSince(start) >= batch.limit()) {
      // The server's limit is for statements; nothing is written yet.
      throw new TooSlowException();
    }
    List<ScanSql.Computed> computed = new ArrayList<>();
    rows.forEach(each -> computed.add(each.computed()));
    return sql.write(
        connection, batch.task().tag(batch.chunk()), batch.backfill(), List.copyOf(computed));
  }
}
