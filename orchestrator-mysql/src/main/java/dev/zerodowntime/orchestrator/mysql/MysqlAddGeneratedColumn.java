package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.AddGeneratedColumn;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A virtual generated column: a change of the catalog on both servers. A stored one goes by a copy
 * of the table. It is invisible, and stays so: code that doesn't know it goes on beside code that
 * does.
 */
final class MysqlAddGeneratedColumn implements OperationSupport<AddGeneratedColumn> {

  /** As the server writes it down. */
  private static final String DEFINITION = "definition";

  private final MysqlVersion version;
  private final CopyRoute copies;

  MysqlAddGeneratedColumn(MysqlVersion version) {
    this(version, CopyRoute.none());
  }

  MysqlAddGeneratedColumn(MysqlVersion version, CopyRoute copies) {
    this.version = version;
    this.copies = copies;
  }

  @Override
  public OperationType<AddGeneratedColumn> type() {
    return AddGeneratedColumn.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      AddGeneratedColumn migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    Catalog catalog = new Catalog(migration, target, version, connection);
    Sql.requireFits(migration.id(), "column", migration.column());
    CatalogTable table = catalog.table(migration.table());
    if (CatalogColumn.find(catalog, table, migration.column()).isPresent()) {
      throw catalog.refuse(
          "table " + table.display() + " already has a column \"" + migration.column() + "\"",
          "Choose another name, or remove the migration if that column is meant.");
    }
    boolean copy = copies.chosen(migration, catalog, table, known, false);
    if (migration.stored() && !copy) {
      throw catalog.refuse(
          "column \""
              + migration.column()
              + "\" is to be stored, for which the server copies the table, with every write"
              + " blocked",
          CopyRoute.remedy(
              "leave out stored(): a virtual column needs no copy, and can have an index. Or use"
                  + " AddColumn with fillWithSql(\""
                  + migration.expression()
                  + "\"), whose triggers compute new values while batches fill the others."));
    }
    if (copy && !migration.stored()) {
      throw catalog.refuse(
          "column \"" + migration.column() + "\" is virtual, and needs no copy of the table",
          "Leave byCopy() out.");
    }
    String definition = tryOut(catalog, table, migration);
    catalog.requireComputable(
        table, migration.expression(), "of column \"" + migration.column() + "\"");
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put(DEFINITION, definition);
    if (copy) {
      facts.putAll(
          copies.facts(
              migration,
              catalog,
              table,
              known,
              PrimaryKey.of(connection, migration.id(), table.schema(), table.name())));
    }
    return facts;
  }

  private static String tryOut(Catalog catalog, CatalogTable table, AddGeneratedColumn migration)
      throws SQLException {
    Trial.require(catalog, table);
    String what =
        "column \""
            + migration.column()
            + "\" of type "
            + migration.type()
            + " can't be generated as ("
            + migration.expression()
            + "): ";
    ShowCreate made;
    try {
      made =
          Trial.make(
              catalog,
              table,
              Map.of(
                  migration.column(),
                  migration.type()
                      + " GENERATED ALWAYS AS ("
                      + migration.expression()
                      + (migration.stored() ? ") STORED" : ") VIRTUAL")),
              null);
    } catch (SQLException e) {
      throw catalog.refuse(
          what + "the server says \"" + Catalog.said(e) + "\"",
          "Correct the type or the expression.");
    }
    String definition = made.columns().get(migration.column());
    if (definition == null
        || made.columns().size() != table.definition().columns().size() + 1
        || made.keys().size() > table.definition().keys().size()
        || !made.constraints().isEmpty()
        || !definition.endsWith(migration.stored() ? " STORED" : " VIRTUAL")) {
      throw catalog.refuse(
          what + "that is more than a type and an expression",
          "Declare CreateIndex, AddUnique or AddCheck for the rest.");
    }
    return definition;
  }

