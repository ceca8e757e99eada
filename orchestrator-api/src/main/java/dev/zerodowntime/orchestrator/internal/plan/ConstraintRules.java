package dev.zerodowntime.orchestrator.internal.plan;

import dev.zerodowntime.orchestrator.internal.sql.AlterTable;
import java.util.List;

/** How constraints come: their proof reads all rows, and must not do so under a blocking lock. */
final class ConstraintRules {

  private ConstraintRules() {}

  static List<Rule> all() {
    return List.of(check(), foreignKey(), unique(), exclude(), setNotNull());
  }

  private static Rule check() {
    return Rule.of(
        "add-check",
        "without NOT VALID all rows are read while the table is locked",
        "AddCheck; or NOT VALID here and VALIDATE CONSTRAINT in an online(...) step",
        place ->
            place.alters(
                action -> action.starts("add") && action.has("check") && !notValid(action)));
  }

  private static Rule foreignKey() {
    return Rule.of(
        "add-foreign-key",
        "without NOT VALID all rows are read while both tables are locked",
        "AddForeignKey; or NOT VALID here and VALIDATE CONSTRAINT in an online(...) step",
        place ->
            place.alters(
                action -> action.starts("add") && action.has("references") && !notValid(action)));
  }

  private static boolean notValid(AlterTable.Action action) {
    return action.addsConstraint() && action.has("not", "valid");
  }

  private static Rule unique() {
    return Rule.of(
        "add-unique",
        "without USING INDEX its index is built while the table is locked",
        "AddUnique or AddPrimaryKey; or CREATE UNIQUE INDEX CONCURRENTLY in an online(...) step,"
            + " and USING INDEX here",
        place ->
            place.alters(
                action ->
                    action.starts("add")
                        && (action.has("unique") || action.has("primary", "key"))
                        && !action.has("using", "index")));
  }

  private static Rule exclude() {
    return Rule.of(
        "add-exclusion",
        "its index is built while the table is locked, and there is no other way to build it",
        "a new table that has the constraint from the beginning, and a Backfill with copyInto",
        place -> place.alters(action -> action.addsConstraint() && action.has("exclude")));
  }

  private static Rule setNotNull() {
    return Rule.of(
        "set-not-null",
        "all rows are read while the table is locked, unless a validated constraint CHECK (column"
            + " IS NOT NULL) proves it",
        "SetNotNull; or ADD CONSTRAINT ... CHECK (column IS NOT NULL) NOT VALID and VALIDATE"
            + " CONSTRAINT in earlier steps of this plan",
        place ->
            place
                .alter()
                .filter(each -> !place.made().table(each.table()))
                .map(
                    alter ->
                        alter.actions().stream()
                            .anyMatch(
                                action ->
                                    sets(action) && !proven(place, alter, action) || adds(action)))
                .orElse(false));
  }

  private static boolean sets(AlterTable.Action action) {
    return action.starts("alter") && action.has("set", "not", "null");
  }

  /** PostgreSQL 18 knows it as a constraint. */
  private static boolean adds(AlterTable.Action action) {
    return action.addsConstraint()
        && action.has("not", "null")
        && !action.has("check")
        && !action.has("not", "valid");
  }

  private static boolean proven(Place place, AlterTable alter, AlterTable.Action action) {
    String column = action.column();
    return column != null && place.made().proven(alter.table(), column);
  }
}
