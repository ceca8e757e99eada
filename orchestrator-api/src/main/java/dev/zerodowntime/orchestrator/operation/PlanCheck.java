package dev.zerodowntime.orchestrator.operation;

import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.internal.plan.Rules;
import dev.zerodowntime.orchestrator.internal.sql.AlterTable;
import dev.zerodowntime.orchestrator.internal.sql.SqlTextException;
import dev.zerodowntime.orchestrator.internal.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiFunction;
import java.util.regex.Pattern;

/** What can be wrong with a {@link PhasePlan} without looking at a database. */
final class PlanCheck {

  private static final String NOT_STARTED = "NOT_STARTED";

  /** Names are written into comments of SQL. */
  private static final Pattern PHASE = Pattern.compile("[A-Z][A-Z0-9_]{0,39}");

  private static final Pattern STEP =
      Pattern.compile("[\\w](?:[\\w .\\-]{0,58}[\\w])?", Pattern.UNICODE_CHARACTER_CLASS);

  private static final Set<String> MODES =
      Set.of(
          "ACCESS SHARE",
          "ROW SHARE",
          "ROW EXCLUSIVE",
          "SHARE UPDATE EXCLUSIVE",
          "SHARE",
          "SHARE ROW EXCLUSIVE",
          "EXCLUSIVE",
          "ACCESS EXCLUSIVE");

  private final BiFunction<String, String, DeclarationException> invalid;

  PlanCheck(BiFunction<String, String, DeclarationException> invalid) {
    this.invalid = invalid;
  }

  /** Phases and stages as every operation has them. */
  static Lifecycle lifecycle(List<PlanPhase> phases, List<PhasePlan.Stage> stages) {
    List<String> names = names(phases, true);
    List<StageSpan> spans = stages.stream().map(each -> PhasePlan.span(names, each)).toList();
    int last = phases.size();
    Lifecycle open =
        Lifecycle.of(
            PhasePlan.TYPE.name(),
            names,
            spans,
            spans.get(spans.size() - 1).span().low(),
            last,
            -1);
    for (int i = 0; i < phases.size(); i++) {
      if (phases.get(i).closed() != null) {
        return open.closedFrom(i + 1);
      }
    }
    return open;
  }

  private static List<String> names(List<PlanPhase> phases, boolean all) {
    List<String> names = new ArrayList<>();
    if (all) {
      names.add(NOT_STARTED);
    }
    phases.forEach(each -> names.add(each.name()));
    return names;
  }

  void names(List<PlanPhase> phases) {
    if (phases.isEmpty()) {
      throw invalid.apply("it has no phase", "Add .phase(\"EXPAND\", p -> ...).");
    }
    Set<String> seen = new TreeSet<>(Set.of(NOT_STARTED));
    Set<String> steps = new TreeSet<>();
    int closed = 0;
    for (PlanPhase phase : phases) {
      if (!PHASE.matcher(phase.name()).matches()) {
        throw invalid.apply(
            "\"" + phase.name() + "\" is no name for a phase",
            "Use capital letters, digits and '_', at most 40, such as EXPAND.");
      }
      if (!seen.add(phase.name())) {
        throw invalid.apply(
            "it has two phases called " + phase.name(),
            "Give each a name of its own; the first one is always " + NOT_STARTED + ".");
      }
      String why = phase.closed();
      if (why != null) {
        requireText(why, "the reason why phase " + phase.name() + " is closed");
        closed++;
      }
      for (PlanStep step : phase.steps()) {
        if (!STEP.matcher(step.name()).matches()) {
          throw invalid.apply(
              "\"" + step.name() + "\" is no name for a step",
              "Use letters, digits, ' ', '.', '_' and '-', at most 60, such as create-addresses.");
        }
        if (!steps.add(step.name().replace(' ', '-'))) {
          throw invalid.apply(
              "it has two steps called \"" + step.name() + "\"", "Give each a name of its own.");
        }
      }
    }
    if (closed > 1) {
      throw invalid.apply(
          "more than one phase is closed: " + closed,
          "Close the first phase that can't be left, and join the others to it or give them a way"
              + " back.");
    }
  }

