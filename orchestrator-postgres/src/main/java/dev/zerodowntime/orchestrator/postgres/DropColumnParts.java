package dev.zerodowntime.orchestrator.postgres;

import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What partitions have of their own on a column that is to be dropped from the whole: it would go
 * with the column unseen, or reject rows, and the way back would not bring it back.
 */
final class DropColumnParts {

  /** Plain columns of a partition key, and those its expressions use, depend on their table. */
  private static final String KEYS =
      "SELECT c.oid::regclass::text, pg_get_partkeydef(c.oid) FROM pg_class c JOIN pg_attribute a"
          + " ON a.attrelid = c.oid AND a.attname = ? JOIN pg_depend d ON d.classid ="
          + " 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = a.attnum AND d.refclassid ="
          + " 'pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid = 0 AND d.deptype = 'i'"
          + " WHERE c.oid = ?::bigint::oid AND c.relkind = 'p'";

  /** Constraints and indexes that no whole has them from, and replica identities. */
  private static final String OWN =
      "SELECT 'constraint ' || quote_ident(k.conname) FROM pg_constraint k JOIN pg_attribute a ON"
          + " a.attrelid = k.conrelid AND a.attname = ? WHERE k.conrelid = ?::bigint::oid AND"
          + " k.contype IN ('c', 'f') AND k.coninhcount = 0 AND a.attnum = ANY (k.conkey) UNION ALL"
          + " SELECT CASE WHEN h.inhrelid IS NULL THEN 'index ' ELSE 'replica identity ' END ||"
          + " c.oid::regclass FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN"
          + " pg_attribute a ON a.attrelid = i.indrelid AND a.attname = ? LEFT JOIN pg_inherits h"
          + " ON h.inhrelid = i.indexrelid WHERE i.indrelid = ?::bigint::oid AND (h.inhrelid IS"
          + " NULL OR i.indisreplident) AND (a.attnum = ANY (i.indkey::int2[]) OR EXISTS (SELECT"
          + " FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND"
          + " d.refclassid = 'pg_class'::regclass AND d.refobjid = i.indrelid AND d.refobjsubid ="
          + " a.attnum)) ORDER BY 1";

  private final Catalog catalog;
  private final CatalogTable table;
  private final CatalogColumn column;

  DropColumnParts(Catalog catalog, CatalogTable table, CatalogColumn column) {
    this.catalog = catalog;
    this.table = table;
    this.column = column;
  }

  /** Refuses by name. */
  void require(List<CatalogPartition> partitions) throws SQLException {
    requireNoKey(table);
    for (CatalogPartition each : partitions) {
      requireNoKey(each.table());
      requireNothing(each);
    }
  }

  private void requireNoKey(CatalogTable part) throws SQLException {
    Optional<String> key =
        catalog
            .list(
                KEYS,
                row -> row.getString(1) + " is partitioned by " + row.getString(2),
                column.name(),
                part.oid())
            .stream()
            .findFirst();
    if (key.isPresent()) {
      throw catalog.refuse(
          "column \"" + column.name() + "\" belongs to a partition key: " + key.get(),
          "Partition the table by something else first.");
    }
  }

  private void requireNothing(CatalogPartition part) throws SQLException {
    CatalogColumn own = catalog.column(part.table(), column.name());
    List<String> found =
        catalog.list(
            OWN, row -> row.getString(1), column.name(), part.oid(), column.name(), part.oid());
    String what =
        !found.isEmpty()
            ? String.join(", ", found)
            : own.notNull() && !column.notNull()
                ? "NOT NULL"
                : !Objects.equals(own.defaultSql(), column.defaultSql())
                    ? "another default, " + own.defaultSql()
                    : null;
    if (what != null) {
      throw catalog.refuse(
          "partition "
              + part.qualified()
              + " of "
              + table.display()
              + " has something of its own on column \""
              + column.name()
              + "\": "
              + what,
          "Drop that first, or make it the same for all partitions.");
    }
  }
}
