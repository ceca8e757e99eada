package dev.zerodowntime.orchestrator.mysql;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An index as the catalog has it.
 *
 * @param name unquoted, as the catalog has it
 * @param clause what follows ADD to build it again
 * @param columns its columns; an empty text for an expression
 * @param whole whether it is over whole columns, ascending or not
 * @param unique whether it is unique
 * @param kind {@code BTREE}, {@code FULLTEXT}, {@code SPATIAL}
 * @param visible whether the planner may use it
 */
record CatalogIndex(
    String name,
    String clause,
    List<String> columns,
    boolean whole,
    boolean unique,
    String kind,
    boolean visible) {

  private record Part(
      String index,
      boolean unique,
      String column,
      boolean whole,
      String kind,
      boolean visible,
      boolean asked) {}

  static List<CatalogIndex> read(Catalog catalog, CatalogTable table) throws SQLException {
    return read(catalog, table, "").stream().map(Named::index).toList();
  }

  /** An index by name, compared as the server does. */
  static Optional<CatalogIndex> find(Catalog catalog, CatalogTable table, String name)
      throws SQLException {
    return read(catalog, table, name).stream().filter(Named::asked).map(Named::index).findFirst();
  }

  private record Named(CatalogIndex index, boolean asked) {}

  private static List<Named> read(Catalog catalog, CatalogTable table, String asked)
      throws SQLException {
    boolean maria = catalog.version().mariadb();
    List<Part> parts =
        catalog.list(
            "SELECT INDEX_NAME, NON_UNIQUE, COLUMN_NAME, SUB_PART IS NULL, INDEX_TYPE, "
                + (maria ? "IGNORED = 'NO'" : "IS_VISIBLE = 'YES'")
                + ", INDEX_NAME = ? FROM information_schema.STATISTICS WHERE "
                + Probes.isTable(table.schema(), table.name())
                + " ORDER BY INDEX_NAME, SEQ_IN_INDEX",
            row ->
                new Part(
                    row.getString(1),
                    row.getInt(2) == 0,
                    row.getString(3) == null ? "" : row.getString(3),
                    row.getBoolean(4),
                    row.getString(5),
                    row.getBoolean(6),
                    row.getBoolean(7)),
            asked);
    Map<String, List<Part>> byName = new LinkedHashMap<>();
    for (Part part : parts) {
      byName.computeIfAbsent(part.index(), name -> new ArrayList<>()).add(part);
    }
    List<Named> indexes = new ArrayList<>();
    byName.forEach(
        (name, of) -> {
          String clause = table.definition().keys().get(name);
          // What the catalog shows beyond the definition is not an index that anybody declared.
          if (clause != null) {
            Part first = of.get(0);
            indexes.add(
                new Named(
                    new CatalogIndex(
                        name,
                        clause,
                        of.stream().map(Part::column).toList(),
                        of.stream().allMatch(each -> each.whole() && !each.column().isEmpty()),
                        first.unique(),
                        first.kind(),
                        first.visible()),
                    first.asked()));
          }
        });
    return indexes;
  }

  boolean primary() {
    return clause.startsWith("PRIMARY KEY ");
  }
}
