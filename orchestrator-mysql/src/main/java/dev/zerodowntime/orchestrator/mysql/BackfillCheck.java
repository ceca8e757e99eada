package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.operation.Backfill.Assignment;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.Scan;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** Whether rows can be changed, and how. */
final class BackfillCheck {

  static final String COLUMNS = "columns";
  static final String UNDONE = "undone";
  static final String TOUCHED = "touched";
  static final String TOUCHED_UNDONE = "touchedUndone";

  private final Backfill migration;
  private final Catalog catalog;
  private final Connection connection;

  BackfillCheck(Backfill migration, Catalog catalog, Connection connection) {
    this.migration = migration;
    this.catalog = catalog;
    this.connection = connection;
  }

  Map<String, Object> facts() throws SQLException {
    if (migration.once().filter(Backfill.Once.PER_LEDGER::equals).isPresent()) {
      throw catalog.refuse(
          "oncePerLedger() is not there on MySQL and MariaDB",
          "Say which rows with where(\"...\"), which no longer holds for a row that was changed; or"
              + " declare oncePerKey() where keys never change.");
    }
    CatalogTable table = table(migration.table(), "SELECT", "UPDATE", "TRIGGER");
    List<Scan.KeyColumn> key =
        PrimaryKey.of(connection, migration.id(), table.schema(), table.name());
    CatalogTable into = table;
    if (migration.destination().isPresent()) {
      into = destination(table, migration.destination().get());
    }
    List<ColumnImage> columns = new ArrayList<>();
    for (String name : written()) {
      columns.add(writable(into, name, into == table ? key : List.of()));
    }
    for (String read : migration.computation().map(Backfill.Computation::reads).orElse(List.of())) {
      requireText(table, ColumnImage.of(catalog, table, catalog.column(table, read)));
    }
    if (migration.computation().isPresent()) {
      for (ColumnImage each : columns) {
        requireText(table, each);
      }
    }
    List<ColumnImage> undone = new ArrayList<>();
    for (Assignment each : migration.undo()) {
      undone.add(writable(table, each.column(), key));
    }
    requireIndependent(migration.destination().isPresent() ? List.of() : migration.set());
    requireIndependent(migration.undo());
    requireConsent(into, into == table ? Set.of("UPDATE") : Set.of("INSERT", "UPDATE"));
    List<String> touched = Touched.columns(catalog, table);
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("key", Facts.key(key));
    facts.put(COLUMNS, columns.stream().map(each -> (Object) each.toMap()).toList());
    facts.put(UNDONE, undone.stream().map(each -> (Object) each.toMap()).toList());
    facts.put(TOUCHED, without(touched, columns));
    facts.put(TOUCHED_UNDONE, without(touched, undone));
    return facts;
  }

  private static List<Object> without(List<String> touched, List<ColumnImage> columns) {
    List<Object> kept = new ArrayList<>();
    for (String each : touched) {
      if (columns.stream().noneMatch(column -> column.name().equalsIgnoreCase(each))) {
        kept.add(each);
      }
    }
    return kept;
  }

  private CatalogTable table(String name, String... rights) throws SQLException {
    CatalogTable table = CatalogTable.read(catalog, catalog.target().schema(), name);
    // Whoever may not have triggers isn't shown those that there are.
    Privileges.of(catalog).require(table, rights);
    return table;
  }

  private List<String> written() {
    return migration
        .computation()
        .map(Backfill.Computation::writes)
        .orElseGet(() -> migration.set().stream().map(Assignment::column).toList());
  }

  private ColumnImage writable(CatalogTable table, String name, List<Scan.KeyColumn> key)
      throws SQLException {
    CatalogColumn column = catalog.column(table, name);
    String what = "column \"" + column.name() + "\" of table " + table.display();
    if (column.generated()) {
      throw catalog.refuse(
          what + " is generated", "Assign to the columns that it is computed from.");
    }
    if (key.stream().anyMatch(each -> each.name().equalsIgnoreCase(column.quoted()))) {
      throw catalog.refuse(
          what + " is part of the primary key, which the backfill walks along",
          "Add a column with the new value, and change the key over to it.");
    }
    List<String> referring =
        catalog.list(
            "SELECT DISTINCT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) FROM"
                + " information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_SCHEMA = ? AND"
                + " REFERENCED_TABLE_NAME = ? AND REFERENCED_COLUMN_NAME = ?",
            row -> row.getString(1),
            table.schema(),
            table.name(),
            column.name());
    if (!referring.isEmpty()) {
      throw catalog.refuse(
          what + " is what foreign keys of " + referring + " refer to: their rows would change too",
          "Add a column with the new value, and let them refer to it.");
    }
    return ColumnImage.of(catalog, table, column);
  }

