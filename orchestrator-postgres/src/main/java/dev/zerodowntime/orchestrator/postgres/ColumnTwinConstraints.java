package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.TableLock;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * NOT NULL, checks and foreign keys, each added without looking at the rows, and then validated
 * without blocking writes.
 */
final class ColumnTwinConstraints {

  private final ColumnTwin twin;
  private final ColumnFacts facts;

  ColumnTwinConstraints(ColumnTwin twin) {
    this.twin = twin;
    this.facts = twin.facts();
  }

  // ---- NOT NULL

  /** On the new column. */
  List<Step> addNotNull() {
    ColumnFacts constraint = facts.notNullConstraint();
    return addNotNull(
        twin.to(), constraint == null ? "" : twin.twin(constraint.text("name")), "false");
  }

  /**
   * On the old column again, under the name given.
   *
   * @param unless a condition under which it never lost it
   */
  List<Step> addNotNullAgain(String column, String unless) {
    ColumnFacts constraint = facts.notNullConstraint();
    return addNotNull(column, constraint == null ? "" : constraint.text("name"), unless);
  }

  private List<Step> addNotNull(String column, String name, String unless) {
    if (!facts.notNull()) {
      return List.of();
    }
    ColumnFacts constraint = facts.notNullConstraint();
    return constraint == null
        ? notNullByCheck(column, unless)
        : notNullByName(column, constraint, name, unless);
  }

  private List<Step> notNullByCheck(String column, String unless) {
    String check = twin.notNullCheck();
    String done = unless + " OR " + twin.column(column, "a.attnotnull");
    return List.of(
        twin.ddl(
            "not-null-check",
            "NOT NULL as a check that old rows need not satisfy yet",
            "ACCESS EXCLUSIVE",
            done + " OR " + twin.constraint(check, "true"),
            "ALTER TABLE "
                + twin.table()
                + " ADD CONSTRAINT "
                + Sql.quote(check)
                + " CHECK ("
                + column
                + " IS NOT NULL) NOT VALID"),
        validate("not-null-validate", check, done),
        twin.ddl(
            "not-null",
            "NOT NULL, proved by the check, so that no row is looked at",
            "ACCESS EXCLUSIVE",
            done,
            ColumnTwinContract.alter(twin, column) + "SET NOT NULL"),
        dropNotNullCheck());
  }

  /** Since PostgreSQL 18 NOT NULL itself can be validated later. */
  private List<Step> notNullByName(
      String column, ColumnFacts constraint, String name, String unless) {
    List<Step> steps = new ArrayList<>();
    steps.add(
        twin.ddl(
            "not-null",
            "NOT NULL, which old rows need not satisfy yet",
            "ACCESS EXCLUSIVE",
            unless + " OR " + twin.constraint(name, "k.contype = 'n'"),
            "ALTER TABLE "
                + twin.table()
                + " ADD CONSTRAINT "
                + Sql.quote(name)
                + " NOT NULL "
                + column
                + (constraint.flag("noInherit") ? " NO INHERIT" : "")
                + " NOT VALID"));
    if (constraint.flag("valid")) {
      steps.add(validate("not-null-validate", name, unless));
    }
    comment("not-null-comment", name, constraint.optional("comment"), unless).forEach(steps::add);
    return steps;
  }

  /** The check is of use for a moment only. */
  Step dropNotNullCheck() {
    return dropNotNullCheck("not-null-drop-check");
  }

  /** The same under another name, for a phase that may have that step already. */
  Step dropNotNullCheck(String step) {
    return dropConstraint(step, "the check that proved NOT NULL", twin.notNullCheck());
  }

  /** From the new column. */
  List<Step> dropNotNull() {
    if (!facts.notNull()) {
      return List.of();
    }
    List<Step> steps = new ArrayList<>();
    steps.add(
        twin.ddl(
            "nullable",
            "the new column is nullable again",
            "ACCESS EXCLUSIVE",
            twin.column(twin.to(), "NOT a.attnotnull"),
            ColumnTwinContract.alter(twin, twin.to()) + "DROP NOT NULL"));
    if (facts.notNullConstraint() == null) {
      steps.add(dropNotNullCheck());
    }
    return steps;
  }

  // ---- checks and foreign keys

  /** The doubles, for the new column. */
  List<Step> addTwins() {
    List<Step> steps = new ArrayList<>();
    facts.checks().forEach(each -> steps.addAll(add("check", each, true)));
    facts.foreignKeys().forEach(each -> steps.addAll(add("foreign-key", each, true)));
    return steps;
  }

  /** The doubles go again. */
  List<Step> dropTwins() {
    List<Step> steps = new ArrayList<>();
    facts.foreignKeys().forEach(each -> steps.add(drop("foreign-key", each, true)));
    facts.checks().forEach(each -> steps.add(drop("check", each, true)));
    return steps;
  }

