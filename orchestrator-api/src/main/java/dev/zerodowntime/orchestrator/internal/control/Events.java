package dev.zerodowntime.orchestrator.internal.control;

import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** Appends to the event log. Nothing is ever changed or removed there. */
public final class Events {

  private final ControlTables tables;
  private final String member;
  private final String release;

  /**
   * Writes events in one process's name.
   *
   * @param tables the control tables
   * @param member the process
   * @param release its release
   */
  public Events(ControlTables tables, String member, String release) {
    this.tables = tables;
    this.member = member;
    this.release = release;
  }

  /** What an event may say. */
  public record Event(
      String kind,
      @Nullable String phase,
      @Nullable String step,
      @Nullable String statement,
      @Nullable Long durationMillis,
      @Nullable Long lockWaitMillis,
      @Nullable String outcome,
      @Nullable String detail,
      @Nullable String token) {

    /** An event that only says something. */
    public static Event of(String kind, @Nullable String phase, @Nullable String detail) {
      return new Event(kind, phase, null, null, null, null, null, detail, null);
    }
  }

  /** Whether the log has an event of a kind about a migration's step. */
  public boolean has(Connection connection, MigrationRow migration, String kind, String step)
      throws SQLException {
    return Db.queryOne(
            connection,
            "SELECT 1 FROM "
                + tables.table("event")
                + " WHERE migration = ? AND target_schema = ? AND kind = ? AND step = ? LIMIT 1",
            row -> true,
            migration.id(),
            migration.schema(),
            kind,
            step)
        .isPresent();
  }

  /** Appends an event. */
  public void append(Connection connection, @Nullable MigrationRow migration, Event event)
      throws SQLException {
    Db.update(
        connection,
        "INSERT INTO "
            + tables.table("event")
            + " (migration, target_schema, kind, phase, step, statement, duration_ms,"
            + " lock_wait_ms, outcome, detail, member, "
            + tables.release()
            + ", token)"
            + " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        migration == null ? null : migration.id(),
        migration == null ? null : migration.schema(),
        event.kind(),
        event.phase(),
        event.step(),
        event.statement(),
        event.durationMillis(),
        event.lockWaitMillis(),
        event.outcome(),
        event.detail(),
        member,
        release,
        event.token());
  }
}
