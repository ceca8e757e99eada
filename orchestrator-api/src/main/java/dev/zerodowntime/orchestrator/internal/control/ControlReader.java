package dev.zerodowntime.orchestrator.internal.control;

import dev.zerodowntime.orchestrator.DatabaseException;
import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Policy;
import dev.zerodowntime.orchestrator.State;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Application;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Approval;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Control;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Member;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Pinned;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Release;
import dev.zerodowntime.orchestrator.internal.json.Json;
import dev.zerodowntime.orchestrator.spi.ControlSql;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Every query of the control tables. */
public final class ControlReader {

  private static final String MIGRATION =
      "id, target_schema, ordinal, table_name, columns, operation, lifecycle, policy, after, facts,"
          + " reached, entering, direction, status, target, target_reason, target_by, step,"
          + " attempt, last_error, wait";

  private final ControlTables tables;

  /**
   * Reads the given tables.
   *
   * @param tables the control tables
   */
  public ControlReader(ControlTables tables) {
    this.tables = tables;
  }

  /** The database as a whole. */
  public Control control(Connection connection) throws SQLException {
    ControlSql sql = tables.sql();
    return Db.queryOne(
            connection,
            "SELECT version, min_reader, environment, identity, incarnation,"
                + " incarnation_observer, incarnation_still, paused, paused_reason, "
                + sql.incarnation()
                + ", "
                + sql.millis(sql.now())
                + ", "
                + sql.millis("fleet_changed_at")
                + " FROM "
                + tables.table("control"),
            row ->
                new Control(
                    row.getInt(1),
                    row.getInt(2),
                    row.getString(3),
                    row.getString(4),
                    row.getString(5),
                    row.getString(6),
                    row.getLong(7),
                    row.getBoolean(8),
                    row.getString(9),
                    row.getString(10),
                    row.getLong(11),
                    row.getLong(12)))
        .orElseThrow(
            () ->
                new DatabaseException(
                    ErrorCode.UNREADABLE_ROW,
                    "Table " + tables.table("control") + " is empty",
                    "Restore its one row from a backup; nothing moves without it.",
                    null));
  }

  /** Takes the fleet row for registration: others may register, nobody may enter a phase. */
  public void lockFleetShared(Connection connection) throws SQLException {
    Db.query(
        connection,
        "SELECT id FROM " + tables.table("fleet") + " WHERE id = 1 " + tables.sql().forShare(),
        row -> row.getInt(1));
  }

  /** Takes the fleet row for entering a phase: nobody registers meanwhile. */
  public void lockFleetExclusive(Connection connection) throws SQLException {
    Db.query(
        connection,
        "SELECT id FROM " + tables.table("fleet") + " WHERE id = 1 FOR UPDATE",
        row -> row.getInt(1));
  }

  /** All migrations, in declaration order. */
  public List<MigrationRow> migrations(Connection connection) throws SQLException {
    return Db.query(connection, selectMigration() + " ORDER BY ordinal", this::migration);
  }

  /** One migration. */
  public Optional<MigrationRow> migration(Connection connection, String id, String schema)
      throws SQLException {
    return Db.queryOne(
        connection,
        selectMigration() + " WHERE id = ? AND target_schema = ?",
        this::migration,
        id,
        schema);
  }

  private String selectMigration() {
    ControlSql sql = tables.sql();
    return "SELECT "
        + MIGRATION
        + ", "
        + sql.millis("fit_up_since")
        + " AS fit_up, "
        + sql.millis("fit_down_since")
        + " AS fit_down, "
        + sql.millis("since")
        + " AS since_ms, "
        + sql.millis("finished_at")
        + " AS finished_ms FROM "
        + tables.table("migration");
  }

  /** Running instances. */
  public List<Member> members(Connection connection) throws SQLException {
    ControlSql sql = tables.sql();
    return Db.query(
        connection,
        "SELECT id, application, "
            + tables.release()
            + ", stages, finished, touches, readers, host, heartbeat, observer,"
            + " observed, still, row_type_safe, column_type_safe, driver_facts, "
            + sql.millis("registered_at")
            + " AS registered, "
            + sql.millis("heartbeat_at")
            + " AS beat, "
            + sql.millis("closed_at")
            + " AS closed, "
            + sql.sessionLeft("session")
            + " AS session_left FROM "
            + tables.table("member")
            + " ORDER BY registered_at, id",
        row ->
            readable(
                "member",
                row,
                List.of("application", "release", "id"),
                () ->
                    new Member(
                        row.getString("id"),
                        row.getString("application"),
                        row.getString("release"),
                        strings(row.getString("stages")),
                        new TreeSet<>(Json.readStrings(row.getString("finished"))),
                        touches(row),
                        new TreeSet<>(Json.readStrings(row.getString("readers"))),
                        text(row.getString("host")),
                        row.getLong("registered"),
                        row.getLong("heartbeat"),
                        row.getLong("beat"),
                        Db.nullableLong(row, "closed"),
                        row.getBoolean("session_left"),
                        row.getString("observer"),
                        row.getLong("observed"),
                        row.getLong("still"),
                        row.getBoolean("row_type_safe"),
                        row.getBoolean("column_type_safe"),
                        text(row.getString("driver_facts")))));
  }

