package dev.zerodowntime.orchestrator.postgres;

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
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.TableLock;
import dev.zerodowntime.orchestrator.spi.Target;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Makes a plan's steps into the engine's, for one target. */
final class PlanSteps {

  private static final String REWRITE = "table-rewrite";

  /** Whoever insists on another type under the same name has drivers that trip over it. */
  private static final String TYPE = "alter-column-type";

  private final PhasePlan<?> plan;
  private final Target target;
  private final Map<String, Object> facts;

  PlanSteps(PhasePlan<?> plan, Target target, Map<String, Object> facts) {
    this.plan = plan;
    this.target = target;
    this.facts = facts;
  }

  List<Step> up(PlanStep step) {
    if (step instanceof PlanStep.Ddl ddl) {
      return List.of(
          ddl(
              ddl.name(),
              "the author's " + ddl.name() + overridden(ddl.overrides()),
              ddl.sql(),
              probe(ddl.probe()),
              ddl.locks(),
              ddl.overrides()));
    }
    if (step instanceof PlanStep.Online online) {
      return List.of(online(online));
    }
    if (step instanceof PlanStep.Rows rows) {
      return rows(rows, Direction.UP);
    }
    if (step instanceof PlanStep.Verify verify) {
      Map<String, Object> known = PostgresPhasePlan.facts(facts, verify);
      return List.of(
          new VerifyStep(
              verify.name(),
              verify.name() + ": no row may be wrong",
              new Scan(
                  Sql.qualified(target.schema(), verify.table()),
                  known == null ? List.of() : Facts.key(known),
                  "(" + sql(verify.wrong()) + ")")));
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
          Probes.NEVER,
          ddl.undoLocks().isEmpty() ? ddl.locks() : ddl.undoLocks(),
          ddl.overrides());
    }
    if (step instanceof PlanStep.Online online) {
      return undo(
          name,
          online.undo(),
          online.probe(),
          wreck(online),
          online.undoLocks(),
          online.overrides());
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
      Probe broken,
      List<PlanStep.Lock> locks,
      Map<String, String> overrides) {
    if (sql.isEmpty()) {
      return List.of();
    }
    String summary = "the author's " + name + overridden(overrides);
    // What is only half there has to go as well.
    Probe undone =
        new Probe(
            "SELECT NOT coalesce(("
                + guarded(probe)
                + "), false) AND NOT coalesce(("
                + broken.sql()
                + "), false)");
    if (!PhasePlan.runsOnline(sql)) {
      return List.of(ddl(name, summary, sql, undone, locks, overrides));
    }
    List<String> statements = PhasePlan.statements(sql);
    return List.of(
        new OnlineStep(
            name,
            summary,
            locks(statements, locks),
            sql(statements.get(0)),
            undone,
            Probes.NEVER,
            List.of()));
  }

  private DdlStep ddl(
      String name,
      String summary,
      List<String> sql,
      Probe done,
      List<PlanStep.Lock> locks,
      Map<String, String> overrides) {
    List<String> statements = PhasePlan.statements(sql);
    return new DdlStep(
        name,
        summary,
        locks(statements, locks),
        statements.stream().map(this::sql).toList(),
        done,
        PhasePlan.changesRowType(statements),
        overrides.containsKey(TYPE),
        overrides.containsKey(REWRITE) ? DdlStep.Check.LOCKS : DdlStep.Check.LOCKS_AND_FILES);
  }

  private OnlineStep online(PlanStep.Online step) {
    List<String> statements = PhasePlan.statements(List.of(step.sql()));
    String repair = step.repair();
    List<String> repairs =
        repair != null
            ? List.of(sql(repair))
            : builtIndex(step)
                .map(index -> List.of("DROP INDEX CONCURRENTLY IF EXISTS " + index.name()))
                .orElse(List.of());
    // Whatever the author asks of an index: one that isn't whole was not built.
    Probe done =
        builtIndex(step)
            .map(
                index ->
                    new Probe(
                        "SELECT coalesce(("
                            + guarded(step.probe())
                            + "), false) AND "
                            + Probes.validIndex(index.table(), index.name())))
            .orElseGet(() -> probe(step.probe()));
    return new OnlineStep(
        step.name(),
        "the author's " + step.name() + overridden(step.overrides()),
        locks(statements, List.of()),
        sql(statements.get(0)),
        done,
        wreck(step),
        repairs);
  }

