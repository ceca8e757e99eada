package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Shortcut;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.TableLock;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A column, nullable first. */
final class PostgresAddColumn implements OperationSupport<AddColumn> {

  @Override
  public OperationType<AddColumn> type() {
    return AddColumn.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      AddColumn migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    AddColumnCheck check = new AddColumnCheck(migration, target, connection);
    return phase <= AddColumn.EXPAND ? check.facts() : check.now(phase, known);
  }

  /** Partitions come and go, and names; nothing else is looked at once the column is there. */
  @Override
  public boolean recaptures(int phase) {
    return true;
  }

  @Override
  public boolean recapturesOnFailure(int phase) {
    return phase > AddColumn.EXPAND;
  }

  /** The quarantined column's name. Another type or another value would be another column. */
  static String tombstone(AddColumn migration, Target target) {
    return Sql.tombstone(
        migration.id() + " " + migration.type() + " " + value(migration),
        target.schema(),
        migration.column());
  }

  /** The fill trigger's name, which sorts last: what it computes from is in step by then. */
  static String trigger(AddColumn migration, Target target) {
    return RowTriggers.OURS + "2_fill_" + Sql.hash8(migration.id(), target.schema());
  }

  /** The name of the check that stands for NOT NULL until that is proved. */
  static String check(AddColumn migration, Target target) {
    return "zdo_not_null_" + Sql.hash8(migration.id(), target.schema());
  }

  /** The value of rows that have none. */
  static String value(AddColumn migration) {
    return migration.fillSql().or(migration::defaultSql).orElse("NULL");
  }

  /**
   * Whether rows can be left without the value they should have: not where the server's fast
   * default gave it to all of them. A column that comes back from quarantine has missed some rows.
   */
  static boolean backfills(AddColumn migration, Map<String, Object> facts) {
    if (migration.fillSql().isEmpty() && migration.defaultSql().isEmpty()) {
      return false;
    }
    return !Facts.flag(facts, AddColumnCheck.FAST_DEFAULT)
        || Facts.flag(facts, AddColumnCheck.TOMBSTONE);
  }

  /** A column that is sent to subscribers under a name that they may not have. */
  @Override
  public Optional<String> consent(
      AddColumn migration, Map<String, Object> facts, int phase, Direction direction) {
    if (phase != AddColumn.EXPAND) {
      return Optional.empty();
    }
    return direction == Direction.UP
        ? Published.consent(facts, migration.table(), migration.column())
        : Published.quarantine(facts, migration.table());
  }

  @Override
  public List<Shortcut> shortcuts(AddColumn migration, Map<String, Object> facts) {
    List<Shortcut> shortcuts = new ArrayList<>();
    if (migration.defaultSql().isPresent() && !backfills(migration, facts)) {
      shortcuts.add(
          new Shortcut(
              Shortcut.Kind.FAST_DEFAULT,
              "rows that are there get the default without being touched, so there is nothing to"
                  + " fill"));
    }
    if (migration.notNull()) {
      shortcuts.addAll(NotNull.shortcuts(facts, Facts.text(facts, AddColumnCheck.NOT_NULL)));
    }
    return shortcuts;
  }

  @Override
  public List<Step> steps(
      AddColumn migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    Names names = new Names(migration, target, facts);
    boolean up = direction == Direction.UP;
    boolean notNull = migration.notNull();
    return switch (phase) {
      case AddColumn.EXPAND -> up ? expand(migration, facts, names) : quarantine(migration, names);
      case AddColumn.BACKFILL ->
          up && backfills(migration, facts) ? backfills(migration, facts, names) : List.of();
      case AddColumn.ENFORCE ->
          !notNull
              ? List.of()
              : up
                  ? enforce(migration, facts, names)
                  : List.of(NotNull.relax(names.tables, migration.column(), names.notNull));
      case AddColumn.DONE ->
          !notNull
              ? List.of()
              : List.of(up ? dropTrigger(names) : addTrigger(migration, facts, names));
      default -> throw new IllegalArgumentException("AddColumn has no phase " + phase);
    };
  }

