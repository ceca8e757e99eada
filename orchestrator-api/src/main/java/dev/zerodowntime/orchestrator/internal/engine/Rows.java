package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
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
      try {
        boolean found =
            Db.autoCommit(
                ctx.ddlDataSource(),
                c -> ctx.dialect().control().tableHasRows(c, row.schema(), table));
        if (found) {
          return true;
        }
      } catch (SQLException e) {
        if (ctx.dialect().classify(e) != SqlErrorKind.PRIVILEGE) {
          throw e;
        }
        // Rows that can't be seen may be there.
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
}