  @Override
  public List<String> advice(AddGeneratedColumn migration, Map<String, Object> facts) {
    List<String> advice = new ArrayList<>();
    advice.add(
        "column \""
            + migration.column()
            + "\" is INVISIBLE, and stays so: SELECT * and INSERT without a column list leave it"
            + " out; who names it reads it.");
    if (!version.mariadb()) {
      advice.add(
          "MySQL computes it for every row that is written, and rejects one whose value can't be"
              + " computed, or doesn't fit the type "
              + migration.type()
              + ": give it room for whatever code may write.");
    }
    return advice;
  }

  /** What people have built on it would go with it, or keep it from going. */
  @Override
  public void preflightBack(
      AddGeneratedColumn migration,
      Target target,
      int phase,
      Map<String, Object> facts,
      Connection connection)
      throws SQLException {
    Catalog catalog = new Catalog(migration, target, version, connection);
    CatalogTable table = catalog.table(migration.table());
    CatalogColumn column = CatalogColumn.find(catalog, table, migration.column()).orElse(null);
    if (column == null) {
      return;
    }
    List<String> users = new ArrayList<>(ColumnUsers.of(catalog, table, column.name()));
    for (CatalogIndex index : catalog.indexes(table)) {
      if (index.columns().stream().anyMatch(column.name()::equalsIgnoreCase)) {
        users.add("index " + index.name());
      }
    }
    if (!users.isEmpty()) {
      throw catalog.refuse(
          "column "
              + column.quoted()
              + " of table "
              + table.display()
              + " is used by "
              + String.join(", ", users),
          "Drop these first.");
    }
  }

  @Override
  public List<Step> steps(
      AddGeneratedColumn migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    if (phase != AddGeneratedColumn.DONE) {
      throw new IllegalArgumentException("AddGeneratedColumn has no phase " + phase);
    }
    String column = Sql.quote(migration.column());
    String there = Probes.column(target.schema(), migration.table(), migration.column(), "TRUE");
    if (CopyRoute.chosen(facts)) {
      return copied(migration, target, facts, direction, there);
    }
    return List.of(
        direction == Direction.UP
            ? Ddl.step(
                "add-generated-column",
                "adds the column, invisible, which is computed when it is read; touches no row",
                target.schema(),
                migration.table(),
                "ADD COLUMN "
                    + column
                    + " "
                    + Facts.required(facts, DEFINITION)
                    + " INVISIBLE"
                    + Ddl.instant(),
                Probes.all(there))
            : Ddl.step(
                "drop-generated-column",
                "drops the column, whose values come from others; touches no row",
                target.schema(),
                migration.table(),
                "DROP COLUMN " + column + Ddl.instant(),
                Probes.all(Probes.not(there))));
  }

  private static List<Step> copied(
      AddGeneratedColumn migration,
      Target target,
      Map<String, Object> facts,
      Direction direction,
      String there) {
    String column = Sql.quote(migration.column());
    CopySteps up = new CopySteps(migration.id(), target.schema(), migration.table(), "up", facts);
    if (direction == Direction.UP) {
      return up.replace(
          "ADD COLUMN " + column + " " + Facts.required(facts, DEFINITION) + " INVISIBLE",
          "adds the column, invisible, with a value in each row",
          there);
    }
    List<Step> steps = new ArrayList<>(up.undo());
    steps.addAll(
        new CopySteps(migration.id(), target.schema(), migration.table(), "down", facts)
            .replace(
                "DROP COLUMN " + column,
                "drops the column, whose values come from others",
                Probes.not(there)));
    return steps;
  }

  @Override
  public List<String> net(
      AddGeneratedColumn migration, NetTarget target, Map<String, Object> facts) {
    return List.of(
        new Plain(target)
            .alter(
                migration.table(),
                "ADD COLUMN "
                    + Plain.name(migration.column())
                    + " "
                    + migration.type()
                    + " GENERATED ALWAYS AS ("
                    + migration.expression()
                    + (migration.stored() ? ") STORED" : ") VIRTUAL")
                    + " INVISIBLE"));
  }
}
