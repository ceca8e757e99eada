package dev.zerodowntime.orchestrator.internal.control;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * The rows of chunks. Rows of the application, a chunk's progress and the check of its claim's
 * token commit together: whoever has lost the claim changes nothing.
 */
public final class ChunkStore {

  private static final String KEY =
      " WHERE migration = ? AND target_schema = ? AND step = ? AND chunk = ?";

  private final ControlTables tables;
  private final BackfillStore backfills;

  /**
   * Reads and writes the given tables.
   *
   * @param tables the control tables
   * @param backfills the rows that chunks are claimed from
   */
  public ChunkStore(ControlTables tables, BackfillStore backfills) {
    this.tables = tables;
    this.backfills = backfills;
  }

  private String table() {
    return tables.table("backfill_chunk");
  }

  private String select() {
    return "SELECT chunk, from_key, to_key, token, worker, COALESCE(expires_at >= "
        + tables.sql().now()
        + ", FALSE) AND token IS NOT NULL, done, rows_done, rows_seen, left_over, batch_rows FROM "
        + table();
  }

  private Chunk map(MigrationRow row, String step, ResultSet found) throws SQLException {
    return new Chunk(
        found.getLong(1),
        backfills.key(row, step, found.getString(2)),
        Objects.requireNonNull(backfills.key(row, step, found.getString(3))),
        found.getString(4),
        found.getString(5),
        found.getBoolean(6),
        found.getBoolean(7),
        found.getLong(8),
        found.getLong(9),
        found.getLong(10),
        found.getInt(11));
  }

  /** A backfill's chunks that are not counted in its row yet, oldest first. */
  public List<Chunk> read(Connection connection, MigrationRow row, String step)
      throws SQLException {
    return Db.query(
        connection,
        select() + " WHERE migration = ? AND target_schema = ? AND step = ? ORDER BY chunk",
        found -> map(row, step, found),
        row.id(),
        row.schema(),
        step);
  }

  /** Adds a claimed chunk. */
  public void insert(
      Connection connection, MigrationRow row, String step, Chunk chunk, long ttlMillis)
      throws SQLException {
    Db.update(
        connection,
        "INSERT INTO "
            + table()
            + " (migration, target_schema, step, chunk, from_key, to_key, token, worker,"
            + " expires_at, batch_rows) VALUES (?, ?, ?, ?, ?, ?, ?, ?, "
            + tables.sql().later(ttlMillis)
            + ", ?)",
        row.id(),
        row.schema(),
        step,
        chunk.number(),
        BackfillStore.json(chunk.from()),
        BackfillStore.json(chunk.to()),
        chunk.token(),
        chunk.worker(),
        chunk.batchRows());
  }

  /**
   * Takes over a chunk whose claim is over, as it is now: whoever had it may have got on since it
   * was read, or be done. Empty if it is not to be had.
   */
  public Optional<Chunk> take(
      Connection connection,
      MigrationRow row,
      String step,
      Chunk chunk,
      String token,
      String worker,
      long ttlMillis)
      throws SQLException {
    Optional<Chunk> now =
        Db.queryOne(
            connection,
            // Whoever is in the middle of a batch has locked it, however long that takes.
            select() + KEY + " FOR UPDATE SKIP LOCKED",
            found -> map(row, step, found),
            row.id(),
            row.schema(),
            step,
            chunk.number());
    boolean taken =
        now.isPresent()
            && Db.update(
                    connection,
                    "UPDATE "
                        + table()
                        + " SET token = ?, worker = ?, expires_at = "
                        + tables.sql().later(ttlMillis)
                        + KEY
                        + " AND NOT done AND (token IS NULL OR worker = ? OR expires_at < "
                        + tables.sql().now()
                        + ")",
                    token,
                    worker,
                    row.id(),
                    row.schema(),
                    step,
                    chunk.number(),
                    worker)
                == 1;
    return taken ? now.map(each -> each.claimed(token, worker)) : Optional.empty();
  }

  /** Keeps a claim, and others from taking it over until the transaction ends. */
  public boolean hold(Connection connection, MigrationRow row, String step, Chunk chunk)
      throws SQLException {
    return Db.queryOne(
            connection,
            "SELECT chunk FROM " + table() + KEY + " AND token = ? FOR UPDATE",
            found -> true,
            row.id(),
            row.schema(),
            step,
            chunk.number(),
            chunk.token())
        .isPresent();
  }

  /** Writes how far it came, if the claim still holds. A chunk that is done has no claim. */
  public boolean save(
      Connection connection, MigrationRow row, String step, Chunk chunk, long ttlMillis)
      throws SQLException {
    return Db.update(
            connection,
            "UPDATE "
                + table()
                + " SET from_key = ?, done = ?, rows_done = ?, rows_seen = ?, left_over = ?,"
                + " batch_rows = ?, "
                + (chunk.done()
                    ? "token = NULL, expires_at = NULL"
                    : "expires_at = " + tables.sql().later(ttlMillis))
                + KEY
                + " AND token = ?",
            BackfillStore.json(chunk.from()),
            chunk.done(),
            chunk.rowsDone(),
            chunk.rowsSeen(),
            chunk.leftOver(),
            chunk.batchRows(),
            row.id(),
            row.schema(),
            step,
            chunk.number(),
            chunk.token())
        == 1;
  }

  /** Gives a claim back: others may go on where it is. */
  public boolean release(Connection connection, MigrationRow row, String step, Chunk chunk)
      throws SQLException {
    return Db.update(
            connection,
            "UPDATE "
                + table()
                + " SET token = NULL, expires_at = NULL, batch_rows = ?"
                + KEY
                + " AND token = ?",
            chunk.batchRows(),
            row.id(),
            row.schema(),
            step,
            chunk.number(),
            chunk.token())
        == 1;
  }

  /** Forgets a chunk that was counted. */
  public void delete(Connection connection, MigrationRow row, String step, Chunk chunk)
      throws SQLException {
    Db.update(
        connection, "DELETE FROM " + table() + KEY, row.id(), row.schema(), step, chunk.number());
  }
}
