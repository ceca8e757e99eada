package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Finding;
import dev.zerodowntime.orchestrator.spi.DoctorSql;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

/** Who reads the binary log: replicas, and whatever captures changes for other systems. */
final class BinaryLogCheck implements DoctorSql.Check {

  private static final String READERS =
      "SELECT CONCAT(USER, ' from ', HOST) FROM %s WHERE COMMAND LIKE 'Binlog Dump%%' ORDER BY 1";

  private final MysqlVersion version;

  BinaryLogCheck(MysqlVersion version) {
    this.version = version;
  }

  @Override
  public String subject() {
    return "replication and change capture";
  }

  @Override
  public List<Finding> look(DoctorSql.Examined what, Connection connection) throws SQLException {
    if (!what.ddl()) {
      return List.of();
    }
    if (!ServerSettings.read(connection).on("log_bin")) {
      return List.of(Finding.ok(subject(), "the server writes no binary log"));
    }
    Grants grants = Grants.of(version, connection);
    if (!grants.has("PROCESS", "", "")) {
      return List.of(
          Finding.unknown(
                  subject(), "who reads the binary log can't be seen", "As an administrator:")
              .with(List.of("GRANT PROCESS ON *.* TO " + grants.grantee())));
    }
    List<String> readers =
        Rows.of(
            connection,
            READERS.formatted(MysqlControlSql.processes(version)),
            row -> row.getString(1));
    return List.of(
        readers.isEmpty()
            ? Finding.ok(subject(), "nobody reads the binary log at the moment")
            : Finding.warn(
                subject(),
                "the binary log is read by "
                    + String.join(", ", readers)
                    + ": a replica repeats each DDL, and queries there wait for it; change capture"
                    + " sees new, renamed and quarantined columns, and each row that a backfill"
                    + " changes",
                "Name replicas that queries go to with reader(name, dataSource); make sure that"
                    + " change capture takes columns that it doesn't know."));
  }
}
