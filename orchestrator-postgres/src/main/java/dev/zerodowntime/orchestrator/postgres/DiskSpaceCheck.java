package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Finding;
import dev.zerodowntime.orchestrator.spi.DoctorSql;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** How much space migrations may take. How much there is, the server doesn't tell. */
final class DiskSpaceCheck implements DoctorSql.Check {

  private static final String SIZES =
      "SELECT pg_catalog.pg_total_relation_size(o), pg_catalog.pg_size_pretty("
          + "pg_catalog.pg_total_relation_size(o)) FROM (SELECT c.oid AS o FROM"
          + " pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
          + " WHERE n.nspname = ? AND c.relname = ?) t";

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
    long[] sum = {0};
    for (DoctorSql.Table table : what.tables()) {
      Rows.of(
          connection,
          SIZES,
          row -> {
            sum[0] += row.getLong(1);
            return tables.add(Sql.qualified(table.schema(), table.name()) + " " + row.getString(2));
          },
          table.schema(),
          table.name());
    }
    if (tables.isEmpty()) {
      return List.of(Finding.ok(subject(), "no pending migration has a table yet that is there"));
    }
    String total =
        Rows.of(
                connection,
                "SELECT pg_catalog.pg_size_pretty(?::bigint)",
                row -> row.getString(1),
                sum[0])
            .get(0);
    return List.of(
        Finding.unknown(
            subject(),
            "no server tells it over SQL; the tables of pending migrations, indexes included: "
                + String.join(", ", tables),
            "A backfill of every row may take as much again, and as much write-ahead log: have "
                + total
                + " twice over, and watch it with a loadSignal(...)."));
  }
}