  private static List<Step> expand(AddColumn migration, Map<String, Object> facts, Names names) {
    List<Step> steps = new ArrayList<>();
    String alter = "ALTER TABLE " + names.table + " ";
    String setDefault =
        migration
            .defaultSql()
            .map(value -> "ALTER COLUMN " + names.column + " SET DEFAULT " + value)
            .orElse("");
    List<String> sql = new ArrayList<>();
    String how;
    if (Facts.flag(facts, AddColumnCheck.TOMBSTONE)) {
      how = "brings the column back from quarantine";
      sql.add(alter + "RENAME COLUMN " + Sql.quote(names.tombstone) + " TO " + names.column);
      if (!setDefault.isEmpty()) {
        sql.add(alter + setDefault);
      }
    } else {
      String add = alter + "ADD COLUMN " + names.column + " " + migration.type();
      if (setDefault.isEmpty()) {
        how = "adds the column, nullable; touches no row";
        sql.add(add);
      } else if (Facts.flag(facts, AddColumnCheck.FAST_DEFAULT)) {
        how = "adds the column, nullable; existing rows get the default without being touched";
        sql.add(add + " DEFAULT " + migration.defaultSql().orElseThrow());
      } else {
        how =
            "adds the column, nullable; existing rows stay without the default and are not touched";
        sql.add(add + ", " + setDefault);
      }
    }
    steps.add(
        new DdlStep(
            "add-column",
            how,
            TableLock.each("ACCESS EXCLUSIVE", names.tables),
            sql,
            Probes.all(Probes.column(names.table, migration.column())),
            true));
    if (migration.notNull()) {
      steps.add(addTrigger(migration, facts, names));
    }
    return steps;
  }

  /**
   * Everything in one transaction: nobody meets the trigger without its column, or without values.
   */
  private static List<Step> quarantine(AddColumn migration, Names names) {
    List<String> sql = new ArrayList<>();
    if (migration.notNull()) {
      sql.add(names.dropTrigger());
    }
    String alter = "ALTER TABLE " + names.table + " ";
    sql.add(alter + "ALTER COLUMN " + names.column + " DROP DEFAULT");
    sql.add(alter + "RENAME COLUMN " + names.column + " TO " + Sql.quote(names.tombstone));
    if (migration.notNull()) {
      sql.add(names.dropFunction());
    }
    return List.of(
        new DdlStep(
            "quarantine-column",
            "renames the column to a tombstone, with its values; nothing fills it any more",
            TableLock.each("ACCESS EXCLUSIVE", names.tables),
            sql,
            Probes.all(Probes.not(Probes.column(names.table, migration.column()))),
            true));
  }

  /**
   * Partition by partition: over the whole, the server would look for every row of a batch in all
   * of them.
   */
  private static List<Step> backfills(AddColumn migration, Map<String, Object> facts, Names names) {
    if (!facts.containsKey(AddColumnCheck.LEAVES)) {
      return List.of(backfill(migration, facts, names, names.table, "fill"));
    }
    List<Step> steps = new ArrayList<>();
    for (String leaf : Facts.texts(facts, AddColumnCheck.LEAVES)) {
      steps.add(backfill(migration, facts, names, leaf, "fill-" + PartitionedIndex.key(leaf)));
    }
    steps.add(Partitions.complete(names.table, Facts.texts(facts, AddColumnCheck.LEAVES)));
    return steps;
  }

  /**
   * A partition that was attached after the backfill may have brought rows without a value; even
   * while the check is not validated, if it has brought the same check.
   */
  private static List<Step> enforce(AddColumn migration, Map<String, Object> facts, Names names) {
    List<Step> again = new ArrayList<>();
    for (String leaf : Facts.texts(facts, AddColumnCheck.REFILL)) {
      again.add(backfill(migration, facts, names, leaf, "refill-" + PartitionedIndex.key(leaf)));
    }
    List<Partitions.Leaf> leaves =
        Facts.texts(facts, AddColumnCheck.LEAVES).stream()
            .map(each -> new Partitions.Leaf(each, each, PartitionedIndex.key(each)))
            .toList();
    String named = Facts.text(facts, AddColumnCheck.NOT_NULL);
    List<Step> usual =
        named == null
            ? NotNull.enforce(names.tables, migration.column(), names.notNull, leaves, again)
            : NotNull.enforceByName(names.tables, migration.column(), named);
    return NotNull.atOnce(facts, names.table, migration.column(), named, usual);
  }

  private static Step backfill(
      AddColumn migration, Map<String, Object> facts, Names names, String table, String step) {
    String value = "(" + value(migration) + ")";
    String pending = names.column + " IS NULL";
    if (!migration.notNull()) {
      // Where NULL is a good value, a row that gets it is not waiting for anything.
      pending += " AND " + value + " IS NOT NULL";
    }
    return BackfillStep.assign(
        step,
        "fills rows that have no value" + (table.equals(names.table) ? "" : ", in " + table),
        new Scan(table, Facts.key(facts), pending),
        names.column + " = " + value,
        migration.notNull() ? value + " IS NULL" : null,
        migration.notNull());
  }

