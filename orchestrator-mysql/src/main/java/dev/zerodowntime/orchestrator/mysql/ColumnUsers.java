package dev.zerodowntime.orchestrator.mysql;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** What would break, or stay behind, if a column were renamed or dropped. */
final class ColumnUsers {

  private ColumnUsers() {}

  /**
   * Texts that name it, constraints of its table, columns that are generated from it, and foreign
   * keys that point to it.
   *
   * @param column as the catalog has it
   * @return their names, each with its kind
   */
  static List<String> of(Catalog catalog, CatalogTable table, String column) throws SQLException {
    List<String> users = new ArrayList<>(NamedInText.find(catalog, table, column));
    table
        .definition()
        .constraints()
        .forEach(
            (name, clause) -> {
              if (ColumnText.mentions(clause, column)) {
                users.add("constraint " + name);
              }
            });
    table
        .definition()
        .columns()
        .forEach(
            (name, definition) -> {
              if (!name.equals(column)
                  && ColumnText.generated(definition)
                  && ColumnText.mentions(definition, column)) {
                users.add("generated column " + name);
              }
            });
    users.addAll(
        catalog.list(
            "SELECT CONCAT('foreign key ', CONSTRAINT_NAME, ' of ', TABLE_NAME) FROM"
                + " information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_SCHEMA = ? AND"
                + " REFERENCED_TABLE_NAME = ? AND REFERENCED_COLUMN_NAME = ?",
            row -> row.getString(1),
            table.schema(),
            table.name(),
            column));
    return users;
  }
}
