package dev.zerodowntime.orchestrator.internal.control;

import dev.zerodowntime.orchestrator.internal.control.FleetRows.Approval;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Member;
import dev.zerodowntime.orchestrator.internal.fleet.Observation;
import dev.zerodowntime.orchestrator.internal.json.Json;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Every statement that changes who is counted, and the lease. */
public final class FleetWriter {

  private final ControlTables tables;
  private final boolean directSessions;

  /**
   * Writes to the given tables.
   *
   * @param tables the control tables
   * @param directSessions whether the application's connections are sessions of their own
   */
  public FleetWriter(ControlTables tables, boolean directSessions) {
    this.tables = tables;
    this.directSessions = directSessions;
  }

  /** Makes an application known. */
  public void application(Connection connection, String name) throws SQLException {
    Db.update(
        connection,
        tables.sql().insertIfAbsent(tables.table("application"), List.of("name"), List.of("name")),
        name);
  }

  /**
   * Writes a release's row. With {@code deployed} it counts as deployed now, after all others of
   * its application.
   */
  public void release(
      Connection connection,
      String application,
      String release,
      Map<String, String> stages,
      Map<String, List<String>> declared,
      Collection<String> finished,
      @Nullable Set<String> touches,
      boolean deployed)
      throws SQLException {
    String now = tables.sql().now();
    Db.update(
        connection,
        tables
            .sql()
            .insertIfAbsent(
                tables.table("release"),
                List.of(
                    "application",
                    tables.release(),
                    "stages",
                    "declared",
                    "finished",
                    "deploy_seq"),
                List.of("application", tables.release())),
        application,
        release,
        "{}",
        "{}",
        "[]",
        0L);
    Db.update(
        connection,
        "UPDATE "
            + tables.table("release")
            + " SET stages = ?, declared = ?, finished = ?, touches = ?, last_member_at = "
            + now
            + ", forgotten = FALSE WHERE application = ? AND "
            + tables.release()
            + " = ?",
        Json.write(stages),
        Json.write(declared),
        Json.write(new TreeSet<>(finished)),
        json(touches),
        application,
        release);
    if (deployed) {
      Db.update(
          connection,
          "UPDATE "
              + tables.table("release")
              + " SET registered_at = "
              + now
              + ", proven_at = NULL, deploy_seq = 1 + (SELECT s.top FROM (SELECT"
              + " COALESCE(MAX(deploy_seq), 0) AS top FROM "
              + tables.table("release")
              + " WHERE application = ?) s) WHERE application = ? AND "
              + tables.release()
              + " = ?",
          application,
          application,
          release);
    }
  }

  /** Notes that a release has been live for the soak time. */
  public void proven(Connection connection, String application, String release)
      throws SQLException {
    Db.update(
        connection,
        "UPDATE "
            + tables.table("release")
            + " SET proven_at = "
            + tables.sql().now()
            + " WHERE application = ? AND "
            + tables.release()
            + " = ? AND proven_at IS NULL",
        application,
        release);
  }

  /** Removes what is known of a release that nobody will come back to. */
  public void removeRelease(Connection connection, String application, String release)
      throws SQLException {
    Db.update(
        connection,
        "DELETE FROM "
            + tables.table("release")
            + " WHERE application = ? AND "
            + tables.release()
            + " = ?",
        application,
        release);
  }

  /** Ends a release's warmth. */
  public int forget(Connection connection, String application, String release) throws SQLException {
    return Db.update(
        connection,
        "UPDATE "
            + tables.table("release")
            + " SET forgotten = TRUE WHERE application = ? AND "
            + tables.release()
            + " = ?",
        application,
        release);
  }

  /**
   * What a member says of itself.
   *
   * @param id the process
   * @param application its application
   * @param release its release
   * @param role what it does
   * @param stages the stages chosen for its life, by migration key
   * @param finished ids that it names as finished
   * @param touches the tables its code uses, null for all
   * @param readers the replicas that its queries go to
   * @param host where it runs
   * @param rowTypeSafe whether its driver survives a table getting other columns
   * @param columnTypeSafe whether it survives a column getting another type
   * @param driverFacts why
   */
  public record NewMember(
      String id,
      String application,
      String release,
      String role,
      Map<String, String> stages,
      Collection<String> finished,
      @Nullable Set<String> touches,
      Collection<String> readers,
      String host,
      boolean rowTypeSafe,
      boolean columnTypeSafe,
      String driverFacts) {}

