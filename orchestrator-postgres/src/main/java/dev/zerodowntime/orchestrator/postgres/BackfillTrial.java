package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.operation.Backfill.Assignment;
import dev.zerodowntime.orchestrator.spi.RowChange;
import dev.zerodowntime.orchestrator.spi.Scan;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;

/** Changes some rows, in a copy of them: the server says whether it can, and what comes of it. */
final class BackfillTrial {

  private static final int SAMPLE = 1_000;

  private static final String COPIES = "zdo_trial_copies";

  private static final String ONCE =
      "Say which rows with where(\"...\"), which no longer holds for a row that was changed; or"
          + " declare oncePerLedger(), or oncePerKey() where keys never change.";

  private final Backfill migration;
  private final Catalog catalog;
  private final CatalogTable table;
  private final List<Scan.KeyColumn> key;
  private final BackfillSql sql;
  private final Map<String, Object> facts;

  BackfillTrial(
      Backfill migration,
      Catalog catalog,
      CatalogTable table,
      List<Scan.KeyColumn> key,
      Map<String, Object> facts) {
    this.migration = migration;
    this.catalog = catalog;
    this.table = table;
    this.key = key;
    this.facts = facts;
    this.sql = new BackfillSql(migration, table.name(), BackfillSql.columns(facts));
  }

  void run() throws SQLException {
    try (Trial trial = new Trial(catalog, table, SAMPLE)) {
      trial.require(
          "SELECT FROM " + trial.name() + " WHERE (" + sql.where() + ") LIMIT 1",
          "the predicate \"" + sql.where() + "\" of where",
          "Correct it: it is evaluated over the columns of " + table.display() + ".");
      if (migration.computation().isEmpty()) {
        String pending =
            migration.destination().isPresent() ? copy(trial) : assign(trial, pending());
        if (migration.once().isEmpty()) {
          requireRest(trial, pending);
        }
      }
    }
    if (!migration.undo().isEmpty()) {
      undo();
    }
  }

  private String pending() {
    return sql.pending(catalog.target().schema());
  }

  private String assign(Trial trial, String pending) throws SQLException {
    RowChange.Assign assign = (RowChange.Assign) sql.change(catalog.target().schema());
    RowChange.Join join = assign.join();
    trial.require(
        "UPDATE "
            + trial.name()
            + " SET "
            + assign.set()
            + (join == null ? "" : " FROM " + join.from())
            + " WHERE "
            + (join == null ? "(" + sql.where() + ")" : "(" + join.on() + ")"),
        "assigning " + assign.set(),
        "Correct the expressions: they are evaluated once per row, over the columns of "
            + table.display()
            + (join == null
                ? "."
                : " and of "
                    + join.from()
                    + "; where two tables have a column of one name, say whose."));
    trial.require("SELECT FROM " + trial.name() + " WHERE " + pending + " LIMIT 1", what(), ONCE);
    return pending;
  }

  private String copy(Trial trial) throws SQLException {
    RowChange.Copy copy = (RowChange.Copy) sql.change(catalog.target().schema());
    String copies = Sql.qualified("pg_temp", COPIES);
    trial.execute(
        "CREATE TEMPORARY TABLE "
            + COPIES
            + " AS SELECT "
            + String.join(", ", copy.columns())
            + " FROM "
            + copy.into()
            + " WITH NO DATA");
    trial.require(
        "INSERT INTO "
            + copies
            + " SELECT "
            + String.join(", ", copy.values())
            + " FROM "
            + trial.name()
            + " WHERE ("
            + sql.where()
            + ")",
        what(),
        "Correct the expressions: they are evaluated once per row, over the columns of "
            + table.display()
            + ".");
    String keys = String.join(", ", copy.key());
    String twice =
        trial.text(
            "SELECT ROW("
                + keys
                + ")::text FROM "
                + copies
                + " GROUP BY "
                + keys
                + " HAVING count(*) > 1 LIMIT 1");
    if (!twice.isEmpty()) {
      throw catalog.refuse(
          "several rows would be copied into one, with key " + twice,
          "Let the key tell all rows of " + table.display() + " apart, or restrict them.");
    }
    return "("
        + sql.where()
        + ") AND "
        + sql.missing(copies, migration.destination().orElseThrow().key());
  }

  private String what() {
    return "what is assigned, "
        + migration.set().stream().map(each -> each.column() + " = " + each.sql()).toList();
  }

  /** After a row was changed, nothing may be left to do for it. */
  private void requireRest(Trial trial, String pending) throws SQLException {
    String row = first(trial, pending);
    if (!row.isEmpty()) {
      throw catalog.refuse(
          what()
              + ", would change a row again and again, for one that with key "
              + row
              + ": after it was changed its columns differ from the expressions still",
          ONCE);
    }
    // Where the predicate itself puts an end to it, the value may be any.
    boolean ends = migration.where().isPresent() && first(trial, sql.where()).isEmpty();
    if (!ends) {
      for (Assignment each : migration.set()) {
        requireSteady(trial, each);
      }
    }
  }

  private void requireSteady(Trial trial, Assignment each) throws SQLException {
    if (trial.changesWithTime(
        each.sql(), migration.join().map(join -> join.from() + " WHERE " + join.on()).orElse(""))) {
      throw unsteady(each);
    }
  }

  private RefusedException unsteady(Assignment each) {
    return catalog.refuse(
        "the expression \""
            + each.sql()
            + "\" for column \""
            + each.column()
            + "\" has another value every time, so that a row would never be as it shall be",
        ONCE);
  }

  private String first(Trial trial, String condition) throws SQLException {
    return trial.text(
        "SELECT ROW("
            + String.join(", ", key.stream().map(Scan.KeyColumn::name).toList())
            + ")::text FROM "
            + trial.name()
            + " WHERE "
            + condition
            + " LIMIT 1");
  }

  private void undo() throws SQLException {
    String what = "undo, " + BackfillSql.set(migration.undo());
    String remedy = "Correct the expressions, which must be harmless to repeat; or leave out undo.";
    try (Trial trial = new Trial(catalog, table, SAMPLE)) {
      trial.require(
          "UPDATE " + trial.name() + " SET " + BackfillSql.set(migration.undo()), what, remedy);
      String left =
          first(
              trial,
              BackfillSql.different(
                  table.name(), migration.undo(), Images.of(facts, BackfillCheck.UNDONE)));
      if (!left.isEmpty()) {
        throw catalog.refuse(
            what + " would change a row again and again, for one that with key " + left, remedy);
      }
    }
  }
}