  void stages(List<PlanPhase> phases, List<PhasePlan.Stage> stages, List<String> constants) {
    List<String> names = names(phases, true);
    List<String> declared = stages.stream().map(PhasePlan.Stage::name).toList();
    if (constants.isEmpty() || !declared.equals(constants)) {
      throw invalid.apply(
          "its code stages are "
              + constants
              + ", and it says of "
              + declared
              + " which phases they are for",
          "Call .stage(...) once for each, in the order of the enum: oldest code first.");
    }
    Span before = null;
    for (PhasePlan.Stage stage : stages) {
      for (String phase : List.of(stage.from(), stage.to())) {
        if (!names.contains(phase)) {
          throw invalid.apply(
              "stage " + stage.name() + " is for a phase " + phase + ", which it hasn't",
              "Its phases are " + names + ".");
        }
      }
      int low = names.indexOf(stage.from());
      int high = names.indexOf(stage.to());
      if (high < low) {
        throw invalid.apply(
            "stage "
                + stage.name()
                + " is for phases from "
                + stage.from()
                + " down to "
                + stage.to(),
            "Name the lower phase first.");
      }
      Span span = new Span(low, high);
      if (before != null && (low < before.low() || high < before.high())) {
        throw invalid.apply(
            "stage "
                + stage.name()
                + " "
                + span
                + " begins or ends before the stage before it, "
                + before,
            "Both ends must grow from older code to newer code.");
      }
      if (before != null && !before.overlaps(span)) {
        throw invalid.apply(
            "stage "
                + stage.name()
                + " "
                + span
                + " and the stage before it, "
                + before
                + ", share no phase: builds of the two could never run side by side",
            "Add a phase that both can run against, or a stage between them.");
      }
      before = span;
    }
    if (!stages.get(0).from().equals(NOT_STARTED)) {
      throw invalid.apply(
          "the oldest stage, " + stages.get(0).name() + ", can't run against " + NOT_STARTED,
          "Code that runs today does: let it begin there.");
    }
    if (!stages.get(stages.size() - 1).to().equals(names.get(names.size() - 1))) {
      throw invalid.apply(
          "the newest stage, "
              + stages.get(stages.size() - 1).name()
              + ", can't run against the last phase, "
              + names.get(names.size() - 1),
          "Let it end there, or leave out phases that no code is for.");
    }
  }

  void steps(List<PlanPhase> phases) {
    Rules rules = new Rules();
    for (PlanPhase phase : phases) {
      boolean ddl = false;
      for (PlanStep step : phase.steps()) {
        if (step instanceof PlanStep.Ddl each) {
          overrides(each.name(), each.overrides());
          locks(each.name(), each.locks());
          locks(each.name(), each.undoLocks());
          List<Statement> statements = require(each.name(), each.sql());
          ddl |= statements.stream().anyMatch(it -> !it.data());
          refuse(each.name(), rules.up(statements, false, each.overrides().keySet()));
        } else if (step instanceof PlanStep.Online each) {
          overrides(each.name(), each.overrides());
          locks(each.name(), each.undoLocks());
          online(each);
          refuse(
              each.name(),
              rules.up(require(each.name(), List.of(each.sql())), true, each.overrides().keySet()));
          ddl = true;
        } else if (step instanceof PlanStep.Rows || step instanceof PlanStep.Verify) {
          rows(phase, step, ddl);
        }
      }
    }
    for (PlanPhase phase : phases) {
      for (PlanStep step : phase.steps()) {
        if (step instanceof PlanStep.Ddl each) {
          undo(rules, each.name(), each.probe(), each.undo(), each.overrides());
        } else if (step instanceof PlanStep.Online each) {
          undo(rules, each.name(), each.probe(), each.undo(), each.overrides());
        }
      }
    }
  }

  private void rows(PlanPhase phase, PlanStep step, boolean ddl) {
    if (ddl) {
      throw invalid.apply(
          "step \""
              + step.name()
              + "\" comes after DDL in phase "
              + phase.name()
              + ": what it has to know of its table is read when the phase is entered",
          "Put it into a phase of its own, after that.");
    }
    if (step instanceof PlanStep.Verify verify) {
      requireText(verify.wrong(), "the predicate of step \"" + step.name() + "\"");
      requireText(verify.table(), "the table of step \"" + step.name() + "\"");
    }
    if (step instanceof PlanStep.Rows each
        && each.rows().once().isPresent()
        && phase.closed() == null) {
      throw invalid.apply(
          "step \""
              + step.name()
              + "\" changes each row once, and nobody knows afterwards which: so"
              + " phase "
              + phase.name()
              + " has no way back",
          "Say so with .closed(\"why\"), or let the work be harmless to repeat.");
    }
  }

