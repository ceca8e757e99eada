package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Finding;
import dev.zerodowntime.orchestrator.SessionGroup;
import dev.zerodowntime.orchestrator.internal.control.ControlTables;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.spi.DoctorSql;
import dev.zerodowntime.orchestrator.spi.DoctorSql.Hidden;
import dev.zerodowntime.orchestrator.spi.DoctorSql.Session;
import dev.zerodowntime.orchestrator.spi.DoctorSql.Sessions;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sessions that belong to no member.
 *
 * <p>A member notes the session of its heartbeats; the others of its pools say nothing of it. They
 * come from the same address under the same name as that one: so whatever looks like a member's
 * session is not called a stranger, and is said to be there, since an older build on the same host
 * under the same name looks just like it.
 */
final class Outsiders {

  private static final Logger LOG = LoggerFactory.getLogger(Outsiders.class);

  static final String SUBJECT = "sessions of no member";

  private static final int MOST_SHOWN = 20;

  private Outsiders() {}

  /**
   * What was found.
   *
   * @param strangers those that look like no member's
   * @param findings what to say of them
   */
  record Found(List<SessionGroup> strangers, List<Finding> findings) {}

  /** What sessions look alike by. */
  private record Look(String application, @Nullable String address) {
    static Look of(Session session) {
      return new Look(session.application(), session.address());
    }
  }

  private record Group(Look look, String user) {}

  /** The strangers alone; empty where they can't be asked for, which is nothing to stumble over. */
  static List<SessionGroup> strangers(EngineContext ctx) {
    Optional<DoctorSql> doctor = ctx.dialect().doctor();
    try {
      return doctor.isEmpty() ? List.of() : look(ctx, doctor.get(), true).strangers();
    } catch (SQLException e) {
      LOG.warn("sessions that belong to no member can't be looked at: {}", e.getMessage());
      return List.of();
    }
  }

  static Found look(EngineContext ctx, DoctorSql doctor, boolean installed) throws SQLException {
    // Asked first: its session is idle while the others are listed.
    List<Session> own = new ArrayList<>();
    if (ctx.ddlDataSource() != ctx.dataSource()) {
      try {
        own.add(Db.autoCommit(ctx.ddlDataSource(), doctor::sessions).own());
      } catch (SQLException e) {
        LOG.debug("the connections for DDL can't be asked", e);
      }
    }
    return Db.autoCommit(
        ctx.dataSource(), connection -> look(ctx, doctor, installed, own, connection));
  }

  private static Found look(
      EngineContext ctx,
      DoctorSql doctor,
      boolean installed,
      List<Session> own,
      Connection connection)
      throws SQLException {
    Sessions sessions = doctor.sessions(connection);
    own.add(sessions.own());
    List<Optional<String>> members =
        installed ? ctx.reader().memberSessions(connection) : List.of();
    boolean waiting =
        !installed
            || ctx.reader().pinned(connection).stream()
                .anyMatch(each -> each.label().equals(ControlTables.BUILDS_BEFORE_US));
    Set<Look> known = new HashSet<>();
    own.forEach(each -> known.add(Look.of(each)));
    List<Session> others = new ArrayList<>();
    for (Session each : sessions.others()) {
      if (members.stream().flatMap(Optional::stream).anyMatch(m -> m.startsWith(each.name()))) {
        known.add(Look.of(each));
      } else if (own.stream().noneMatch(mine -> mine.name().startsWith(each.name()))) {
        others.add(each);
      }
    }
    List<Session> alike = others.stream().filter(each -> known.contains(Look.of(each))).toList();
    others.removeAll(alike);
    List<SessionGroup> strangers = groups(others);
    return new Found(
        strangers, findings(sessions, members, alike, others.size(), strangers, waiting));
  }

  private static List<Finding> findings(
      Sessions sessions,
      List<Optional<String>> members,
      List<Session> alike,
      int count,
      List<SessionGroup> strangers,
      boolean waiting) {
    List<Finding> findings = new ArrayList<>();
    if (strangers.isEmpty()) {
      findings.add(Finding.ok(SUBJECT, "none that can be told from members' sessions"));
    } else {
      StringBuilder list = new StringBuilder();
      list.append(count).append(count == 1 ? " session" : " sessions");
      list.append(" can't be a member's:");
      strangers.stream()
          .limit(MOST_SHOWN)
          .forEach(each -> list.append("\n          ").append(each));
      if (strangers.size() > MOST_SHOWN) {
        list.append("\n          and ").append(strangers.size() - MOST_SHOWN).append(" more kinds");
      }
      findings.add(
          waiting
              ? Finding.warn(
                  SUBJECT,
                  list.toString(),
                  "Call adopted(application) only when none of them is a build without the library;"
                      + " pin(application, label) counts what can't have it.")
              : Finding.ok(SUBJECT, list.toString()));
    }
    if (!alike.isEmpty()) {
      StringBuilder list = new StringBuilder();
      list.append("these look like sessions of a member, or of this process: an older build of the")
          .append(" same host and name would, too:");
      groups(alike).forEach(each -> list.append("\n          ").append(each));
      findings.add(
          new Finding(
              Finding.Severity.UNKNOWN,
              SUBJECT,
              list.toString(),
              "Put the release into the name that connections have, to tell them apart.",
              List.of()));
    }
    long pooled = members.stream().filter(Optional::isEmpty).count();
    if (pooled > 0) {
      findings.add(
          Finding.unknown(
              SUBJECT,
              pooled
                  + (pooled == 1 ? " member is" : " members are")
                  + " behind a pooler in transaction mode, whose sessions are everybody's",
              "Look at the pooler's own list of clients."));
    }
    sessions.hidden().ifPresent(hidden -> findings.add(hidden(hidden)));
    return findings;
  }

  private static Finding hidden(Hidden hidden) {
    return Finding.unknown(SUBJECT, hidden.what(), "Grant the user that it may see them.")
        .with(List.of(hidden.grant()));
  }

  private static List<SessionGroup> groups(List<Session> sessions) {
    Map<Group, List<Session>> groups = new LinkedHashMap<>();
    for (Session each : sessions) {
      groups
          .computeIfAbsent(new Group(Look.of(each), each.user()), key -> new ArrayList<>())
          .add(each);
    }
    List<SessionGroup> all = new ArrayList<>();
    groups.forEach(
        (group, each) ->
            all.add(
                new SessionGroup(
                    group.look().application(),
                    group.look().address(),
                    group.user(),
                    each.stream()
                        .map(Session::since)
                        .filter(Objects::nonNull)
                        .min(Instant::compareTo)
                        .orElse(null),
                    each.size())));
    return all;
  }
}
