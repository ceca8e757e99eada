package dev.zerodowntime.orchestrator.internal.plan;

import dev.zerodowntime.orchestrator.internal.sql.AlterTable;
import dev.zerodowntime.orchestrator.internal.sql.ObjectName;
import dev.zerodowntime.orchestrator.internal.sql.Statement;
import java.util.List;
import java.util.Optional;

/**
 * A statement, and where it is.
 *
 * @param statement the statement
 * @param all all statements of its step and direction
 * @param online whether it runs outside of a transaction
 * @param back whether it is on the way back
 * @param made what the plan has made before it; on the way back, all that it makes
 */
record Place(Statement statement, List<Statement> all, boolean online, boolean back, Made made) {

  Optional<AlterTable> alter() {
    return AlterTable.of(statement);
  }

  /** Whether an ALTER TABLE of a table with others' rows does such a thing. */
  boolean alters(java.util.function.Predicate<AlterTable.Action> what) {
    return alter()
        .filter(each -> !made.table(each.table()))
        .map(each -> each.actions().stream().anyMatch(what))
        .orElse(false);
  }

  /** The tables, indexes and so on that a DROP names. */
  List<ObjectName> dropped(int from) {
    return statement.names(statement.skip(from, "if", "exists"));
  }
}