  /**
   * Writes a member's row. It may be there already: whoever lost the connection in the commit of
   * its registration does not know.
   */
  public void member(Connection connection, NewMember member) throws SQLException {
    String now = tables.sql().now();
    Db.update(
        connection,
        tables
            .sql()
            .insertIfAbsent(
                tables.table("member"),
                List.of(
                    "id",
                    "application",
                    tables.release(),
                    "stages",
                    "registered_at",
                    "heartbeat_at"),
                List.of("id"),
                List.of("?", "?", "?", "?", now, now)),
        member.id(),
        member.application(),
        member.release(),
        Json.write(member.stages()));
    Db.update(
        connection,
        "UPDATE "
            + tables.table("member")
            + " SET role = ?, stages = ?, finished = ?, touches = ?, readers = ?, host = ?,"
            + " registered_at = "
            + now
            + ", heartbeat = heartbeat + 1, heartbeat_at = "
            + now
            + ", closed_at = NULL, session = "
            + session()
            + ", row_type_safe = ?, column_type_safe = ?, driver_facts = ? WHERE id = ?",
        member.role(),
        Json.write(member.stages()),
        Json.write(new TreeSet<>(member.finished())),
        json(member.touches()),
        Json.write(new TreeSet<>(member.readers())),
        member.host(),
        member.rowTypeSafe(),
        member.columnTypeSafe(),
        member.driverFacts(),
        member.id());
  }

  private static @Nullable String json(@Nullable Set<String> names) {
    return names == null ? null : Json.write(new TreeSet<>(names));
  }

  /** Behind a pooler in transaction mode a session is nobody's, and outlives its members. */
  private String session() {
    return directSessions ? tables.sql().session() : "NULL";
  }

  /** A heartbeat. Returns false if the member has been struck off. */
  public boolean heartbeat(Connection connection, String id) throws SQLException {
    return Db.update(
            connection,
            "UPDATE "
                + tables.table("member")
                + " SET heartbeat = heartbeat + 1, heartbeat_at = "
                + tables.sql().now()
                + ", session = "
                + session()
                + " WHERE id = ?",
            id)
        == 1;
  }

  /**
   * A heartbeat of a member for which nothing is left to do. Returns false, and does nothing, if it
   * has been struck off, if a migration is new, or if one is not done.
   */
  public boolean heartbeatIfSettled(Connection connection, String id, long migrations)
      throws SQLException {
    return Db.update(
            connection,
            "UPDATE "
                + tables.table("member")
                + " SET heartbeat = heartbeat + 1, heartbeat_at = "
                + tables.sql().now()
                + ", session = "
                + session()
                + " WHERE id = ? AND "
                + ControlReader.settled(tables),
            id,
            migrations)
        == 1;
  }

  /** Notes that a member serves no longer; it is counted until drained. */
  public void closed(Connection connection, String id) throws SQLException {
    Db.update(
        connection,
        "UPDATE "
            + tables.table("member")
            + " SET closed_at = "
            + tables.sql().now()
            + ", session = NULL WHERE id = ? AND closed_at IS NULL",
        id);
  }

  /** Notes what a driver saw of a member's heartbeat. */
  public void observed(Connection connection, Member member, Observation seen) throws SQLException {
    Db.update(
        connection,
        "UPDATE "
            + tables.table("member")
            + " SET observer = ?, observed = ?, still = ? WHERE id = ?",
        seen.observer(),
        Long.parseLong(seen.counter()),
        seen.stillMillis(),
        member.id());
  }

  /** Strikes a member off, unless it has heartbeat since it was looked at. */
  public boolean strikeOff(Connection connection, Member member) throws SQLException {
    boolean gone =
        Db.update(
                connection,
                "DELETE FROM " + tables.table("member") + " WHERE id = ? AND heartbeat = ?",
                member.id(),
                member.heartbeat())
            == 1;
    if (gone) {
      Db.update(
          connection,
          "UPDATE "
              + tables.table("release")
              + " SET last_member_at = "
              + tables.sql().now()
              + " WHERE application = ? AND "
              + tables.release()
              + " = ?",
          member.application(),
          member.release());
    }
    return gone;
  }

  /** Notes what a driver saw of the server's incarnation. */
  public void incarnation(Connection connection, Observation seen) throws SQLException {
    Db.update(
        connection,
        "UPDATE "
            + tables.table("control")
            + " SET incarnation = ?, incarnation_observer = ?, incarnation_still = ?",
        seen.counter(),
        seen.observer(),
        seen.stillMillis());
  }

