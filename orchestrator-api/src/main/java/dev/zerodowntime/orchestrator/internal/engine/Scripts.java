package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.IllegalTransitionException;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.State;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.ScriptSql.Movement;
import dev.zerodowntime.orchestrator.spi.ScriptSql.Script;
import dev.zerodowntime.orchestrator.spi.Step;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Scripts for people who have to do without the library: they do what the engine would, step by
 * step, and write down what they do where the engine does. Nobody looks at the fleet meanwhile.
 */
final class Scripts {

  private final EngineContext ctx;
  private final Operator operator;

  Scripts(EngineContext ctx, Operator operator) {
    this.ctx = ctx;
    this.operator = operator;
  }

  /** To its last phase; a purge is only shown. */
  String finish(String id) throws SQLException {
    StringBuilder scripts = new StringBuilder();
    for (MigrationRow row : operator.rows(id)) {
      Lifecycle lifecycle = row.lifecycle();
      State state = row.state();
      int from = Math.min(state.reached(), state.entering());
      int end = lifecycle.purge() >= 0 ? lifecycle.purge() - 1 : lifecycle.last();
      List<Movement> movements = new ArrayList<>();
      for (int phase = from + 1; phase <= end; phase++) {
        movements.add(movement(row, phase, Direction.UP));
      }
      List<Movement> purge =
          lifecycle.purge() >= 0 && from < lifecycle.purge()
              ? List.of(movement(row, lifecycle.purge(), Direction.UP))
              : List.of();
      boolean last = end == lifecycle.last();
      scripts.append(
          write(
              row,
              from,
              Math.max(from, end),
              movements,
              purge,
              "target = NULL, target_reason = NULL, target_by = NULL, status = "
                  + (last
                      ? "'" + MigrationStatus.DONE + "', finished_at = " + now()
                      : "'" + MigrationStatus.ACTIVE + "'")));
    }
    return scripts.toString();
  }

  /** As far back as there is a way. */
  String rollback(String id) throws SQLException {
    StringBuilder scripts = new StringBuilder();
    for (MigrationRow row : operator.rows(id)) {
      Lifecycle lifecycle = row.lifecycle();
      int from = row.state().upper();
      int end = from;
      while (end > 0 && lifecycle.reachable(from, end - 1)) {
        end--;
      }
      if (end == from && from > 0) {
        throw new IllegalTransitionException(
            row.id(), lifecycle.operation(), lifecycle.name(from), lifecycle.name(from - 1));
      }
      List<Movement> movements = new ArrayList<>();
      for (int phase = from; phase > end; phase--) {
        movements.add(movement(row, phase, Direction.DOWN));
      }
      scripts.append(
          write(
              row,
              from,
              end,
              movements,
              List.of(),
              "target = "
                  + end
                  + ", target_reason = '"
                  + MigrationRow.ROLLBACK
                  + "', target_by = current_user, finished_at = NULL, status = '"
                  + MigrationStatus.ACTIVE
                  + "'"));
    }
    return scripts.toString();
  }

  private String write(
      MigrationRow row,
      int from,
      int to,
      List<Movement> movements,
      List<Movement> afterwards,
      String end) {
    Lifecycle lifecycle = row.lifecycle();
    List<String> notes = new ArrayList<>();
    notes.add(
        "Takes migration "
            + row.id()
            + " ("
            + lifecycle.operation()
            + " on table "
            + row.table()
            + " of schema "
            + row.schema()
            + ") from "
            + lifecycle.name(from)
            + " to "
            + lifecycle.name(to)
            + ".");
    notes.add(
        "Nobody looks at the fleet meanwhile: make sure that all code that runs fits each of");
    notes.add(
        "the phases below. The migration is paused first, and stays so if an error ends this");
    notes.add("script. Mend the cause and run it again: what has happened is left out.");
    notes.add("Made from the catalog as it was when the migration came where it is.");
    return ctx.dialect()
        .scripts()
        .write(
            new Script(
                row.id(),
                notes,
                List.of(update(row, "status = '" + MigrationStatus.PAUSED + "'")),
                movements,
                List.of(update(row, end), event(row, "SCRIPT", lifecycle.name(to), "REACHED")),
                afterwards,
                ctx.timing().lockBudget()));
  }