  private void online(PlanStep.Online step) {
    if (require(step.name(), List.of(step.sql())).size() != 1) {
      throw invalid.apply(
          "step \"" + step.name() + "\" has more than one statement",
          "Give each an online(...) step of its own.");
    }
    String broken = step.broken();
    if (broken != null) {
      query(step.name(), "broken", broken);
      requireText(
          step.repair() == null ? "" : step.repair(), "what repairs step \"" + step.name() + "\"");
    }
  }

  private void undo(
      Rules rules, String step, String probe, List<String> undo, Map<String, String> overrides) {
    query(step, "probe", probe);
    if (undo.isEmpty()) {
      return;
    }
    List<Statement> statements = require(step, undo);
    boolean online = online(statements);
    if (online && statements.size() > 1) {
      throw invalid.apply(
          "the way back of step \""
              + step
              + "\" has more than one statement, and one of them runs"
              + " outside of a transaction",
          "Split the step.");
    }
    refuse(step + "\", on the way back, \"", rules.down(statements, online, overrides.keySet()));
  }

  private void query(String step, String what, String sql) {
    List<Statement> statements = require(step, List.of(sql));
    if (statements.size() != 1 || !statements.get(0).starts("select")) {
      throw invalid.apply(
          "the " + what + " of step \"" + step + "\" is not one SELECT: " + sql,
          "Write a query of one row with one boolean, such as SELECT to_regclass('{schema}.addresses')"
              + " IS NOT NULL.");
    }
  }

  private List<Statement> require(String step, List<String> sql) {
    List<Statement> statements;
    try {
      statements = Rules.statements(sql);
    } catch (SqlTextException e) {
      throw invalid.apply(
          "the SQL of step \"" + step + "\" can't be read: " + e.problem(), "Correct it.");
    }
    if (statements.isEmpty()) {
      throw invalid.apply(
          "step \"" + step + "\" has no statement", "Give it one, or leave it out.");
    }
    return statements;
  }

  private void refuse(String step, Optional<Rules.Refusal> refusal) {
    if (refusal.isPresent()) {
      Rules.Refusal it = refusal.get();
      throw invalid.apply(
          "step \""
              + step
              + "\": rule "
              + it.rule()
              + " refuses \""
              + it.statement()
              + "\": "
              + it.reason(),
          "Use "
              + it.instead()
              + (it.overridable()
                  ? ". If you know better, .override(\""
                      + it.rule()
                      + "\", \"why\") lets this step do it, and is written to the event log."
                  : "."));
    }
  }

  private void overrides(String step, Map<String, String> overrides) {
    overrides.forEach(
        (rule, why) -> {
          if (!Rules.overridable().contains(rule)) {
            throw invalid.apply(
                "step \"" + step + "\" overrides a rule " + rule + ", which can't be overridden",
                "Rules that can are " + Rules.overridable() + ".");
          }
          requireText(why, "the reason why step \"" + step + "\" overrides " + rule);
        });
  }

  private void locks(String step, List<PlanStep.Lock> locks) {
    for (PlanStep.Lock lock : locks) {
      requireText(lock.table(), "a table that step \"" + step + "\" locks");
      if (!MODES.contains(lock.mode())) {
        throw invalid.apply(
            "step \"" + step + "\" declares a lock \"" + lock.mode() + "\"",
            "Modes are " + new TreeSet<>(MODES) + ".");
      }
    }
  }

  private void requireText(String text, String what) {
    if (text.isBlank() || text.indexOf('\0') >= 0) {
      throw invalid.apply(what + " is empty", "Give one.");
    }
  }

  /** Whether statements run outside of a transaction. */
  static boolean online(List<Statement> statements) {
    return statements.stream()
        .anyMatch(
            each ->
                each.saysNoLock()
                    || (each.mentions("concurrently") && !each.starts("refresh"))
                    || AlterTable.of(each)
                        .map(
                            alter ->
                                alter.actions().stream()
                                    .anyMatch(it -> it.starts("validate", "constraint")))
                        .orElse(false));
  }

  static Optional<List<String>> builtIndex(String sql) {
    Statement statement = Rules.statements(List.of(sql)).get(0);
    int place = statement.skip(1, "unique");
    if (!statement.starts("create") || !statement.at(place, "index", "concurrently")) {
      return Optional.empty();
    }
    Statement.Named index = statement.name(statement.skip(place + 2, "if", "not", "exists"));
    Statement.Named table = statement.name(statement.skip(statement.find("on") + 1, "only"));
    return index == null || table == null || index.name().name().equals("on")
        ? Optional.empty()
        : Optional.of(List.of(index.name().name(), table.name().name()));
  }
}
