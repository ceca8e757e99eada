package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Repeat;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Data alone. */
final class PostgresBackfill implements OperationSupport<Backfill> {

  @Override
  public OperationType<Backfill> type() {
    return Backfill.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      Backfill migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    return new BackfillCheck(migration, target, connection).facts();
  }

  @Override
  public List<Step> steps(
      Backfill migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    if (phase != Backfill.BACKFILL) {
      throw new IllegalArgumentException("Backfill has no phase " + phase);
    }
    List<Scan.KeyColumn> key = Facts.key(facts);
    String table = Sql.qualified(target.schema(), migration.table());
    if (direction == Direction.DOWN) {
      return migration.undo().isEmpty() ? List.of() : List.of(undo(migration, table, key, facts));
    }
    BackfillSql sql = new BackfillSql(migration, BackfillSql.columns(facts));
    String pending = sql.pending(target.schema());
    boolean perKey = migration.once().equals(Optional.of(Backfill.Once.PER_KEY));
    if (migration.once().isEmpty() || perKey) {
      return List.of(
          new BackfillStep(
              "change-rows",
              summary(migration),
              new Scan(table, key, pending),
              sql.change(target.schema()),
              perKey ? new Repeat.OncePerKey() : Repeat.HARMLESS,
              null,
              !perKey));
    }
    BackfillLedger ledger =
        new BackfillLedger(
            migration.id(), target, migration.table(), key, Facts.texts(facts, BackfillCheck.PATH));
    return List.of(
        ledger.create(),
        new BackfillStep(
            "change-rows",
            summary(migration),
            new Scan(table, key, pending + " AND " + ledger.without()),
            sql.change(target.schema()),
            ledger.repeat(),
            null,
            true),
        ledger.drop());
  }

  private static String summary(Backfill migration) {
    String what =
        migration
            .computation()
            .map(each -> "function " + each.name() + " computes " + each.writes())
            .or(() -> migration.destination().map(each -> "copies rows into " + each.table()))
            .orElseGet(() -> "changes " + migration.columns());
    return what
        + migration
            .once()
            .map(each -> each == Backfill.Once.PER_KEY ? ", each range once" : ", each row once")
            .orElse("");
  }

  private static Step undo(
      Backfill migration, String table, List<Scan.KeyColumn> key, Map<String, Object> facts) {
    String different =
        BackfillSql.different(
            migration.table(), migration.undo(), Images.of(facts, BackfillCheck.UNDONE));
    return BackfillStep.assign(
        "undo-rows",
        "changes " + migration.undo().stream().map(Backfill.Assignment::column).toList() + " back",
        new Scan(table, key, different),
        BackfillSql.set(migration.undo()),
        null,
        true);
  }
}
