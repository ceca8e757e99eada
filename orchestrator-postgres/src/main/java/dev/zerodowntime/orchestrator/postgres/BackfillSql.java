package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.operation.Backfill.Assignment;
import dev.zerodowntime.orchestrator.spi.RowChange;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Which rows a backfill has still to change, and how, as SQL over the row. Columns of the row are
 * named with the bare table, which means the same in its schema and in a trial.
 */
final class BackfillSql {

  private final Backfill migration;
  private final String table;
  private final List<Images> columns;

  /**
   * For one migration.
   *
   * @param table the bare name of the table that rows are in: a partition's, not that of the whole
   * @param columns the columns that get a value, in the order of the assignments
   */
  BackfillSql(Backfill migration, String table, List<Images> columns) {
    this.migration = migration;
    this.table = table;
    this.columns = columns;
  }

  /** Rows that the author means, and that are not yet as they shall be. */
  String pending(String schema) {
    // What stays true says nothing; nor is it pulled up into a join, which would judge a row that
    // was changed meanwhile by what it was joined to before.
    if (migration.once().isPresent()) {
      return "("
          + where()
          + ") IS TRUE"
          + (migration.join().isPresent() ? " AND (" + matched("true") + ") IS TRUE" : "");
    }
    if (migration.computation().isPresent()) {
      return where();
    }
    return "("
        + where()
        + ") AND "
        + migration
            .destination()
            .map(each -> missing(Sql.qualified(schema, each.table()), each.key()))
            .orElseGet(this::different);
  }

  String where() {
    return migration.where().orElse("true");
  }

  private String different() {
    String different = different(table, migration.set(), columns);
    return migration.join().isEmpty()
        ? different
        // One of several matches was taken, and nobody knows which.
        : matched("true") + " AND NOT " + matched("NOT (" + different + ")");
  }

  /** Whether any column of a row holds something else than what would be assigned. */
  static String different(String table, List<Assignment> set, List<Images> columns) {
    List<String> held = new ArrayList<>();
    List<String> stored = new ArrayList<>();
    StringBuilder rejected = new StringBuilder();
    for (int i = 0; i < set.size(); i++) {
      held.add(columns.get(i).held(table));
      stored.add(columns.get(i).stored(set.get(i).sql()));
      rejected.append(columns.get(i).rejected(set.get(i).sql()));
    }
    return "(pg_catalog.record_image_ne(ROW("
        + String.join(", ", held)
        + "), ROW("
        + String.join(", ", stored)
        + "))"
        + rejected
        + ")";
  }

  private String matched(String condition) {
    Backfill.Join join = migration.join().orElseThrow();
    return "EXISTS (SELECT FROM "
        + join.from()
        + " WHERE ("
        + join.on()
        + ") AND "
        + condition
        + ")";
  }

  /**
   * Whether the other table lacks the row, or has another image of it. Its columns may be called
   * like those of the row: so the values are computed where they can't be seen.
   */
  String missing(String into, List<String> key) {
    List<String> values = new ArrayList<>();
    List<String> same = new ArrayList<>();
    List<Assignment> copied = new ArrayList<>();
    StringBuilder rejected = new StringBuilder();
    for (int i = 0; i < migration.set().size(); i++) {
      Assignment each = migration.set().get(i);
      Images column = columns.get(i);
      values.add(column.stored(each.sql()) + " AS zdo_v" + i);
      rejected.append(column.rejected(each.sql()));
      copied.add(new Assignment(each.column(), "zdo_value.zdo_v" + i));
      if (key.contains(each.column())) {
        same.add("zdo_into." + Sql.quote(each.column()) + " = zdo_value.zdo_v" + i);
      }
    }
    return "(NOT EXISTS (SELECT FROM (SELECT "
        + String.join(", ", values)
        + ") AS zdo_value, "
        + into
        + " AS zdo_into WHERE "
        + String.join(" AND ", same)
        + " AND NOT "
        + same(copied)
        + ")"
        + rejected
        + ")";
  }

  /** Values that are cast already. */
  private String same(List<Assignment> copied) {
    return "pg_catalog.record_image_ne(ROW("
        + columns.stream().map(each -> each.held("zdo_into")).collect(Collectors.joining(", "))
        + "), ROW("
        + copied.stream().map(Assignment::sql).collect(Collectors.joining(", "))
        + "))";
  }

  RowChange change(String schema) {
    if (migration.computation().isPresent()) {
      Backfill.Computation it = migration.computation().get();
      return new RowChange.Compute(
          it.reads().stream().map(Sql::quote).toList(),
          columns.stream()
              .map(each -> new RowChange.Column(Sql.quote(each.name()), each.plain()))
              .toList(),
          it.function());
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
        set(migration.set()),
        migration.join().map(each -> new RowChange.Join(each.from(), each.on())).orElse(null));
  }

  static String set(List<Assignment> assignments) {
    return assignments.stream()
        .map(each -> Sql.quote(each.column()) + " = (" + each.sql() + ")")
        .collect(Collectors.joining(", "));
  }

  static List<Images> columns(Map<String, Object> facts) {
    return Images.of(facts, BackfillCheck.COLUMNS);
  }
}
