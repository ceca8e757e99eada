package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.operation.WidenColumn;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Whether a column can get another type by a change of the catalog only. */
final class WidenColumnCheck {

  /** The type before: a map of {@link #TYPE} and the next three. */
  static final String FORMER = "former";

  /** The type after, in the same form. */
  static final String WANTED = "wanted";

  /** As SQL, with its modifier. */
  static final String TYPE = "type";

  /** The same with its collation, where that has to be said. */
  static final String COLLATED = "collated";

  /** As SQL, without a modifier. */
  static final String PLAIN = "plain";

  /** As the catalog has it. */
  static final String MODIFIER = "modifier";

  /** Whether the column has the type already. */
  static final String ALREADY = "already";

  /** Whether the former type can be restored the same way. */
  static final String BACK = "back";

  /** Actions on the column that restore what goes with its type. */
  static final String ACTIONS = "actions";

  /** The same for the way back. */
  static final String BACK_ACTIONS = "backActions";

  /** Checks over the column that hold for all rows. */
  static final String CHECKS = "checks";

  /** Tables at the other end of foreign keys. */
  static final String PARTNERS = "partners";

  /** Whether the column has statistics. */
  static final String ANALYZED = "analyzed";

  private static final Set<Dependent.Kind> FOLLOW =
      Set.of(Dependent.Kind.STATISTICS, Dependent.Kind.ARGUMENT);

  private static final String TRIAL_TYPE = "zdo_trial_type";

  private static final String ATTRIBUTE =
      "SELECT format_type(a.atttypid, a.atttypmod), format_type(a.atttypid, -1), a.atttypmod,"
          + " t.typcollation = a.attcollation, coalesce((SELECT format('%I.%I', n.nspname,"
          + " c.collname) FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace WHERE"
          + " c.oid = a.attcollation), '') FROM pg_attribute a JOIN pg_type t"
          + " ON t.oid = a.atttypid WHERE a.attrelid = to_regclass(?) AND a.attname = ?";

  private final WidenColumn migration;
  private final Catalog catalog;
  private final String fits;

  WidenColumnCheck(WidenColumn migration, Target target, Connection connection)
      throws SQLException {
    this.migration = migration;
    this.catalog = new Catalog(migration, target, connection);
    this.fits = PostgresWidenColumn.fits(target);
  }

  private record Found(
      String type, String plain, String modifier, boolean ownCollation, String collation) {

    Map<String, Object> toMap(String collated) {
      Map<String, Object> map = new LinkedHashMap<>();
      map.put(TYPE, type);
      map.put(COLLATED, collated);
      map.put(PLAIN, plain);
      map.put(MODIFIER, modifier);
      return map;
    }
  }

  Map<String, Object> facts(Map<String, Object> known) throws SQLException {
    CatalogTable table = catalog.table(migration.table());
    CatalogColumn column = catalog.column(table, migration.column());
    Map<String, Object> facts = new LinkedHashMap<>();
    try (Trial trial = new Trial(catalog, table, 0)) {
      Found former = attribute(trial.name(), column.name());
      Found wanted = wanted(trial);
      if (wanted.type().equals(former.type())) {
        // Perhaps because a way back has left it.
        boolean ours = known.containsKey(FORMER) && hasFits(table);
        facts.putAll(ours ? known : Map.of(ALREADY, true));
        return facts;
      }
      requireUnused(table, column);
      table.requireAllRows(catalog, "the way back, which looks for rows that don't fit,");
      String to = collated(wanted, former);
      String from = former.type() + (former.ownCollation() ? "" : " COLLATE " + former.collation());
      RetypeTrial retype = new RetypeTrial(catalog, table, column, trial);
      String what =
          "type " + wanted.type() + " for " + retype.display() + " of type " + former.type();
      require(retype.change(action(column, to), what), retype.display(), former, wanted);
      List<Map<String, Object>> checks = checks(table, column, trial);
      facts.put(FORMER, former.toMap(from));
      facts.put(WANTED, wanted.toMap(to));
      facts.put(CHECKS, checks);
      facts.put(PARTNERS, new ArrayList<Object>(retype.partners()));
      facts.put(ANALYZED, column.statistics() == null || column.statistics() != 0);
      facts.put(ACTIONS, new ArrayList<Object>(storage(column)));
      List<Object> back = new ArrayList<>(storage(column));
      if (column.defaultSql() != null) {
        back.add(column.defaults().real());
      }
      facts.put(BACK_ACTIONS, back);
      facts.put(BACK, restorable(retype, trial, column, from));
      List<CatalogColumn> columns = catalog.columns(table);
      if (catalog.indexes(table).stream().anyMatch(index -> index.identifiesRows(columns))) {
        facts.put(AddColumnCheck.KEY, Facts.key(key(table, column, wanted)));
      }
    }
    return facts;
  }

  /** The way back goes along it when the column has its new type. */
  private List<Scan.KeyColumn> key(CatalogTable table, CatalogColumn column, Found wanted)
      throws SQLException {
    return catalog.key(table).stream()
        .map(
            each ->
                each.name().equals(column.quoted())
                    ? new Scan.KeyColumn(each.name(), wanted.type())
                    : each)
        .toList();
  }

  private boolean hasFits(CatalogTable table) throws SQLException {
    return "t".equals(catalog.text("SELECT " + Probes.constraint(table.qualified(), fits)));
  }

