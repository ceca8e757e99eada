package dev.zerodowntime.orchestrator.postgres;

import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A partition as the catalog has it, at any depth.
 *
 * @param oid its oid
 * @param schema its schema, unquoted
 * @param name its name, unquoted
 * @param parent what it is a partition of, quoted and qualified
 * @param kind {@code r} a table, {@code p} a partitioned one, {@code f} a foreign one
 * @param owner its owner, unquoted
 * @param owned whether we may alter it
 * @param bound its bound as SQL, such as {@code FOR VALUES IN (1)}
 * @param rowSecurity whether row security hides rows from us
 */
record CatalogPartition(
    long oid,
    String schema,
    String name,
    String parent,
    String kind,
    String owner,
    boolean owned,
    @Nullable String bound,
    boolean rowSecurity) {

  /** Read from the catalog alone: {@code pg_partition_tree} would wait for locks of partitions. */
  private static final String TREE =
      "WITH RECURSIVE zdo_tree(oid, parent, level) AS (SELECT i.inhrelid, i.inhparent, 1 FROM"
          + " pg_inherits i WHERE i.inhparent = ?::bigint::oid AND NOT i.inhdetachpending UNION ALL"
          + " SELECT i.inhrelid, i.inhparent, t.level + 1 FROM pg_inherits i JOIN zdo_tree t ON"
          + " i.inhparent = t.oid WHERE NOT i.inhdetachpending) SELECT c.oid::bigint, n.nspname,"
          + " c.relname, pn.nspname, p.relname, c.relkind, pg_get_userbyid(c.relowner),"
          + " pg_has_role(c.relowner, 'USAGE'), pg_get_expr(c.relpartbound, c.oid),"
          + " row_security_active(c.oid) FROM zdo_tree t"
          + " JOIN pg_class c ON c.oid = t.oid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN"
          + " pg_class p ON p.oid = t.parent JOIN pg_namespace pn ON pn.oid = p.relnamespace ORDER"
          + " BY t.level, n.nspname, c.relname";

  /** All partitions of a table and of its partitions; those of a level before the next one's. */
  static List<CatalogPartition> read(Catalog catalog, CatalogTable table) throws SQLException {
    return catalog.list(
        TREE,
        row ->
            new CatalogPartition(
                row.getLong(1),
                row.getString(2),
                row.getString(3),
                Sql.qualified(row.getString(4), row.getString(5)),
                row.getString(6),
                row.getString(7),
                row.getBoolean(8),
                row.getString(9),
                row.getBoolean(10)),
        table.oid());
  }

  /** The same; refuses what we can't alter. */
  static List<CatalogPartition> owned(Catalog catalog, CatalogTable table) throws SQLException {
    List<CatalogPartition> all = read(catalog, table);
    for (CatalogPartition each : all) {
      if (each.kind.equals("f")) {
        throw catalog.refuse(
            "partition " + each.qualified() + " of " + table.display() + " is a foreign table",
            "Detach it, or do this by hand.");
      }
      if (!each.owned) {
        throw catalog.forbid(
            "user \""
                + catalog.user()
                + "\" does not own partition "
                + each.qualified()
                + " of "
                + table.display()
                + ", \""
                + each.owner
                + "\" does",
            "GRANT " + Sql.quote(each.owner) + " TO " + Sql.quote(catalog.user()) + ";");
      }
    }
    return all;
  }

  /** Quoted and qualified. */
  String qualified() {
    return Sql.qualified(schema, name);
  }

  /** As a table, whose own columns' numbers don't matter. */
  CatalogTable table() {
    return new CatalogTable(oid, schema, name, owner, rowSecurity, 0);
  }

  /** Whether it has rows of its own. */
  boolean leaf() {
    return !kind.equals("p");
  }
}
