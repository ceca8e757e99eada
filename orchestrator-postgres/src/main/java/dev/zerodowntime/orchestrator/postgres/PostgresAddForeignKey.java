package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Shortcut;
import dev.zerodowntime.orchestrator.operation.AddForeignKey;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A foreign key: proved for the rows there are, added NOT VALID, validated. */
final class PostgresAddForeignKey implements OperationSupport<AddForeignKey> {

  @Override
  public OperationType<AddForeignKey> type() {
    return AddForeignKey.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      AddForeignKey migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    return new AddForeignKeyPreflight(migration, target, connection).facts();
  }

  @Override
  public List<Shortcut> shortcuts(AddForeignKey migration, Map<String, Object> facts) {
    return EmptyTable.constraintShortcut(facts);
  }

  @Override
  public List<Step> steps(
      AddForeignKey migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    String table = Sql.qualified(target.schema(), migration.table());
    String referenced =
        Sql.qualified(
            migration.referencedSchema().orElse(target.schema()), migration.referencedTable());
    List<String> tables = Stream.of(table, referenced).distinct().toList();
    boolean up = direction == Direction.UP;
    boolean there = Facts.flag(facts, AddForeignKeyPreflight.THERE);
    return switch (phase) {
      case AddForeignKey.ENFORCE ->
          up
              ? enforce(migration, facts, tables, referenced)
              : there
                  ? List.of()
                  : List.of(
                      ConstraintSteps.drop(
                          "drop-foreign-key",
                          "rows need not refer to anything any more",
                          tables,
                          migration.name()));
      // Not validated any more it would still reject the same rows: there is nothing to take back,
      // and doing so would only cost a blocking lock.
      case AddForeignKey.DONE ->
          up && !Facts.flag(facts, AddForeignKeyPreflight.VALID)
              ? List.of(NotNull.validate("validate-foreign-key", table, migration.name()))
              : List.of();
      default -> throw new IllegalArgumentException("AddForeignKey has no phase " + phase);
    };
  }

  private static List<Step> enforce(
      AddForeignKey migration, Map<String, Object> facts, List<String> tables, String referenced) {
    if (Facts.flag(facts, AddForeignKeyPreflight.VALID)) {
      return List.of(
          ConstraintSteps.nothing(
              "foreign-key-exists",
              "the table has this foreign key already, and every row passes it: nothing to do,"
                  + " neither now nor on the way back",
              tables.get(0)));
    }
    List<Step> steps = new ArrayList<>();
    steps.add(
        new VerifyStep(
            "verify-rows",
            "no row may refer to a row of " + referenced + " that is not there",
            new Scan(
                tables.get(0),
                Facts.key(facts),
                Facts.required(facts, AddForeignKeyPreflight.ORPHAN))));
    if (!Facts.flag(facts, AddForeignKeyPreflight.THERE)) {
      steps.add(
          ConstraintSteps.add(
              "add-foreign-key",
              "new and changed rows must refer to a row, and what is referred to can't go; existing"
                  + " rows are not looked at",
              LockMode.SHARE_ROW_EXCLUSIVE,
              tables,
              migration.name(),
              definition(migration, referenced) + " NOT VALID"));
    }
    return EmptyTable.constraintAtOnce(
        facts,
        LockMode.SHARE_ROW_EXCLUSIVE,
        tables,
        migration.name(),
        definition(migration, referenced),
        steps);
  }

  /** What follows the name. */
  static String definition(AddForeignKey migration, String referenced) {
    return "FOREIGN KEY ("
        + names(migration.key())
        + ") REFERENCES "
        + referenced
        + " ("
        + names(migration.referencedColumns())
        + ") ON UPDATE "
        + migration.onUpdate().sql()
        + " ON DELETE "
        + migration.onDelete().sql()
        + (migration.deferrable() ? " DEFERRABLE" : "")
        + (migration.initiallyDeferred() ? " INITIALLY DEFERRED" : "");
  }

  static String names(List<String> columns) {
    return columns.stream().map(Sql::quote).collect(Collectors.joining(", "));
  }
}
