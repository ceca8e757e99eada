package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.operation.PhasePlan;
import dev.zerodowntime.orchestrator.operation.PlanPhase;
import dev.zerodowntime.orchestrator.operation.PlanStep;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What the author of a plan wrote, as steps of one statement each. */
final class MysqlPhasePlan implements OperationSupport<PhasePlan<?>> {

  private final MysqlVersion version;
  private final MysqlBackfill backfills;

  MysqlPhasePlan(MysqlVersion version) {
    this.version = version;
    this.backfills = new MysqlBackfill(version);
  }

  @Override
  public OperationType<PhasePlan<?>> type() {
    return PhasePlan.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      PhasePlan<?> migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    PlanCheck check = new PlanCheck(migration, target, version, connection);
    if (phase == 1) {
      check.requireStatements();
    }
    // What a way back has left behind is not known any more.
    Map<String, Object> facts = new LinkedHashMap<>(phase == 1 ? Map.of() : known);
    for (PlanStep step : migration.phase(phase).steps()) {
      check.requireAnswers(step);
      if (step instanceof PlanStep.Rows rows) {
        Backfill backfill = backfill(migration, rows, target);
        facts.put(
            key(step),
            backfills.preflight(backfill, target(target, backfill), 1, Map.of(), connection));
      } else if (step instanceof PlanStep.Verify verify) {
        facts.put(key(step), Map.of("key", Facts.key(check.requireComputable(verify))));
      }
    }
    return facts;
  }

  static Backfill backfill(PhasePlan<?> migration, PlanStep.Rows rows, Target target) {
    return migration.rows(rows, target.schema(), Sql.quote(target.schema()));
  }

  private static Target target(Target target, Backfill backfill) {
    return new Target(backfill.id(), target.schema(), target.controlSchema());
  }

  private static String key(PlanStep step) {
    return "step " + step.name();
  }

  /** What rows need is there only when their phase is about to be entered. */
  @Override
  public boolean recaptures(int phase) {
    return true;
  }

  @Override
  public Optional<String> consent(
      PhasePlan<?> migration, Map<String, Object> facts, int phase, Direction direction) {
    return direction == Direction.UP
        ? Optional.ofNullable(migration.phase(phase).closed())
            .map(why -> "there is no way back out of " + migration.phase(phase).name() + ": " + why)
        : Optional.empty();
  }

  @Override
  public List<Step> steps(
      PhasePlan<?> migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    PlanPhase planned = migration.phase(phase);
    PlanSteps make = new PlanSteps(this, migration, target, facts);
    List<Step> steps = new ArrayList<>();
    List<PlanStep> order = new ArrayList<>(planned.steps());
    if (direction == Direction.DOWN) {
      Collections.reverse(order);
    }
    for (PlanStep each : order) {
      steps.addAll(direction == Direction.UP ? make.up(each) : make.down(each));
    }
    return steps;
  }

  /** The facts of one step; null where they are not known yet. */
  @SuppressWarnings("unchecked")
  static @Nullable Map<String, Object> facts(Map<String, Object> facts, PlanStep step) {
    return (Map<String, Object>) facts.get(key(step));
  }

  List<Step> rows(
      Backfill backfill, Target target, Map<String, Object> facts, Direction direction) {
    return backfills.steps(backfill, target(target, backfill), facts, Backfill.BACKFILL, direction);
  }

  @Override
  public List<String> net(PhasePlan<?> migration, NetTarget target, Map<String, Object> facts) {
    Plain plain = new Plain(target);
    List<String> sql = new ArrayList<>();
    for (PlanPhase phase : migration.phases()) {
      for (PlanStep step : phase.steps()) {
        if (step instanceof PlanStep.Ddl ddl) {
          PhasePlan.statements(ddl.sql()).forEach(each -> sql.add(plain(target, each)));
        } else if (step instanceof PlanStep.Online online) {
          PhasePlan.statements(List.of(online.sql())).forEach(each -> sql.add(plain(target, each)));
        } else if (step instanceof PlanStep.Rows rows) {
          Map<String, Object> known = facts(facts, step);
          sql.add(
              plain(
                  target, MysqlBackfill.net(rows.rows(), plain, known == null ? Map.of() : known)));
        } else if (step instanceof PlanStep.Java java) {
          throw target.refuse(
              "step " + java.name() + " of " + phase.name() + " is done in Java",
              "Write a Java migration of Flyway's that does what the whole plan does, under its"
                  + " version.");
        }
      }
    }
    return sql;
  }

  private static String plain(NetTarget target, String sql) {
    if (target.qualified()) {
      return PhasePlan.inSchema(
          sql.replace("'" + PhasePlan.SCHEMA + "'", Sql.literal(target.schema())),
          Plain.name(target.schema()));
    }
    return PhasePlan.inSchema(
        PhasePlan.withoutSchema(sql.replace("'" + PhasePlan.SCHEMA + "'", "DATABASE()")),
        Plain.name(target.schema()));
  }
}
