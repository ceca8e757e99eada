package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Finding;
import dev.zerodowntime.orchestrator.spi.DoctorSql;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** Whether the users may do what is asked of them. */
final class PrivilegesCheck implements DoctorSql.Check {

  private static final List<String> MEMBER = List.of("SELECT", "INSERT", "UPDATE", "DELETE");

  /** What docs/mysql.md lists: the operations together need them. */
  private static final List<String> DRIVER =
      List.of(
          "SELECT",
          "INSERT",
          "UPDATE",
          "DELETE",
          "CREATE",
          "ALTER",
          "DROP",
          "INDEX",
          "REFERENCES",
          "TRIGGER",
          "LOCK TABLES",
          "CREATE TEMPORARY TABLES",
          "CREATE VIEW");

  /** One of the control tables: rights on each of them do as well as on their database. */
  private static final String CONTROL = MysqlControlSql.PREFIX + "member";

  private final MysqlVersion version;

  PrivilegesCheck(MysqlVersion version) {
    this.version = version;
  }

  @Override
  public String subject() {
    return "privileges";
  }

  @Override
  public List<Finding> look(DoctorSql.Examined what, Connection connection) throws SQLException {
    Grants grants = Grants.of(version, connection);
    String subject = subject() + " of user " + grants.user();
    String database = Rows.of(connection, "SELECT DATABASE()", row -> row.getString(1)).get(0);
    List<Finding> findings = new ArrayList<>();
    if (what.drivesHere()) {
      findings.addAll(missing(grants, subject, DRIVER, database, ""));
    }
    boolean covered = what.drivesHere() && database.equals(what.controlSchema());
    if (what.installed() && !covered) {
      findings.addAll(missing(grants, subject, MEMBER, what.controlSchema(), CONTROL));
    }
    boolean enough = findings.isEmpty();
    if (what.drivesHere()) {
      toSee(grants, subject, findings);
      triggers(grants, subject, connection, findings);
    }
    if (enough) {
      findings.add(
          Finding.ok(
              subject,
              what.drivesHere()
                  ? "all that driving takes"
                  : "all that a member needs"
                      + (what.installed()
                          ? ""
                          : "; whoever installs the control tables grants them")));
    }
    return findings;
  }

  /**
   * @param table a table on which the rights would do as well; empty if it must be the database
   */
  private static List<Finding> missing(
      Grants grants, String subject, List<String> rights, String database, String table) {
    List<String> missing =
        rights.stream().filter(each -> !grants.has(each, database, table)).toList();
    if (missing.isEmpty()) {
      return List.of();
    }
    String list = String.join(", ", missing);
    return List.of(
        Finding.problem(
                subject, "it has no " + list + " on database " + database, "As an administrator:")
            .with(
                List.of(
                    "GRANT " + list + " ON " + Sql.quote(database) + ".* TO " + grants.grantee())));
  }

  /** Without these it works, and sees less. */
  private void toSee(Grants grants, String subject, List<Finding> findings) {
    String to = " TO " + grants.grantee();
    if (!grants.has("PROCESS", "", "")) {
      findings.add(
          Finding.warn(
                  subject,
                  "it has no PROCESS: open snapshots, and whether sessions of other users' members"
                      + " are left, can't be seen",
                  "As an administrator:")
              .with(List.of("GRANT PROCESS ON *.*" + to)));
    }
    if (!version.mariadb() && !grants.has("SELECT", "performance_schema", "")) {
      findings.add(
          Finding.warn(
                  subject,
                  "it may not read performance_schema: who is in the way of DDL can't be named",
                  "As an administrator:")
              .with(List.of("GRANT SELECT ON `performance_schema`.*" + to)));
    }
  }

  private static void triggers(
      Grants grants, String subject, Connection connection, List<Finding> findings)
      throws SQLException {
    if (ServerSettings.read(connection).triggersNeedSuper() && !grants.has("SUPER", "", "")) {
      findings.add(
          Finding.warn(
                  subject,
                  "with the binary log on, the server lets only SUPER create triggers: operations"
                      + " that need them are refused",
                  "As an administrator, and in the server's configuration (managed servers have it"
                      + " as a parameter):")
              .with(List.of("SET GLOBAL log_bin_trust_function_creators = ON")));
    }
  }
}
