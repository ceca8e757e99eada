package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.Probe;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Questions to the catalog. Everything is named in full, so that no search path matters. */
final class Probes {

  /** For steps that leave nothing half done. */
  static final Probe NEVER = new Probe("SELECT false");

  private Probes() {}

  /** Several conditions at once; each is what one of the methods below returns. */
  static Probe all(String... conditions) {
    return new Probe("SELECT " + String.join(" AND ", conditions));
  }

  static String not(String condition) {
    return "NOT " + condition;
  }

  static String either(String one, String other) {
    return "(" + one + " OR " + other + ")";
  }

  static String column(String table, String column) {
    return attribute(table, column, "true");
  }

  static String notNull(String table, String column) {
    return attribute(table, column, "a.attnotnull");
  }

  /** Whether a column has a type that is not a domain. */
  static String plainType(String table, String column) {
    return attribute(
        table,
        column,
        "(SELECT t.typtype <> 'd' FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid)");
  }

  /** Whether a column has a property of {@code pg_attribute a}. */
  static String attribute(String table, String column, String condition) {
    return "EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid = "
        + Sql.regclass(table)
        + " AND a.attname = "
        + Sql.literal(column)
        + " AND a.attnum > 0 AND NOT a.attisdropped AND "
        + condition
        + ")";
  }

  static String constraint(String table, String constraint) {
    return constraint(table, constraint, "true");
  }

  static String validated(String table, String constraint) {
    return constraint(table, constraint, "k.convalidated");
  }

  static String commented(String table, String constraint, String comment) {
    return constraint(
        table,
        constraint,
        "pg_catalog.obj_description(k.oid, 'pg_constraint') = " + Sql.literal(comment));
  }

  private static String constraint(String table, String constraint, String condition) {
    return "EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.conrelid = "
        + Sql.regclass(table)
        + " AND k.conname = "
        + Sql.literal(constraint)
        + " AND "
        + condition
        + ")";
  }

  /** A trigger that fires whatever session_replication_role says. */
  static String alwaysTrigger(String table, String trigger) {
    return trigger(table, trigger, "t.tgenabled = 'A'");
  }

  static String trigger(String table, String trigger) {
    return trigger(table, trigger, "true");
  }

  private static String trigger(String table, String trigger, String condition) {
    return "EXISTS (SELECT 1 FROM pg_catalog.pg_trigger t WHERE t.tgrelid = "
        + Sql.regclass(table)
        + " AND t.tgname = "
        + Sql.literal(trigger)
        + " AND NOT t.tgisinternal AND "
        + condition
        + ")";
  }

  /** A function without arguments. */
  static String function(String schema, String function) {
    return "EXISTS (SELECT 1 FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid ="
        + " p.pronamespace WHERE n.nspname = "
        + Sql.literal(schema)
        + " AND p.proname = "
        + Sql.literal(function)
        + " AND p.pronargs = 0)";
  }

  /** An index of that name on that table; whole or not. */
  static String index(String table, String index) {
    return index(table, index, "true");
  }

  static String validIndex(String table, String index) {
    return index(table, index, "i.indisvalid AND i.indisready AND i.indislive");
  }

  static String invalidIndex(String table, String index) {
    return index(table, index, "NOT (i.indisvalid AND i.indisready AND i.indislive)");
  }

  /** Whether an index is whole, and another one, or in another file, than it was. */
  static String rebuiltIndex(String table, String index, String was) {
    return index(
        table,
        index,
        "i.indisvalid AND i.indisready AND i.indislive AND "
            + identity("i.indexrelid")
            + " <> "
            + Sql.literal(was));
  }

  /** What an index is and where its entries are, as text; another one once it was rebuilt. */
  static String identity(String oid) {
    return "("
        + oid
        + ")::text || '/' || coalesce(pg_catalog.pg_relation_filenode("
        + oid
        + ")::text, '')";
  }

