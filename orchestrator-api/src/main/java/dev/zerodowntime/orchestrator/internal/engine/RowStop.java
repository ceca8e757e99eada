package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.internal.control.Chunk;
import dev.zerodowntime.orchestrator.internal.engine.BackfillWorker.ClaimLostException;
import dev.zerodowntime.orchestrator.internal.engine.BackfillWorker.Held;
import dev.zerodowntime.orchestrator.internal.engine.BackfillWorker.Result;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.RowChange;
import dev.zerodowntime.orchestrator.spi.Scan;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Stops a backfill at a row that is in the way, and says which, why, and how to look at it. */
final class RowStop {

  private final EngineContext ctx;
  private final ScanReads reads;

  RowStop(EngineContext ctx, ScanReads reads) {
    this.ctx = ctx;
    this.reads = reads;
  }

  static String said(SQLException e) {
    return e.getMessage() + " [SQLSTATE " + e.getSQLState() + "]";
  }

  /** A row that the change can't mend, among those that were not changed; null if there is none. */
  @Nullable Result poisoned(BackfillTask task, Held held, BackfillStep backfill, List<String> upTo)
      throws SQLException {
    String poison = backfill.poison();
    if (poison == null) {
      return null;
    }
    List<List<String>> bad =
        reads.alone(
            connection ->
                reads.pending(connection, backfill.scan(), held.chunk().from(), upTo, poison, 1));
    return bad.isEmpty()
        ? null
        : stop(
            task,
            held,
            "row with key "
                + bad.get(0)
                + " of "
                + task.scan().table()
                + " can't be filled: "
                + poison
                + " holds for it; "
                + look(task, bad.get(0)));
  }

  /** A row that fails on its own; the next one of the chunk if its key isn't known. */
  Result bad(BackfillTask task, Held held, @Nullable List<String> known, String said)
      throws SQLException {
    List<String> key = known != null ? known : next(task, held.chunk());
    return stop(
        task,
        held,
        "row with key "
            + key
            + " of "
            + task.scan().table()
            + " can't be "
            + (held.verifying() ? "looked at" : "changed")
            + ": "
            + said
            + "; "
            + look(task, key));
  }

  /** Every batch would be as wrong as this one. */
  Result unrepeatable(BackfillTask task, Held held, BatchRunner.UnrepeatableException e)
      throws SQLException {
    if (task.backfill() != null && task.backfill().change() instanceof RowChange.Compute) {
      return stop(
          task,
          held,
          "the function was applied to the row with key "
              + e.getMessage()
              + " of "
              + task.scan().table()
              + ", and it is still one that has to be changed: "
              + task.scan().pending()
              + "; its batch was rolled back. Mend the row, or release a function that deals with"
              + " it; then resume(\""
              + task.row().id()
              + "\")");
    }
    return stop(
        task,
        held,
        "row with key "
            + e.getMessage()
            + " of "
            + task.scan().table()
            + " was changed, and would be changed again by the next sweep: the change is not one"
            + " that can be repeated; its batch was rolled back. Roll the migration back and"
            + " declare it anew with an expression that yields the same every time, or as work to"
            + " be done once per row");
  }

  private List<String> next(BackfillTask task, Chunk chunk) throws SQLException {
    return reads.alone(
        connection ->
            reads
                .bound(connection, task.scan(), chunk.from(), chunk.to(), 1)
                .map(ScanReads.Bound::key)
                .orElse(chunk.to()));
  }

  /** The claim is given back with it: whoever goes on begins at that row. */
  private Result stop(BackfillTask task, Held held, String problem) throws SQLException {
    reads.alone(
        connection -> {
          Chunk chunk = held.chunk();
          // The backfill's row before its chunks', as everybody does.
          ctx.backfills().error(connection, task.row(), task.name(), problem);
          if (!ctx.reader().running(connection, task.row(), ctx.server())) {
            // Nobody would take notice of it before the row was mended.
            throw new Lease.PausedException();
          }
          if (!ctx.chunks().hold(connection, task.row(), task.name(), chunk)) {
            throw new ClaimLostException();
          }
          return ctx.chunks().release(connection, task.row(), task.name(), chunk);
        });
    return Result.of(Result.Kind.OVER);
  }

  private static String look(BackfillTask task, List<String> key) {
    Scan scan = task.scan();
    List<String> condition = new ArrayList<>();
    for (int i = 0; i < scan.keys().size(); i++) {
      condition.add(scan.keys().get(i).name() + " = '" + key.get(i).replace("'", "''") + "'");
    }
    return "look at it with SELECT * FROM "
        + scan.table()
        + " WHERE "
        + String.join(" AND ", condition)
        + "; mend the row, then resume(\""
        + task.row().id()
        + "\")";
  }
}
