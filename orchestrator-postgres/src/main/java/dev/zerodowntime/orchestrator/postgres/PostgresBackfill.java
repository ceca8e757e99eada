package dev.zerodowntime.orchestrator.postgres;

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

  /** Partitions come and go meanwhile. */
  @Override
  public boolean recapturesOnFailure(int phase, Direction direction, Map<String, Object> facts) {
    return Partitions.is(facts);
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
    boolean up = direction == Direction.UP;
    if (!up && migration.undo().isEmpty()) {
      return List.of();
    }
    if (Partitions.is(facts)) {
      return partitioned(migration, target, facts, table, up);
    }
    if (!up) {
      return List.of(undo(migration, "undo-rows", table, migration.table(), facts, true));
    }
    BackfillSql sql = new BackfillSql(migration, migration.table(), BackfillSql.columns(facts));
    if (migration.once().isEmpty() || perKey(migration)) {
      return List.of(
          change(migration, target, facts, "change-rows", table, migration.table(), true));
    }
    BackfillLedger ledger =
        new BackfillLedger(
            migration.id(), target, migration.table(), key, Facts.texts(facts, BackfillCheck.PATH));
    return List.of(
        ledger.create(),
        new BackfillStep(
            "change-rows",
            summary(migration),
            new Scan(table, key, sql.pending(target.schema()) + " AND " + ledger.without()),
            sql.change(target.schema()),
            ledger.repeat(),
            null,
            true),
        ledger.drop());
  }

  private static boolean perKey(Backfill migration) {
    return migration.once().equals(Optional.of(Backfill.Once.PER_KEY));
  }

  /**
   * Partition by partition: over the whole, the server would look for every row of a batch in all
   * of them. Then once more: a row may have moved from a partition whose turn had not come to one
   * that was done.
   */
  private static List<Step> partitioned(
      Backfill migration, Target target, Map<String, Object> facts, String table, boolean up) {
    List<Step> steps = new ArrayList<>();
    List<Partitions.Leaf> leaves = Partitions.leaves(facts);
    boolean again = leaves.size() > 1 && !perKey(migration);
    for (String part : again ? List.of("rows-", "rest-") : List.of("rows-")) {
      boolean last = !again || part.equals("rest-");
      for (Partitions.Leaf leaf : leaves) {
        String step = (up ? "change-" : "undo-") + part + leaf.key();
        steps.add(
            up
                ? change(migration, target, facts, step, leaf.table(), leaf.name(), last)
                : undo(migration, step, leaf.table(), leaf.name(), facts, last));
      }
    }
    steps.add(Partitions.complete(table, facts));
    return steps;
  }

  private static Step change(
      Backfill migration,
      Target target,
      Map<String, Object> facts,
      String step,
      String table,
      String name,
      boolean mustFinish) {
    BackfillSql sql = new BackfillSql(migration, name, BackfillSql.columns(facts));
    boolean perKey = perKey(migration);
    return new BackfillStep(
        step,
        summary(migration) + in(facts, table),
        new Scan(table, Facts.key(facts), sql.pending(target.schema())),
        sql.change(target.schema()),
        perKey ? new Repeat.OncePerKey() : Repeat.HARMLESS,
        null,
        mustFinish && !perKey);
  }

  private static String in(Map<String, Object> facts, String table) {
    return Partitions.is(facts) ? ", in " + table : "";
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
      Backfill migration,
      String step,
      String table,
      String name,
      Map<String, Object> facts,
      boolean mustFinish) {
    String different =
        BackfillSql.different(name, migration.undo(), Images.of(facts, BackfillCheck.UNDONE));
    return BackfillStep.assign(
        step,
        "changes "
            + migration.undo().stream().map(Backfill.Assignment::column).toList()
            + " back"
            + in(facts, table),
        new Scan(table, Facts.key(facts), different),
        BackfillSql.set(migration.undo()),
        null,
        mustFinish);
  }

  @Override
  public List<String> net(Backfill migration, NetTarget target, Map<String, Object> facts) {
    return List.of(net(migration, new Plain(target)));
  }

  /** One statement, for a table that nobody writes to. */
  static String net(Backfill migration, Plain plain) {
    String table = plain.in(migration.table());
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
      Backfill.Destination into = migration.destination().get();
      List<String> columns = migration.set().stream().map(Backfill.Assignment::column).toList();
      List<String> others = columns.stream().filter(each -> !into.key().contains(each)).toList();
      return "INSERT INTO "
          + plain.in(into.table())
          + " ("
          + Plain.names(columns)
          + ") SELECT "
          + migration.set().stream().map(Backfill.Assignment::sql).collect(Collectors.joining(", "))
          + " FROM "
          + table
          + where
          + " ON CONFLICT ("
          + Plain.names(into.key())
          + ") DO "
          + (others.isEmpty()
              ? "NOTHING"
              : "UPDATE SET "
                  + others.stream()
                      .map(each -> Plain.name(each) + " = EXCLUDED." + Plain.name(each))
                      .collect(Collectors.joining(", ")));
    }
    String update =
        "UPDATE "
            + table
            + " SET "
            + migration.set().stream()
                .map(each -> Plain.name(each.column()) + " = " + each.sql())
                .collect(Collectors.joining(", "));
    if (migration.join().isEmpty()) {
      return update + where;
    }
    Backfill.Join join = migration.join().get();
    String bare = Plain.name(migration.table());
    // Bare names of the condition must not meet those of the joined tables' columns.
    return update
        + " FROM "
        + join.from()
        + " WHERE ("
        + join.on()
        + ")"
        + (where.isEmpty()
            ? ""
            : " AND ("
                + bare
                + ".tableoid, "
                + bare
                + ".ctid) IN (SELECT tableoid, ctid FROM "
                + table
                + where
                + ")");
  }
}