  private void requireText(CatalogTable table, ColumnImage column) {
    if (column.hasNoText()) {
      throw catalog.refuse(
          "column \""
              + column.name()
              + "\" of table "
              + table.display()
              + " is of type "
              + column.type()
              + ", which a function can't be given, and give back, as text without loss",
          "Compute it by an expression: set(column, expression).");
    }
  }

  /** Servers assign one after the other, or in whatever order: a later one may see the earlier. */
  private void requireIndependent(List<Assignment> set) {
    for (Assignment each : set) {
      String expression = each.sql().replaceAll("'([^']|'')*'", "''");
      for (Assignment other : set) {
        boolean named =
            other != each
                && Pattern.compile(
                        "(?<![\\w$])" + Pattern.quote(other.column()) + "(?![\\w$])",
                        Pattern.CASE_INSENSITIVE)
                    .matcher(expression)
                    .find();
        if (named) {
          throw catalog.refuse(
              "the expression \""
                  + each.sql()
                  + "\" for column \""
                  + each.column()
                  + "\" names column \""
                  + other.column()
                  + "\", which is assigned as well: MySQL and MariaDB may take its new value",
              "Write it without that column; or assign it by a migration of its own, before or"
                  + " after.");
        }
      }
    }
  }

  private CatalogTable destination(CatalogTable from, Backfill.Destination destination)
      throws SQLException {
    CatalogTable into = table(destination.table(), "SELECT", "INSERT", "UPDATE", "TRIGGER");
    if (into.name().equals(from.name())) {
      throw catalog.refuse(
          "table " + into.display() + " would be copied into itself", "Name another table.");
    }
    Map<String, List<String>> unique = new LinkedHashMap<>();
    catalog.list(
        "SELECT INDEX_NAME, COALESCE(COLUMN_NAME, ''), SUB_PART IS NULL AND NULLABLE = '' FROM"
            + " information_schema.STATISTICS WHERE "
            + Probes.isTable(into.schema(), into.name())
            + " AND NON_UNIQUE = 0 ORDER BY INDEX_NAME, SEQ_IN_INDEX",
        row ->
            unique
                .computeIfAbsent(row.getString(1), each -> new ArrayList<>())
                .add(row.getBoolean(3) ? row.getString(2) : ""));
    List<List<String>> indexes = List.copyOf(unique.values());
    boolean one =
        indexes.size() == 1 && Set.copyOf(indexes.get(0)).equals(Set.copyOf(destination.key()));
    if (!one) {
      throw catalog.refuse(
          "table "
              + into.display()
              + " has these unique indexes: "
              + unique
              + ", and ON DUPLICATE KEY UPDATE overwrites the row that is found by any of them",
          "Copy into a table with exactly one unique index, on "
              + destination.key()
              + ", all of them NOT NULL.");
    }
    return into;
  }

  private void requireConsent(CatalogTable table, Set<String> events) throws SQLException {
    List<String> fired =
        catalog.list(
            "SELECT TRIGGER_NAME, EVENT_MANIPULATION FROM information_schema.TRIGGERS WHERE"
                + " EVENT_OBJECT_SCHEMA = ? AND BINARY EVENT_OBJECT_TABLE = BINARY ? ORDER BY 1",
            row -> events.contains(row.getString(2)) ? row.getString(1) : "",
            table.schema(),
            table.name());
    fired.removeIf(each -> each.isEmpty() || migration.policy().allowedTriggers().contains(each));
    if (!fired.isEmpty()) {
      throw catalog.refuse(
          "the backfill of table "
              + table.display()
              + " would fire these triggers for every row: "
              + fired,
          "If that is harmless, say so with .allowTriggers(\""
              + String.join("\", \"", fired)
              + "\"); else let the triggers ignore such updates.");
    }
  }
}