  private Movement movement(MigrationRow row, int upper, Direction direction) {
    Lifecycle lifecycle = row.lifecycle();
    boolean up = direction == Direction.UP;
    int from = up ? upper - 1 : upper;
    int to = up ? upper : upper - 1;
    if (up && !Preflight.captured(row)) {
      throw refused(row, "it has not started", "Ask for its plan() instead.");
    }
    Operation<?> operation =
        ctx.operation(row)
            .orElseThrow(
                () ->
                    refused(
                        row, StepRunner.missing(ctx, row), "Ask a build that has the library."));
    // Whoever runs a script has the time for the steps after a shortcut.
    List<Step> steps =
        operation.steps(ctx.target(row), row.facts(), upper, direction).stream()
            .filter(step -> !(step instanceof DdlStep ddl && ddl.shortcut()))
            .toList();
    for (Step step : steps) {
      if (!ctx.dialect().scripts().scriptable(step)) {
        throw refused(
            row,
            "step "
                + step.name()
                + " of "
                + lifecycle.name(upper)
                + " can't be done with SQL alone: it is computed in Java, or must be done exactly"
                + " once per row",
            up ? "Let a build of yours drive it: resume it." : "Roll it back with rollback(id).");
      }
    }
    List<String> reached = new ArrayList<>();
    for (String table : List.of("backfill_chunk", "backfill")) {
      reached.add(
          "DELETE FROM "
              + ctx.tables().table(table)
              + " WHERE migration = "
              + literal(row.id())
              + " AND target_schema = "
              + literal(row.schema()));
    }
    reached.add(
        update(row, state(to, to, direction) + ", since = " + now() + ", finished_at = NULL"));
    reached.add(event(row, "PHASE", lifecycle.name(to), "REACHED"));
    return new Movement(
        lifecycle.name(from),
        lifecycle.name(to),
        direction,
        fitting(lifecycle, upper),
        "SELECT "
            + (up ? "least(reached, entering) < " : "greatest(reached, entering) > ")
            + to
            + " FROM "
            + ctx.tables().table("migration")
            + key(row),
        List.of(update(row, state(from, to, direction))),
        steps,
        reached);
  }

  private static String fitting(Lifecycle lifecycle, int upper) {
    State pair = new State(upper - 1, upper, Direction.UP);
    return lifecycle.stages().stream()
        .filter(each -> each.span().fits(pair))
        .map(StageSpan::stage)
        .collect(Collectors.joining(", "));
  }

  private static RefusedException refused(MigrationRow row, String problem, String remedy) {
    return new RefusedException(ErrorCode.REFUSED, row.id(), problem, remedy);
  }

  private static String state(int reached, int entering, Direction direction) {
    return "reached = "
        + reached
        + ", entering = "
        + entering
        + ", direction = '"
        + direction
        + "', step = NULL, attempt = 0, wait = NULL, last_error = NULL, fit_up_since = NULL,"
        + " fit_down_since = NULL";
  }

  private String update(MigrationRow row, String set) {
    return "UPDATE " + ctx.tables().table("migration") + " SET " + set + key(row);
  }

  private String key(MigrationRow row) {
    return " WHERE id = " + literal(row.id()) + " AND target_schema = " + literal(row.schema());
  }

  private String event(MigrationRow row, String kind, String phase, String outcome) {
    return "INSERT INTO "
        + ctx.tables().table("event")
        + " (migration, target_schema, kind, phase, outcome, detail, member, "
        + ctx.tables().release()
        + ") VALUES ("
        + literal(row.id())
        + ", "
        + literal(row.schema())
        + ", '"
        + kind
        + "', "
        + literal(phase)
        + ", '"
        + outcome
        + "', 'by script', current_user, '')";
  }

  private String literal(String text) {
    return ctx.dialect().scripts().literal(text);
  }

  private String now() {
    return ctx.tables().sql().now();
  }
}
