package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Shortcut;
import dev.zerodowntime.orchestrator.operation.AddCheck;
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

/** A check: proved for the rows there are, added NOT VALID, validated. */
final class PostgresAddCheck implements OperationSupport<AddCheck> {

  @Override
  public OperationType<AddCheck> type() {
    return AddCheck.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      AddCheck migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    return phase <= AddCheck.ENFORCE
        ? new AddCheckPreflight(migration, target, connection).facts()
        : Partitions.now(new Catalog(migration, target, connection), migration.table(), known);
  }

  /** Partitions come and go. */
  @Override
  public boolean recaptures(int phase) {
    return true;
  }

  @Override
  public boolean recapturesOnFailure(int phase) {
    return phase > AddCheck.ENFORCE;
  }

  @Override
  public List<Shortcut> shortcuts(AddCheck migration, Map<String, Object> facts) {
    return EmptyTable.constraintShortcut(facts);
  }

  @Override
  public List<Step> steps(
      AddCheck migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    List<String> tables =
        Partitions.locked(Sql.qualified(target.schema(), migration.table()), facts);
    boolean up = direction == Direction.UP;
    return switch (phase) {
      case AddCheck.ENFORCE ->
          up ? enforce(migration, facts, tables) : drop(migration, facts, tables);
      // Not validated any more it would still reject the same rows: there is nothing to take back,
      // and doing so would only cost a blocking lock.
      case AddCheck.DONE ->
          up && !Facts.flag(facts, AddCheckPreflight.VALID)
              ? NotNull.validate(
                  "validate-check", tables, Partitions.leaves(facts), migration.name())
              : List.of();
      default -> throw new IllegalArgumentException("AddCheck has no phase " + phase);
    };
  }

  private static List<Step> enforce(
      AddCheck migration, Map<String, Object> facts, List<String> tables) {
    String table = tables.get(0);
    if (Facts.flag(facts, AddCheckPreflight.VALID)) {
      return List.of(
          ConstraintSteps.nothing(
              "check-exists",
              "the table has this check already, and every row passes it: nothing to do, neither"
                  + " now nor on the way back",
              table));
    }
    String expression = Facts.required(facts, AddCheckPreflight.EXPRESSION);
    List<Step> steps = new ArrayList<>();
    steps.add(
        new VerifyStep(
            "verify-rows",
            "no row may fail the check \""
                + migration.name()
                + "\", or every update of it would fail from now on",
            // What is null passes.
            new Scan(table, Facts.key(facts), "(" + expression + ") IS FALSE")));
    if (!Facts.flag(facts, AddCheckPreflight.THERE)) {
      steps.add(
          ConstraintSteps.add(
              "add-check",
              "new and changed rows must pass the check; existing ones are not looked at",
              LockMode.ACCESS_EXCLUSIVE,
              tables,
              migration.name(),
              "CHECK (" + expression + ") NOT VALID"));
    }
    return EmptyTable.constraintAtOnce(
        facts,
        LockMode.ACCESS_EXCLUSIVE,
        List.of(table),
        migration.name(),
        "CHECK (" + expression + ")",
        steps);
  }

  private static List<Step> drop(
      AddCheck migration, Map<String, Object> facts, List<String> tables) {
    return Facts.flag(facts, AddCheckPreflight.THERE)
        ? List.of()
        : List.of(
            ConstraintSteps.drop(
                "drop-check", "rows need not pass the check any more", tables, migration.name()));
  }

  @Override
  public List<String> net(AddCheck migration, NetTarget target, Map<String, Object> facts) {
    return List.of(
        new Plain(target)
            .addConstraint(
                migration.table(),
                Facts.flag(facts, AddCheckPreflight.THERE),
                migration.name(),
                "CHECK (" + migration.expression() + ")"));
  }
}
