package dev.zerodowntime.orchestrator.postgres;

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
    String level =
        Rows.of(
                connection,
                "SELECT current_setting('default_transaction_isolation')",
                row -> row.getString(1))
            .get(0);
    return List.of(
        level.startsWith("read")
            ? Finding.ok(subject(), level)
            : Finding.warn(
                subject(),
                level
                    + " is the default of the application's connections: a transaction that changes"
                    + " a row which a backfill has changed meanwhile fails with \"could not serialize"
                    + " access\" (40001)",
                "Let the application repeat such transactions, or use READ COMMITTED where"
                    + " migrations have backfills."));
  }
}
