package dev.zerodowntime.orchestrator.internal.control;

import dev.zerodowntime.orchestrator.DatabaseException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.internal.json.Json;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How far a backfill or verification has come.
 *
 * @param step the step
 * @param verifying whether rows are only looked at
 * @param finished whether it is done
 * @param sweep which walk over the table this is
 * @param cursor the key up to which the walk has come, or null at its start
 * @param end the key at which this walk ends, or null for an empty table
 * @param rowsDone rows changed
 * @param rowsTotal estimated rows of the table, negative if unknown
 * @param leftOver rows found pending by the verification so far
 * @param batchRows rows per batch
 */
public record Progress(
    String step,
    boolean verifying,
    boolean finished,
    int sweep,
    @Nullable List<String> cursor,
    @Nullable List<String> end,
    long rowsDone,
    long rowsTotal,
    long leftOver,
    int batchRows) {

  /** A verification only reads, so its chunks may be larger than those that lock. */
  private static final int VERIFY_FACTOR = 10;

  /** Reads the progress of a step. */
  public static Optional<Progress> read(
      Connection connection, ControlTables tables, MigrationRow row, String step)
      throws SQLException {
    return Db.queryOne(
        connection,
        "SELECT state, sweep, cursor_key, end_key, rows_done, rows_total, left_over, batch_rows"
            + " FROM "
            + tables.table("backfill")
            + " WHERE migration = ? AND target_schema = ? AND step = ?",
        found -> {
          String state = found.getString(1);
          return new Progress(
              step,
              !state.equals("RUNNING"),
              state.equals("DONE"),
              found.getInt(2),
              key(tables, row, step, found.getString(3)),
              key(tables, row, step, found.getString(4)),
              found.getLong(5),
              found.getLong(6),
              found.getLong(7),
              found.getInt(8));
        },
        row.id(),
        row.schema(),
        step);
  }

  private static @Nullable List<String> key(
      ControlTables tables, MigrationRow row, String step, @Nullable String json) {
    try {
      return json == null ? null : Json.readStrings(json);
    } catch (RuntimeException e) {
      throw new DatabaseException(
          ErrorCode.UNREADABLE_ROW,
          "The row of step "
              + step
              + " of migration "
              + row.id()
              + " (schema "
              + row.schema()
              + ") in "
              + tables.table("backfill")
              + " can't be read: "
              + e.getMessage(),
          "It was damaged by hand or written by a newer library: mend the row, or delete it to begin"
              + " the step anew.",
          e);
    }
  }

  /** Writes the row, new or not. */
  public void write(Connection connection, ControlTables tables, MigrationRow row)
      throws SQLException {
    String state = finished ? "DONE" : verifying ? "VERIFYING" : "RUNNING";
    String now = tables.sql().now();
    int updated =
        Db.update(
            connection,
            "UPDATE "
                + tables.table("backfill")
                + " SET state = ?, sweep = ?, cursor_key = ?, end_key = ?, rows_done = ?,"
                + " rows_total = ?, left_over = ?, batch_rows = ?, updated_at = "
                + now
                + (finished ? ", finished_at = " + now : "")
                + " WHERE migration = ? AND target_schema = ? AND step = ?",
            state,
            sweep,
            cursor == null ? null : Json.write(cursor),
            end == null ? null : Json.write(end),
            rowsDone,
            rowsTotal,
            leftOver,
            batchRows,
            row.id(),
            row.schema(),
            step);
    if (updated == 0) {
      Db.update(
          connection,
          "INSERT INTO "
              + tables.table("backfill")
              + " (migration, target_schema, step, state, sweep, end_key, rows_total,"
              + " left_over, batch_rows) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
          row.id(),
          row.schema(),
          step,
          state,
          sweep,
          end == null ? null : Json.write(end),
          rowsTotal,
          leftOver,
          batchRows);
    }
  }

  /** Discards the progress of a step: it starts anew. */
  public static void discard(
      Connection connection, ControlTables tables, MigrationRow row, String step)
      throws SQLException {
    Db.update(
        connection,
        "DELETE FROM "
            + tables.table("backfill")
            + " WHERE migration = ? AND target_schema = ? AND step = ?",
        row.id(),
        row.schema(),
        step);
  }

  /** A walk over the table, from its start. */
  public Progress walk(boolean verify, int number, @Nullable List<String> lastKey) {
    return new Progress(
        step, verify, false, number, null, lastKey, rowsDone, rowsTotal, 0, batchRows);
  }

  /** One batch further. */
  public Progress moved(List<String> to, long rows, long left) {
    return new Progress(
        step,
        verifying,
        finished,
        sweep,
        to,
        end,
        rowsDone + rows,
        rowsTotal,
        leftOver + left,
        batchRows);
  }

  /** Rows changed without getting to the end of a batch. */
  public Progress changed(long rows) {
    return new Progress(
        step,
        verifying,
        finished,
        sweep,
        cursor,
        end,
        rowsDone + rows,
        rowsTotal,
        leftOver,
        batchRows);
  }

  /** The same with another batch size. */
  public Progress batch(int rows) {
    return new Progress(
        step, verifying, finished, sweep, cursor, end, rowsDone, rowsTotal, leftOver, rows);
  }

  /** Half as many rows a batch, but never none. */
  public Progress halved() {
    return batch(Math.max(1, batchRows / 2));
  }

  /**
   * With the batch size that follows from how long one took.
   *
   * @param millis how long
   * @param budget how long it may take
   * @param most the most rows a batch may have
   */
  public Progress sized(long millis, long budget, int most) {
    Progress next = millis > budget ? halved() : millis < budget / 4 ? batch(batchRows * 2) : this;
    return next.batchRows > most ? next.batch(most) : next;
  }

  /** Rows per chunk of the present walk. */
  public int chunkRows() {
    return verifying ? batchRows * VERIFY_FACTOR : batchRows;
  }

  /** Nothing is left to do. */
  public Progress done() {
    return new Progress(
        step, verifying, true, sweep, cursor, end, rowsDone, rowsTotal, leftOver, batchRows);
  }

  /** For people. */
  public String describe() {
    return (verifying ? "verifying" : "backfilling")
        + ", "
        + rowsDone
        + " rows changed of about "
        + (rowsTotal < 0 ? "?" : rowsTotal)
        + (sweep > 1 ? ", sweep " + sweep : "")
        + (cursor == null ? "" : ", at key " + cursor)
        + ", in batches of "
        + chunkRows()
        + (chunkRows() == 1 ? " row" : " rows");
  }
}
