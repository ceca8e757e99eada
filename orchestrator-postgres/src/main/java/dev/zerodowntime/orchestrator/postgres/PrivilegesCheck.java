package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Finding;
import dev.zerodowntime.orchestrator.postgres.Privileges.Missing;
import dev.zerodowntime.orchestrator.spi.DoctorSql;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Whether the users may do what is asked of them. */
final class PrivilegesCheck implements DoctorSql.Check {

  private static final String OWNER =
      "SELECT r.rolname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid ="
          + " c.relnamespace JOIN pg_catalog.pg_roles r ON r.oid = c.relowner WHERE n.nspname = ?"
          + " AND c.relname = ? AND c.relkind IN ('r', 'p', 'v')";

  private static final String OTHERS =
      "SELECT r.rolname, count(*)::int, n.nspname, min(c.relname) FROM pg_catalog.pg_class c JOIN"
          + " pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_roles r ON"
          + " r.oid = c.relowner WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND"
          + " NOT pg_catalog.pg_has_role(r.oid, 'USAGE') GROUP BY 1, 3 ORDER BY 1";

  @Override
  public String subject() {
    return "privileges";
  }

  @Override
  public List<Finding> look(DoctorSql.Examined what, Connection connection) throws SQLException {
    String subject = subject() + " of user " + Privileges.user(connection);
    List<Finding> findings = new ArrayList<>();
    if (what.installed()) {
      List<String> grants = Privileges.onControlTables(connection, what.controlSchema());
      if (!grants.isEmpty()) {
        findings.add(
            missing(
                subject,
                "it may not read and write all control tables in schema " + what.controlSchema(),
                grants));
      }
    }
    if (what.drivesHere()) {
      for (Missing each : toDrive(what, connection)) {
        findings.add(missing(subject, each.problem(), List.of(each.grant())));
      }
    }
    boolean enough = findings.isEmpty();
    if (what.drivesHere() && what.tables().isEmpty()) {
      findings.addAll(others(subject, connection));
    }
    if (enough) {
      findings.add(
          Finding.ok(
              subject,
              what.drivesHere()
                  ? "all that driving takes, as far as tables of pending migrations go"
                  : "all that a member needs"
                      + (what.installed()
                          ? ""
                          : "; whoever installs the control tables grants them")));
    }
    return findings;
  }

  /** No migration says which tables: then whatever the user could not change is worth knowing. */
  private static List<Finding> others(String subject, Connection connection) throws SQLException {
    List<Finding> findings = new ArrayList<>();
    String user = Sql.quote(Privileges.user(connection));
    Rows.of(
        connection,
        OTHERS,
        row ->
            findings.add(
                Finding.warn(
                        subject,
                        "it can't change "
                            + row.getInt(2)
                            + (row.getInt(2) == 1 ? " table" : " tables")
                            + " of schema \""
                            + row.getString(3)
                            + "\", which \""
                            + row.getString(1)
                            + "\" owns, such as \""
                            + row.getString(4)
                            + "\"",
                        "If migrations are to change them:")
                    .with(List.of("GRANT " + Sql.quote(row.getString(1)) + " TO " + user))));
    String schema = Rows.of(connection, "SELECT current_schema()", row -> row.getString(1)).get(0);
    Privileges.create(connection, "tables and indexes", schema)
        .ifPresent(
            each ->
                findings.add(
                    Finding.warn(subject, each.problem(), "If migrations are to create any there:")
                        .with(List.of(each.grant()))));
    return findings;
  }

  private static Finding missing(String subject, String problem, List<String> grants) {
    return Finding.problem(subject, problem, "As a superuser, or whoever may:").with(grants);
  }

  private static Set<Missing> toDrive(DoctorSql.Examined what, Connection connection)
      throws SQLException {
    Set<Missing> missing = new LinkedHashSet<>();
    Privileges.controlSchema(connection, what.controlSchema()).ifPresent(missing::add);
    Privileges.temporary(connection).ifPresent(missing::add);
    for (DoctorSql.Table table : what.tables()) {
      if (!Rows.is(
          connection,
          "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = ?)",
          table.schema())) {
        continue;
      }
      Optional<Missing> create =
          Privileges.create(connection, "tables and indexes", table.schema());
      create.ifPresent(missing::add);
      List<String> owner =
          Rows.of(connection, OWNER, row -> row.getString(1), table.schema(), table.name());
      if (!owner.isEmpty()) {
        Privileges.owner(connection, Sql.qualified(table.schema(), table.name()), owner.get(0))
            .ifPresent(missing::add);
      }
    }
    return missing;
  }
}