  /** Pins a member. */
  public void pin(
      Connection connection,
      String application,
      String label,
      Map<String, String> stages,
      boolean rowTypeSafe)
      throws SQLException {
    Db.update(
        connection,
        "INSERT INTO "
            + tables.table("pinned_member")
            + " (application, label, stages, row_type_safe) VALUES (?, ?, ?, ?)",
        application,
        label,
        Json.write(stages),
        rowTypeSafe);
  }

  /** Ends the pins of an application; all of them if the label is null. */
  public int unpin(Connection connection, String application, @Nullable String label)
      throws SQLException {
    // Who fits without them has fitted only since now.
    Db.update(
        connection,
        "UPDATE " + tables.table("control") + " SET fleet_changed_at = " + tables.sql().now());
    return Db.update(
        connection,
        "DELETE FROM "
            + tables.table("pinned_member")
            + " WHERE application = ? AND label = COALESCE(?, label)",
        application,
        label);
  }

  /** Pauses or resumes everything. */
  public void pause(Connection connection, boolean paused, @Nullable String reason)
      throws SQLException {
    Db.update(
        connection,
        "UPDATE " + tables.table("control") + " SET paused = ?, paused_reason = ?",
        paused,
        reason);
  }

  /** Consents to something. */
  public void approve(
      Connection connection,
      MigrationRow row,
      String phase,
      String kind,
      @Nullable String planHash,
      String by)
      throws SQLException {
    Db.update(
        connection,
        "INSERT INTO "
            + tables.table("approval")
            + " (migration, target_schema, phase, kind, plan_hash, approved_by)"
            + " VALUES (?, ?, ?, ?, ?, ?)",
        row.id(),
        row.schema(),
        phase,
        kind,
        planHash,
        by);
  }

  /** Notes that a consent was made use of, or has become void: it counts once. */
  public void spend(Connection connection, Approval approval) throws SQLException {
    Db.update(
        connection,
        "UPDATE "
            + tables.table("approval")
            + " SET spent_at = "
            + tables.sql().now()
            + " WHERE id = ?",
        approval.id());
  }

  /**
   * Takes the lease if nobody has it, if its holder fell silent, or if it was given out by another
   * incarnation of the server: a database that was restored has a token that was valid once. Not
   * for a library that is too old for the control tables.
   */
  public boolean acquireLease(
      Connection connection, String token, String holder, String holderName, long ttlMillis)
      throws SQLException {
    String now = tables.sql().now();
    return Db.update(
            connection,
            "UPDATE "
                + tables.table("lease")
                + " SET token = ?, holder = ?, holder_name = ?, incarnation = "
                + tables.sql().incarnation()
                + ", acquired_at = "
                + now
                + ", expires_at = "
                + tables.sql().later(ttlMillis)
                + " WHERE id = 1 AND (token IS NULL OR holder = ? OR expires_at < "
                + now
                + " OR COALESCE(incarnation, '') <> "
                + tables.sql().incarnation()
                + ") AND "
                + tables.readable(),
            token,
            holder,
            holderName,
            holder)
        == 1;
  }

  /** Keeps the lease. Returns false if it was lost, or its server is another incarnation now. */
  public boolean renewLease(Connection connection, String token, long ttlMillis)
      throws SQLException {
    return Db.update(
            connection,
            "UPDATE "
                + tables.table("lease")
                + " SET expires_at = "
                + tables.sql().later(ttlMillis)
                + " WHERE id = 1 AND "
                + tables.held()
                + " AND "
                + tables.readable(),
            token)
        == 1;
  }

  /** Gives the lease back. */
  public void releaseLease(Connection connection, String token) throws SQLException {
    Db.update(
        connection,
        "UPDATE "
            + tables.table("lease")
            + " SET token = NULL, holder = NULL, expires_at = NULL WHERE id = 1 AND token = ?",
        token);
  }

  /** Voids whatever lease there is. */
  public void voidLease(Connection connection) throws SQLException {
    Db.update(
        connection,
        "UPDATE "
            + tables.table("lease")
            + " SET token = NULL, holder = NULL, expires_at = NULL WHERE id = 1");
  }

  /** Checks the token and keeps anybody from taking the lease over until the transaction ends. */
  public boolean holdsLease(Connection connection, String token) throws SQLException {
    return Db.queryOne(
            connection,
            "SELECT id FROM "
                + tables.table("lease")
                + " WHERE id = 1 AND "
                + tables.held()
                + " "
                + tables.sql().forShare(),
            row -> row.getInt(1),
            token)
        .isPresent();
  }
}
