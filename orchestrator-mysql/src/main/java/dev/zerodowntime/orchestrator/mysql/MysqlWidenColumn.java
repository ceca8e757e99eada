package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.WidenColumn;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A longer VARCHAR or VARBINARY, or more values at the end of an ENUM or SET: a change of the
 * catalog. No server takes it back but by a copy; so the way back proves that every value fits the
 * former type, and keeps others out by a check.
 */
final class MysqlWidenColumn implements OperationSupport<WidenColumn> {

  private final MysqlVersion version;
  private final CopyRoute copies;

  MysqlWidenColumn(MysqlVersion version) {
    this(version, CopyRoute.none());
  }

  MysqlWidenColumn(MysqlVersion version, CopyRoute copies) {
    this.version = version;
    this.copies = copies;
  }

  @Override
  public OperationType<WidenColumn> type() {
    return WidenColumn.TYPE;
  }

  /** The check that stands for the former type, unquoted. */
  static String fits(WidenColumn migration, Target target) {
    return "zdo_fits_" + Sql.hash8(migration.id(), target.schema());
  }

  @Override
  public Map<String, Object> preflight(
      WidenColumn migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    return new WidenColumnCheck(migration, target, version, copies, connection).facts(known);
  }

  @Override
  public void preflightBack(
      WidenColumn migration,
      Target target,
      int phase,
      Map<String, Object> facts,
      Connection connection)
      throws SQLException {
    if (!Facts.flag(facts, WidenColumnCheck.ALREADY)) {
      new WidenColumnCheck(migration, target, version, copies, connection).requireUnchanged(facts);
    }
  }

  @Override
  public Optional<String> consent(
      WidenColumn migration, Map<String, Object> facts, int phase, Direction direction) {
    if (direction == Direction.UP
        || Facts.flag(facts, WidenColumnCheck.ALREADY)
        || CopyRoute.chosen(facts)) {
      return Optional.empty();
    }
    return Optional.of(
        "column \""
            + migration.column()
            + "\" stays "
            + WidenColumnCheck.type(Facts.required(facts, WidenColumnCheck.WANTED))
            + ", for to make it "
            + WidenColumnCheck.type(Facts.required(facts, WidenColumnCheck.FORMER))
            + " again the server would copy the table, with every write blocked; "
            + (Facts.flag(facts, WidenColumnCheck.GUARDED)
                ? "a check accepts what that type did"
                : "and nothing keeps out what that type did not accept"));
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
    List<Step> steps = new ArrayList<>();
    if (Facts.flag(facts, WidenColumnCheck.ALREADY)) {
      return steps;
    }
    if (CopyRoute.chosen(facts)) {
      return copied(migration, target, facts, direction);
    }
    CheckSteps check =
        new CheckSteps(version, target.schema(), migration.table(), fits(migration, target), facts);
    boolean guarded = Facts.flag(facts, WidenColumnCheck.GUARDED);
    if (direction == Direction.UP) {
      steps.add(widen(migration, target, facts));
      if (Facts.flag(facts, WidenColumnCheck.FITS)) {
        steps.addAll(check.drop(false));
      }
      return steps;
    }
    steps.add(check.verify("verify-fits"));
    if (guarded) {
      steps.addAll(check.add(false));
      steps.add(check.verify("prove-fits"));
    }
    return steps;
  }

  private static List<Step> copied(
      WidenColumn migration, Target target, Map<String, Object> facts, Direction direction) {
    CopySteps up = new CopySteps(migration.id(), target.schema(), migration.table(), "up", facts);
    if (direction == Direction.UP) {
      return replace(up, migration, target, facts, WidenColumnCheck.WANTED);
    }
    List<Step> steps = new ArrayList<>(up.undo());
    steps.addAll(
        replace(
            new CopySteps(migration.id(), target.schema(), migration.table(), "down", facts),
            migration,
            target,
            facts,
            WidenColumnCheck.FORMER));
    return steps;
  }

  private static List<Step> replace(
      CopySteps copy,
      WidenColumn migration,
      Target target,
      Map<String, Object> facts,
      String fact) {
    String definition = Facts.required(facts, fact);
    String type = WidenColumnCheck.type(definition);
    return copy.replace(
        "MODIFY COLUMN "
            + Sql.quote(Facts.required(facts, WidenColumnCheck.COLUMN))
            + " "
            + definition,
        "the column becomes " + type,
        Probes.column(
            target.schema(),
            migration.table(),
            migration.column(),
            "(BINARY COLUMN_TYPE = BINARY "
                + Sql.literal(type)
                + " OR COLUMN_TYPE IN ("
                + Sql.literal(type + " unsigned")
                + ", "
                + Sql.literal(type + " unsigned zerofill")
                + "))"));
  }

  private Step widen(WidenColumn migration, Target target, Map<String, Object> facts) {
    String wanted = Facts.required(facts, WidenColumnCheck.WANTED);
    String type = WidenColumnCheck.type(wanted);
    boolean instant = version.mariadb() || !type.startsWith("var");
    return Ddl.step(
        "widen",
        "the column gets its new type; touches no row",
        target.schema(),
        migration.table(),
        "MODIFY COLUMN "
            + Sql.quote(Facts.required(facts, WidenColumnCheck.COLUMN))
            + " "
            + wanted
            + (instant ? Ddl.instant() : ", ALGORITHM=INPLACE, LOCK=NONE"),
        Probes.all(
            Probes.column(
                target.schema(),
                migration.table(),
                migration.column(),
                "BINARY COLUMN_TYPE = BINARY " + Sql.literal(type))));
  }

  @Override
  public List<String> net(WidenColumn migration, NetTarget target, Map<String, Object> facts) {
    return List.of(
        new Plain(target)
            .modify(
                migration.table(),
                Facts.required(facts, WidenColumnCheck.COLUMN),
                Facts.required(facts, WidenColumnCheck.WANTED)));
  }
}
