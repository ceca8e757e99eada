package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.Probe;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.TableLock;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * An index of a partitioned table, which can't be built CONCURRENTLY as a whole. First the table
 * gets one that covers no partition and is not valid: from then on the server gives every new
 * partition its part. Then each partition's part is built CONCURRENTLY, and attached; with the last
 * one the whole becomes valid.
 *
 * <p>Partitions come and go meanwhile. Steps on one that is gone have nothing to do; where one
 * fails all the same, or the index is not valid at the end, partitions are looked up anew.
 */
final class PartitionedIndex {

  /** What is left of a name beside the hash that tells it from others. */
  private static final int READABLE = Sql.MAX_NAME_BYTES - 9;

  private static final String SHARE = LockMode.SHARE.name();
  private static final String SHARE_UPDATE_EXCLUSIVE = "SHARE UPDATE EXCLUSIVE";
  private static final String ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE";

  /**
   * The whole as facts know it.
   *
   * @param table the partitioned table, quoted and qualified
   * @param name its index, unquoted
   * @param index the same, quoted and qualified
   * @param parts by partition, those of a level before the next one's
   * @param definition what follows a partition's name in the statement that makes its part
   * @param empty whether it is not valid for want of any part
   * @param again parts to be attached once more, so that the server sees that the whole is valid
   */
  private record Whole(
      String table,
      String name,
      String index,
      List<Part> parts,
      String definition,
      boolean empty,
      List<Part> again) {}

  /**
   * A partition's part.
   *
   * @param table the partition, quoted and qualified
   * @param parent what it is a partition of, quoted and qualified
   * @param parentIndex the index that this one becomes a part of, quoted and qualified
   * @param name its name, unquoted
   * @param index the same, quoted and qualified
   * @param leaf whether the partition has rows of its own
   * @param attached whether it was there when the facts were captured
   */
  private record Part(
      String table,
      String parent,
      String parentIndex,
      String name,
      String index,
      boolean leaf,
      boolean attached) {

    String key() {
      return PartitionedIndex.key(table);
    }

    String attach() {
      return "ALTER INDEX " + parentIndex + " ATTACH PARTITION " + index;
    }

    String gone() {
      return Probes.not(Probes.partition(parent, table));
    }

    String isAttached() {
      return Probes.attachedIndex(parentIndex, table);
    }
  }

  private PartitionedIndex() {}

  /** A part of a step's name that stands for a name of any kind; in letters, as it is no figure. */
  static String key(String name) {
    return Sql.hash8(name)
        .chars()
        .mapToObj(each -> Character.toString('a' + Character.digit(each, 16)))
        .collect(Collectors.joining());
  }

  /**
   * Checks all partitions.
   *
   * @param name the index's name
   * @param definition the statement that makes an index of this kind, as the server prints it with
   *     only pg_catalog on the search path
   */
  static Map<String, Object> capture(
      Catalog catalog, CatalogTable table, String name, String definition) throws SQLException {
    Map<String, String> attached = attached(catalog, table);
    Map<String, String> indexes = new LinkedHashMap<>();
    indexes.put(table.qualified(), Sql.qualified(table.schema(), name));
    List<Object> parts = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (CatalogPartition each : CatalogPartition.owned(catalog, table)) {
      String parentIndex = String.valueOf(indexes.get(each.parent()));
      String there = attached.get(parentIndex + each.qualified());
      String part = there == null ? name(name, each.schema(), each.name()) : there;
      if (there == null) {
        if (names.add(each.schema())) {
          Privileges.requireCreate(catalog, "indexes", each.schema());
        }
        requireFree(catalog, each, part);
      }
      indexes.put(each.qualified(), Sql.qualified(each.schema(), part));
      Map<String, Object> fact = new LinkedHashMap<>();
      fact.put("table", each.qualified());
      fact.put("parent", each.parent());
      fact.put("parentIndex", parentIndex);
      fact.put("name", part);
      fact.put("index", Sql.qualified(each.schema(), part));
      fact.put("leaf", each.leaf());
      fact.put("attached", there != null);
      parts.add(fact);
    }
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("partitioned", true);
    facts.put("definition", definition.substring(definition.indexOf(" USING ")));
    facts.put("parts", parts);
    facts.put(
        "again",
        again(catalog, table, Sql.qualified(table.schema(), name), Facts.maps(facts, "parts")));
    return facts;
  }

  /** Whether facts are about a partitioned table. */
  static boolean is(Map<String, Object> facts) {
    return Facts.flag(facts, "partitioned");
  }

  /** The same index on the same partition always has the same name. */
  static String name(String index, String schema, String partition) {
    return Sql.cut(index + "_" + partition, READABLE) + "_" + Sql.hash8(index, schema, partition);
  }

