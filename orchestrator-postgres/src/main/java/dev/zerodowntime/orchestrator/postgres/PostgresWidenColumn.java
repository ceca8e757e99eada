package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.WidenColumn;
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
import java.util.Optional;

/** A column gets a wider type by a change of the catalog only. */
final class PostgresWidenColumn implements OperationSupport<WidenColumn> {

  @Override
  public OperationType<WidenColumn> type() {
    return WidenColumn.TYPE;
  }

  /** The check that stands for the former type on a way back that can't restore it, unquoted. */
  static String fits(Target target) {
    return "zdo_fits_" + Sql.hash8(target.id(), target.schema());
  }

  @Override
  public Map<String, Object> preflight(
      WidenColumn migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    return new WidenColumnCheck(migration, target, connection).facts(known);
  }

  @Override
  public Optional<String> consent(
      WidenColumn migration, Map<String, Object> facts, int phase, Direction direction) {
    return direction == Direction.UP
            || Facts.flag(facts, WidenColumnCheck.ALREADY)
            || Facts.flag(facts, WidenColumnCheck.BACK)
        ? Optional.empty()
        : Optional.of(stays(migration, facts));
  }

  private static String stays(WidenColumn migration, Map<String, Object> facts) {
    return "column \""
        + migration.column()
        + "\" stays "
        + type(facts, WidenColumnCheck.WANTED)
        + ", for to make it "
        + type(facts, WidenColumnCheck.FORMER)
        + " again PostgreSQL would rewrite the table while nobody can use it; a check accepts what"
        + " that type did";
  }

  @Override
  public List<Step> steps(
      WidenColumn migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    if (phase != WidenColumn.DONE) {
      throw new IllegalArgumentException("WidenColumn has no phase " + phase);
    }
    String table = Sql.qualified(target.schema(), migration.table());
    if (Facts.flag(facts, WidenColumnCheck.ALREADY)) {
      return direction == Direction.DOWN
          ? List.of()
          : List.of(
              ConstraintSteps.nothing(
                  "already-wide",
                  "column "
                      + Sql.quote(migration.column())
                      + " has that type already: nothing to do, neither now nor on the way back",
                  table));
    }
    if (direction == Direction.UP) {
      return retype(migration, target, facts, WidenColumnCheck.WANTED, WidenColumnCheck.ACTIONS)
          .steps("widen", "the column gets its new type; touches no row");
    }
    return Facts.flag(facts, WidenColumnCheck.BACK)
        ? retype(migration, target, facts, WidenColumnCheck.FORMER, WidenColumnCheck.BACK_ACTIONS)
            .steps("restore-type", "the column has its former type again; touches no row")
        : narrow(migration, target, facts, table);
  }

  private static ColumnRetype retype(
      WidenColumn migration, Target target, Map<String, Object> facts, String to, String actions) {
    ColumnFacts type = map(facts, to);
    return new ColumnRetype(
        Sql.qualified(target.schema(), migration.table()),
        migration.column(),
        type.text(WidenColumnCheck.COLLATED),
        ColumnRetype.is(type.text(WidenColumnCheck.PLAIN), type.text(WidenColumnCheck.MODIFIER)),
        Facts.texts(facts, actions),
        Facts.maps(facts, WidenColumnCheck.CHECKS),
        fits(target),
        Facts.texts(facts, WidenColumnCheck.PARTNERS),
        Facts.flag(facts, WidenColumnCheck.ANALYZED));
  }

  private static ColumnFacts map(Map<String, Object> facts, String name) {
    ColumnFacts map = new ColumnFacts(facts).optionalMap(name);
    if (map == null) {
      throw new IllegalArgumentException("the facts have no " + name);
    }
    return map;
  }

  private static String type(Map<String, Object> facts, String name) {
    return map(facts, name).text(WidenColumnCheck.TYPE);
  }

  /** The wide column accepts what the narrow one did, once every row is like that. */
  private static List<Step> narrow(
      WidenColumn migration, Target target, Map<String, Object> facts, String table) {
    String column = Sql.quote(migration.column());
    String narrow =
        "CAST(CAST("
            + column
            + " AS "
            + type(facts, WidenColumnCheck.FORMER)
            + ") AS "
            + type(facts, WidenColumnCheck.WANTED)
            + ")";
    // A number may have more zeros than its scale had room for; of all else the image counts.
    boolean number =
        map(facts, WidenColumnCheck.FORMER).text(WidenColumnCheck.PLAIN).equals("numeric");
    String fits =
        number
            ? narrow + " = " + column
            : "pg_catalog.record_image_eq(ROW(" + narrow + "), ROW(" + column + "))";
    List<Step> steps = new ArrayList<>();
    if (facts.containsKey(AddColumnCheck.KEY)) {
      steps.add(
          new VerifyStep(
              "verify-fits",
              "every value of column "
                  + column
                  + " is one that type "
                  + type(facts, WidenColumnCheck.FORMER)
                  + " can have",
              new Scan(table, Facts.key(facts), "NOT (" + fits + ")")));
    }
    steps.add(
        ConstraintSteps.add(
            "add-check",
            stays(migration, facts),
            LockMode.ACCESS_EXCLUSIVE,
            List.of(table),
            fits(target),
            "CHECK (" + fits + ") NOT VALID"));
    steps.add(NotNull.validate("validate-check", table, fits(target)));
    return steps;
  }

  @Override
  public List<String> net(WidenColumn migration, NetTarget target, Map<String, Object> facts) {
    ColumnFacts wanted = new ColumnFacts(facts).optionalMap(WidenColumnCheck.WANTED);
    String collated = wanted == null ? "" : wanted.text(WidenColumnCheck.COLLATED);
    int collation = collated.lastIndexOf(" COLLATE ");
    String action = "ALTER COLUMN " + Plain.name(migration.column()) + " ";
    List<String> actions = new ArrayList<>();
    actions.add(
        action + "TYPE " + migration.type() + (collation < 0 ? "" : collated.substring(collation)));
    Facts.texts(facts, WidenColumnCheck.ACTIONS).forEach(each -> actions.add(action + each));
    return List.of(new Plain(target).alter(migration.table(), String.join(", ", actions)));
  }
}
