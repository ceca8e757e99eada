package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.operation.PhasePlan;
import dev.zerodowntime.orchestrator.operation.PlanStep;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.CallStep;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.Probe;
import dev.zerodowntime.orchestrator.spi.Repeat;
import dev.zerodowntime.orchestrator.spi.RowChange;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.TableLock;
import dev.zerodowntime.orchestrator.spi.Target;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** Makes a plan's steps into the engine's, for one target. */
final class PlanSteps {

  private static final Pattern COLUMNS =
      Pattern.compile(
          "\\b(?:(?:ADD|DROP|RENAME)\\s+COLUMN|CHANGE|VISIBLE|INVISIBLE)\\b",
          Pattern.CASE_INSENSITIVE);

  private final MysqlPhasePlan support;
  private final PhasePlan<?> plan;
  private final Target target;
  private final Map<String, Object> facts;

  PlanSteps(MysqlPhasePlan support, PhasePlan<?> plan, Target target, Map<String, Object> facts) {
    this.support = support;
    this.plan = plan;
    this.target = target;
    this.facts = facts;
  }

  List<Step> up(PlanStep step) {
    if (step instanceof PlanStep.Ddl ddl) {
      return List.of(
          ddl(
              ddl.name(),
              ddl.sql(),
              new Probe(answered(target, ddl.probe())),
              ddl.locks(),
              ddl.overrides()));
    }
    if (step instanceof PlanStep.Online online) {
      String broken = online.broken();
      String repair = online.repair();
      return List.of(
          online(
              online.name(),
              online.sql(),
              new Probe(answered(target, online.probe())),
              broken == null ? Probes.NEVER : new Probe(answered(target, broken)),
              repair == null ? List.of() : List.of(sql(target, repair)),
              online.overrides()));
    }
    if (step instanceof PlanStep.Rows rows) {
      return rows(rows, Direction.UP);
    }
    if (step instanceof PlanStep.Verify verify) {
      Map<String, Object> known = MysqlPhasePlan.facts(facts, verify);
      return List.of(
          new VerifyStep(
              verify.name(),
              verify.name() + ": no row may be wrong",
              new Scan(
                  Sql.qualified(target.schema(), verify.table()),
                  known == null ? List.of() : Facts.key(known),
                  "(" + sql(target, verify.wrong()) + ")")));
    }
    PlanStep.Java java = (PlanStep.Java) step;
    return List.of(new CallStep(java.name(), "the author's Java code, " + java.name(), java.up()));
  }

  List<Step> down(PlanStep step) {
    String name = "undo-" + step.name();
    if (step instanceof PlanStep.Ddl ddl) {
      return undo(
          name,
          ddl.undo(),
          ddl.probe(),
          ddl.undoLocks().isEmpty() ? ddl.locks() : ddl.undoLocks(),
          ddl.overrides());
    }
    if (step instanceof PlanStep.Online online) {
      return undo(name, online.undo(), online.probe(), online.undoLocks(), online.overrides());
    }
    if (step instanceof PlanStep.Rows rows) {
      return rows(rows, Direction.DOWN);
    }
    if (step instanceof PlanStep.Java java && java.undone()) {
      return List.of(new CallStep(name, "the author's Java code, " + name, java.undo()));
    }
    return List.of();
  }

  private List<Step> undo(
      String name,
      List<String> sql,
      String probe,
      List<PlanStep.Lock> locks,
      Map<String, String> overrides) {
    if (sql.isEmpty()) {
      return List.of();
    }
    Probe undone = new Probe("SELECT NOT COALESCE((" + one(target, probe) + "), FALSE)");
    return List.of(
        PhasePlan.runsOnline(sql)
            ? online(name, sql.get(0), undone, Probes.NEVER, List.of(), overrides)
            : ddl(name, sql, undone, locks, overrides));
  }

  private Step ddl(
      String name,
      List<String> sql,
      Probe done,
      List<PlanStep.Lock> locks,
      Map<String, String> overrides) {
    List<String> statements = PhasePlan.statements(sql);
    return new DdlStep(
        name,
        summary(name, overrides),
        TableLock.each("EXCLUSIVE", tables(statements, locks)),
        statements.stream().map(each -> sql(target, each)).toList(),
        done,
        statements.stream().anyMatch(each -> COLUMNS.matcher(each).find()));
  }

  private Step online(
      String name,
      String sql,
      Probe done,
      Probe broken,
      List<String> repair,
      Map<String, String> overrides) {
    List<String> statements = PhasePlan.statements(List.of(sql));
    return new OnlineStep(
        name,
        summary(name, overrides),
        TableLock.each("SHARED_UPGRADABLE", tables(statements, List.of())),
        sql(target, statements.get(0)),
        done,
        broken,
        repair);
  }

  private static String summary(String name, Map<String, String> overrides) {
    StringBuilder text = new StringBuilder("the author's ").append(name);
    overrides.forEach(
        (rule, why) -> text.append(", OVERRIDES rule ").append(rule).append(": ").append(why));
    return text.toString();
  }

  /** Those that a text names, or the author. */
  private List<String> tables(List<String> statements, List<PlanStep.Lock> declared) {
    Set<String> tables = new LinkedHashSet<>();
    for (PlanStep.Lock each : declared) {
      tables.add(Sql.qualified(target.schema(), each.table()));
    }
    if (declared.isEmpty()) {
      for (PhasePlan.TextLock each : plan.locks(statements)) {
        tables.add(Sql.qualified(each.schema().orElse(target.schema()), each.table()));
      }
    }
    return List.copyOf(tables);
  }

  private List<Step> rows(PlanStep.Rows step, Direction direction) {
    Backfill backfill = MysqlPhasePlan.backfill(plan, step, target);
    Map<String, Object> known = MysqlPhasePlan.facts(facts, step);
    boolean up = direction == Direction.UP;
    String name = up ? step.name() : "undo-" + step.name();
    if (known == null) {
      return up || !backfill.undo().isEmpty() ? List.of(unknown(name, backfill)) : List.of();
    }
    List<Step> steps = new ArrayList<>();
    for (Step each : support.rows(backfill, target, known, direction)) {
      BackfillStep rows = (BackfillStep) each;
      steps.add(
          new BackfillStep(
              name,
              rows.summary(),
              rows.scan(),
              rows.change(),
              rows.repeat(),
              rows.poison(),
              rows.mustFinish()));
    }
    return steps;
  }

  /** For plans that are shown before the phase is entered; never carried out. */
  private Step unknown(String name, Backfill backfill) {
    return new BackfillStep(
        name,
        "changes rows, along a key that is read when the phase is entered",
        new Scan(Sql.qualified(target.schema(), backfill.table()), List.of(), "TRUE"),
        new RowChange.Assign("-- known when the phase is entered"),
        Repeat.HARMLESS,
        null,
        true);
  }

  /** A probe as the engine asks it: no answer is a no. */
  static String answered(Target target, String probe) {
    return "SELECT COALESCE((" + one(target, probe) + "), FALSE)";
  }

  private static String one(Target target, String probe) {
    return sql(target, PhasePlan.statements(List.of(probe)).get(0));
  }

  /** In a text of its own, it is the database's name that is compared; else it is quoted. */
  static String sql(Target target, String text) {
    return PhasePlan.inSchema(
        text.replace("'" + PhasePlan.SCHEMA + "'", Sql.literal(target.schema())),
        Sql.quote(target.schema()));
  }
}
