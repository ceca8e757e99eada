package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Repeat;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

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

  @Override
  public List<String> net(Backfill migration, NetTarget target, Map<String, Object> facts) {
    return List.of(net(migration, new Plain(target), facts));
  }

  /** One statement, for a table that nobody writes to. */
  static String net(Backfill migration, Plain plain, Map<String, Object> facts) {
    String name = migration.table();
    String table = plain.in(name);
    if (migration.computation().isPresent()) {
      throw plain
          .target()
          .refuse(
              "its rows are computed in Java, by function " + migration.computation().get().name(),
              "Write a Java migration of Flyway's that does the same, under its version; on a new"
                  + " database there may be no row to compute, and then an empty script will do.");
    }
    String where = migration.where().map(each -> " WHERE " + each).orElse("");
    if (migration.destination().isPresent()) {
      return copied(migration, migration.destination().get(), plain, where);
    }
    String set =
        migration.set().stream()
                .map(each -> plain.column(name, each.column()) + " = " + each.sql())
                .collect(Collectors.joining(", "))
            + plain.kept(name, Facts.texts(facts, BackfillCheck.TOUCHED));
    if (migration.join().isEmpty()) {
      return "UPDATE " + table + " SET " + set + where;
    }
    Backfill.Join join = migration.join().get();
    String joined = " INNER JOIN (" + join.from() + ") ON (" + join.on() + ") SET " + set;
    if (where.isEmpty()) {
      return "UPDATE " + table + joined;
    }
    // Bare names of the condition must not meet those of the joined tables' columns.
    List<String> keys = new ArrayList<>();
    List<String> same = new ArrayList<>();
    for (Scan.KeyColumn key : Facts.key(facts)) {
      String renamed = "key_" + (keys.size() + 1);
      keys.add(key.name() + " AS " + renamed);
      same.add(table + "." + key.name() + " = picked." + renamed);
    }
    return "UPDATE (SELECT "
        + String.join(", ", keys)
        + " FROM "
        + table
        + where
        + ") AS picked INNER JOIN "
        + table
        + " ON "
        + String.join(" AND ", same)
        + joined;
  }

  private static String copied(
      Backfill migration, Backfill.Destination into, Plain plain, String where) {
    List<String> columns = new ArrayList<>();
    List<String> values = new ArrayList<>();
    List<String> set = new ArrayList<>();
    for (Backfill.Assignment each : migration.set()) {
      String value = "value_" + (values.size() + 1);
      columns.add(each.column());
      values.add(each.sql() + " AS " + value);
      if (!into.key().contains(each.column())) {
        set.add(Plain.name(each.column()) + " = copied." + value);
      }
    }
    String key = into.key().get(0);
    if (set.isEmpty()) {
      set.add(Plain.name(key) + " = " + plain.column(into.table(), key));
    }
    return "INSERT INTO "
        + plain.in(into.table())
        + " ("
        + Plain.names(columns)
        + ") SELECT * FROM (SELECT "
        + String.join(", ", values)
        + " FROM "
        + plain.in(migration.table())
        + where
        + ") AS copied ON DUPLICATE KEY UPDATE "
        + String.join(", ", set);
  }
}
