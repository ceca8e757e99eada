package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Step;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What setting and dropping a column's default have in common. */
final class DefaultChange {

  /** The default before the change; absent where there was none. */
  static final String FORMER = "former";

  private DefaultChange() {}

  /** A column that can have a default, or lose it. */
  static CatalogColumn column(Catalog catalog, CatalogTable table, String name)
      throws SQLException {
    CatalogColumn column = catalog.column(table, name);
    String what = "column \"" + name + "\" of table " + table.display();
    if (!column.identity().isEmpty()) {
      throw catalog.refuse(
          what + " is an identity column: its values come from its sequence, not from a default",
          "ALTER TABLE "
              + table.qualified()
              + " ALTER COLUMN "
              + column.quoted()
              + " DROP IDENTITY; first, if it is to be an ordinary column.");
    }
    if (column.generated()) {
      throw catalog.refuse(
          what + " is a generated column: its values are computed from the row's other columns",
          "Change its expression, or add an ordinary column in its place.");
    }
    return column;
  }

  /** One ALTER that leaves the column with this default, or with none. */
  static Step step(
      String name, String summary, String table, String column, @Nullable String wanted) {
    return new DdlStep(
        name,
        summary,
        "ACCESS EXCLUSIVE on " + table + ", within the lock budget",
        List.of(table),
        List.of(
            "ALTER TABLE "
                + table
                + " ALTER COLUMN "
                + Sql.quote(column)
                + (wanted == null ? " DROP DEFAULT" : " SET DEFAULT " + wanted)),
        Probes.defaultIs(table, column, wanted),
        false);
  }
}
