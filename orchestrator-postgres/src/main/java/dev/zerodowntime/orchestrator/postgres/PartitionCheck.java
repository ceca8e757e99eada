package dev.zerodowntime.orchestrator.postgres;

import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/** What is the matter with partitioned tables whose partitions come and go. */
final class PartitionCheck {

  private PartitionCheck() {}

  /** The partitioned table, with none of what can't be done safely. */
  static CatalogTable parent(Catalog catalog, String name) throws SQLException {
    CatalogTable parent = catalog.tableOrPartitioned(name);
    if (!parent.partitioned()) {
      throw catalog.refuse(
          "table " + parent.display() + " is not partitioned",
          "Name the partitioned table, and its partition by partition(...).");
    }
    if (key(catalog, parent).startsWith("HASH")) {
      throw catalog.refuse(
          "table " + parent.display() + " is partitioned by " + key(catalog, parent),
          "Without one of its partitions rows would have no place: do this by hand.");
    }
    List<String> pending =
        catalog.list(
            "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_inherits i JOIN pg_class c ON"
                + " c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE"
                + " i.inhparent = ?::bigint::oid AND i.inhdetachpending",
            row -> row.getString(1), parent.oid());
    if (!pending.isEmpty()) {
      throw catalog.refuse(
          "partition " + pending.get(0) + " of " + parent.display() + " is half detached",
          "ALTER TABLE "
              + parent.qualified()
              + " DETACH PARTITION "
              + pending.get(0)
              + " FINALIZE;");
    }
    List<String> referencing =
        catalog.list(
            "SELECT format('%I of table %I.%I', k.conname, n.nspname, c.relname) FROM pg_constraint"
                + " k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid ="
                + " c.relnamespace WHERE k.contype = 'f' AND k.confrelid = ?::bigint::oid AND"
                + " k.conparentid = 0 ORDER BY 1",
            row -> row.getString(1), parent.oid());
    if (!referencing.isEmpty()) {
      throw catalog.refuse(
          "the foreign key "
              + referencing.get(0)
              + " references "
              + parent.display()
              + ", and the server would look for its rows",
          "Do this by hand, in a quiet moment.");
    }
    return parent;
  }

  /** What it is partitioned by. */
  static String key(Catalog catalog, CatalogTable parent) throws SQLException {
    return catalog
        .list("SELECT pg_get_partkeydef(?::bigint::oid)", row -> row.getString(1), parent.oid())
        .get(0);
  }

  /** Its own partitions, not theirs. */
  static List<CatalogPartition> siblings(Catalog catalog, CatalogTable parent) throws SQLException {
    return CatalogPartition.read(catalog, parent).stream()
        .filter(each -> each.parent().equals(parent.qualified()))
        .toList();
  }

  /** The one for whatever the others don't take. */
  static Optional<CatalogPartition> other(List<CatalogPartition> siblings) {
    return siblings.stream().filter(each -> "DEFAULT".equals(each.bound())).findFirst();
  }
}
