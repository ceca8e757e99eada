package dev.zerodowntime.orchestrator.postgres;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What changing the type of a column would do to a table besides changing the catalog: the server
 * does it to an empty copy that has the same indexes and foreign keys. It decides by the types and
 * not by the rows, so that a copy without rows tells.
 */
final class RetypeTrial {

  private static final String PARTNER = "zdo_trial_partner_";

  private static final String KEY = "zdo_trial_key_";

  private static final String KEYS =
      "SELECT k.conname, CASE WHEN k.conrelid = p.oid THEN '' ELSE format('%I.%I', cn.nspname,"
          + " c.relname) END, CASE WHEN k.confrelid = p.oid THEN '' ELSE format('%I.%I', fn.nspname,"
          + " f.relname) END, ARRAY(SELECT quote_ident(a.attname) FROM unnest(k.conkey) WITH"
          + " ORDINALITY u(n, o) JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n"
          + " ORDER BY u.o), ARRAY(SELECT quote_ident(a.attname) FROM unnest(k.confkey) WITH"
          + " ORDINALITY u(n, o) JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n"
          + " ORDER BY u.o) FROM (SELECT ?::bigint::oid AS oid, ?::int2 AS number) p JOIN"
          + " pg_constraint k ON (k.conrelid = p.oid AND p.number = ANY (k.conkey)) OR (k.confrelid"
          + " = p.oid AND p.number = ANY (k.confkey)) JOIN pg_class c ON c.oid = k.conrelid JOIN"
          + " pg_namespace cn ON cn.oid = c.relnamespace JOIN pg_class f ON f.oid = k.confrelid JOIN"
          + " pg_namespace fn ON fn.oid = f.relnamespace WHERE k.contype = 'f' AND k.conparentid ="
          + " 0 ORDER BY 1";

  private static final String PREFIX =
      "SELECT format('CREATE %sINDEX %I ON %I.%I', CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE ''"
          + " END, x.relname, n.nspname, c.relname) FROM pg_index i JOIN pg_class x ON x.oid ="
          + " i.indexrelid JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid ="
          + " c.relnamespace WHERE i.indexrelid = ?::bigint::oid";

  private final Catalog catalog;
  private final CatalogTable table;
  private final CatalogColumn column;
  private final Trial trial;
  private final List<CatalogIndex> indexes = new ArrayList<>();
  private final List<ForeignKey> keys;

  private record ForeignKey(
      String name, String child, String parent, List<String> columns, List<String> referenced) {}

  /** Makes the copy. */
  RetypeTrial(Catalog catalog, CatalogTable table, CatalogColumn column, Trial trial)
      throws SQLException {
    this.catalog = catalog;
    this.table = table;
    this.column = column;
    this.trial = trial;
    Map<String, String> constraints = new LinkedHashMap<>();
    for (CatalogConstraint each : catalog.constraints(table, column)) {
      constraints.put(each.name(), each.definition());
    }
    for (CatalogIndex index : catalog.indexes(table)) {
      if (index.mentions(column.name())) {
        copy(index, constraints);
        indexes.add(index);
      }
    }
    keys =
        catalog.list(
            KEYS,
            row ->
                new ForeignKey(
                    String.valueOf(row.getString(1)),
                    String.valueOf(row.getString(2)),
                    String.valueOf(row.getString(3)),
                    Catalog.texts(row, 4),
                    Catalog.texts(row, 5)),
            table.oid(),
            column.number());
    for (int i = 0; i < keys.size(); i++) {
      copy(i);
    }
  }

  private void copy(CatalogIndex index, Map<String, String> constraints) throws SQLException {
    String prefix =
        catalog.list(PREFIX, row -> String.valueOf(row.getString(1)), index.oid()).get(0);
    String constraint = index.constraint();
    String definition = constraint == null ? null : constraints.get(constraint);
    trial.execute(
        definition != null
            ? "ALTER TABLE "
                + trial.name()
                + " ADD CONSTRAINT "
                + Sql.quote(index.name())
                + " "
                + definition
            : "CREATE "
                + (index.unique() ? "UNIQUE " : "")
                + "INDEX "
                + Sql.quote(index.name())
                + " ON "
                + trial.name()
                + index.definition().substring(prefix.length()));
  }

  private void copy(int i) throws SQLException {
    ForeignKey key = keys.get(i);
    String partner = key.child().isEmpty() ? key.parent() : key.child();
    String copy = trial.name();
    if (!partner.isEmpty()) {
      copy = Sql.qualified("pg_temp", PARTNER + i);
      trial.require(
          "CREATE TEMPORARY TABLE "
              + Sql.quote(PARTNER + i)
              + " (LIKE "
              + partner
              + " INCLUDING INDEXES)",
          "an empty copy of table " + partner + ", for foreign key " + Sql.quote(key.name()),
          "GRANT SELECT ON " + partner + " TO " + Sql.quote(catalog.user()) + ";");
    }
    trial.execute(
        "ALTER TABLE "
            + (key.child().isEmpty() ? trial.name() : copy)
            + " ADD CONSTRAINT "
            + Sql.quote(KEY + i)
            + " FOREIGN KEY ("
            + String.join(", ", key.columns())
            + ") REFERENCES "
            + (key.parent().isEmpty() ? trial.name() : copy)
            + " ("
            + String.join(", ", key.referenced())
            + ")");
  }

  /** Tables at the other end of the column's foreign keys, quoted and qualified. */
  List<String> partners() {
    Set<String> partners = new LinkedHashSet<>();
    for (ForeignKey key : keys) {
      partners.add(key.child());
      partners.add(key.parent());
    }
    partners.remove("");
    return List.copyOf(partners);
  }

  /** What would be more than a change of the catalog. */
  record Work(boolean rewrites, boolean looks, List<String> indexes, List<String> foreignKeys) {
    boolean none() {
      return !rewrites && !looks && indexes.isEmpty() && foreignKeys.isEmpty();
    }
  }

  /**
   * Gives the copy's column another type.
   *
   * @param action what follows ALTER TABLE
   * @param what the change, for a message if the server doesn't take it
   */
  Work change(String action, String what) throws SQLException {
    String file = trial.file(trial.name());
    Map<CatalogIndex, String> files = new LinkedHashMap<>();
    for (CatalogIndex index : indexes) {
      files.put(index, file(index));
    }
    List<String> said =
        trial.requireAloud(
            "ALTER TABLE " + trial.name() + " " + action,
            what,
            "Choose a type that the column's values become by themselves, or use ChangeColumnType,"
                + " which says how.");
    List<String> rebuilt = new ArrayList<>();
    for (Map.Entry<CatalogIndex, String> each : files.entrySet()) {
      if (!each.getValue().equals(file(each.getKey()))) {
        rebuilt.add(each.getKey().name());
      }
    }
    List<String> validated = new ArrayList<>();
    for (int i = 0; i < keys.size(); i++) {
      if (said.contains("validating foreign key constraint \"" + KEY + i + "\"")) {
        validated.add(keys.get(i).name());
      }
    }
    return new Work(
        !file.equals(trial.file(trial.name())) || said(said, "rewriting table "),
        said(said, "verifying table "),
        rebuilt,
        validated);
  }

  private boolean said(List<String> said, String what) {
    return said.contains(what + '"' + table.name() + '"');
  }

  private String file(CatalogIndex index) throws SQLException {
    return trial.file(Sql.qualified("pg_temp", index.name()));
  }

  /** The column, for messages. */
  String display() {
    return "column " + table.display() + "." + column.quoted();
  }
}
