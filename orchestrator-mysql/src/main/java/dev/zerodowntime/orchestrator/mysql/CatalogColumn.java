package dev.zerodowntime.orchestrator.mysql;

import java.sql.SQLException;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A column as the catalog has it.
 *
 * @param name unquoted, as the catalog has it
 * @param definition all that follows its name in a MODIFY that changes nothing
 * @param type such as {@code bigint unsigned}, with length and signedness
 * @param notNull whether it is NOT NULL
 * @param defaultSql its default as SQL; null where it has none, or NULL
 * @param generated whether it is computed
 * @param autoIncrement whether it counts
 * @param visible whether {@code SELECT *} shows it
 */
record CatalogColumn(
    String name,
    String definition,
    String type,
    boolean notNull,
    @Nullable String defaultSql,
    boolean generated,
    boolean autoIncrement,
    boolean visible) {

  /** A column by name, compared as the server does. */
  static Optional<CatalogColumn> find(Catalog catalog, CatalogTable table, String column)
      throws SQLException {
    return catalog
        .list(
            "SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, EXTRA, GENERATION_EXPRESSION FROM"
                + " information_schema.COLUMNS WHERE "
                + Probes.isTable(table.schema(), table.name())
                + " AND COLUMN_NAME = ?",
            row -> {
              String name = row.getString(1);
              String definition = table.definition().columns().get(name);
              if (definition == null) {
                throw new IllegalStateException(
                    "column " + name + " is not in " + table.definition());
              }
              String extra = row.getString(4).toUpperCase(Locale.ROOT);
              String generation = row.getString(5);
              return new CatalogColumn(
                  name,
                  definition,
                  row.getString(2),
                  row.getString(3).equals("NO"),
                  ColumnText.defaultOf(definition),
                  generation != null && !generation.isEmpty(),
                  extra.contains("AUTO_INCREMENT"),
                  !extra.contains("INVISIBLE"));
            },
            column)
        .stream()
        .findFirst();
  }

  /** Quoted. */
  String quoted() {
    return Sql.quote(name);
  }
}
