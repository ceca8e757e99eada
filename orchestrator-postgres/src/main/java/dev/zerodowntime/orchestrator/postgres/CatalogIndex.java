package dev.zerodowntime.orchestrator.postgres;

import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An index as the catalog has it.
 *
 * @param oid its oid
 * @param name unquoted
 * @param definition the statement that makes it
 * @param keyColumns names of its key's columns; an empty text for an expression
 * @param columns names of all columns it mentions anywhere
 * @param unique whether it is unique
 * @param primary whether it is the primary key's
 * @param exclusion whether it is an exclusion constraint's
 * @param valid whether it is whole
 * @param immediate false for a deferrable one
 * @param predicate a partial index's predicate
 * @param expressions whether its key has expressions
 * @param nullsNotDistinct whether two nulls count as the same
 * @param replicaIdentity whether logical replication names rows by it
 * @param constraint the constraint it belongs to
 * @param tablespace where it lives, if not in the default place
 */
record CatalogIndex(
    long oid,
    String name,
    String definition,
    List<String> keyColumns,
    List<String> columns,
    boolean unique,
    boolean primary,
    boolean exclusion,
    boolean valid,
    boolean immediate,
    @Nullable String predicate,
    boolean expressions,
    boolean nullsNotDistinct,
    boolean replicaIdentity,
    @Nullable String constraint,
    @Nullable String tablespace) {

  private static final String INDEXES =
      "SELECT c.oid::bigint, c.relname, pg_get_indexdef(c.oid), ARRAY(SELECT"
          + " coalesce(a.attname::text, '') FROM generate_series(0, i.indnkeyatts - 1) AS k LEFT"
          + " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k] AND"
          + " a.attnum > 0 ORDER BY k), ARRAY(SELECT DISTINCT a.attname::text FROM pg_attribute a"
          + " WHERE a.attrelid = i.indrelid AND a.attnum > 0 AND (a.attnum = ANY(i.indkey::int2[])"
          + " OR EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND"
          + " d.objid = c.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid = i.indrelid"
          + " AND d.refobjsubid = a.attnum))), i.indisunique, i.indisprimary, i.indisexclusion,"
          + " i.indisvalid, i.indimmediate, pg_get_expr(i.indpred, i.indrelid), i.indexprs IS NOT"
          + " NULL, coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false),"
          + " i.indisreplident, k.conname, s.spcname FROM pg_index i JOIN pg_class c ON c.oid ="
          + " i.indexrelid LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid ="
          + " i.indrelid AND k.contype IN ('p', 'u', 'x') LEFT JOIN pg_tablespace s ON s.oid ="
          + " c.reltablespace WHERE i.indrelid = ?::bigint::oid ORDER BY i.indisprimary DESC,"
          + " i.indisunique DESC, i.indnkeyatts, c.relname";

  static List<CatalogIndex> read(Catalog catalog, CatalogTable table) throws SQLException {
    return catalog.list(
        INDEXES,
        row ->
            new CatalogIndex(
                row.getLong(1),
                row.getString(2),
                row.getString(3),
                Catalog.texts(row, 4),
                Catalog.texts(row, 5),
                row.getBoolean(6),
                row.getBoolean(7),
                row.getBoolean(8),
                row.getBoolean(9),
                row.getBoolean(10),
                row.getString(11),
                row.getBoolean(12),
                row.getBoolean(13),
                row.getBoolean(14),
                row.getString(15),
                row.getString(16)),
        table.oid());
  }

  /** Whether it covers a column, in its key, carried along, in an expression or its predicate. */
  boolean mentions(String column) {
    return columns.contains(column);
  }

  /** Whether each row has a value of its own in it, at every moment. */
  boolean identifiesRows(List<CatalogColumn> all) {
    return unique
        && valid
        && immediate
        && !expressions
        && predicate == null
        && keyColumns.stream()
            .allMatch(
                key ->
                    all.stream().anyMatch(column -> column.name().equals(key) && column.notNull()));
  }
}