  List<Step> dropOldForeignKeys() {
    return facts.foreignKeys().stream().map(each -> drop("foreign-key", each, false)).toList();
  }

  List<Step> dropOldChecks() {
    return facts.checks().stream().map(each -> drop("check", each, false)).toList();
  }

  List<Step> restoreOldForeignKeys() {
    List<Step> steps = new ArrayList<>();
    facts.foreignKeys().forEach(each -> steps.addAll(add("foreign-key", each, false)));
    return steps;
  }

  List<Step> restoreOldChecks() {
    List<Step> steps = new ArrayList<>();
    facts.checks().forEach(each -> steps.addAll(add("check", each, false)));
    return steps;
  }

  /** The doubles take over the names, once the originals are gone. */
  List<Step> takeNames() {
    List<Step> steps = new ArrayList<>();
    ColumnFacts notNull = facts.notNullConstraint();
    if (notNull != null) {
      steps.add(rename("not-null", notNull.text("name")));
    }
    facts.checks().forEach(each -> steps.add(rename("check", each.name())));
    facts.foreignKeys().forEach(each -> steps.add(rename("foreign-key", each.name())));
    return steps;
  }

  private Step rename(String kind, String name) {
    return twin.ddl(
        "rename-" + kind + ":" + name,
        "the constraint takes over the name of the one that is gone",
        "ACCESS EXCLUSIVE",
        twin.constraint(name, "true"),
        "ALTER TABLE "
            + twin.table()
            + " RENAME CONSTRAINT "
            + Sql.quote(twin.twin(name))
            + " TO "
            + Sql.quote(name));
  }

  private List<Step> add(String kind, ColumnFacts.Constraint constraint, boolean newColumn) {
    String name = newColumn ? twin.twin(constraint.name()) : constraint.name();
    String step = kind + ":" + constraint.name();
    String parent = constraint.parent();
    String mode = parent == null ? "ACCESS EXCLUSIVE" : "SHARE ROW EXCLUSIVE";
    List<Step> steps = new ArrayList<>();
    steps.add(
        locking(
            parent,
            twin.ddl(
                step,
                "the same " + kind.replace('-', ' ') + ", which old rows need not satisfy yet",
                mode,
                twin.constraint(name, "true"),
                "ALTER TABLE "
                    + twin.table()
                    + " ADD CONSTRAINT "
                    + Sql.quote(name)
                    + " "
                    + constraint.definition(newColumn)
                    + " NOT VALID")));
    if (constraint.valid()) {
      steps.add(validate(step + ":validate", name, "false"));
    }
    steps.addAll(comment(step + ":comment", name, constraint.comment(), "false"));
    return steps;
  }

  private Step drop(String kind, ColumnFacts.Constraint constraint, boolean newColumn) {
    DdlStep step =
        dropConstraint(
            "drop-" + kind + ":" + constraint.name(),
            newColumn
                ? "the new column's " + kind.replace('-', ' ')
                : "the old column's " + kind.replace('-', ' ') + ", which the new one has as well",
            newColumn ? twin.twin(constraint.name()) : constraint.name());
    return locking(constraint.parent(), step);
  }

  private static DdlStep locking(@Nullable String parent, DdlStep step) {
    if (parent == null || step.tables().contains(parent)) {
      return step;
    }
    List<TableLock> locks = new ArrayList<>(step.locks());
    locks.add(new TableLock(step.locks().get(0).mode(), parent));
    return new DdlStep(step.name(), step.summary(), locks, step.sql(), step.done(), false);
  }

  private DdlStep dropConstraint(String step, String summary, String name) {
    return twin.ddl(
        step,
        summary,
        "ACCESS EXCLUSIVE",
        "NOT " + twin.constraint(name, "true"),
        "ALTER TABLE " + twin.table() + " DROP CONSTRAINT IF EXISTS " + Sql.quote(name));
  }

  private Step validate(String step, String name, String unless) {
    return twin.online(
        step,
        "every row is looked at while writes go on",
        "ALTER TABLE " + twin.table() + " VALIDATE CONSTRAINT " + Sql.quote(name),
        unless + " OR " + twin.constraint(name, "k.convalidated"));
  }

  private List<Step> comment(String step, String name, @Nullable String comment, String unless) {
    if (comment == null) {
      return List.of();
    }
    return List.of(
        twin.ddl(
            step,
            "its comment",
            "SHARE UPDATE EXCLUSIVE",
            unless
                + " OR "
                + twin.constraint(
                    name,
                    ColumnTwin.commented(
                        "pg_catalog.obj_description(k.oid, 'pg_constraint')", comment)),
            commentSql(twin, name, comment)));
  }

  static String commentSql(ColumnTwin twin, String constraint, String comment) {
    return "COMMENT ON CONSTRAINT "
        + Sql.quote(constraint)
        + " ON "
        + twin.table()
        + " IS "
        + Sql.literal(comment);
  }
}
