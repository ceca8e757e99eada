package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Shortcut;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.TableLock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** NOT NULL without a scan under a blocking lock. */
final class NotNull {

  private static final String AT_ONCE = "NOT NULL is set by one statement, with no row to look at";

  private NotNull() {}

  /**
   * The steps to NOT NULL: a check that is validated while the table is in use is the proof that
   * lets the server skip the scan. Each step is also done when the last one is.
   *
   * @param table quoted and qualified
   * @param column unquoted
   * @param check the check constraint's name, unquoted
   */
  static List<Step> enforce(String table, String column, String check) {
    return enforce(List.of(table), column, check, List.of(), List.of());
  }

  /**
   * The same for a partitioned table: its partitions are validated one by one, so that no statement
   * reads them all.
   *
   * @param tables the table, then all of its partitions; quoted and qualified
   * @param leaves those that have rows of their own
   * @param between what must be done once new rows have a value, and before all are proved to
   */
  static List<Step> enforce(
      List<String> tables,
      String column,
      String check,
      List<Partitions.Leaf> leaves,
      List<Step> between) {
    return enforce(
        tables,
        column,
        check,
        leaves,
        between,
        "ALTER COLUMN " + Sql.quote(column) + " SET NOT NULL");
  }

  /**
   * The same where NOT NULL is a constraint with a name, from PostgreSQL 18 on: the check is the
   * proof for it as well.
   *
   * @param constraint its name, and its comment
   */
  static List<Step> enforce(
      List<String> tables, String column, String check, ColumnFacts constraint) {
    String name = constraint.text("name");
    List<Step> steps =
        enforce(
            tables,
            column,
            check,
            List.of(),
            List.of(),
            "ADD CONSTRAINT " + Sql.quote(name) + " NOT NULL " + Sql.quote(column));
    String comment = constraint.optional("comment");
    if (comment != null) {
      steps.add(comment("comment-not-null", tables.get(0), name, comment));
    }
    return steps;
  }

  private static List<Step> enforce(
      List<String> tables,
      String column,
      String check,
      List<Partitions.Leaf> leaves,
      List<Step> between,
      String set) {
    String table = tables.get(0);
    List<TableLock> lock = TableLock.each("ACCESS EXCLUSIVE", tables);
    String alter = "ALTER TABLE " + table + " ";
    String quoted = Sql.quote(column);
    String reached = Probes.notNull(table, column);
    List<Step> steps = new ArrayList<>();
    steps.add(
        new DdlStep(
            "add-check",
            "new and changed rows must have a value; existing ones are not looked at",
            lock,
            List.of(
                alter
                    + "ADD CONSTRAINT "
                    + Sql.quote(check)
                    + " CHECK ("
                    + quoted
                    + " IS NOT NULL) NOT VALID"),
            Probes.all(Probes.either(reached, Probes.constraint(table, check))),
            false));
    steps.addAll(between);
    for (Partitions.Leaf leaf : leaves) {
      steps.add(
          validatePart(
              "validate-check-" + leaf.key(), leaf.table(), check, Probes.either(reached, "%s")));
    }
    steps.add(
        new OnlineStep(
            "validate-check",
            leaves.isEmpty()
                ? "proves that every row has a value, while the table is in use"
                : "the same for the whole; where its partitions are done, there is no row to read",
            TableLock.each("SHARE UPDATE EXCLUSIVE", tables),
            alter + "VALIDATE CONSTRAINT " + Sql.quote(check),
            Probes.all(Probes.either(reached, Probes.validated(table, check))),
            Probes.NEVER,
            List.of()));
    steps.add(
        new DdlStep(
            "set-not-null",
            "NOT NULL; the validated check is the proof, so no row is looked at",
            lock,
            List.of(alter + set),
            Probes.all(reached),
            false));
    steps.add(
        new DdlStep(
            "drop-check",
            "the check has done its work",
            lock,
            List.of(alter + "DROP CONSTRAINT IF EXISTS " + Sql.quote(check)),
            Probes.all(Probes.not(Probes.constraint(table, check))),
            false));
    return steps;
  }

  /**
   * The same where NOT NULL is a constraint with a name, which is validated like any other: from
   * PostgreSQL 18 on. What takes a blocking lock is one statement, in place of three.
   *
   * @param constraint its name, whether it is valid and inherited, and its comment
   */
  static List<Step> enforce(String table, String column, ColumnFacts constraint) {
    return enforce(List.of(table), column, constraint);
  }

  /** A valid one without more to it, that the library itself gives the name. */
  static List<Step> enforceByName(List<String> tables, String column, String name) {
    return enforce(tables, column, new ColumnFacts(Map.of("name", name, "valid", true)));
  }

  private static List<Step> enforce(List<String> tables, String column, ColumnFacts constraint) {
    String table = tables.get(0);
    String name = constraint.text("name");
    List<Step> steps = new ArrayList<>();
    steps.add(
        new DdlStep(
            "add-not-null",
            "new and changed rows must have a value; existing ones are not looked at",
            TableLock.each("ACCESS EXCLUSIVE", tables),
            List.of(
                "ALTER TABLE "
                    + table
                    + " ADD CONSTRAINT "
                    + Sql.quote(name)
                    + " NOT NULL "
                    + Sql.quote(column)
                    + (constraint.flag("noInherit") ? " NO INHERIT" : "")
                    + " NOT VALID"),
            Probes.all(Probes.constraint(table, name)),
            false));
    if (constraint.flag("valid")) {
      steps.add(validate("validate-not-null", tables, name));
    }
    String comment = constraint.optional("comment");
    if (comment != null) {
      steps.add(comment("comment-not-null", table, name, comment));
    }
    return steps;
  }

