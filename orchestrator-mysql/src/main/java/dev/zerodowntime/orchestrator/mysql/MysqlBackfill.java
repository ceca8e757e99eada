package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.Facts;
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
final class MysqlBackfill implements OperationSupport<Backfill> {

  private final MysqlVersion version;

  MysqlBackfill(MysqlVersion version) {
    this.version = version;
  }

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
    Catalog catalog = new Catalog(migration, target, version, connection);
    Map<String, Object> facts = new BackfillCheck(migration, catalog, connection).facts();
    // Last, for the rows stay locked until the caller rolls back.
    BackfillTrial trial = new BackfillTrial(catalog, connection);
    trial.run(
        change(migration, target, facts),
        "Say which rows with where(\"...\"), which no longer holds for a row that was changed; or"
            + " declare oncePerKey() where keys never change.");
    if (!migration.undo().isEmpty()) {
      trial.run(
          undo(migration, target, facts),
          "Correct the expressions of undo, which must be harmless to repeat; or leave them out.");
    }
    return facts;
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
    if (direction == Direction.UP) {
      return List.of(change(migration, target, facts));
    }
    return migration.undo().isEmpty() ? List.of() : List.of(undo(migration, target, facts));
  }

  private static BackfillStep change(Backfill migration, Target target, Map<String, Object> facts) {
    BackfillSql sql =
        new BackfillSql(
            migration,
            target.schema(),
            images(facts, BackfillCheck.COLUMNS),
            Facts.texts(facts, BackfillCheck.TOUCHED));
    boolean perKey = migration.once().equals(Optional.of(Backfill.Once.PER_KEY));
    return new BackfillStep(
        "change-rows",
        summary(migration),
        new Scan(table(migration, target), Facts.key(facts), sql.pending()),
        sql.change(),
        perKey ? new Repeat.OncePerKey() : Repeat.HARMLESS,
        null,
        !perKey);
  }

  private static BackfillStep undo(Backfill migration, Target target, Map<String, Object> facts) {
    String table = table(migration, target);
    return BackfillStep.assign(
        "undo-rows",
        "changes " + migration.undo().stream().map(Backfill.Assignment::column).toList() + " back",
        new Scan(
            table,
            Facts.key(facts),
            BackfillSql.different(table, migration.undo(), images(facts, BackfillCheck.UNDONE))),
        BackfillSql.set(table, migration.undo(), Facts.texts(facts, BackfillCheck.TOUCHED_UNDONE)),
        null,
        true);
  }

  private static String table(Backfill migration, Target target) {
    return Sql.qualified(target.schema(), migration.table());
  }

  private static List<ColumnImage> images(Map<String, Object> facts, String name) {
    return Facts.maps(facts, name).stream().map(ColumnImage::of).toList();
  }

  private static String summary(Backfill migration) {
    String what =
        migration
            .computation()
            .map(each -> "function " + each.name() + " computes " + each.writes())
            .or(() -> migration.destination().map(each -> "copies rows into " + each.table()))
            .orElseGet(() -> "changes " + migration.columns());
    return migration.once().isPresent() ? what + ", each range once" : what;
  }
}
