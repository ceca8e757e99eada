package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import dev.zerodowntime.orchestrator.spi.ControlSql;
import java.sql.SQLException;
import java.util.Set;

/** Whether the tables of a migration have rows. A table that doesn't exist has none. */
final class Rows {

  private final EngineContext ctx;

  Rows(EngineContext ctx) {
    this.ctx = ctx;
  }

  boolean any(MigrationRow row) throws SQLException {
    for (String table : names(ctx, row)) {
      if (any(row.schema(), table)) {
        return true;
      }
    }
    return false;
  }

  /** Every name that the table has on the way. */
  static Set<String> names(EngineContext ctx, MigrationRow row) {
    return ctx.operation(row)
        .map(each -> each.migration().tableNames())
        .orElseGet(() -> Set.of(row.table()));
  }

  private boolean any(String schema, String table) throws SQLException {
    ControlSql sql = ctx.dialect().control();
    return Db.autoCommit(
        ctx.ddlDataSource(),
        connection -> {
          boolean there =
              Db.queryOne(
                      connection,
                      "SELECT 1 FROM information_schema.tables WHERE table_schema = ?"
                          + " AND table_name = ?",
                      each -> true,
                      schema,
                      table)
                  .isPresent();
          return there
              && Db.queryOne(
                      connection,
                      "SELECT 1 FROM " + sql.quote(schema) + "." + sql.quote(table) + " LIMIT 1",
                      each -> true)
                  .isPresent();
        });
  }
}
