package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.operation.AttachPartition;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Whether a table can become a partition, and what it lacks for that. */
final class AttachPartitionCheck {

  /** The default partition's key. */
  static final String OTHER_KEY = "defaultKey";

  /** Indexes that the table lacks. */
  static final String BUILDS = "builds";

  private static final String WHOLE = "zdo_trial_whole";
  private static final String PART = "zdo_trial_part";

  private final AttachPartition migration;
  private final Catalog catalog;

  AttachPartitionCheck(AttachPartition migration, Target target, Connection connection)
      throws SQLException {
    this.migration = migration;
    this.catalog = new Catalog(migration, target, connection);
  }

  Map<String, Object> facts() throws SQLException {
    CatalogTable parent = PartitionCheck.parent(catalog, migration.table());
    CatalogTable table = catalog.table(migration.partition());
    List<CatalogPartition> siblings = PartitionCheck.siblings(catalog, parent);
    Optional<CatalogPartition> other = PartitionCheck.other(siblings);
    if (other.isPresent() && (!other.get().kind().equals("r") || !other.get().owned())) {
      throw catalog.refuse(
          "the default partition "
              + other.get().qualified()
              + " of "
              + parent.display()
              + " is no table of ours, and it must be proved to have none of the rows",
          "Only default partitions that are ordinary tables of the same owner are supported.");
    }
    requireForeignKeys(parent, table);
    requireTriggers(parent, table);
    table.requireAllRows(catalog, "the search for rows that are out of bounds");
    List<String> tried = tryOut(parent, table, siblings);
    Map<String, Object> facts =
        PartitionSteps.facts(
            parent,
            table.qualified(),
            tried.get(0),
            tried.get(1),
            other.map(CatalogPartition::qualified).orElse(null),
            catalog);
    facts.put(AddColumnCheck.KEY, Facts.key(catalog.key(table, "the search for such rows")));
    if (other.isPresent()) {
      CatalogTable it = other.get().table();
      it.requireAllRows(catalog, "the search for rows within the bounds");
      facts.put(OTHER_KEY, Facts.key(catalog.key(it, "the search for rows in the default")));
    }
    facts.put(BUILDS, builds(parent, table));
    return facts;
  }

  /**
   * Refuses the way back if the default partition is another one than it was.
   *
   * @param was quoted and qualified; null if there was none
   */
  void requireSameDefault(@Nullable String was) throws SQLException {
    CatalogTable parent = catalog.tableOrPartitioned(migration.table());
    String now =
        PartitionCheck.other(PartitionCheck.siblings(catalog, parent))
            .map(CatalogPartition::qualified)
            .orElse(null);
    if (Objects.equals(was, now)) {
      return;
    }
    String detach = "ALTER TABLE " + parent.qualified() + " DETACH PARTITION ";
    if (now == null) {
      throw catalog.refuse(
          "the default partition "
              + was
              + " of "
              + parent.display()
              + ", which the way back looks after, is not there any more under this name",
          "Attach it again, or give it its name back; or "
              + detach
              + Sql.qualified(catalog.target().schema(), migration.partition())
              + " CONCURRENTLY; by hand, and abandon(\""
              + migration.id()
              + "\").");
    }
    throw catalog.refuse(
        "table "
            + parent.display()
            + " has had "
            + now
            + " for a default partition since "
            + migration.partition()
            + " was attached"
            + (was == null
                ? ", and with one the server can't detach a partition CONCURRENTLY"
                : ", instead of " + was),
        "Take the default partition away first ("
            + detach
            + now
            + ";), or attach "
            + (was == null ? "it" : "the former one")
            + " again afterwards.");
  }

  /** The server would add what is missing, and look at every row for it. */
  private void requireForeignKeys(CatalogTable parent, CatalogTable table) throws SQLException {
    String keys =
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' AND convalidated"
            + " AND conrelid = ?::bigint::oid";
    List<String> there = catalog.list(keys, row -> row.getString(1), table.oid());
    for (String each : catalog.list(keys, row -> row.getString(1), parent.oid())) {
      if (!there.contains(each)) {
        throw catalog.refuse(
            "table "
                + table.display()
                + " lacks the foreign key of "
                + parent.display()
                + ": "
                + each,
            "Add it with AddForeignKey first, and declare this migration after that one.");
      }
    }
  }

  private void requireTriggers(CatalogTable parent, CatalogTable table) throws SQLException {
    List<String> twice =
        catalog.list(
            "SELECT t.tgname FROM pg_trigger t JOIN pg_trigger p ON p.tgname = t.tgname WHERE"
                + " t.tgrelid = ?::bigint::oid AND p.tgrelid = ?::bigint::oid AND NOT"
                + " t.tgisinternal AND NOT p.tgisinternal AND p.tgtype & 1 = 1",
            row -> row.getString(1),
            table.oid(),
            parent.oid());
    if (!twice.isEmpty()) {
      throw catalog.refuse(
          "table "
              + table.display()
              + " has triggers of the names of those it will get from "
              + parent.display()
              + ": "
              + twice,
          "Rename them, or drop them where they do the same.");
    }
  }

