package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.BackfillProgress;
import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.Pace;
import dev.zerodowntime.orchestrator.internal.control.BackfillRow;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.internal.control.Events.Event;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import dev.zerodowntime.orchestrator.internal.control.PaceOverrides;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** What people do with backfills while they run: each call is one transaction and one event. */
final class BackfillOperator {

  private final EngineContext ctx;
  private final Operator operator;

  BackfillOperator(EngineContext ctx, Operator operator) {
    this.ctx = ctx;
    this.operator = operator;
  }

  private interface Change {
    /** Changes one backfill; says what was done, for the log. */
    String apply(Connection connection, MigrationRow row, BackfillRow backfill) throws SQLException;
  }

  boolean pause(String id, boolean paused) throws SQLException {
    return each(
        id,
        paused ? "BACKFILL_PAUSE" : "BACKFILL_RESUME",
        (connection, row, backfill) -> {
          ctx.backfills().pause(connection, row, backfill.step(), paused);
          return "";
        });
  }

  boolean tune(String id, UnaryOperator<Pace> change) throws SQLException {
    return each(
        id,
        "BACKFILL_PACE",
        (connection, row, backfill) -> {
          Pace before = backfill.overrides().over(row.policy().pace());
          Pace after = change.apply(before);
          ctx.backfills().tune(connection, row, backfill.step(), PaceOverrides.all(after));
          return before + " -> " + after;
        });
  }

  boolean reset(String id) throws SQLException {
    return each(
        id,
        "BACKFILL_PACE",
        (connection, row, backfill) -> {
          ctx.backfills().tune(connection, row, backfill.step(), PaceOverrides.NONE);
          return "-> " + row.policy().pace();
        });
  }

  List<BackfillProgress> progress(String id) throws SQLException {
    List<BackfillProgress> progress = new ArrayList<>();
    for (MigrationRow row : operator.rows(id)) {
      Db.autoCommit(
          ctx.dataSource(),
          connection -> {
            for (String step : ctx.backfills().steps(connection, row)) {
              BackfillReports.read(ctx, connection, row, step).ifPresent(progress::add);
            }
            return true;
          });
    }
    return List.copyOf(progress);
  }

  private boolean each(String id, String kind, Change change) throws SQLException {
    int found = 0;
    for (MigrationRow row : operator.rows(id)) {
      found +=
          ctx.transaction(
              connection -> {
                int changed = 0;
                for (String step : ctx.backfills().steps(connection, row)) {
                  Optional<BackfillRow> backfill =
                      ctx.backfills().lockPatiently(connection, row, step);
                  if (backfill.isEmpty() || backfill.get().done()) {
                    continue;
                  }
                  String detail = change.apply(connection, row, backfill.get());
                  ctx.events()
                      .append(
                          connection,
                          row,
                          new Event(kind, null, step, null, null, null, null, detail, null));
                  changed++;
                }
                return changed;
              });
    }
    if (found == 0) {
      throw new DeclarationException(
          ErrorCode.UNKNOWN_MIGRATION,
          "Migration " + id + " has no backfill that has begun and not ended",
          "Before it begins, its pace is that of the declaration: pace(...) of its builder.");
    }
    return true;
  }
}
