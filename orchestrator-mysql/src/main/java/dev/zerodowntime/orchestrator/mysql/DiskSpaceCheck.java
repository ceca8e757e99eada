package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Finding;
import dev.zerodowntime.orchestrator.spi.DoctorSql;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** How much space migrations may take. How much there is, the server doesn't tell. */
final class DiskSpaceCheck implements DoctorSql.Check {

  private static final long MEGABYTE = 1L << 20;

  @Override
  public String subject() {
    return "free disk space";
  }

  @Override
  public List<Finding> look(DoctorSql.Examined what, Connection connection) throws SQLException {
    if (!what.ddl()) {
      return List.of();
    }
    List<String> tables = new ArrayList<>();
    for (DoctorSql.Table table : what.tables()) {
      Rows.of(
          connection,
          "SELECT DATA_LENGTH + INDEX_LENGTH FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?"
              + " AND TABLE_NAME = ? AND TABLE_TYPE = 'BASE TABLE'",
          row ->
              tables.add(
                  Sql.qualified(table.schema(), table.name())
                      + " about "
                      + (row.getLong(1) / MEGABYTE + 1)
                      + " MB"),
          table.schema(),
          table.name());
    }
    if (tables.isEmpty()) {
      return List.of(Finding.ok(subject(), "no pending migration has a table yet that is there"));
    }
    return List.of(
        Finding.unknown(
            subject(),
            "no server tells it over SQL; the tables of pending migrations, indexes included: "
                + String.join(", ", tables),
            "A rebuild, a copy or a backfill of every row may take as much again, and as much"
                + " binary log: have that twice over, and watch it with a loadSignal(...)."));
  }
}
