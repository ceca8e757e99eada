package dev.zerodowntime.orchestrator.internal.control;

import dev.zerodowntime.orchestrator.DatabaseException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.internal.json.Json;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The rows of backfills. A backfill's row is locked to claim a chunk from it, never while rows of
 * the application are locked; so it is held for moments only.
 */
public final class BackfillStore {

  private static final String KEY = " WHERE migration = ? AND target_schema = ? AND step = ?";

  private final ControlTables tables;

  /**
   * Reads and writes the given tables.
   *
   * @param tables the control tables
   */
  public BackfillStore(ControlTables tables) {
    this.tables = tables;
  }

  private String table() {
    return tables.table("backfill");
  }

  private String select() {
    return "SELECT state, sweep, cursor_key, end_key, rows_done, rows_seen, rows_total, left_over,"
        + " batch_rows, chunks, rows_per_second, "
        + tables.sql().millis("rate_at")
        + ", min_rows, max_rows, target_ms, pause_ms, workers, max_lag_ms, max_waiting, run_window,"
        + " paused, waiting, last_error, "
        + tables.sql().millis("started_at")
        + ", "
        + tables.sql().millis(tables.sql().now())
        + " FROM "
        + table()
        + KEY;
  }

  /** Reads a backfill. */
  public Optional<BackfillRow> read(Connection connection, MigrationRow row, String step)
      throws SQLException {
    return read(connection, row, step, "");
  }

  /** Locks a backfill's row to claim from it; empty if it isn't there, or others claim just now. */
  public Optional<BackfillRow> lock(Connection connection, MigrationRow row, String step)
      throws SQLException {
    return read(connection, row, step, " FOR UPDATE SKIP LOCKED");
  }

  /** The same as {@link #lock}, waiting for others. */
  public Optional<BackfillRow> lockPatiently(Connection connection, MigrationRow row, String step)
      throws SQLException {
    return read(connection, row, step, " FOR UPDATE");
  }

  private Optional<BackfillRow> read(
      Connection connection, MigrationRow row, String step, String lock) throws SQLException {
    return Db.queryOne(
        connection, select() + lock, found -> map(row, step, found), row.id(), row.schema(), step);
  }

  private BackfillRow map(MigrationRow row, String step, ResultSet found) throws SQLException {
    String state = found.getString(1);
    long total = found.getLong(7);
    boolean unknown = found.wasNull();
    double rate = found.getDouble(11);
    boolean noRate = found.wasNull();
    return new BackfillRow(
        step,
        !state.equals("RUNNING"),
        state.equals("DONE"),
        found.getInt(2),
        key(row, step, found.getString(3)),
        key(row, step, found.getString(4)),
        found.getLong(5),
        found.getLong(6),
        unknown ? -1 : total,
        found.getLong(8),
        found.getInt(9),
        found.getLong(10),
        noRate ? -1 : rate,
        found.getLong(12),
        new PaceOverrides(
            integer(found, 13),
            integer(found, 14),
            number(found, 15),
            number(found, 16),
            integer(found, 17),
            number(found, 18),
            integer(found, 19),
            found.getString(20)),
        found.getBoolean(21),
        found.getString(22),
        found.getString(23),
        found.getLong(24),
        found.getLong(25));
  }

  private static @Nullable Long number(ResultSet row, int column) throws SQLException {
    long value = row.getLong(column);
    return row.wasNull() ? null : value;
  }

  private static @Nullable Integer integer(ResultSet row, int column) throws SQLException {
    int value = row.getInt(column);
    return row.wasNull() ? null : value;
  }

