package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.Step;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A partitioned table's partitions, as facts know them: steps walk from one to the next, and the
 * last one looks whether there are others by now.
 */
final class Partitions {

  /** All of them, quoted and qualified; missing where the table is not partitioned. */
  static final String ALL = AddColumnCheck.PARTITIONS;

  /** Those that have rows of their own: maps of table, name and key. */
  private static final String LEAVES = "leafPartitions";

  private Partitions() {}

  /**
   * One that has rows of its own.
   *
   * @param table quoted and qualified
   * @param name the bare name, unquoted
   * @param key what tells it from the others in the names of steps, whatever it is called
   */
  record Leaf(String table, String name, String key) {}

  /**
   * Notes those there are.
   *
   * @return the leaves; the table itself where it is not partitioned
   */
  static List<CatalogTable> capture(Catalog catalog, CatalogTable table, Map<String, Object> facts)
      throws SQLException {
    if (!table.partitioned()) {
      return List.of(table);
    }
    List<CatalogPartition> all = CatalogPartition.owned(catalog, table);
    facts.put(ALL, all.stream().map(CatalogPartition::qualified).toList());
    List<Object> leaves = new ArrayList<>();
    List<CatalogTable> tables = new ArrayList<>();
    for (CatalogPartition each : all) {
      if (each.leaf()) {
        Map<String, Object> leaf = new LinkedHashMap<>();
        leaf.put("table", each.qualified());
        leaf.put("name", each.name());
        leaf.put("key", PartitionedIndex.key(Long.toString(each.oid())));
        leaves.add(leaf);
        tables.add(each.table());
      }
    }
    facts.put(LEAVES, leaves);
    return tables;
  }

  /**
   * Those there are by now, where the table is partitioned.
   *
   * @param known everything else
   */
  static Map<String, Object> now(Catalog catalog, String table, Map<String, Object> known)
      throws SQLException {
    if (!is(known)) {
      return known;
    }
    Map<String, Object> facts = new LinkedHashMap<>(known);
    capture(catalog, catalog.tableOrPartitioned(table), facts);
    return facts;
  }

  /** Whether facts are about a partitioned table. */
  static boolean is(Map<String, Object> facts) {
    return facts.containsKey(ALL);
  }

  /** Those with rows; none where the table is not partitioned. */
  static List<Leaf> leaves(Map<String, Object> facts) {
    return Facts.maps(facts, LEAVES).stream()
        .map(
            each ->
                new Leaf(
                    Facts.required(each, "table"),
                    Facts.required(each, "name"),
                    Facts.required(each, "key")))
        .toList();
  }

  /** What one statement on the table locks: itself first. */
  static List<String> locked(String table, Map<String, Object> facts) {
    List<String> tables = new ArrayList<>(List.of(table));
    tables.addAll(Facts.texts(facts, ALL));
    return tables;
  }

  /** Fails if others have come, so that they are looked up. */
  static Step complete(String table, Map<String, Object> facts) {
    return complete(table, leaves(facts).stream().map(Leaf::table).toList());
  }

  /**
   * The same.
   *
   * @param leaves those that have rows of their own, quoted and qualified
   */
  static Step complete(String table, List<String> leaves) {
    return new DdlStep(
        "complete",
        "looks whether partitions have come meanwhile, whose turn it would be then",
        List.of(),
        List.of(),
        Probes.all(Probes.noOtherLeaf(table, leaves)),
        false);
  }
}
