package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import java.util.List;
import java.util.Set;

/**
 * Two unfinished migrations may not change one column: each would pull it from under the other. One
 * that changes its table as a whole has it to itself.
 */
final class Conflicts {

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
      if (each.id().equals(id) || !each.schema().equals(schema) || !each.table().equals(table)) {
        continue;
      }
      // A column in quarantine is nobody's but its migration's; a table as a whole needs even that
      // to be over.
      boolean whole =
          columns.contains(Migration.WHOLE_TABLE) || each.columns().contains(Migration.WHOLE_TABLE);
      if (over(each, whole)) {
        continue;
      }
      int free = free(each.lifecycle(), whole);
      if (whole) {
        throw conflict(
            each, id, "table " + schema + "." + table + ", and one of them as a whole", free);
      }
      for (String column : columns) {
        if (each.columns().contains(column)) {
          throw conflict(each, id, "column " + column + " of " + schema + "." + table, free);
        }
      }
    }
  }

  private static DeclarationException conflict(
      MigrationRow first, String id, String what, int free) {
    Lifecycle lifecycle = first.lifecycle();
    return new DeclarationException(
        ErrorCode.CONFLICTING_MIGRATIONS,
        "Migrations " + first.id() + " and " + id + " both change " + what,
        "Declare the second one when the first has reached "
            + lifecycle.name(free)
            + " (it is at "
            + lifecycle.name(first.state().reached())
            + "), or take the first back with rollback(\""
            + first.id()
            + "\").");
  }

  /** Whether a migration leaves its columns to others; or its table, as a whole. */
  static boolean over(MigrationRow row, boolean whole) {
    return row.finished() || givenUp(row) || row.state().lower() >= free(row.lifecycle(), whole);
  }

  private static int free(Lifecycle lifecycle, boolean whole) {
    return whole ? lifecycle.last() : lifecycle.settled();
  }

  /** It changes nothing any more, and goes on only if a person says so. */
  private static boolean givenUp(MigrationRow row) {
    return row.state().upper() == 0
        && (row.heldByPerson() || row.status() == MigrationStatus.ABANDONED);
  }
}
