package dev.zerodowntime.orchestrator.internal.control;

import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Policy;
import dev.zerodowntime.orchestrator.State;
import dev.zerodowntime.orchestrator.internal.json.Json;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Every statement that changes a migration's row. Callers hold the lock or token that it needs. */
public final class MigrationWriter {

  private final ControlTables tables;

  /**
   * Writes to the given tables.
   *
   * @param tables the control tables
   */
  public MigrationWriter(ControlTables tables) {
    this.tables = tables;
  }

  /** Registers a migration unless it is there. */
  public int insert(
      Connection connection,
      Migration<?> migration,
      String schema,
      Lifecycle lifecycle,
      Map<String, Object> facts)
      throws SQLException {
    return Db.update(
        connection,
        tables
            .sql()
            .insertIfAbsent(
                tables.table("migration"),
                List.of(
                    "id",
                    "target_schema",
                    "owner",
                    "table_name",
                    "columns",
                    "operation",
                    "lifecycle",
                    "policy",
                    "after",
                    "facts"),
                List.of("id", "target_schema")),
        migration.id(),
        schema,
        migration.id().substring(0, migration.id().indexOf('/')),
        migration.table(),
        Json.write(new TreeSet<>(migration.columns())),
        Json.write(migration.canonical()),
        Json.write(lifecycle.toMap()),
        Json.write(migration.policy().toMap()),
        Json.write(migration.after()),
        Json.write(facts));
  }

  /** Replaces the declaration of a migration that has not started. */
  public void redeclare(
      Connection connection,
      MigrationRow row,
      Migration<?> migration,
      Lifecycle lifecycle,
      Map<String, Object> facts)
      throws SQLException {
    Db.update(
        connection,
        update()
            + " table_name = ?, columns = ?, operation = ?, lifecycle = ?, after = ?,"
            + " facts = ?, status = 'ACTIVE', last_error = NULL"
            + key()
            + " AND reached = 0 AND entering = 0",
        migration.table(),
        Json.write(new TreeSet<>(migration.columns())),
        Json.write(migration.canonical()),
        Json.write(lifecycle.toMap()),
        Json.write(migration.after()),
        Json.write(facts),
        row.id(),
        row.schema());
  }

  /** Replaces the policy. */
  public void policy(Connection connection, MigrationRow row, Policy policy) throws SQLException {
    Db.update(
        connection,
        update() + " policy = ?" + key(),
        Json.write(policy.toMap()),
        row.id(),
        row.schema());
  }

  /** Writes a state; the step pointer and attempts start anew. */
  public void state(Connection connection, MigrationRow row, State state) throws SQLException {
    Db.update(
        connection,
        update()
            + " reached = ?, entering = ?, direction = ?, step = NULL, attempt = 0,"
            + " wait = NULL, last_error = NULL"
            + key(),
        state.reached(),
        state.entering(),
        state.direction().name(),
        row.id(),
        row.schema());
  }

  /** Writes the catalog facts and the lifecycle resolved against them. */
  public void facts(
      Connection connection, MigrationRow row, Lifecycle lifecycle, Map<String, Object> facts)
      throws SQLException {
    Db.update(
        connection,
        update() + " facts = ?, lifecycle = ?" + key(),
        Json.write(facts),
        Json.write(lifecycle.toMap()),
        row.id(),
        row.schema());
  }

  /** Notes that the phase being entered is reached. */
  public void reached(Connection connection, MigrationRow row, State state, boolean last)
      throws SQLException {
    state(connection, row, state);
    String now = tables.sql().now();
    Db.update(
        connection,
        update()
            + " since = "
            + now
            + ", fit_up_since = NULL, fit_down_since = NULL, finished_at = "
            + (last ? now : "NULL")
            // A pause that came while the last step ran stays.
            + ", status = CASE WHEN ? = 'ACTIVE' AND status IN ('PAUSED', 'ABANDONED') THEN status"
            + " ELSE ? END"
            + key(),
        (last ? MigrationStatus.DONE : MigrationStatus.ACTIVE).name(),
        (last ? MigrationStatus.DONE : MigrationStatus.ACTIVE).name(),
        row.id(),
        row.schema());
  }

  /** Notes since when the fleet fits the neighbouring phases. */
  public void fit(Connection connection, MigrationRow row, OptionalLong up, OptionalLong down)
      throws SQLException {
    Db.update(
        connection,
        update() + " fit_up_since = " + time(up) + ", fit_down_since = " + time(down) + key(),
        row.id(),
        row.schema());
  }

  private String time(OptionalLong millis) {
    return millis.isEmpty() ? "NULL" : tables.sql().time(millis.getAsLong());
  }

  /** Changes whether it moves. */
  public void status(
      Connection connection, MigrationRow row, MigrationStatus status, @Nullable String error)
      throws SQLException {
    Db.update(
        connection,
        update() + " status = ?, last_error = ?" + key(),
        status.name(),
        error,
        row.id(),
        row.schema());
  }

  /** Sets or clears the phase it is to go down to. */
  public void target(
      Connection connection,
      MigrationRow row,
      @Nullable Integer target,
      @Nullable String reason,
      @Nullable String by)
      throws SQLException {
    Db.update(
        connection,
        update() + " target = ?, target_reason = ?, target_by = ?" + key(),
        target,
        reason,
        by,
        row.id(),
        row.schema());
  }

  /**
   * Ends a request to reopen: the release that asked is there, or didn't come. Never what somebody
   * else has asked for meanwhile.
   */
  public void reopened(Connection connection, MigrationRow row) throws SQLException {
    Db.update(
        connection,
        update()
            + " target = NULL, target_reason = NULL, target_by = NULL"
            + key()
            + " AND target_reason = '"
            + MigrationRow.REOPEN
            + "' AND target = ? AND target_by = ?",
        row.id(),
        row.schema(),
        row.target(),
        row.targetBy());
  }

  /** Points to the next step of the phase being entered. */
  public void nextStep(Connection connection, MigrationRow row, String step) throws SQLException {
    Db.update(
        connection,
        update() + " step = ?, attempt = 0, wait = NULL" + key(),
        step,
        row.id(),
        row.schema());
  }

  /** Claims a step, if the token still holds. */
  public boolean claim(Connection connection, MigrationRow row, String step, String token)
      throws SQLException {
    return Db.update(
            connection,
            update()
                + " step = ?, attempt = attempt + 1"
                + key()
                + " AND EXISTS (SELECT 1 FROM "
                + tables.table("lease")
                + " WHERE "
                + tables.held()
                + ")",
            step,
            row.id(),
            row.schema(),
            token)
        == 1;
  }

  /** Notes what the current step waits for. */
  public void waits(Connection connection, MigrationRow row, @Nullable String wait)
      throws SQLException {
    Db.update(connection, update() + " wait = ?" + key(), wait, row.id(), row.schema());
  }

  private String update() {
    return "UPDATE " + tables.table("migration") + " SET";
  }

  private static String key() {
    return " WHERE id = ? AND target_schema = ?";
  }
}