  private Found attribute(String relation, String name) throws SQLException {
    return catalog
        .list(
            ATTRIBUTE,
            row ->
                new Found(
                    String.valueOf(row.getString(1)),
                    String.valueOf(row.getString(2)),
                    String.valueOf(row.getString(3)),
                    row.getBoolean(4),
                    String.valueOf(row.getString(5))),
            relation,
            name)
        .get(0);
  }

  /** The type as the server prints it. */
  private Found wanted(Trial trial) throws SQLException {
    trial.require(
        "CREATE TEMPORARY TABLE "
            + TRIAL_TYPE
            + " AS SELECT CAST(NULL AS "
            + migration.type()
            + ") AS c WITH NO DATA",
        "the type \"" + migration.type() + "\"",
        "Name one that exists, as in CREATE TABLE, and nothing else.");
    return attribute(Sql.qualified("pg_temp", TRIAL_TYPE), "c");
  }

  /** The column keeps its collation, which has to be said where it isn't the new type's own. */
  private static String collated(Found wanted, Found former) {
    return former.collation().equals(wanted.collation()) || wanted.collation().isEmpty()
        ? wanted.type()
        : wanted.type() + " COLLATE " + former.collation();
  }

  private static String action(CatalogColumn column, String type) {
    return "ALTER COLUMN " + column.quoted() + " TYPE " + type;
  }

  /** What a change of the type would reset. */
  private static List<String> storage(CatalogColumn column) {
    List<String> actions = new ArrayList<>();
    String storage =
        switch (column.storage()) {
          case "p" -> "PLAIN";
          case "e" -> "EXTERNAL";
          case "m" -> "MAIN";
          case "x" -> "EXTENDED";
          default -> "";
        };
    if (!storage.isEmpty()) {
      actions.add("SET STORAGE " + storage);
    }
    if (!column.compression().isEmpty()) {
      actions.add("SET COMPRESSION " + (column.compression().equals("p") ? "pglz" : "lz4"));
    }
    return actions;
  }

  private void requireUnused(CatalogTable table, CatalogColumn column) throws SQLException {
    String what = "column " + table.display() + "." + column.quoted();
    if (column.generated()) {
      throw catalog.refuse(what + " is a generated column", "Drop it, and add it anew.");
    }
    if (column.inherited()) {
      throw catalog.refuse(
          what + " is inherited from another table", "Change it in that table, or NO INHERIT it.");
    }
    List<String> users =
        new ArrayList<>(
            catalog.dependents(table, column).stream()
                .filter(each -> !FOLLOW.contains(each.kind()))
                .map(Dependent::name)
                .toList());
    users.addAll(
        catalog.list(StandInCheck.ROW_TYPES, row -> row.getString(1), table.oid(), table.oid()));
    if (!users.isEmpty()) {
      throw catalog.refuse(
          what + " has its type known to " + String.join(", ", users),
          "PostgreSQL doesn't let the type change under them, or they would go on with the former"
              + " one: drop them first, and create them anew afterwards.");
    }
  }

  private void require(RetypeTrial.Work work, String column, Found former, Found wanted) {
    if (work.none()) {
      return;
    }
    String change = "to change " + column + " from " + former.type() + " to " + wanted.type();
    String other = "ChangeColumnType, which copies the values to a second column, blocks nobody.";
    if (work.rewrites() || work.looks()) {
      throw catalog.refuse(
          change
              + " PostgreSQL would "
              + (work.rewrites() ? "rewrite the whole table" : "look at every row")
              + " while nobody can use it",
          other);
    }
    List<String> parts = new ArrayList<>();
    if (!work.indexes().isEmpty()) {
      parts.add("build anew index " + String.join(", ", work.indexes()));
    }
    if (!work.foreignKeys().isEmpty()) {
      parts.add("look at every row for foreign key " + String.join(", ", work.foreignKeys()));
    }
    throw catalog.refuse(
        change + " PostgreSQL would " + String.join(", and ", parts) + " while nobody can write",
        "Drop that first (DropIndex, DropConstraint), and create it anew afterwards (CreateIndex,"
            + " AddForeignKey). "
            + other);
  }

  /** Checks that hold for all rows, and go on to compile. */
  private List<Map<String, Object>> checks(CatalogTable table, CatalogColumn column, Trial trial)
      throws SQLException {
    List<Map<String, Object>> checks = new ArrayList<>();
    for (CatalogConstraint each : catalog.constraints(table, column)) {
      if (!each.isCheck() || each.name().equals(fits)) {
        continue;
      }
      trial.require(
          "ALTER TABLE " + trial.name() + " ADD " + each.definition(),
          "check " + Sql.quote(each.name()) + " with the new type",
          "Drop it first, and add it anew afterwards.");
      if (each.validated()) {
        Map<String, Object> check = new LinkedHashMap<>();
        check.put("name", each.name());
        check.put("definition", each.definition());
        if (!each.comment().isEmpty()) {
          check.put("comment", each.comment());
        }
        checks.add(check);
      }
    }
    return checks;
  }

  /** The copy has checks by now, whose rows the server looks at: without them it tells. */
  private boolean restorable(RetypeTrial retype, Trial trial, CatalogColumn column, String from)
      throws SQLException {
    for (String check :
        catalog.list(
            "SELECT conname FROM pg_constraint WHERE conrelid = to_regclass(?) AND contype = 'c'",
            row -> String.valueOf(row.getString(1)),
            trial.name())) {
      trial.execute("ALTER TABLE " + trial.name() + " DROP CONSTRAINT " + Sql.quote(check));
    }
    return trial.accepts("ALTER TABLE " + trial.name() + " " + action(column, from))
        && retype.change(action(column, from), "the way back").none();
  }
}
