package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Shortcut;
import dev.zerodowntime.orchestrator.operation.AddForeignKey;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.NetTarget;
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
    return phase <= AddForeignKey.ENFORCE
        ? new AddForeignKeyPreflight(migration, target, connection).facts()
        : Partitions.now(new Catalog(migration, target, connection), migration.table(), known);
  }

  /** Partitions come and go. */
  @Override
  public boolean recaptures(int phase) {
    return true;
  }

  @Override
  public boolean recapturesOnFailure(int phase) {
    return phase > AddForeignKey.ENFORCE;
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
    List<String> own = Partitions.locked(table, facts);
    List<String> referenced = new ArrayList<>();
    referenced.add(
        Sql.qualified(
            migration.referencedSchema().orElse(target.schema()), migration.referencedTable()));
    referenced.addAll(Facts.texts(facts, AddForeignKeyPreflight.REFERENCED));
    ForeignKeySteps steps =
        new ForeignKeySteps(
            migration.name(),
            definition(migration, referenced.get(0)),
            own,
            Partitions.leaves(facts),
            referenced,
            Facts.flag(facts, AddForeignKeyPreflight.PER_PARTITION));
    boolean up = direction == Direction.UP;
    boolean there = Facts.flag(facts, AddForeignKeyPreflight.THERE);
    return switch (phase) {
      case AddForeignKey.ENFORCE ->
          up ? enforce(facts, table, referenced.get(0), steps) : there ? List.of() : steps.drop();
      // Not validated any more it would still reject the same rows: there is nothing to take back,
      // and doing so would only cost a blocking lock.
      case AddForeignKey.DONE ->
          up && !Facts.flag(facts, AddForeignKeyPreflight.VALID)
              ? steps.validate(there)
              : List.of();
      default -> throw new IllegalArgumentException("AddForeignKey has no phase " + phase);
    };
  }

  private static List<Step> enforce(
      Map<String, Object> facts, String table, String referenced, ForeignKeySteps foreignKey) {
    if (Facts.flag(facts, AddForeignKeyPreflight.VALID)) {
      return List.of(
          ConstraintSteps.nothing(
              "foreign-key-exists",
              "the table has this foreign key already, and every row passes it: nothing to do,"
                  + " neither now nor on the way back",
              table));
    }
    List<Step> steps = new ArrayList<>();
    steps.add(
        new VerifyStep(
            "verify-rows",
            "no row may refer to a row of " + referenced + " that is not there",
            new Scan(
                table, Facts.key(facts), Facts.required(facts, AddForeignKeyPreflight.ORPHAN))));
    if (!Facts.flag(facts, AddForeignKeyPreflight.THERE)) {
      steps.addAll(foreignKey.add());
    }
    return EmptyTable.constraintAtOnce(
        facts,
        LockMode.SHARE_ROW_EXCLUSIVE,
        foreignKey.locked(),
        foreignKey.name(),
        foreignKey.definition(),
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

  @Override
  public List<String> net(AddForeignKey migration, NetTarget target, Map<String, Object> facts) {
    Plain plain = new Plain(target);
    return List.of(
        plain.addConstraint(
            migration.table(),
            Facts.flag(facts, AddForeignKeyPreflight.THERE),
            migration.name(),
            "FOREIGN KEY ("
                + Plain.names(migration.key())
                + ") REFERENCES "
                + plain.in(
                    migration.referencedSchema().orElse(target.schema()),
                    migration.referencedTable())
                + " ("
                + Plain.names(migration.referencedColumns())
                + ")"
                + action(" ON UPDATE ", migration.onUpdate())
                + action(" ON DELETE ", migration.onDelete())
                + (migration.deferrable() ? " DEFERRABLE" : "")
                + (migration.initiallyDeferred() ? " INITIALLY DEFERRED" : "")));
  }

  private static String action(String when, AddForeignKey.Action action) {
    return action == AddForeignKey.Action.NO_ACTION ? "" : when + action.sql();
  }
}