  private static Step addTrigger(AddColumn migration, Map<String, Object> facts, Names names) {
    String trigger = Sql.quote(names.trigger);
    return new DdlStep(
        "add-fill-trigger",
        "rows that are written without a value get one, and code that never read it can't erase it",
        TableLock.each("SHARE ROW EXCLUSIVE", names.tables),
        List.of(
            function(migration, facts, names),
            "REVOKE ALL ON FUNCTION " + names.function + "() FROM PUBLIC",
            "CREATE OR REPLACE TRIGGER "
                + trigger
                + " BEFORE INSERT OR UPDATE ON "
                + names.table
                + " FOR EACH ROW WHEN (NEW."
                + names.column
                + " IS NULL) EXECUTE FUNCTION "
                + names.function
                + "()",
            "ALTER TABLE " + names.table + " ENABLE ALWAYS TRIGGER " + trigger),
        Probes.all(Probes.alwaysTrigger(names.table, names.trigger)),
        false);
  }

  /**
   * The expression may name columns bare or with the table; a column may be called like a variable.
   * It may use what the application's role has no right to: that was tried as this user, and every
   * write of that role would fail.
   */
  private static String function(AddColumn migration, Map<String, Object> facts, Names names) {
    String body =
        "#variable_conflict use_column\n"
            + "BEGIN\n"
            + ("  " + FillFunctions.owner(migration.id()))
            + "  IF TG_OP = 'UPDATE' THEN\n"
            + ("    NEW." + names.column + " := OLD." + names.column + ";\n")
            + "  END IF;\n"
            + ("  IF NEW." + names.column + " IS NULL THEN\n")
            + ("    SELECT (" + value(migration) + ") INTO NEW." + names.column)
            + (" FROM (SELECT NEW.*) AS " + Sql.quote(migration.table()) + ";\n")
            + "  END IF;\n"
            + "  RETURN NEW;\n"
            + "END";
    List<String> path = new ArrayList<>(Facts.texts(facts, AddColumnCheck.PATH));
    path.add("pg_temp");
    return "CREATE OR REPLACE FUNCTION "
        + names.function
        + "() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "
        + String.join(", ", path)
        + " AS "
        + Sql.literal(body);
  }

  private static Step dropTrigger(Names names) {
    return new DdlStep(
        "drop-fill-trigger",
        "everybody writes the column now",
        TableLock.each("ACCESS EXCLUSIVE", names.tables),
        List.of(names.dropTrigger(), names.dropFunction()),
        Probes.all(
            Probes.not(Probes.trigger(names.table, names.trigger)),
            Probes.not(Probes.function(names.controlSchema, names.functionName))),
        false);
  }

  /** Everything by its name. */
  private static final class Names {
    final String controlSchema;
    final String table;

    /** The table, and all of its partitions, which get locked with it. */
    final List<String> tables;

    final String column;
    final String tombstone;
    final String trigger;
    final String functionName;
    final String function;

    /** The NOT NULL constraint's, or that of the check which proves it. */
    final String notNull;

    Names(AddColumn migration, Target target, Map<String, Object> facts) {
      String hash = Sql.hash8(migration.id(), target.schema());
      controlSchema = target.controlSchema();
      table = Sql.qualified(target.schema(), migration.table());
      tables = new ArrayList<>(List.of(table));
      tables.addAll(Facts.texts(facts, AddColumnCheck.PARTITIONS));
      column = Sql.quote(migration.column());
      tombstone = PostgresAddColumn.tombstone(migration, target);
      trigger = PostgresAddColumn.trigger(migration, target);
      functionName = FillFunctions.PREFIX + hash;
      function = Sql.qualified(controlSchema, functionName);
      String named = Facts.text(facts, AddColumnCheck.NOT_NULL);
      notNull = named == null ? check(migration, target) : named;
    }

    String dropTrigger() {
      return "DROP TRIGGER IF EXISTS " + Sql.quote(trigger) + " ON " + table;
    }

    String dropFunction() {
      return "DROP FUNCTION IF EXISTS " + function + "()";
    }
  }

  @Override
  public List<String> net(AddColumn migration, NetTarget target, Map<String, Object> facts) {
    Plain plain = new Plain(target);
    String table = migration.table();
    String column = migration.column();
    String add = "ADD COLUMN " + Plain.name(column) + " " + migration.type();
    String notNull = migration.notNull() ? " NOT NULL" : "";
    String value = migration.defaultSql().map(each -> " DEFAULT " + each).orElse("");
    if (migration.fillSql().isEmpty()) {
      return List.of(plain.alter(table, add + value + notNull));
    }
    List<String> sql = new ArrayList<>();
    sql.add(plain.alter(table, add));
    sql.add(
        "UPDATE "
            + plain.in(table)
            + " SET "
            + Plain.name(column)
            + " = "
            + migration.fillSql().get());
    if (!value.isEmpty()) {
      sql.add(plain.alterColumn(table, column, "SET" + value));
    }
    if (migration.notNull()) {
      sql.add(plain.alterColumn(table, column, "SET NOT NULL"));
    }
    return sql;
  }
}
