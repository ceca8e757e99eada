package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Finding;
import dev.zerodowntime.orchestrator.spi.DoctorSql;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

/** Event triggers run in our DDL, and may refuse it. */
final class EventTriggersCheck implements DoctorSql.Check {

  @Override
  public String subject() {
    return "event triggers";
  }

  @Override
  public List<Finding> look(DoctorSql.Examined what, Connection connection) throws SQLException {
    if (!what.application()) {
      return List.of();
    }
    List<String> enabled =
        Rows.of(
            connection,
            "SELECT evtname || ' on ' || evtevent || ' calls ' || evtfoid::pg_catalog.regproc FROM"
                + " pg_catalog.pg_event_trigger WHERE evtenabled <> 'D' AND evtevent <> 'login'"
                + " ORDER BY 1",
            row -> row.getString(1));
    return List.of(
        enabled.isEmpty()
            ? Finding.ok(subject(), "none")
            : Finding.warn(
                subject(),
                String.join(", ", enabled) + ": DDL of migrations runs them, within their locks",
                "Make sure that they let it pass, and fast."));
  }
}