  /**
   * The steps of {@link #enforce} after the one that does all of it in a table without rows.
   *
   * @param facts say whether there were rows
   * @param name the constraint's name, where it has one; else null
   * @param usual the steps
   */
  static List<Step> atOnce(
      Map<String, Object> facts,
      String table,
      String column,
      @Nullable String name,
      List<Step> usual) {
    String quoted = Sql.quote(column);
    String how =
        name == null
            ? "ALTER COLUMN " + quoted + " SET NOT NULL"
            : "ADD CONSTRAINT " + Sql.quote(name) + " NOT NULL " + quoted;
    String reached = name == null ? Probes.notNull(table, column) : Probes.validated(table, name);
    return EmptyTable.atOnce(
        facts,
        "not-null-at-once",
        "NOT NULL at once",
        LockMode.ACCESS_EXCLUSIVE,
        List.of(table),
        "ALTER TABLE " + table + " " + how,
        Probes.all(reached),
        usual);
  }

  /** How NOT NULL is reached, for the plan. */
  static List<Shortcut> shortcuts(Map<String, Object> facts, @Nullable String name) {
    List<Shortcut> shortcuts = new ArrayList<>(EmptyTable.shortcut(facts, AT_ONCE));
    if (name != null) {
      shortcuts.add(
          new Shortcut(
              Shortcut.Kind.SERVER_VERSION,
              "PostgreSQL 18 or later adds NOT NULL as NOT VALID and validates it, so there is no"
                  + " check to add, and to drop, under a blocking lock"));
    }
    return shortcuts;
  }

  /** Looks at every row while the table is in use. */
  static Step validate(String step, String table, String constraint) {
    return validate(step, List.of(table), constraint);
  }

  private static Step validate(String step, List<String> tables, String constraint) {
    String table = tables.get(0);
    return new OnlineStep(
        step,
        "proves that every row passes it, while the table is in use",
        TableLock.each("SHARE UPDATE EXCLUSIVE", tables),
        "ALTER TABLE " + table + " VALIDATE CONSTRAINT " + Sql.quote(constraint),
        Probes.all(Probes.validated(table, constraint)),
        Probes.NEVER,
        List.of());
  }

  /**
   * Validates a partitioned table's constraint: partition by partition, so that no statement reads
   * them all, and then as a whole, which has nothing left to read.
   *
   * @param tables the table, then all of its partitions; quoted and qualified
   * @param leaves those that have rows of their own
   */
  static List<Step> validate(
      String step, List<String> tables, List<Partitions.Leaf> leaves, String constraint) {
    if (tables.size() == 1) {
      return List.of(validate(step, tables.get(0), constraint));
    }
    List<Step> steps = new ArrayList<>();
    for (Partitions.Leaf leaf : leaves) {
      steps.add(validatePart(step + "-" + leaf.key(), leaf.table(), constraint, "%s"));
    }
    steps.add(
        new OnlineStep(
            step,
            "the same for the whole; where its partitions are done, there is no row to read",
            TableLock.each("SHARE UPDATE EXCLUSIVE", tables),
            "ALTER TABLE " + tables.get(0) + " VALIDATE CONSTRAINT " + Sql.quote(constraint),
            Probes.all(Probes.validated(tables.get(0), constraint)),
            Probes.NEVER,
            List.of()));
    return steps;
  }

  /** One that is gone, or not a partition any more, has nothing to prove. */
  private static Step validatePart(String step, String leaf, String constraint, String done) {
    return new OnlineStep(
        step,
        "proves that every row of partition " + leaf + " passes it, while it is in use",
        TableLock.each("SHARE UPDATE EXCLUSIVE", List.of(leaf)),
        "ALTER TABLE " + leaf + " VALIDATE CONSTRAINT " + Sql.quote(constraint),
        Probes.all(
            done.formatted(
                Probes.either(
                    Probes.not(Probes.constraint(leaf, constraint)),
                    Probes.validated(leaf, constraint)))),
        Probes.NEVER,
        List.of());
  }

  /** A constraint's comment. */
  static Step comment(String step, String table, String constraint, String comment) {
    return new DdlStep(
        step,
        "its comment",
        "ACCESS SHARE on " + table + ", within the lock budget",
        List.of(table),
        List.of(
            "COMMENT ON CONSTRAINT "
                + Sql.quote(constraint)
                + " ON "
                + table
                + " IS "
                + Sql.literal(comment)),
        Probes.all(Probes.commented(table, constraint, comment)),
        false);
  }

  /** Back to nullable, from wherever {@link #enforce} was. */
  static Step relax(String table, String column, String check) {
    return relax(List.of(table), column, check);
  }

  /**
   * The same for a partitioned table.
   *
   * @param tables the table, then all of its partitions; quoted and qualified
   */
  static Step relax(List<String> tables, String column, String check) {
    String table = tables.get(0);
    return new DdlStep(
        "drop-not-null",
        "rows may be without a value again",
        TableLock.each("ACCESS EXCLUSIVE", tables),
        List.of(
            "ALTER TABLE "
                + table
                + " DROP CONSTRAINT IF EXISTS "
                + Sql.quote(check)
                + ", ALTER COLUMN "
                + Sql.quote(column)
                + " DROP NOT NULL"),
        Probes.all(
            Probes.not(Probes.notNull(table, column)), Probes.not(Probes.constraint(table, check))),
        false);
  }
}
