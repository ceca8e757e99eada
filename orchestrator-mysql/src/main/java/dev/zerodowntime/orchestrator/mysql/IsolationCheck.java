package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Finding;
import dev.zerodowntime.orchestrator.spi.DoctorSql;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

/** At what isolation the application's transactions run. */
final class IsolationCheck implements DoctorSql.Check {

  @Override
  public String subject() {
    return "isolation level";
  }

  @Override
  public List<Finding> look(DoctorSql.Examined what, Connection connection) throws SQLException {
    if (!what.application()) {
      return List.of();
    }
    int level = connection.getTransactionIsolation();
    if (level <= Connection.TRANSACTION_READ_COMMITTED) {
      return List.of(Finding.ok(subject(), "READ COMMITTED, or less"));
    }
    return List.of(
        Finding.warn(
            subject(),
            (level == Connection.TRANSACTION_REPEATABLE_READ ? "REPEATABLE READ" : "SERIALIZABLE")
                + " is the default of the application's connections: a transaction that began before"
                + " a table's columns changed, and first touches the table afterwards, fails with"
                + " \"Table definition has changed\" (1412)",
            "Use READ COMMITTED, or keep transactions short and repeat them on 1412."));
  }
}