  private static void requireFree(Catalog catalog, CatalogPartition partition, String name)
      throws SQLException {
    List<String> taken =
        catalog.list(
            "SELECT pg_describe_object('pg_class'::regclass, c.oid, 0) FROM pg_class c JOIN"
                + " pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ? AND c.relname = ?"
                + " AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indexrelid = c.oid AND"
                + " i.indrelid = ?::bigint::oid)",
            row -> row.getString(1),
            partition.schema(),
            name,
            partition.oid());
    if (!taken.isEmpty()) {
      throw catalog.refuse(
          "the name \""
              + name
              + "\" for the index of partition "
              + partition.qualified()
              + " is taken by "
              + taken.get(0),
          "Choose another name for the index, or rename what has it.");
    }
  }

  /** Names of the parts that are attached, by the whole's name and the partition's. */
  private static Map<String, String> attached(Catalog catalog, CatalogTable table)
      throws SQLException {
    Map<String, String> attached = new LinkedHashMap<>();
    catalog
        .list(
            "WITH RECURSIVE zdo_tree(oid) AS (SELECT ?::bigint::oid UNION ALL SELECT i.inhrelid"
                + " FROM pg_inherits i JOIN zdo_tree t ON i.inhparent = t.oid) SELECT pn.nspname,"
                + " p.relname, tn.nspname, t.relname, c.relname FROM zdo_tree z JOIN pg_index x ON"
                + " x.indrelid = z.oid JOIN pg_inherits h ON h.inhrelid = x.indexrelid JOIN pg_class"
                + " c ON c.oid = h.inhrelid JOIN pg_class p ON p.oid = h.inhparent JOIN"
                + " pg_namespace pn ON pn.oid = p.relnamespace JOIN pg_class t ON t.oid ="
                + " x.indrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace",
            row ->
                Map.entry(
                    Sql.qualified(row.getString(1), row.getString(2))
                        + Sql.qualified(row.getString(3), row.getString(4)),
                    row.getString(5)),
            table.oid())
        .forEach(each -> attached.put(each.getKey(), each.getValue()));
    return attached;
  }

  /**
   * The server looks whether a whole is valid when a part is attached, and not when the last
   * partition without one goes. Attaching one once more makes it look.
   *
   * @return parts to attach once more, those of the deepest wholes first; the whole itself if it
   *     has no parts
   */
  private static List<Object> again(
      Catalog catalog, CatalogTable table, String index, List<Map<String, Object>> parts)
      throws SQLException {
    List<Object> again = new ArrayList<>();
    if (parts.stream().anyMatch(each -> !Facts.flag(each, "attached"))) {
      return again;
    }
    for (int i = parts.size() - 1; i >= 0; i--) {
      Map<String, Object> node = parts.get(i);
      String name = Facts.required(node, "table");
      if (!Facts.flag(node, "leaf") && invalid(catalog, Facts.required(node, "index"))) {
        again.add(
            first(parts, name)
                .orElseThrow(
                    () ->
                        catalog.refuse(
                            "the last partition of "
                                + name
                                + " has gone before it had its index, so that the server doesn't"
                                + " see that the one of "
                                + name
                                + " is whole",
                            "Add a partition to it, then resume the migration.")));
      }
    }
    if (invalid(catalog, index)) {
      again.add(first(parts, table.qualified()).orElse(Map.of("index", index)));
    }
    return again;
  }

  private static boolean invalid(Catalog catalog, String index) throws SQLException {
    return catalog
        .list(
            "SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass(?)",
            row -> row.getBoolean(1),
            index)
        .contains(true);
  }

  private static Optional<Map<String, Object>> first(
      List<Map<String, Object>> parts, String parent) {
    return parts.stream().filter(each -> parent.equals(each.get("parent"))).findFirst();
  }

  /** Up to a valid index. */
  static List<Step> up(String schema, String table, String name, Map<String, Object> facts) {
    Whole whole = whole(schema, table, name, facts);
    List<Step> steps = new ArrayList<>();
    steps.add(
        new DdlStep(
            "create-index",
            "gives the partitioned table an index that covers no partition yet; new partitions get"
                + " their part of it from the server",
            TableLock.each(SHARE, List.of(whole.table())),
            List.of(create(whole)),
            Probes.all(Probes.index(whole.table(), whole.index())),
            false));
    for (Part part : whole.parts()) {
      if (!part.leaf() && !part.attached()) {
        steps.add(nested(whole, part));
      }
    }
    for (Part part : whole.parts()) {
      if (part.leaf() && !part.attached()) {
        steps.add(build(whole, part));
      }
    }
    for (Part part : whole.parts()) {
      if (part.leaf() && !part.attached()) {
        steps.add(attach(part));
      }
    }
    steps.add(complete(whole));
    return steps;
  }

  /** A partition that has partitions itself. */
  private static Step nested(Whole whole, Part part) {
    return new DdlStep(
        "create-index-" + part.key(),
        "does the same for its partition " + part.table() + ", which is partitioned itself",
        List.of(
            new TableLock(SHARE, part.table()),
            new TableLock(SHARE_UPDATE_EXCLUSIVE, part.parent())),
        List.of(
            "CREATE INDEX "
                + Sql.quote(part.name())
                + " ON ONLY "
                + part.table()
                + whole.definition(),
            part.attach()),
        Probes.all(Probes.either(part.gone(), part.isAttached())),
        false);
  }

