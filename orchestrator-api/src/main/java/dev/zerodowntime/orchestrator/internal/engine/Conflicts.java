package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import java.util.List;
import java.util.Set;

/** Two unfinished migrations may not change one column: each would pull it from under the other. */
final class Conflicts {

  /** The table itself: see {@link dev.zerodowntime.orchestrator.Migration#columns}. */
  private static final String ALL = "*";

  private Conflicts() {}

  /**
   * Refuses a migration that changes a column of another one.
   *
   * @param id its id
   * @param schema its target schema
   * @param table its table
   * @param columns the columns it changes
   * @param known all that are registered; itself is left out
   */
  static void requireNone(
      String id, String schema, String table, Set<String> columns, List<MigrationRow> known) {
    for (MigrationRow each : known) {
      if (each.id().equals(id)
          || !each.schema().equals(schema)
          || !each.table().equals(table)
          || givenUp(each)
          || each.finished()
          || each.state().lower() >= each.lifecycle().settled()) {
        continue;
      }
      if (columns.contains(ALL) || each.columns().contains(ALL)) {
        throw conflict(id, each, "table " + schema + "." + table + ", and one of them as a whole");
      }
      for (String column : columns) {
        if (each.columns().contains(column)) {
          throw conflict(id, each, "column " + column + " of " + schema + "." + table);
        }
      }
    }
  }

  private static DeclarationException conflict(String id, MigrationRow other, String what) {
    return new DeclarationException(
        ErrorCode.CONFLICTING_MIGRATIONS,
        "Migrations " + other.id() + " and " + id + " both change " + what,
        "Declare the second one when the first has reached "
            + other.lifecycle().name(other.lifecycle().settled())
            + " (it is at "
            + other.lifecycle().name(other.state().reached())
            + "), or take the first back with rollback(\""
            + other.id()
            + "\").");
  }

  /** It changes nothing any more, and goes on only if a person says so. */
  private static boolean givenUp(MigrationRow row) {
    return row.state().upper() == 0
        && (row.heldByPerson() || row.status() == MigrationStatus.ABANDONED);
  }
}
