package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.operation.Backfill.Assignment;
import dev.zerodowntime.orchestrator.spi.RowChange;
import java.util.ArrayList;
import java.util.List;

/**
 * Which rows a backfill has still to change, and how, as SQL over the row, whose columns are named
 * with the qualified table.
 */
final class BackfillSql {

  private final Backfill migration;
  private final String schema;
  private final List<ColumnImage> columns;
  private final List<String> touched;

  /**
   * For one migration.
   *
   * @param columns the columns that get a value, in the order of the assignments
   * @param touched columns to be kept as they are
   */
  BackfillSql(Backfill migration, String schema, List<ColumnImage> columns, List<String> touched) {
    this.migration = migration;
    this.schema = schema;
    this.columns = columns;
    this.touched = touched;
  }

  /** Rows that the author means, and that are not yet as they shall be. */
  String pending() {
    String where = "((" + migration.where().orElse("TRUE") + ") IS TRUE)";
    if (migration.once().isPresent() || migration.computation().isPresent()) {
      return where;
    }
    return where
        + " AND "
        + migration
            .destination()
            .map(each -> missing(Sql.qualified(schema, each.table()), each.key()))
            .orElseGet(this::different);
  }

  private String table() {
    return Sql.qualified(schema, migration.table());
  }

  private String different() {
    String different = different(table(), migration.set(), columns);
    if (migration.join().isEmpty()) {
      return different;
    }
    // One of several matches was taken, and nobody knows which.
    return matched("TRUE") + " AND NOT " + matched("NOT " + different);
  }

  /** Whether any column of a row holds something else than what would be assigned. */
  static String different(String table, List<Assignment> set, List<ColumnImage> columns) {
    List<String> same = new ArrayList<>();
    for (int i = 0; i < set.size(); i++) {
      ColumnImage column = columns.get(i);
      same.add("(" + column.same(table + "." + Sql.quote(column.name()), set.get(i).sql()) + ")");
    }
    return "(NOT (" + String.join(" AND ", same) + "))";
  }

  private String matched(String condition) {
    Backfill.Join join = migration.join().orElseThrow();
    return "EXISTS (SELECT 1 FROM "
        + join.from()
        + " WHERE ("
        + join.on()
        + ") AND "
        + condition
        + ")";
  }

  /**
   * Whether the other table lacks the row, or has another image of it. Its columns may be called
   * like those of the row, and are renamed: a bare name would mean them.
   */
  private String missing(String into, List<String> key) {
    List<String> renamed = new ArrayList<>();
    List<String> same = new ArrayList<>();
    for (int i = 0; i < migration.set().size(); i++) {
      Assignment each = migration.set().get(i);
      renamed.add(Sql.quote(each.column()) + " AS zdo_i" + i);
      if (key.contains(each.column())) {
        same.add("zdo_into.zdo_i" + i + " = (" + each.sql() + ")");
      }
      same.add("(" + columns.get(i).same("zdo_into.zdo_i" + i, each.sql()) + ")");
    }
    return "(NOT EXISTS (SELECT 1 FROM (SELECT "
        + String.join(", ", renamed)
        + " FROM "
        + into
        + ") AS zdo_into WHERE "
        + String.join(" AND ", same)
        + "))";
  }

  RowChange change() {
    if (migration.computation().isPresent()) {
      Backfill.Computation it = migration.computation().get();
      List<RowChange.Column> writes = new ArrayList<>();
      columns.forEach(
          each -> writes.add(new RowChange.Column(Sql.quote(each.name()), each.type())));
      return new RowChange.Compute(
          it.reads().stream().map(Sql::quote).toList(), writes, it.function());
    }
    if (migration.destination().isPresent()) {
      Backfill.Destination into = migration.destination().get();
      return new RowChange.Copy(
          Sql.qualified(schema, into.table()),
          migration.set().stream().map(each -> Sql.quote(each.column())).toList(),
          migration.set().stream().map(each -> "(" + each.sql() + ")").toList(),
          into.key().stream().map(Sql::quote).toList());
    }
    return new RowChange.Assign(
        set(table(), migration.set(), touched),
        migration.join().map(each -> new RowChange.Join(each.from(), each.on())).orElse(null));
  }

  static String set(String table, List<Assignment> assignments, List<String> touched) {
    List<String> set = new ArrayList<>();
    for (Assignment each : assignments) {
      set.add(table + "." + Sql.quote(each.column()) + " = (" + each.sql() + ")");
    }
    return String.join(", ", set) + Touched.kept(table, touched);
  }
}
