package dev.zerodowntime.orchestrator.postgres;

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
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What the author of a plan wrote, as steps. */
final class PostgresPhasePlan implements OperationSupport<PhasePlan<?>> {

  private static final Pattern CONCURRENTLY =
      Pattern.compile(
          "(?is)^(\\s*(?:CREATE\\s+(?:UNIQUE\\s+)?INDEX|DROP\\s+INDEX"
              + "|REINDEX\\s+(?:\\([^)]*\\)\\s*)?(?:INDEX|TABLE|SCHEMA)"
              + "|REFRESH\\s+MATERIALIZED\\s+VIEW|ALTER\\s+TABLE\\s.*\\sDETACH\\s+PARTITION\\s.*))"
              + "\\s+CONCURRENTLY\\b");

  private static final PostgresBackfill BACKFILL = new PostgresBackfill();

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
    Catalog catalog = new Catalog(migration, target, connection);
    requirePath(catalog, migration);
    // What a way back has left behind is not known any more.
    Map<String, Object> facts = new LinkedHashMap<>(phase == 1 ? Map.of() : known);
    for (PlanStep step : migration.phase(phase).steps()) {
      if (step instanceof PlanStep.Rows rows) {
        Backfill backfill = migration.rows(rows, target.schema());
        Map<String, Object> fact =
            BACKFILL.preflight(backfill, target(target, backfill), 1, Map.of(), connection);
        if (Partitions.is(fact)) {
          throw catalog.refuse(
              "table \""
                  + backfill.table()
                  + "\" of step \""
                  + step.name()
                  + "\" is partitioned, and its partitions may come and go while it runs",
              "Declare a Backfill of its own, which follows them, before or after this plan.");
        }
        facts.put(key(step), fact);
      } else if (step instanceof PlanStep.Verify verify) {
        CatalogTable table = catalog.table(verify.table());
        Map<String, Object> fact = new LinkedHashMap<>();
        fact.put("key", Facts.key(catalog.key(table, "verification")));
        facts.put(key(step), fact);
        try (Trial trial = new Trial(catalog, table, 0)) {
          trial.require(
              "SELECT FROM "
                  + trial.name()
                  + " WHERE ("
                  + PlanSteps.sql(target, verify.wrong())
                  + ") LIMIT 1",
              "the predicate \"" + verify.wrong() + "\" of step \"" + verify.name() + "\"",
              "Correct it: it is evaluated over the columns of " + table.display() + ".");
        }
      }
    }
    return facts;
  }

  /** Names without a schema must mean the same to every driver. */
  private static void requirePath(Catalog catalog, PhasePlan<?> migration) throws SQLException {
    String schema = catalog.target().schema();
    String current = catalog.text("SELECT current_schema()");
    if (!migration.namesSchema() && !current.equals(schema)) {
      throw catalog.refuse(
          "its SQL names no schema, and this connection looks names up in schema \""
              + current
              + "\", not in \""
              + schema
              + "\"",
          "Write "
              + PhasePlan.SCHEMA
              + ".name in its SQL; or let the driver's search path begin with that schema.");
    }
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
    PlanSteps make = new PlanSteps(migration, target, facts);
    List<Step> steps = new ArrayList<>();
    if (direction == Direction.UP) {
      planned.steps().forEach(each -> steps.addAll(make.up(each)));
      return steps;
    }
    List<PlanStep> reversed = new ArrayList<>(planned.steps());
    Collections.reverse(reversed);
    reversed.forEach(each -> steps.addAll(make.down(each)));
    return steps;
  }

  /** The facts of one step; null where they are not known yet. */
  @SuppressWarnings("unchecked")
  static @Nullable Map<String, Object> facts(Map<String, Object> facts, PlanStep step) {
    return (Map<String, Object>) facts.get(key(step));
  }

  static List<Step> rows(
      Backfill backfill, Target target, Map<String, Object> facts, Direction direction) {
    return BACKFILL.steps(backfill, target(target, backfill), facts, Backfill.BACKFILL, direction);
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
          PhasePlan.statements(List.of(online.sql()))
              .forEach(each -> sql.add(plain(target, inTransaction(each))));
        } else if (step instanceof PlanStep.Rows rows) {
          sql.add(plain(target, PostgresBackfill.net(rows.rows(), plain)));
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
    return target.qualified()
        ? PhasePlan.inSchema(sql, Plain.name(target.schema()))
        : PhasePlan.inSchema(PhasePlan.withoutSchema(sql), Plain.name(target.schema()));
  }

  /** Nobody uses the table: there is no need for what can't be done in a transaction. */
  private static String inTransaction(String sql) {
    return CONCURRENTLY.matcher(sql).replaceFirst("$1");
  }
}
