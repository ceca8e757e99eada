package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.spi.DoctorSql;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What is looked at on a MySQL or MariaDB server. */
final class MysqlDoctorSql implements DoctorSql {

  private static final String SESSIONS =
      "SELECT ID, CONCAT(ID, '@', %s), USER, HOST, ID = CONNECTION_ID() FROM %s WHERE DB ="
          + " DATABASE() AND COMMAND NOT LIKE 'Binlog Dump%%' AND COMMAND NOT IN ('Daemon',"
          + " 'Slave_IO', 'Slave_SQL', 'Slave_worker', 'Delayed insert') AND USER NOT IN ('system"
          + " user', 'event_scheduler', 'mysql.session', 'mysql.sys', 'mysql.infoschema',"
          + " 'mariadb.sys', 'unauthenticated user') ORDER BY ID";

  private static final String PROGRAMS =
      "SELECT PROCESSLIST_ID, ATTR_VALUE FROM performance_schema.session_connect_attrs WHERE"
          + " ATTR_NAME = 'program_name' AND ATTR_VALUE IS NOT NULL";

  private final MysqlVersion version;

  MysqlDoctorSql(MysqlVersion version) {
    this.version = version;
  }

  @Override
  public List<Check> checks() {
    return List.of(
        new PrivilegesCheck(version),
        new IsolationCheck(),
        new BinaryLogCheck(version),
        new DiskSpaceCheck());
  }

  /** Since when a session is there, neither server says. */
  @Override
  public Sessions sessions(Connection connection) throws SQLException {
    Map<Long, String> programs = programs(connection);
    List<Session> others = new ArrayList<>();
    Session[] own = {new Session("", "", null, "", null)};
    Rows.of(
        connection,
        SESSIONS.formatted(Incarnation.sql(version), MysqlControlSql.processes(version)),
        row -> {
          Session session =
              new Session(
                  row.getString(2),
                  programs.getOrDefault(row.getLong(1), ""),
                  String.valueOf(row.getString(4)).replaceFirst(":\\d+$", ""),
                  row.getString(3),
                  null);
          if (row.getBoolean(5)) {
            own[0] = session;
          } else {
            others.add(session);
          }
          return session;
        });
    return new Sessions(own[0], others, hidden(connection));
  }

  /**
   * What clients call themselves; nothing where the server doesn't keep it, or not for this user.
   */
  private Map<Long, String> programs(Connection connection) throws SQLException {
    Map<Long, String> programs = new HashMap<>();
    try {
      Rows.of(
          connection,
          PROGRAMS,
          row -> programs.put(row.getLong(1), String.valueOf(row.getString(2))));
    } catch (SQLException e) {
      SqlErrorKind kind = MysqlErrors.classify(e);
      if (kind != SqlErrorKind.PRIVILEGE && kind != SqlErrorKind.UNDEFINED_TABLE) {
        throw e;
      }
    }
    return programs;
  }

  private Optional<Hidden> hidden(Connection connection) throws SQLException {
    Grants grants = Grants.of(version, connection);
    return grants.has("PROCESS", "", "")
        ? Optional.empty()
        : Optional.of(
            new Hidden(
                "sessions of other users can't be seen",
                "GRANT PROCESS ON *.* TO " + grants.grantee()));
  }
}
