package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.operation.Reindex;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Whether indexes can be rebuilt concurrently, and what they are now. */
final class ReindexCheck {

  /** What is to be rebuilt: maps of name and what it was. */
  static final String INDEXES = "indexes";

  /** Names of what earlier runs, of anybody, have left behind. */
  static final String LEFTOVERS = "leftovers";

  private static final Pattern SUFFIX = Pattern.compile("_cc(?:new|old)[0-9]*$");

  private final Reindex migration;
  private final Catalog catalog;

  ReindexCheck(Reindex migration, Target target, Connection connection) throws SQLException {
    this.migration = migration;
    this.catalog = new Catalog(migration, target, connection);
  }

  Map<String, Object> facts() throws SQLException {
    CatalogTable table = catalog.table(migration.table());
    List<CatalogIndex> all = catalog.indexes(table);
    List<CatalogIndex> chosen = new ArrayList<>();
    if (migration.name().isPresent()) {
      chosen.add(DropIndexCheck.index(catalog, table, migration.name().get()));
    } else {
      all.stream().filter(each -> original(each, all).isEmpty()).forEach(chosen::add);
    }
    requireSomething(table, chosen);
    List<Object> indexes = new ArrayList<>();
    List<Object> leftovers = new ArrayList<>();
    for (CatalogIndex each : all) {
      if (original(each, all).filter(chosen::contains).isPresent()) {
        leftovers.add(each.name());
      }
    }
    for (CatalogIndex index : chosen) {
      requireNameFree(table, index, leftovers, "_ccnew");
      requireNameFree(table, index, leftovers, "_ccold");
      Map<String, Object> each = new LinkedHashMap<>();
      each.put("name", index.name());
      each.put("was", catalog.text("SELECT " + Probes.identity(index.oid() + "::oid")));
      indexes.add(each);
    }
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put(LEFTOVERS, leftovers);
    facts.put(INDEXES, indexes);
    return facts;
  }

  private void requireSomething(CatalogTable table, List<CatalogIndex> chosen) {
    if (chosen.isEmpty()) {
      throw catalog.refuse(
          "table " + table.display() + " has no index", "There is nothing to rebuild.");
    }
    List<String> exclusions =
        chosen.stream().filter(CatalogIndex::exclusion).map(CatalogIndex::name).toList();
    if (!exclusions.isEmpty()) {
      throw catalog.refuse(
          "indexes "
              + exclusions
              + " of table "
              + table.display()
              + " belong to exclusion constraints, which PostgreSQL can't rebuild concurrently",
          "Rebuild the table's other indexes one by one, with name(...).");
    }
  }

  /** The index that an INVALID one is a leftover of: by its name, and by what it is. */
  private static Optional<CatalogIndex> original(CatalogIndex index, List<CatalogIndex> all) {
    Matcher suffix = SUFFIX.matcher(index.name());
    if (index.valid() || index.constraint() != null || !suffix.find()) {
      return Optional.empty();
    }
    return all.stream()
        .filter(each -> !each.name().equals(index.name()))
        .filter(each -> PostgresReindex.leftover(each.name(), suffix.group()).equals(index.name()))
        .filter(each -> tail(each).equals(tail(index)))
        .findFirst();
  }

  private static String tail(CatalogIndex index) {
    String definition = index.definition();
    return definition.substring(Math.max(0, definition.indexOf(" USING ")));
  }

  /** Else the server would take another one, under which nobody would look for a leftover. */
  private void requireNameFree(
      CatalogTable table, CatalogIndex index, List<Object> leftovers, String suffix)
      throws SQLException {
    String name = PostgresReindex.leftover(index.name(), suffix);
    boolean taken =
        catalog
            .list(
                "SELECT EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid ="
                    + " c.relnamespace WHERE n.nspname = ? AND c.relname = ?)",
                row -> row.getBoolean(1),
                table.schema(),
                name)
            .contains(true);
    if (taken && !leftovers.contains(name)) {
      throw catalog.refuse(
          "something in schema \""
              + table.schema()
              + "\" has the name \""
              + name
              + "\", which PostgreSQL uses while it rebuilds index \""
              + index.name()
              + "\", and it is not what a killed run of that has left behind",
          "Rename it, or drop it.");
    }
  }
}
