package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Whether a column can be dropped, and what rejects rows that omit it. */
final class DropColumnCheck {

  /** NOT NULL has to go. */
  static final String NOT_NULL = "notNull";

  /** The default that has to go. */
  static final String DEFAULT = Defaults.EFFECTIVE;

  /** Its name and the like, where NOT NULL has them: from PostgreSQL 18 on. */
  static final String NOT_NULL_CONSTRAINT = "notNullConstraint";

  /** Checks that have to go: maps of name, definition, validated, comment, harmless. */
  static final String CHECKS = "checks";

  /** Of a check that rejects no row that omits the column, and goes for another reason. */
  static final String HARMLESS_CHECK = "harmless";

  /** The domain that has to go, and the type that replaces it. */
  static final String DOMAIN = "domain";

  /** What replaces the domain. */
  static final String BASE_TYPE = "baseType";

  /** Tables that dropping the column locks as well. */
  static final String PARTNERS = "partners";

  private static final Set<Dependent.Kind> HARMLESS = Set.of(Dependent.Kind.STATISTICS);

  private final DropColumn migration;
  private final Catalog catalog;

  DropColumnCheck(DropColumn migration, Target target, Connection connection) throws SQLException {
    this.migration = migration;
    this.catalog = new Catalog(migration, target, connection);
  }

  /** The default, as it is to go and to come back: without the domain the domain's is none. */
  static Defaults defaults(Map<String, Object> facts) {
    String effective = Facts.text(facts, DEFAULT);
    return facts.containsKey(DOMAIN)
        ? new Defaults(effective, false, effective)
        : Defaults.of(facts);
  }

  /** Checks only that nothing has come to name the column. */
  void requireStillUnused() throws SQLException {
    CatalogTable table = catalog.tableOrPartitioned(migration.table());
    CatalogColumn column = catalog.column(table, migration.column());
    requireUnused(table, column);
    for (CatalogPartition each : partitions(table)) {
      requireUnused(each.table(), catalog.column(each.table(), column.name()));
    }
    FillFunctions.awaitNone(catalog, table, column);
  }

  /** Partitions that are there by now. */
  Map<String, Object> partitionsNow(Map<String, Object> known) throws SQLException {
    return Partitions.now(catalog, migration.table(), known);
  }

  private List<CatalogPartition> partitions(CatalogTable table) throws SQLException {
    return table.partitioned() ? CatalogPartition.owned(catalog, table) : List.of();
  }

  Map<String, Object> facts() throws SQLException {
    CatalogTable table = catalog.tableOrPartitioned(migration.table());
    CatalogColumn column = catalog.column(table, migration.column());
    if (column.inherited()) {
      throw catalog.refuse(
          "column \"" + column.name() + "\" of table " + table.display() + " is inherited",
          "Drop it from the table it comes from.");
    }
    List<CatalogConstraint> constraints = catalog.constraints(table, column);
    List<CatalogIndex> indexes =
        catalog.indexes(table).stream().filter(index -> index.mentions(column.name())).toList();
    requireUnused(table, column);
    requireNoKey(table, column, constraints);
    requireConsent(table, column, constraints, indexes);
    Map<String, Object> facts = new LinkedHashMap<>();
    List<CatalogTable> leaves = Partitions.capture(catalog, table, facts);
    new DropColumnParts(catalog, table, column).require(partitions(table));
    for (CatalogPartition each : partitions(table)) {
      requireUnused(each.table(), catalog.column(each.table(), column.name()));
    }
    notNullConstraint(table, column, facts);
    try (Trial trial = new Trial(catalog, table, 0)) {
      new Relaxation(catalog, table, column, constraints, indexes, trial).describe(facts);
    }
    if (table.partitioned() && facts.containsKey(DOMAIN)) {
      throw catalog.refuse(
          "domain "
              + column.type()
              + " of column \""
              + column.name()
              + "\" rejects rows that omit it, and table "
              + table.display()
              + " is partitioned",
          "ALTER DOMAIN " + column.type() + " so that it accepts NULL.");
    }
    Set<String> partners = new TreeSet<>();
    for (CatalogConstraint constraint : constraints) {
      if (!constraint.partner().isEmpty() && !constraint.partner().equals(table.qualified())) {
        partners.add(constraint.partner());
      }
    }
    facts.put(PARTNERS, new ArrayList<>(partners));
    Published.note(
        catalog, table, Sql.tombstone(migration.id(), table.schema(), migration.column()), facts);
    if (migration.fillBackSql().isPresent() && PostgresDropColumn.fillsBack(migration, facts)) {
      table.requireBackfill(catalog);
      for (CatalogTable leaf : leaves) {
        leaf.requireBackfill(catalog);
        RowTriggers.requireConsent(
            catalog,
            leaf,
            catalog.column(leaf, column.name()).number(),
            migration.policy().allowedTriggers());
      }
      facts.put(AddColumnCheck.KEY, Facts.key(catalog.key(table)));
      tryFillBack(table, column);
    }
    FillFunctions.awaitNone(catalog, table, column);
    return facts;
  }