  /**
   * The sessions that carry members' heartbeats, as {@link ControlSql#session()} names them; empty
   * for a member behind a pooler. Those that serve no longer are left out.
   */
  public List<Optional<String>> memberSessions(Connection connection) throws SQLException {
    return Db.query(
        connection,
        "SELECT session FROM " + tables.table("member") + " WHERE closed_at IS NULL ORDER BY id",
        row -> Optional.ofNullable(row.getString(1)));
  }

  /** Releases, whether they have members or not. */
  public List<Release> releases(Connection connection) throws SQLException {
    return Db.query(
        connection,
        "SELECT application, "
            + tables.release()
            + ", stages, declared, finished, touches, deploy_seq, proven_at,"
            + " forgotten, "
            + tables.sql().millis("last_member_at")
            + " AS last_member FROM "
            + tables.table("release")
            + " ORDER BY application, deploy_seq, "
            + tables.release(),
        row ->
            readable(
                "release",
                row,
                List.of("application", "release"),
                () ->
                    new Release(
                        row.getString("application"),
                        row.getString("release"),
                        strings(row.getString("stages")),
                        lists(row.getString("declared")),
                        new TreeSet<>(Json.readStrings(row.getString("finished"))),
                        touches(row),
                        row.getLong("deploy_seq"),
                        Db.nullableLong(row, "last_member"),
                        row.getString("proven_at") != null,
                        row.getBoolean("forgotten"))));
  }

  /** Members counted until a person ends them. */
  public List<Pinned> pinned(Connection connection) throws SQLException {
    return Db.query(
        connection,
        "SELECT id, application, label, stages, row_type_safe, "
            + tables.sql().millis("pinned_at")
            + " AS since FROM "
            + tables.table("pinned_member")
            + " ORDER BY id",
        row ->
            readable(
                "pinned_member",
                row,
                List.of("application", "label"),
                () ->
                    new Pinned(
                        row.getLong("id"),
                        row.getString("application"),
                        row.getString("label"),
                        strings(row.getString("stages")),
                        row.getBoolean("row_type_safe"),
                        row.getLong("since"))));
  }

  /** Applications that have ever registered. */
  public List<Application> applications(Connection connection) throws SQLException {
    return Db.query(
        connection,
        "SELECT name, "
            + tables.sql().millis("first_seen_at")
            + " AS first_seen FROM "
            + tables.table("application")
            + " ORDER BY name",
        row -> new Application(row.getString("name"), row.getLong("first_seen")));
  }

  private static @Nullable Set<String> touches(ResultSet row) throws SQLException {
    String touches = row.getString("touches");
    return touches == null ? null : new TreeSet<>(Json.readStrings(touches));
  }

  /**
   * Whether neither everything nor this migration is paused, and the control tables were written on
   * this server.
   */
  public boolean running(Connection connection, MigrationRow row, String server)
      throws SQLException {
    return Db.queryOne(
            connection,
            "SELECT c.paused OR c.identity <> ?, m.status FROM "
                + tables.table("control")
                + " c, "
                + tables.table("migration")
                + " m WHERE m.id = ? AND m.target_schema = ?",
            found -> !found.getBoolean(1) && found.getString(2).equals("ACTIVE"),
            server,
            row.id(),
            row.schema())
        .orElse(false);
  }

  /** As SQL, whether there are so many migrations (a parameter), and each is done. */
  static String settled(ControlTables tables) {
    String migration = tables.table("migration");
    return "(SELECT COUNT(*) FROM "
        + migration
        + ") = ? AND NOT EXISTS (SELECT 1 FROM "
        + migration
        + " WHERE status <> 'DONE' OR reached <> entering OR target IS NOT NULL)";
  }

