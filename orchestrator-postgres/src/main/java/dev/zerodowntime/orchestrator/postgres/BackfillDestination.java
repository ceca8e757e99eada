package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.operation.Backfill;
import java.sql.SQLException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Whether rows can be copied into a table. */
final class BackfillDestination {

  private BackfillDestination() {}

  static CatalogTable require(Catalog catalog, CatalogTable from, Backfill migration)
      throws SQLException {
    Backfill.Destination destination = migration.destination().orElseThrow();
    CatalogTable into = catalog.table(destination.table());
    if (into.oid() == from.oid()) {
      throw catalog.refuse(
          "table " + into.display() + " would be copied into itself", "Name another table.");
    }
    into.requireBackfill(catalog);
    List<CatalogColumn> columns = catalog.columns(into);
    boolean unique = false;
    for (CatalogIndex index : catalog.indexes(into)) {
      unique |=
          index.identifiesRows(columns)
              && Set.copyOf(index.keyColumns()).equals(Set.copyOf(destination.key()));
    }
    if (!unique) {
      throw catalog.refuse(
          "table "
              + into.display()
              + " has no unique index on "
              + destination.key()
              + " that tells which row is whose",
          "Add a unique index on exactly these columns, NOT NULL all of them, that is neither"
              + " partial nor deferrable nor over expressions; or name the columns of one.");
    }
    Set<String> given = new LinkedHashSet<>();
    migration.set().forEach(each -> given.add(each.column()));
    for (CatalogColumn column : columns) {
      boolean filled =
          given.contains(column.name())
              || column.defaultSql() != null
              || column.domainDefault() != null
              || column.generated()
              || !column.identity().isEmpty();
      if (!filled && (column.notNull() || column.domainNotNull())) {
        throw catalog.refuse(
            "column \""
                + column.name()
                + "\" of table "
                + into.display()
                + " can't be null, and rows that are copied have no value for it",
            "Add set(\"" + column.name() + "\", ...), or give the column a default.");
      }
    }
    RowTriggers.requireConsentToCopies(catalog, into, migration.policy().allowedTriggers());
    return into;
  }
}