  private static String index(String table, String index, String condition) {
    return "EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indexrelid = "
        + Sql.regclass(index)
        + " AND i.indrelid = "
        + Sql.regclass(table)
        + " AND "
        + condition
        + ")";
  }

  /** Whether a table is a partition of another one, and is not being detached. */
  static String partition(String parent, String table) {
    return "EXISTS (SELECT 1 FROM pg_catalog.pg_inherits h WHERE h.inhrelid = "
        + Sql.regclass(table)
        + " AND h.inhparent = "
        + Sql.regclass(parent)
        + " AND NOT h.inhdetachpending)";
  }

  /**
   * Whether a partitioned table has no partition with rows of its own besides these. Read from the
   * catalog alone: {@code pg_partition_tree} would wait for locks of partitions.
   */
  static String noOtherLeaf(String parent, List<String> leaves) {
    return "NOT EXISTS (WITH RECURSIVE zdo_tree(oid) AS (SELECT i.inhrelid FROM"
        + " pg_catalog.pg_inherits i WHERE i.inhparent = "
        + Sql.regclass(parent)
        + " AND NOT i.inhdetachpending UNION ALL SELECT i.inhrelid FROM pg_catalog.pg_inherits i"
        + " JOIN zdo_tree t ON i.inhparent = t.oid WHERE NOT i.inhdetachpending) SELECT FROM"
        + " zdo_tree t JOIN pg_catalog.pg_class c ON c.oid = t.oid WHERE c.relkind <> 'p' AND"
        + " (c.oid = ANY (ARRAY["
        + String.join(", ", leaves.stream().map(Sql::regclass).toList())
        + "]::pg_catalog.oid[])) IS NOT TRUE)";
  }

  /** Whether a partition has a part of an index, under whatever name. */
  static String attachedIndex(String index, String partition) {
    return "EXISTS (SELECT 1 FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_index i ON"
        + " i.indexrelid = h.inhrelid WHERE h.inhparent = "
        + Sql.regclass(index)
        + " AND i.indrelid = "
        + Sql.regclass(partition)
        + ")";
  }

  /** Whether an index is a part of another one. */
  static String attachedAnywhere(String index) {
    return "EXISTS (SELECT 1 FROM pg_catalog.pg_inherits h WHERE h.inhrelid = "
        + Sql.regclass(index)
        + ")";
  }

  /** An ordinary table of that name. */
  static String table(String table) {
    return "EXISTS (SELECT 1 FROM pg_catalog.pg_class c WHERE c.oid = "
        + Sql.regclass(table)
        + " AND c.relkind = 'r')";
  }

  /** Whether an enumeration has a value. */
  static String enumValue(String type, String label) {
    return "EXISTS (SELECT 1 FROM pg_catalog.pg_enum e WHERE e.enumtypid = pg_catalog.to_regtype("
        + Sql.literal(type)
        + ") AND e.enumlabel = "
        + Sql.literal(label)
        + ")";
  }

  /**
   * Whether a column's own default is this expression, or none. How an expression is printed
   * depends on the search path, so it is printed with the one that preflight read it with, which is
   * given back at once: event triggers run with the path of the session.
   *
   * @param expression as {@link Catalog} reads it; null for none
   */
  static Probe defaultIs(String table, String column, @Nullable String expression) {
    String back = "pg_catalog.set_config('search_path', before.path, true)";
    return new Probe(
        "SELECT CASE WHEN pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true) <> ''"
            + " THEN CASE WHEN "
            + column(table, column)
            + " AND (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid) FROM pg_catalog.pg_attrdef d"
            + " JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum"
            + " WHERE a.attrelid = "
            + Sql.regclass(table)
            + " AND a.attname = "
            + Sql.literal(column)
            + ") IS NOT DISTINCT FROM "
            + (expression == null ? "NULL" : Sql.literal(expression))
            + " THEN "
            + back
            + " IS NOT NULL ELSE "
            + back
            + " IS NULL END END FROM (SELECT pg_catalog.current_setting('search_path') AS path"
            + " OFFSET 0) before");
  }
}