  /** Whether there are so many migrations, and each is done. */
  public boolean settled(Connection connection, long migrations) throws SQLException {
    return Db.queryOne(
            connection,
            "SELECT 1 FROM " + tables.table("control") + " WHERE " + settled(tables),
            row -> true,
            migrations)
        .isPresent();
  }

  /** Who holds the lease. */
  public Optional<String> leaseHolder(Connection connection) throws SQLException {
    return Db.queryOne(
        connection,
        "SELECT holder_name FROM "
            + tables.table("lease")
            + " WHERE token IS NOT NULL AND expires_at > "
            + tables.sql().now(),
        row -> text(row.getString(1)));
  }

  /** What persons have consented to, as far as it was not made use of. */
  public List<Approval> approvals(Connection connection) throws SQLException {
    return Db.query(
        connection,
        "SELECT id, migration, target_schema, phase, kind, plan_hash, approved_by FROM "
            + tables.table("approval")
            + " WHERE spent_at IS NULL ORDER BY id",
        row ->
            new Approval(
                row.getLong(1),
                MigrationRow.key(row.getString(3), row.getString(2)),
                row.getString(4),
                row.getString(5),
                row.getString(6),
                text(row.getString(7))));
  }

  private MigrationRow migration(ResultSet row) throws SQLException {
    String id = row.getString("id");
    String schema = row.getString("target_schema");
    try {
      String columns = row.getString("columns");
      Set<String> touched = new TreeSet<>(Json.readStrings(columns == null ? "[]" : columns));
      int target = row.getInt("target");
      boolean hasTarget = !row.wasNull();
      return new MigrationRow(
          id,
          schema,
          row.getLong("ordinal"),
          text(row.getString("table_name")),
          touched,
          Json.readObject(row.getString("operation")),
          Lifecycle.fromMap(Json.readObject(row.getString("lifecycle"))),
          Policy.fromMap(Json.readObject(row.getString("policy"))),
          Json.readStrings(row.getString("after")),
          Json.readObject(row.getString("facts")),
          new State(
              row.getInt("reached"),
              row.getInt("entering"),
              Direction.valueOf(row.getString("direction"))),
          MigrationStatus.valueOf(row.getString("status")),
          hasTarget ? target : null,
          row.getString("target_reason"),
          row.getString("target_by"),
          row.getString("step"),
          row.getInt("attempt"),
          row.getString("last_error"),
          row.getString("wait"),
          optional(row, "fit_up"),
          optional(row, "fit_down"),
          row.getLong("since_ms"),
          Db.nullableLong(row, "finished_ms"));
    } catch (RuntimeException e) {
      throw unreadable("migration", id + " (schema " + schema + ")", e);
    }
  }

  /** Mapping a row; anything but an SQL error means that it makes no sense. */
  private interface Mapping<T> {
    T map() throws SQLException;
  }

  private <T> T readable(String table, ResultSet row, List<String> name, Mapping<T> mapping)
      throws SQLException {
    try {
      return mapping.map();
    } catch (RuntimeException e) {
      StringBuilder named = new StringBuilder();
      for (String column : name) {
        named.append(named.isEmpty() ? "" : " ").append(row.getString(column));
      }
      throw unreadable(table, named.toString(), e);
    }
  }

  private DatabaseException unreadable(String table, String name, RuntimeException e) {
    return new DatabaseException(
        ErrorCode.UNREADABLE_ROW,
        "The row of "
            + table.replace('_', ' ')
            + " "
            + name
            + " in "
            + tables.table(table)
            + " can't be read: "
            + e.getMessage(),
        "It was damaged by hand or written by a newer library: mend the row, or use that"
            + " library's version.",
        e);
  }

  private static OptionalLong optional(ResultSet row, String column) throws SQLException {
    Long value = Db.nullableLong(row, column);
    return value == null ? OptionalLong.empty() : OptionalLong.of(value);
  }

  private static String text(@Nullable String value) {
    return value == null ? "" : value;
  }

  private static Map<String, String> strings(String json) {
    Map<String, String> strings = new LinkedHashMap<>();
    Json.readObject(json).forEach((key, value) -> strings.put(key, String.valueOf(value)));
    return strings;
  }

  private static Map<String, List<String>> lists(String json) {
    Map<String, List<String>> lists = new LinkedHashMap<>();
    Json.readObject(json)
        .forEach(
            (key, value) ->
                lists.put(key, ((List<?>) value).stream().map(String::valueOf).toList()));
    return lists;
  }
}
