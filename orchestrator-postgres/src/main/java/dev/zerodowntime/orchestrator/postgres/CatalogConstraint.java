package dev.zerodowntime.orchestrator.postgres;

import java.sql.SQLException;
import java.util.List;

/**
 * A constraint as the catalog has it.
 *
 * @param name unquoted
 * @param type {@code c} check, {@code p} primary key, {@code u} unique, {@code x} exclusion, {@code
 *     f} foreign key
 * @param definition what follows its name, without NOT VALID
 * @param table the table it is on, quoted and qualified
 * @param columns names of that table's columns it is over
 * @param validated whether it holds for all rows
 * @param incoming whether it is another table's foreign key, or the table's own, that points to the
 *     column
 * @param partner the table at the other end of a foreign key, quoted and qualified; else empty
 * @param comment its comment, or empty
 */
record CatalogConstraint(
    String name,
    String type,
    String definition,
    String table,
    List<String> columns,
    boolean validated,
    boolean incoming,
    String partner,
    String comment) {

  private static final String CONSTRAINTS =
      "SELECT k.conname, k.contype, regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''),"
          + " format('%I.%I', n.nspname, c.relname), ARRAY(SELECT a.attname::text FROM"
          + " unnest(k.conkey) WITH ORDINALITY u(number, place) JOIN pg_attribute a ON a.attrelid ="
          + " k.conrelid AND a.attnum = u.number ORDER BY u.place), k.convalidated,"
          + " coalesce(k.confrelid = p.oid AND p.number = ANY(k.confkey), false), CASE WHEN f.oid"
          + " IS NULL THEN '' ELSE format('%I.%I', fn.nspname, f.relname) END,"
          + " coalesce(obj_description(k.oid, 'pg_constraint'), '') FROM (SELECT ?::bigint::oid AS"
          + " oid, ?::int2 AS number) p JOIN pg_constraint k ON (k.conrelid = p.oid AND (p.number ="
          + " ANY(k.conkey) OR EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid ="
          + " 'pg_constraint'::regclass AND d.objid = k.oid AND d.refclassid = 'pg_class'::regclass"
          + " AND d.refobjid = p.oid AND d.refobjsubid = p.number))) OR (k.confrelid = p.oid AND"
          + " p.number = ANY(k.confkey)) JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n"
          + " ON n.oid = c.relnamespace LEFT JOIN pg_class f ON f.oid = nullif(k.confrelid, 0) LEFT"
          + " JOIN pg_namespace fn ON fn.oid = f.relnamespace WHERE k.contype IN ('c', 'p', 'u',"
          + " 'x', 'f') ORDER BY k.conname";

  static List<CatalogConstraint> read(Catalog catalog, CatalogTable table, CatalogColumn column)
      throws SQLException {
    return catalog.list(
        CONSTRAINTS,
        row ->
            new CatalogConstraint(
                row.getString(1),
                row.getString(2),
                row.getString(3),
                row.getString(4),
                Catalog.texts(row, 5),
                row.getBoolean(6),
                row.getBoolean(7),
                row.getString(8),
                row.getString(9)),
        table.oid(),
        column.number());
  }

  /** Whether it is a check. */
  boolean isCheck() {
    return type.equals("c");
  }
}
