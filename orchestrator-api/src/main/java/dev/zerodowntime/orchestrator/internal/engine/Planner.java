package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.MigrationPlan;
import dev.zerodowntime.orchestrator.MigrationPlan.PhasePlan;
import dev.zerodowntime.orchestrator.MigrationPlan.PlannedStep;
import dev.zerodowntime.orchestrator.Phase;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.Shortcut;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import dev.zerodowntime.orchestrator.operation.CreateTable;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.NotYetException;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Says what would be done, as SQL. */
final class Planner {

  private final EngineContext ctx;
  private final Preflight preflight;

  Planner(EngineContext ctx) {
    this.ctx = ctx;
    this.preflight = new Preflight(ctx);
  }

  /** Plans of this build's declarations: from what the database knows of those that started. */
  List<MigrationPlan> plan() throws SQLException {
    List<MigrationRow> known =
        ctx.tables().installed(ctx.dataSource()).isPresent()
            ? Db.autoCommit(ctx.dataSource(), ctx.reader()::migrations)
            : List.of();
    List<MigrationPlan> plans = new ArrayList<>();
    for (Engine.Declaration declared : ctx.declarations().all()) {
      Migration<?> migration = declared.migration();
      String schema = declared.schema();
      if (migration == null || schema == null) {
        continue;
      }
      String key = MigrationRow.key(schema, migration.id());
      MigrationRow row =
          known.stream().filter(each -> each.key().equals(key)).findFirst().orElse(null);
      if (row != null && Preflight.captured(row)) {
        plans.add(plan(row));
        continue;
      }
      CreateTable creator = creator(ctx, migration, schema, known);
      if (creator != null) {
        plans.add(later(migration, schema, creator));
        continue;
      }
      Operation<?> operation = ctx.operation(migration).orElse(null);
      if (operation != null) {
        Target target = new Target(migration.id(), schema, ctx.tables().schema());
        try {
          Preflight.Found found = preflight.run(operation, target);
          plans.add(plan(operation, target, found.lifecycle(), found.facts()));
        } catch (NotYetException e) {
          throw new RefusedException(
              ErrorCode.REFUSED, migration.id(), e.what(), "Ask for the plan again later.");
        }
      }
    }
    return plans;
  }

  /** What is still to create the table of a migration; null where nothing is. */
  static @Nullable CreateTable creator(
      EngineContext ctx, Migration<?> migration, String schema, List<MigrationRow> known) {
    for (Engine.Declaration each : ctx.declarations().all()) {
      if (each.migration() instanceof CreateTable create
          && !create.id().equals(migration.id())
          && schema.equals(each.schema())
          && create.table().equals(migration.table())) {
        String key = MigrationRow.key(schema, create.id());
        boolean there =
            known.stream()
                .anyMatch(
                    row ->
                        row.key().equals(key) && row.state().reached() == row.lifecycle().last());
        return there ? null : create;
      }
    }
    return null;
  }

  /** There is nothing to look at yet, and nothing that could be in the way of anybody. */
  private static MigrationPlan later(Migration<?> migration, String schema, CreateTable creator) {
    return new MigrationPlan(
        migration.id(),
        schema,
        migration.lifecycle(),
        0,
        List.of(
            new Shortcut(
                Shortcut.Kind.NEW_TABLE,
                "migration "
                    + creator.id()
                    + " creates "
                    + migration.table()
                    + "; the steps are planned once it has, with no row to look after unless some"
                    + " have come by then")),
        List.of(),
        List.of());
  }

  /** The plan of a registered migration. */
  MigrationPlan plan(MigrationRow row) throws SQLException {
    Operation<?> operation =
        ctx.operation(row)
            .orElseThrow(
                () ->
                    new IllegalStateException(
                        "this library has no " + row.lifecycle().operation()));
    return plan(operation, ctx.target(row), row.lifecycle(), row.facts());
  }

  private MigrationPlan plan(
      Operation<?> operation, Target target, Lifecycle lifecycle, Map<String, Object> facts)
      throws SQLException {
    List<PhasePlan> phases = new ArrayList<>();
    long rows = -1;
    for (Phase phase : lifecycle.phases()) {
      int position = phase.position();
      if (position == 0) {
        continue;
      }
      boolean reversible = lifecycle.reachable(position, position - 1);
      List<Step> up = operation.steps(target, facts, position, Direction.UP);
      List<Step> down =
          reversible ? operation.steps(target, facts, position, Direction.DOWN) : List.of();
      if (rows < 0) {
        rows = rows(up);
      }
      phases.add(new PhasePlan(phase, planned(up), planned(down), reversible));
    }
    List<String> advice = new ArrayList<>(operation.advice(facts));
    if (rows > 0) {
      advice.add(
          "The rows are backfilled in "
              + operation.migration().policy().pace().estimate(rows)
              + " at their pace, what it waits for not counted.");
    }
    return new MigrationPlan(
        target.id(), target.schema(), lifecycle, rows, operation.shortcuts(facts), advice, phases);
  }

  /** Rows of all tables that are backfilled, such as a partitioned table's; -1 if unknown. */
  private long rows(List<Step> steps) throws SQLException {
    Map<String, Scan> scans = new LinkedHashMap<>();
    for (Step step : steps) {
      if (step instanceof BackfillStep backfill) {
        scans.putIfAbsent(backfill.scan().table(), backfill.scan());
      }
    }
    if (scans.isEmpty()) {
      return -1;
    }
    return Db.autoCommit(
        ctx.ddlDataSource(),
        connection -> {
          long sum = 0;
          for (Scan scan : scans.values()) {
            long rows = ctx.dialect().scans().estimate(connection, scan);
            if (rows < 0) {
              return -1L;
            }
            sum += rows;
          }
          return sum;
        });
  }

  private static List<PlannedStep> planned(List<Step> steps) {
    return steps.stream()
        .map(each -> new PlannedStep(each.name(), each.summary(), each.lock(), each.sql()))
        .toList();
  }

  /** Identifies the SQL that leads to a phase from where a migration is. */
  static String hash(EngineContext ctx, MigrationRow row, int phase) {
    if (!Preflight.captured(row)) {
      return "";
    }
    boolean down = phase < row.state().upper();
    return ctx.operation(row)
        .map(
            each ->
                each.steps(
                    ctx.target(row),
                    row.facts(),
                    down ? phase + 1 : phase,
                    down ? Direction.DOWN : Direction.UP))
        .map(Planner::hash)
        .orElse("");
  }

  /** Identifies SQL: a consent is to exactly this. */
  private static String hash(List<Step> steps) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (Step step : steps) {
        for (String sql : step.sql()) {
          digest.update(sql.getBytes(StandardCharsets.UTF_8));
          digest.update((byte) 0);
        }
      }
      return HexFormat.of().formatHex(digest.digest(), 0, 16);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