  private static Step build(Whole whole, Part part) {
    return new OnlineStep(
        "build-" + part.key(),
        "builds the index of partition "
            + part.table()
            + " while it is in use; it first waits for transactions older than itself",
        TableLock.each(SHARE_UPDATE_EXCLUSIVE, List.of(part.table())),
        "CREATE INDEX CONCURRENTLY "
            + Sql.quote(part.name())
            + " ON "
            + part.table()
            + whole.definition(),
        Probes.all(
            Probes.either(
                Probes.either(part.gone(), part.isAttached()),
                Probes.validIndex(part.table(), part.index()))),
        Probes.all(Probes.invalidIndex(part.table(), part.index())),
        List.of("DROP INDEX CONCURRENTLY IF EXISTS " + part.index()));
  }

  private static Step attach(Part part) {
    return new DdlStep(
        "attach-" + part.key(),
        "makes it a part of the partitioned table's index; whoever uses the partition also holds a"
            + " lock of its indexes",
        List.of(
            new TableLock(ACCESS_EXCLUSIVE, part.table()),
            new TableLock(SHARE_UPDATE_EXCLUSIVE, part.parent())),
        List.of(part.attach()),
        Probes.all(Probes.either(part.gone(), part.isAttached())),
        false);
  }

  private static Step complete(Whole whole) {
    Probe valid = Probes.all(Probes.validIndex(whole.table(), whole.index()));
    String name = "complete";
    if (whole.again().isEmpty() && !whole.empty()) {
      return new DdlStep(
          name, "looks whether the index is valid as a whole", List.of(), List.of(), valid, false);
    }
    if (whole.empty()) {
      return new DdlStep(
          name,
          "makes the index once more: the last partition has gone before it had its part",
          TableLock.each(ACCESS_EXCLUSIVE, List.of(whole.table())),
          List.of("DROP INDEX " + whole.index(), create(whole)),
          valid,
          false);
    }
    List<TableLock> locks = new ArrayList<>();
    List<String> sql = new ArrayList<>();
    for (Part each : whole.again()) {
      locks.add(new TableLock(ACCESS_EXCLUSIVE, each.table()));
      locks.add(new TableLock(SHARE_UPDATE_EXCLUSIVE, each.parent()));
      sql.add(each.attach());
    }
    return new DdlStep(
        name,
        "has the server look whether every partition has its part by now",
        locks,
        sql,
        valid,
        false);
  }

  private static String create(Whole whole) {
    return "CREATE INDEX "
        + Sql.quote(whole.name())
        + " ON ONLY "
        + whole.table()
        + whole.definition();
  }

  /** Back to no index. */
  static List<Step> down(String schema, String table, String name, Map<String, Object> facts) {
    Whole whole = whole(schema, table, name, facts);
    List<Step> steps = new ArrayList<>();
    for (Part part : whole.parts()) {
      if (part.leaf() && !part.attached()) {
        steps.add(
            new OnlineStep(
                "drop-" + part.key(),
                "drops the index of partition " + part.table() + ", if it is not yet attached",
                TableLock.each(SHARE_UPDATE_EXCLUSIVE, List.of(part.table())),
                "DROP INDEX CONCURRENTLY IF EXISTS " + part.index(),
                Probes.all(
                    Probes.either(
                        Probes.not(Probes.index(part.table(), part.index())),
                        Probes.attachedAnywhere(part.index()))),
                Probes.NEVER,
                List.of()));
      }
    }
    List<String> tables = new ArrayList<>(List.of(whole.table()));
    whole.parts().forEach(each -> tables.add(each.table()));
    steps.add(
        new DdlStep(
            "drop-index",
            "drops the index with all its parts; a partitioned one can't be dropped CONCURRENTLY,"
                + " so the table and all its partitions are locked for a moment",
            TableLock.each(ACCESS_EXCLUSIVE, tables),
            List.of("DROP INDEX IF EXISTS " + whole.index()),
            Probes.all(Probes.not(Probes.index(whole.table(), whole.index()))),
            false));
    return steps;
  }

  private static Whole whole(String schema, String table, String name, Map<String, Object> facts) {
    return new Whole(
        Sql.qualified(schema, table),
        name,
        Sql.qualified(schema, name),
        parts(facts, "parts"),
        Facts.required(facts, "definition"),
        !Facts.maps(facts, "again").isEmpty() && Facts.maps(facts, "parts").isEmpty(),
        parts(facts, "again"));
  }

  private static List<Part> parts(Map<String, Object> facts, String name) {
    return Facts.maps(facts, name).stream()
        .filter(each -> each.containsKey("table"))
        .map(
            each ->
                new Part(
                    Facts.required(each, "table"),
                    Facts.required(each, "parent"),
                    Facts.required(each, "parentIndex"),
                    Facts.required(each, "name"),
                    Facts.required(each, "index"),
                    Facts.flag(each, "leaf"),
                    Facts.flag(each, "attached")))
        .collect(Collectors.toList());
  }
}