  /** Whether an attempt has left something useless. */
  private Probe wreck(PlanStep.Online step) {
    String broken = step.broken();
    return broken != null
        ? probe(broken)
        : builtIndex(step)
            .map(index -> Probes.all(Probes.invalidIndex(index.table(), index.name())))
            .orElse(Probes.NEVER);
  }

  /** An index and its table, quoted and qualified. */
  private record Built(String name, String table) {}

  private Optional<Built> builtIndex(PlanStep.Online step) {
    return PhasePlan.builtIndex(step.sql())
        .map(
            names ->
                new Built(
                    Sql.qualified(target.schema(), names.get(0)),
                    Sql.qualified(target.schema(), names.get(1))));
  }

  private List<TableLock> locks(List<String> statements, List<PlanStep.Lock> declared) {
    List<TableLock> locks = new ArrayList<>();
    if (declared.isEmpty()) {
      for (PhasePlan.TextLock each : plan.locks(statements)) {
        locks.add(
            new TableLock(
                each.mode(), Sql.qualified(each.schema().orElse(target.schema()), each.table())));
      }
    }
    for (PlanStep.Lock each : declared) {
      locks.add(new TableLock(each.mode(), Sql.qualified(target.schema(), each.table())));
    }
    return locks;
  }

  private List<Step> rows(PlanStep.Rows step, Direction direction) {
    Backfill backfill = plan.rows(step, target.schema());
    Map<String, Object> known = PostgresPhasePlan.facts(facts, step);
    boolean up = direction == Direction.UP;
    if (known == null) {
      return up || !backfill.undo().isEmpty() ? List.of(unknown(step, backfill, up)) : List.of();
    }
    List<Step> steps = new ArrayList<>();
    for (Step each : PostgresPhasePlan.rows(backfill, target, known, direction)) {
      String name = up ? step.name() : "undo-" + step.name();
      if (each instanceof BackfillStep rows) {
        steps.add(
            new BackfillStep(
                name,
                rows.summary(),
                rows.scan(),
                rows.change(),
                rows.repeat(),
                rows.poison(),
                rows.mustFinish()));
      } else if (each instanceof DdlStep ddl) {
        steps.add(
            new DdlStep(
                step.name() + "-" + ddl.name(),
                ddl.summary(),
                ddl.locks(),
                ddl.sql(),
                ddl.done(),
                ddl.changesRowType()));
      } else {
        steps.add(each);
      }
    }
    return steps;
  }

  /** For plans that are shown before the phase is entered; never carried out. */
  private Step unknown(PlanStep.Rows step, Backfill backfill, boolean up) {
    BackfillSql sql = new BackfillSql(backfill, backfill.table(), List.of());
    Scan scan =
        new Scan(
            Sql.qualified(target.schema(), backfill.table()), List.of(), "(" + sql.where() + ")");
    String summary = "changes rows, along a key that is read when the phase is entered";
    return up
        ? new BackfillStep(
            step.name(), summary, scan, sql.change(target.schema()), Repeat.HARMLESS, null, true)
        : BackfillStep.assign(
            "undo-" + step.name(), summary, scan, BackfillSql.set(backfill.undo()), null, true);
  }

  private Probe probe(String query) {
    return new Probe(guarded(query));
  }

  /**
   * A query that can't be answered where unqualified names mean something else: then the step
   * fails, and says so, rather than to look in the wrong schema.
   */
  private String guarded(String query) {
    String sql = sql(PhasePlan.statements(List.of(query)).get(0));
    if (plan.namesSchema()) {
      return sql;
    }
    return "SELECT CASE WHEN current_schema() = "
        + Sql.literal(target.schema())
        + " THEN ("
        + sql
        + ") ELSE CAST('names are looked up in schema ' || current_schema() AS boolean) END";
  }

  private String sql(String text) {
    return sql(target, text);
  }

  static String sql(Target target, String text) {
    return PhasePlan.inSchema(text, Sql.quote(target.schema()));
  }

  private static String overridden(Map<String, String> overrides) {
    StringBuilder text = new StringBuilder();
    overrides.forEach(
        (rule, why) -> text.append(", OVERRIDES rule ").append(rule).append(": ").append(why));
    return text.toString();
  }
}