  /**
   * Has the server attach an empty table like this one to an empty one like the other, with all its
   * partitions.
   *
   * @return the bound and the condition over a row, as the server writes them
   */
  private List<String> tryOut(
      CatalogTable parent, CatalogTable table, List<CatalogPartition> siblings)
      throws SQLException {
    String whole = Sql.qualified("pg_temp", WHOLE);
    String part = Sql.qualified("pg_temp", PART);
    String with = " INCLUDING CONSTRAINTS INCLUDING GENERATED INCLUDING IDENTITY";
    try (Trial trial = new Trial(catalog, parent, 0)) {
      trial.execute(
          "CREATE TEMPORARY TABLE "
              + WHOLE
              + " (LIKE "
              + parent.qualified()
              + with
              + ") PARTITION BY "
              + PartitionCheck.key(catalog, parent));
      Set<String> names = new HashSet<>(Set.of(parent.name(), WHOLE, PART));
      for (CatalogPartition each : siblings) {
        String bound = String.valueOf(each.bound());
        if (!bound.equals("DEFAULT") && names.add(each.name())) {
          trial.execute(
              "CREATE TEMPORARY TABLE "
                  + Sql.quote(each.name())
                  + " PARTITION OF "
                  + whole
                  + " "
                  + bound);
        }
      }
      trial.execute("CREATE TEMPORARY TABLE " + PART + " (LIKE " + table.qualified() + with + ")");
      trial.require(
          "ALTER TABLE " + whole + " ATTACH PARTITION " + part + " " + migration.bound(),
          "table "
              + table.display()
              + " can't become a partition of "
              + parent.display()
              + " "
              + migration.bound(),
          "Correct the bound, or the table's columns and checks.");
      return catalog
          .list(
              "SELECT pg_get_expr(c.relpartbound, c.oid), pg_get_partition_constraintdef(c.oid) FROM"
                  + " pg_class c WHERE c.oid = to_regclass(?)",
              row -> List.of(row.getString(1), row.getString(2)),
              part)
          .get(0);
    }
  }

  /** The server would build them while it keeps everybody out. */
  private List<Object> builds(CatalogTable parent, CatalogTable table) throws SQLException {
    List<CatalogIndex> there = new ArrayList<>(catalog.indexes(table));
    List<CatalogColumn> columns = catalog.columns(table);
    List<Object> builds = new ArrayList<>();
    for (CatalogIndex index : catalog.indexes(parent)) {
      if (index.exclusion()) {
        throw catalog.refuse(
            "table " + parent.display() + " has an exclusion constraint, " + index.name(),
            "Its index can't be built concurrently: do this by hand, in a quiet moment.");
      }
      String tail = tail(index);
      Optional<CatalogIndex> same =
          there.stream()
              .filter(
                  each ->
                      each.valid()
                          && each.unique() == index.unique()
                          && each.primary() == index.primary()
                          && (each.constraint() != null) == (index.constraint() != null)
                          && tail(each).equals(tail))
              .findFirst();
      if (same.isPresent()) {
        there.remove(same.get());
        continue;
      }
      builds.add(build(parent, table, index, tail, columns));
    }
    if (!builds.isEmpty()) {
      Privileges.requireCreate(catalog, "indexes", table.schema());
    }
    return builds;
  }

  private Map<String, Object> build(
      CatalogTable parent,
      CatalogTable table,
      CatalogIndex index,
      String tail,
      List<CatalogColumn> columns)
      throws SQLException {
    if (index.primary()) {
      for (CatalogIndex each : catalog.indexes(table)) {
        if (each.primary()) {
          throw catalog.refuse(
              "the primary key of "
                  + table.display()
                  + " is over "
                  + each.keyColumns()
                  + ", that of "
                  + parent.display()
                  + " over "
                  + index.keyColumns(),
              "Give it the same.");
        }
      }
      for (CatalogColumn each : columns) {
        if (index.keyColumns().contains(each.name()) && !each.notNull()) {
          throw catalog.refuse(
              "column "
                  + Sql.quote(each.name())
                  + " of table "
                  + table.display()
                  + " is not NOT NULL, as the primary key of "
                  + parent.display()
                  + " demands",
              "Make it so with SetNotNull, and declare this migration after that one.");
        }
      }
    }
    String name = PartitionedIndex.name(index.name(), table.schema(), table.name());
    catalog.requireFree("index", name);
    Map<String, Object> build = new LinkedHashMap<>();
    build.put("name", name);
    build.put("unique", index.unique());
    build.put("tail", tail);
    if (index.constraint() != null) {
      build.put(
          "constraint",
          (index.primary() ? "PRIMARY KEY" : "UNIQUE")
              + " USING INDEX "
              + Sql.quote(name)
              + (index.immediate() ? "" : " DEFERRABLE"));
    }
    return build;
  }

  private static String tail(CatalogIndex index) {
    return index.definition().substring(index.definition().indexOf(" USING "));
  }
}
