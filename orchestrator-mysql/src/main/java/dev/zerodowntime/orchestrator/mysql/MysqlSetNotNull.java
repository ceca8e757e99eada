package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.SetNotNull;
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

/**
 * NOT NULL: kept by two triggers at first, which no CHECK could do without copying the table; then
 * proved in batches, and made so in place, with writes going on.
 */
final class MysqlSetNotNull implements OperationSupport<SetNotNull> {

  private final MysqlVersion version;
  private final CopyRoute copies;

  MysqlSetNotNull(MysqlVersion version) {
    this(version, CopyRoute.none());
  }

  MysqlSetNotNull(MysqlVersion version, CopyRoute copies) {
    this.version = version;
    this.copies = copies;
  }

  @Override
  public OperationType<SetNotNull> type() {
    return SetNotNull.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      SetNotNull migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    SetNotNullCheck check = new SetNotNullCheck(migration, target, version, copies, connection);
    if (phase <= SetNotNull.ENFORCE) {
      return check.facts(known);
    }
    if (!Facts.flag(known, SetNotNullCheck.ALREADY)) {
      check.requireUnchanged(Facts.required(known, SetNotNullCheck.DEFINITION));
    }
    return known;
  }

  @Override
  public boolean recaptures(int phase) {
    return true;
  }

  @Override
  public void preflightBack(
      SetNotNull migration,
      Target target,
      int phase,
      Map<String, Object> facts,
      Connection connection)
      throws SQLException {
    if (phase == SetNotNull.ENFORCE && !Facts.flag(facts, SetNotNullCheck.ALREADY)) {
      new SetNotNullCheck(migration, target, version, copies, connection)
          .requireUnchanged(Facts.required(facts, SetNotNullCheck.DEFINITION));
    }
  }

  @Override
  public List<Step> steps(
      SetNotNull migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    if (phase != SetNotNull.ENFORCE && phase != SetNotNull.DONE) {
      throw new IllegalArgumentException("SetNotNull has no phase " + phase);
    }
    if (Facts.flag(facts, SetNotNullCheck.ALREADY)) {
      return List.of();
    }
    if (CopyRoute.chosen(facts)) {
      return copied(migration, target, facts, phase, direction);
    }
    GuardTriggers guard = new GuardTriggers(migration.id(), target, migration.table());
    List<Step> steps = new ArrayList<>();
    if (direction == Direction.UP) {
      boolean first = phase == SetNotNull.ENFORCE;
      steps.add(verify(first ? "verify-rows" : "prove-rows", migration, target, facts));
      if (first) {
        steps.addAll(guard.create(Facts.required(facts, SetNotNullCheck.COLUMN)));
      } else {
        steps.add(modify(migration, target, facts, true));
        steps.addAll(guard.drop());
      }
    } else if (phase == SetNotNull.ENFORCE) {
      // NOT NULL rejects what the triggers reject: on the way back from DONE nothing changes.
      steps.add(modify(migration, target, facts, false));
      steps.addAll(guard.drop());
    }
    return steps;
  }

  /**
   * The copy rejects NULL from the beginning, and with it every write that would put one there: as
   * the triggers do on the other way.
   */
  private static List<Step> copied(
      SetNotNull migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    if (phase != SetNotNull.ENFORCE) {
      return List.of();
    }
    List<Step> steps = new ArrayList<>();
    CopySteps up = new CopySteps(migration.id(), target.schema(), migration.table(), "up", facts);
    if (direction == Direction.UP) {
      steps.add(verify("verify-rows", migration, target, facts));
      steps.addAll(
          up.replace(
              column(facts, true), "makes the column NOT NULL", is(migration, target, "NO")));
      return steps;
    }
    steps.addAll(up.undo());
    steps.addAll(
        new CopySteps(migration.id(), target.schema(), migration.table(), "down", facts)
            .replace(
                column(facts, false), "lets the column be NULL", is(migration, target, "YES")));
    return steps;
  }

  private static String column(Map<String, Object> facts, boolean notNull) {
    String definition = Facts.required(facts, SetNotNullCheck.DEFINITION);
    return "MODIFY COLUMN "
        + Sql.quote(Facts.required(facts, SetNotNullCheck.COLUMN))
        + " "
        + (notNull ? ColumnText.withNotNull(definition, true) : definition);
  }

  private static String is(SetNotNull migration, Target target, String nullable) {
    return Probes.column(
        target.schema(), migration.table(), migration.column(), "IS_NULLABLE = '" + nullable + "'");
  }

  private static Step verify(
      String name, SetNotNull migration, Target target, Map<String, Object> facts) {
    String column = Sql.quote(migration.column());
    return new VerifyStep(
        name,
        "no row may be without a value in column "
            + column
            + ", or every update of it would fail from now on; a Backfill gives them one",
        new Scan(
            Sql.qualified(target.schema(), migration.table()),
            Facts.key(facts),
            column + " IS NULL"));
  }

  private static Step modify(
      SetNotNull migration, Target target, Map<String, Object> facts, boolean notNull) {
    return Ddl.online(
        notNull ? "set-not-null" : "drop-not-null",
        notNull
            ? "makes the column NOT NULL; rewrites the table while it is in use"
            : "lets the column be NULL; rewrites the table while it is in use",
        target.schema(),
        migration.table(),
        column(facts, notNull) + ", ALGORITHM=INPLACE, LOCK=NONE",
        Probes.all(is(migration, target, notNull ? "NO" : "YES")));
  }

  @Override
  public List<String> net(SetNotNull migration, NetTarget target, Map<String, Object> facts) {
    return List.of(
        new Plain(target)
            .modify(
                migration.table(),
                Facts.required(facts, SetNotNullCheck.COLUMN),
                ColumnText.withNotNull(Facts.required(facts, SetNotNullCheck.DEFINITION), true)));
  }
}