  /** Reads a key. */
  @Nullable List<String> key(MigrationRow row, String step, @Nullable String json) {
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
              + table()
              + " can't be read: "
              + e.getMessage(),
          "It was damaged by hand or written by a newer library: mend the row. Only where a change"
              + " may be made twice, it may be deleted as well, to begin the step anew.",
          e);
    }
  }

  static @Nullable String json(@Nullable List<String> key) {
    return key == null ? null : Json.write(key);
  }

  /** Which steps of a migration have begun, oldest first. */
  public List<String> steps(Connection connection, MigrationRow row) throws SQLException {
    return Db.query(
        connection,
        "SELECT step FROM "
            + table()
            + " WHERE migration = ? AND target_schema = ? ORDER BY started_at, step",
        found -> found.getString(1),
        row.id(),
        row.schema());
  }

  /**
   * A backfill that chunks may be claimed from.
   *
   * @param migration the migration's id
   * @param schema its target schema
   * @param step the step
   */
  public record Open(String migration, String schema, String step) {}

  /** Backfills that workers may find something to do in. */
  public List<Open> open(Connection connection) throws SQLException {
    return Db.query(
        connection,
        "SELECT b.migration, b.target_schema, b.step FROM "
            + table()
            + " b, "
            + tables.table("migration")
            + " m, "
            + tables.table("control")
            + " c WHERE b.state IN ('RUNNING', 'VERIFYING') AND NOT b.paused AND b.last_error IS"
            + " NULL AND m.id = b.migration AND m.target_schema = b.target_schema AND m.status ="
            + " 'ACTIVE' AND m.step = b.step AND NOT c.paused ORDER BY b.started_at",
        found -> new Open(found.getString(1), found.getString(2), found.getString(3)));
  }

  /** Begins a backfill. */
  public void create(
      Connection connection,
      MigrationRow row,
      String step,
      boolean verify,
      @Nullable List<String> end,
      long total,
      int batchRows)
      throws SQLException {
    Db.update(
        connection,
        "INSERT INTO "
            + table()
            + " (migration, target_schema, step, state, end_key, rows_total, left_over, batch_rows)"
            + " VALUES (?, ?, ?, ?, ?, ?, 0, ?)",
        row.id(),
        row.schema(),
        step,
        verify ? "VERIFYING" : "RUNNING",
        json(end),
        total < 0 ? null : (Object) total,
        batchRows);
  }

  /** Begins another walk over the table. The caller has locked the row, and no chunk is left. */
  public void walk(
      Connection connection,
      MigrationRow row,
      String step,
      boolean verify,
      int sweep,
      @Nullable List<String> end)
      throws SQLException {
    Db.update(
        connection,
        "UPDATE "
            + table()
            + " SET state = ?, sweep = ?, cursor_key = NULL, end_key = ?, rows_seen = 0,"
            + " left_over = 0, updated_at = "
            + tables.sql().now()
            + KEY,
        verify ? "VERIFYING" : "RUNNING",
        sweep,
        json(end),
        row.id(),
        row.schema(),
        step);
  }

  /** Ends a backfill. */
  public void done(Connection connection, MigrationRow row, String step) throws SQLException {
    String now = tables.sql().now();
    Db.update(
        connection,
        "UPDATE "
            + table()
            + " SET state = 'DONE', waiting = NULL, updated_at = "
            + now
            + ", finished_at = "
            + now
            + KEY,
        row.id(),
        row.schema(),
        step);
  }

  /** Moves the cursor, and counts what was done. The caller has locked the row. */
  public void claimed(
      Connection connection, MigrationRow row, BackfillRow before, BackfillRow after)
      throws SQLException {
    String now = tables.sql().now();
    Db.update(
        connection,
        "UPDATE "
            + table()
            + " SET cursor_key = ?, rows_done = ?, rows_seen = ?, left_over = ?, batch_rows = ?,"
            + " chunks = ?, rows_per_second = ?, updated_at = "
            + now
            + (after.rate() == before.rate() ? "" : ", rate_at = " + now)
            + KEY,
        json(after.cursor()),
        after.rowsDone(),
        after.rowsSeen(),
        after.leftOver(),
        after.batchRows(),
        after.chunks(),
        after.rate() < 0 ? null : (Object) after.rate(),
        row.id(),
        row.schema(),
        before.step());
  }

  /** Notes what it waits for; null: nothing. */
  public void waits(Connection connection, MigrationRow row, String step, @Nullable String what)
      throws SQLException {
    Db.update(
        connection,
        "UPDATE " + table() + " SET waiting = ?" + KEY + " AND state <> 'DONE'",
        what,
        row.id(),
        row.schema(),
        step);
  }

  /** Notes why it stopped; null: it goes on. */
  public void error(Connection connection, MigrationRow row, String step, @Nullable String problem)
      throws SQLException {
    Db.update(
        connection,
        "UPDATE " + table() + " SET last_error = ?" + KEY,
        problem,
        row.id(),
        row.schema(),
        step);
  }

  /** Pauses it, or lets it go on. */
  public int pause(Connection connection, MigrationRow row, String step, boolean paused)
      throws SQLException {
    return Db.update(
        connection,
        "UPDATE " + table() + " SET paused = ?" + KEY + " AND state <> 'DONE'",
        paused,
        row.id(),
        row.schema(),
        step);
  }

  /** Sets how fast it goes. */
  public int tune(Connection connection, MigrationRow row, String step, PaceOverrides pace)
      throws SQLException {
    return Db.update(
        connection,
        "UPDATE "
            + table()
            + " SET min_rows = ?, max_rows = ?, target_ms = ?, pause_ms = ?, workers = ?,"
            + " max_lag_ms = ?, max_waiting = ?, run_window = ?"
            + KEY
            + " AND state <> 'DONE'",
        pace.minRows(),
        pace.maxRows(),
        pace.targetMillis(),
        pace.pauseMillis(),
        pace.workers(),
        pace.maxLagMillis(),
        pace.maxWaiting(),
        pace.window(),
        row.id(),
        row.schema(),
        step);
  }

  /**
   * Forgets how far a step came: it starts anew, and whoever works on it is stopped. The row goes
   * first, as it is locked to claim: after it no chunk can come that this does not see.
   */
  public void discard(Connection connection, MigrationRow row, String step) throws SQLException {
    Db.update(connection, "DELETE FROM " + table() + KEY, row.id(), row.schema(), step);
    Db.update(
        connection,
        "DELETE FROM " + tables.table("backfill_chunk") + KEY,
        row.id(),
        row.schema(),
        step);
  }
}