  private void notNullConstraint(
      CatalogTable table, CatalogColumn column, Map<String, Object> facts) throws SQLException {
    List<Map<String, Object>> named =
        ColumnFactsRows.query(
            catalog.connection(), ColumnFactsSql.NOT_NULL, table.oid(), column.number());
    if (!named.isEmpty()) {
      facts.put(NOT_NULL_CONSTRAINT, named.get(0));
    }
  }

  /** Whatever names the column would break, at the latest when it is gone. */
  private void requireUnused(CatalogTable table, CatalogColumn column) throws SQLException {
    List<String> users =
        new ArrayList<>(
            catalog.dependents(table, column).stream()
                .filter(dependent -> !HARMLESS.contains(dependent.kind()))
                .map(Dependent::name)
                .toList());
    // What counts the values of a row would be one short in the end.
    RowStars.find(catalog, table).stream()
        .filter(each -> !users.contains(each))
        .forEach(users::add);
    if (!users.isEmpty()) {
      throw catalog.refuse(
          "column \"" + column.name() + "\" of table " + table.display() + " is named by " + users,
          "Change or drop these first.");
    }
  }

  private void requireNoKey(
      CatalogTable table, CatalogColumn column, List<CatalogConstraint> constraints) {
    String what = "column \"" + column.name() + "\" of table " + table.display();
    for (CatalogConstraint constraint : constraints) {
      if (constraint.type().equals("p")) {
        throw catalog.refuse(
            what + " belongs to the primary key " + Sql.quote(constraint.name()),
            "Give the table another primary key first.");
      }
      if (constraint.incoming()) {
        throw catalog.refuse(
            what
                + " is referenced by foreign key "
                + Sql.quote(constraint.name())
                + " of table "
                + constraint.table(),
            "Drop that foreign key first.");
      }
      if (constraint.type().equals("f")
          && constraint.columns().size() > 1
          && constraint.definition().contains("MATCH FULL")) {
        throw catalog.refuse(
            what
                + " belongs to foreign key "
                + Sql.quote(constraint.name())
                + ", whose MATCH FULL rejects rows that omit it",
            "Drop that foreign key first.");
      }
    }
  }

  /** What covers other columns as well goes with the column: the author has to say so. */
  private void requireConsent(
      CatalogTable table,
      CatalogColumn column,
      List<CatalogConstraint> constraints,
      List<CatalogIndex> indexes) {
    Set<String> unlisted = new TreeSet<>();
    for (CatalogIndex index : indexes) {
      if (index.replicaIdentity()) {
        throw catalog.refuse(
            "index "
                + Sql.quote(index.name())
                + " on column \""
                + column.name()
                + "\" is the replica identity of table "
                + table.display(),
            "ALTER TABLE " + table.qualified() + " REPLICA IDENTITY DEFAULT; or another index.");
      }
      if (index.nullsNotDistinct()) {
        throw catalog.refuse(
            "unique index "
                + Sql.quote(index.name())
                + " is NULLS NOT DISTINCT: of the rows that omit column \""
                + column.name()
                + "\" it would accept only one",
            "Drop that index first.");
      }
      if (index.columns().size() > 1) {
        unlisted.add(index.name());
      }
    }
    for (CatalogConstraint constraint : constraints) {
      if (constraint.type().equals("f") && constraint.columns().size() > 1) {
        unlisted.add(constraint.name());
      }
    }
    unlisted.removeAll(migration.droppedIndexes());
    if (!unlisted.isEmpty()) {
      throw catalog.refuse(
          "these cover other columns of table "
              + table.display()
              + " too, and would go with column \""
              + column.name()
              + "\": "
              + unlisted,
          "If nobody needs them, say so with .alsoDropsIndexes(\""
              + String.join("\", \"", unlisted)
              + "\"); else create their replacements first.");
    }
  }

  private void tryFillBack(CatalogTable table, CatalogColumn column) throws SQLException {
    String fill = migration.fillBackSql().orElseThrow();
    try (Trial trial = new Trial(catalog, table, 0)) {
      trial.require(
          "UPDATE " + trial.name() + " SET " + column.quoted() + " = (" + fill + ")",
          "the fill expression \""
              + fill
              + "\" for column \""
              + column.name()
              + "\" of type "
              + column.type(),
          "Correct the expression: it is evaluated once per row, over the columns of "
              + table.display()
              + ".");
    }
  }
}
