package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.AddGeneratedColumn;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;

/** A generated column, where the server leaves the rows alone or there are none. */
final class PostgresAddGeneratedColumn implements OperationSupport<AddGeneratedColumn> {

  private static final int VIRTUAL = 180_000;

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
    Catalog catalog = new Catalog(migration, target, connection);
    Sql.requireFits(migration.id(), "column", migration.column());
    CatalogTable table = catalog.table(migration.table());
    table.requireRoom(catalog);
    if (catalog.find(table, migration.column()).isPresent()) {
      throw catalog.refuse(
          "table " + table.display() + " already has a column \"" + migration.column() + "\"",
          "Choose another name, or remove the migration if that column is meant.");
    }
    RowStars.refuse(catalog, table);
    if (!migration.stored() && RecordedStatements.version(catalog) < VIRTUAL) {
      throw catalog.refuse(
          "column \"" + migration.column() + "\" is to be virtual, which takes PostgreSQL 18",
          otherwise(migration));
    }
    if (tryOut(catalog, table, migration)) {
      requireEmpty(catalog, table, migration);
    }
    return Map.of();
  }

  private static String otherwise(AddGeneratedColumn migration) {
    return "Use AddColumn with fillWithSql(\""
        + migration.expression()
        + "\"), whose trigger computes new values while batches fill the others.";
  }

  /** Whether the table would be rewritten. */
  private static boolean tryOut(Catalog catalog, CatalogTable table, AddGeneratedColumn migration)
      throws SQLException {
    try (Trial trial = new Trial(catalog, table, 0)) {
      String add = add(trial.name(), migration);
      if (catalog.attempt(add).isPresent()) {
        trial.require(
            add,
            "column \""
                + migration.column()
                + "\" of type "
                + migration.type()
                + " can't be generated as ("
                + migration.expression()
                + ")",
            "Correct the type or the expression.");
      }
      return trial.rewrites(add);
    }
  }

  private static void requireEmpty(
      Catalog catalog, CatalogTable table, AddGeneratedColumn migration) throws SQLException {
    table.requireAllRows(catalog, "the look whether the table is empty");
    if (catalog.text("SELECT EXISTS (SELECT 1 FROM " + table.qualified() + ")").equals("t")) {
      throw catalog.refuse(
          "table "
              + table.display()
              + " has rows, which would all be rewritten for the stored column \""
              + migration.column()
              + "\", while nobody may read the table",
          otherwise(migration)
              + (RecordedStatements.version(catalog) < VIRTUAL
                  ? ""
                  : " Or leave out stored(): a virtual column needs no rewrite."));
    }
  }

  private static String add(String table, AddGeneratedColumn migration) {
    return "ALTER TABLE "
        + table
        + " ADD COLUMN "
        + Sql.quote(migration.column())
        + " "
        + migration.type()
        + " GENERATED ALWAYS AS ("
        + migration.expression()
        + ") "
        + (migration.stored() ? "STORED" : "VIRTUAL");
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
    String table = Sql.qualified(target.schema(), migration.table());
    String lock = "ACCESS EXCLUSIVE on " + table + ", within the lock budget";
    if (direction == Direction.DOWN) {
      return List.of(
          new DdlStep(
              "drop-generated-column",
              "drops the column, whose values come from others; touches no row",
              lock,
              List.of(table),
              List.of(
                  "ALTER TABLE "
                      + table
                      + " DROP COLUMN IF EXISTS "
                      + Sql.quote(migration.column())),
              Probes.all(Probes.not(Probes.column(table, migration.column()))),
              true));
    }
    return List.of(
        new DdlStep(
            "add-generated-column",
            migration.stored()
                ? "adds the column, to a table that was found empty"
                : "adds the column, which is computed when it is read; touches no row",
            lock,
            List.of(table),
            List.of(add(table, migration)),
            Probes.all(
                Probes.attribute(
                    table,
                    migration.column(),
                    "a.attgenerated = '" + (migration.stored() ? "s" : "v") + "'")),
            true));
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
                    + ") "
                    + (migration.stored() ? "STORED" : "VIRTUAL")));
  }
}
