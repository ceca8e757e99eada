package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.DoctorSql;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What is looked at on a PostgreSQL server. */
final class PostgresDoctorSql implements DoctorSql {

  /**
   * Clients of this database. A user without pg_read_all_stats sees of other roles' sessions that
   * they are there, whose they are and what they call themselves, and nothing else: then what has
   * no user is one of the server's own processes, and replication is told by its view.
   */
  private static final String SESSIONS =
      """
      SELECT a.pid = pg_catalog.pg_backend_pid(), a.pid || '@'
          || coalesce((extract(epoch FROM a.backend_start) * 1000000)::bigint::text, ''),
        coalesce(a.application_name, ''), pg_catalog.host(a.client_addr), a.usename,
        a.backend_start
      FROM pg_catalog.pg_stat_activity a
      WHERE a.datname = pg_catalog.current_database() AND a.usename IS NOT NULL
        AND coalesce(a.backend_type, 'client backend') = 'client backend'
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_replication r WHERE r.pid = a.pid)
      ORDER BY a.backend_start, a.pid
      """;

  @Override
  public List<Check> checks() {
    return List.of(
        new PrivilegesCheck(),
        new IsolationCheck(),
        new SubscribersCheck(),
        new EventTriggersCheck(),
        new DiskSpaceCheck());
  }

  @Override
  public Sessions sessions(Connection connection) throws SQLException {
    List<Session> others = new ArrayList<>();
    Session[] own = {new Session("", "", null, "", null)};
    int[] hidden = {0};
    Rows.of(
        connection,
        SESSIONS,
        row -> {
          Session session = session(row);
          if (row.getBoolean(1)) {
            own[0] = session;
          } else {
            others.add(session);
            hidden[0] += session.since() == null ? 1 : 0;
          }
          return session;
        });
    return new Sessions(own[0], others, hidden(connection, hidden[0]));
  }

  private static Session session(ResultSet row) throws SQLException {
    Instant since = instant(row.getTimestamp(6));
    String address = row.getString(4);
    return new Session(
        row.getString(2),
        row.getString(3),
        // Of a local socket there is none, of a hidden session there is no start either.
        address == null && since != null ? "" : address,
        row.getString(5),
        since);
  }

  private static @Nullable Instant instant(@Nullable Timestamp time) {
    return time == null ? null : time.toInstant();
  }

  private static Optional<Hidden> hidden(Connection connection, int count) throws SQLException {
    return count == 0
        ? Optional.empty()
        : Optional.of(
            new Hidden(
                "of "
                    + count
                    + (count == 1 ? " session" : " sessions")
                    + " of other users, address and start can't be seen",
                "GRANT pg_read_all_stats TO " + Sql.quote(Privileges.user(connection))));
  }
}
