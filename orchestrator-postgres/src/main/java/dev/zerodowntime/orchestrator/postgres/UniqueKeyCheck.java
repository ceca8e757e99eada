package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Whether a unique constraint or a primary key can be added. */
final class UniqueKeyCheck {

  private static final String TRIAL = "zdo_trial";

  private final UniqueKey key;
  private final String tableName;
  private final Catalog catalog;

  UniqueKeyCheck(UniqueKey key, Migration<?> migration, Target target, Connection connection)
      throws SQLException {
    this.key = key;
    this.tableName = migration.table();
    this.catalog = new Catalog(migration, target, connection);
  }

  /**
   * Refuses by name whatever is in the way; duplicates last, since they cost most to find.
   *
   * @return whether the table has rows to build the index over
   */
  Map<String, Object> facts() throws SQLException {
    Sql.requireFits(catalog.migration(), "constraint", key.name());
    requirePartitionKey();
    CatalogTable table = catalog.table(tableName);
    List<CatalogColumn> columns = new ArrayList<>();
    for (String column : key.columns()) {
      columns.add(catalog.column(table, column));
    }
    for (String column : key.include()) {
      catalog.column(table, column);
    }
    requireNullsNotDistinct();
    Privileges.requireCreate(catalog, "indexes", table.schema());
    if (key.primary()) {
      requireNoPrimaryKey(table);
      requireNotNull(table, columns);
    }
    String definition = tryOut(table);
    Map<String, Object> facts = new LinkedHashMap<>();
    if (!exists(table, definition)) {
      new Duplicates(catalog, table, columns, key.nullsNotDistinct()).requireNone();
      EmptyTable.note(catalog, table, facts);
    }
    return facts;
  }

  /** The server looks for duplicates within each partition only: so the key must tell which. */
  private void requirePartitionKey() throws SQLException {
    CatalogTable table = catalog.tableOrPartitioned(tableName);
    List<String> missing =
        catalog.list(
            "SELECT coalesce(quote_ident(a.attname), 'an expression') FROM pg_partitioned_table p,"
                + " unnest(p.partattrs::int2[]) WITH ORDINALITY k(number, place) LEFT JOIN"
                + " pg_attribute a ON a.attrelid = ?::bigint::oid AND a.attnum = k.number AND"
                + " k.number > 0 WHERE p.partrelid = ?::bigint::oid AND NOT coalesce(a.attname ="
                + " ANY (string_to_array(?, chr(1))), false) ORDER BY k.place",
            row -> row.getString(1),
            table.oid(),
            table.oid(),
            String.join("\u0001", key.columns()));
    if (!missing.isEmpty()) {
      throw catalog.refuse(
          "table "
              + table.display()
              + " is partitioned by "
              + String.join(", ", missing)
              + ", which the "
              + key.what()
              + " \""
              + key.name()
              + "\" does not include: the server could find duplicates only within each partition",
          missing.contains("an expression")
              ? "A table that is partitioned by an expression can't have one."
              : "Add the columns of the partition key to it.");
    }
  }

  private void requireNullsNotDistinct() throws SQLException {
    if (key.nullsNotDistinct()
        && Integer.parseInt(catalog.text("SHOW server_version_num")) < 150_000) {
      throw catalog.refuse(
          "the server is PostgreSQL "
              + catalog.text("SHOW server_version")
              + ", which has no NULLS NOT DISTINCT",
          "Upgrade to PostgreSQL 15, or leave out nullsNotDistinct().");
    }
  }

  private void requireNoPrimaryKey(CatalogTable table) throws SQLException {
    for (CatalogIndex index : catalog.indexes(table)) {
      if (index.primary() && !key.name().equals(index.constraint())) {
        throw catalog.refuse(
            "table "
                + table.display()
                + " has a primary key: "
                + Sql.quote(index.name())
                + " over "
                + index.keyColumns(),
            "A table can have but one. AddUnique makes other columns unique.");
      }
    }
  }

  /** Without it the server would look at every row under its lock. */
  private void requireNotNull(CatalogTable table, List<CatalogColumn> columns) throws SQLException {
    List<String> unproven =
        catalog.list(
            "SELECT a.attname FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid"
                + " AND a.attnum = ANY (k.conkey) WHERE k.contype = 'n' AND k.conrelid ="
                + " ?::bigint::oid AND (NOT k.convalidated OR k.connoinherit)",
            row -> row.getString(1),
            table.oid());
    List<String> nullable =
        columns.stream()
            .filter(column -> !column.notNull() || unproven.contains(column.name()))
            .map(CatalogColumn::name)
            .toList();
    if (!nullable.isEmpty()) {
      throw catalog.refuse(
          "columns "
              + nullable
              + " of table "
              + table.display()
              + " are not NOT NULL, or their constraint is NOT VALID or NO INHERIT",
          "A primary key needs NOT NULL: add it with SetNotNull first, and declare this migration"
              + " after it.");
    }
  }

  private String tryOut(CatalogTable table) throws SQLException {
    try (Trial trial = new Trial(catalog, table, 0)) {
      String what = key.what() + " \"" + key.name() + "\" on table " + table.display();
      String remedy = "Correct its columns.";
      trial.require(
          "CREATE UNIQUE INDEX " + TRIAL + " ON " + trial.name() + key.tail(),
          what + " can't be built",
          remedy);
      String definition = trial.text("SELECT pg_get_indexdef(" + regclass() + ")");
      trial.require(
          "ALTER TABLE " + trial.name() + " " + key.using(TRIAL, TRIAL),
          what + " can't be",
          remedy);
      return definition;
    }
  }

  private static String regclass() {
    return Sql.regclass("pg_temp", TRIAL);
  }

  private record Constraint(String definition, boolean same) {}

  /** What somebody made by hand under this name is fine if it is the same; so is its wreck. */
  private boolean exists(CatalogTable table, String definition) throws SQLException {
    List<Constraint> constraints =
        catalog.list(
            "SELECT pg_get_constraintdef(k.oid), k.contype = ? AND NOT k.condeferrable FROM"
                + " pg_constraint k WHERE k.conrelid = ?::bigint::oid AND k.conname = ?",
            row -> new Constraint(row.getString(1), row.getBoolean(2)),
            key.type(),
            table.oid(),
            key.name());
    for (CatalogIndex index : catalog.indexes(table)) {
      if (index.name().equals(key.name())) {
        boolean same =
            index.unique()
                && tail(index.definition()).equals(tail(definition))
                && constraints.stream().allMatch(Constraint::same);
        if (!same) {
          throw other(table, index.definition());
        }
        return index.valid();
      }
    }
    if (!constraints.isEmpty()) {
      throw other(table, constraints.get(0).definition());
    }
    catalog.requireFree(key.what(), key.name());
    return false;
  }

  private RuntimeException other(CatalogTable table, String there) {
    return catalog.refuse(
        "the name \""
            + key.name()
            + "\" for the "
            + key.what()
            + " is taken: table "
            + table.display()
            + " has another index or constraint of this name: "
            + there,
        "Choose another name, or declare the same.");
  }

  private static String tail(String definition) {
    return definition.substring(Math.max(0, definition.indexOf(" USING ")));
  }
}
