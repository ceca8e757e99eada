package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.AddExclusion;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;

/** An exclusion constraint, on a table without rows; on others it blocks for its index's build. */
final class PostgresAddExclusion implements OperationSupport<AddExclusion> {

  @Override
  public OperationType<AddExclusion> type() {
    return AddExclusion.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      AddExclusion migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    Catalog catalog = new Catalog(migration, target, connection);
    Sql.requireFits(migration.id(), "constraint", migration.name());
    CatalogTable table = catalog.table(migration.table());
    catalog.requireFree("constraint", migration.name());
    NamedConstraint there = NamedConstraint.read(catalog, table, migration.name()).orElse(null);
    if (there != null) {
      throw catalog.refuse(
          "table "
              + table.display()
              + " has another constraint \""
              + there.name()
              + "\": "
              + there.definition(),
          "Choose another name.");
    }
    Privileges.requireCreate(catalog, "indexes", table.schema());
    try (Trial trial = new Trial(catalog, table, 0)) {
      trial.require(
          "ALTER TABLE " + trial.name() + " ADD " + constraint(migration),
          "the exclusion constraint " + migration.definition(),
          "Correct the definition: what follows EXCLUDE, such as USING gist (during WITH &&).");
    }
    table.requireAllRows(catalog, "the look whether the table is empty");
    if (catalog.text("SELECT EXISTS (SELECT 1 FROM " + table.qualified() + ")").equals("t")) {
      throw catalog.refuse(
          "table "
              + table.display()
              + " has rows, and PostgreSQL builds the index of exclusion constraint \""
              + migration.name()
              + "\" while nobody may use the table: there is neither CONCURRENTLY nor NOT VALID for"
              + " it",
          "Use AddUnique if all operators are =. Else create a table that has it by CreateTable"
              + " with constraint(...), and move code and rows to that; or add it by hand in a"
              + " maintenance window.");
    }
    return Map.of();
  }

  private static String constraint(AddExclusion migration) {
    return "CONSTRAINT " + Sql.quote(migration.name()) + " EXCLUDE " + migration.definition();
  }

  @Override
  public List<Step> steps(
      AddExclusion migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    if (phase != AddExclusion.DONE) {
      throw new IllegalArgumentException("AddExclusion has no phase " + phase);
    }
    List<String> tables = List.of(Sql.qualified(target.schema(), migration.table()));
    return List.of(
        direction == Direction.UP
            ? ConstraintSteps.add(
                "add-exclusion",
                "adds the constraint, to a table that was found empty",
                LockMode.ACCESS_EXCLUSIVE,
                tables,
                migration.name(),
                "EXCLUDE " + migration.definition())
            : ConstraintSteps.drop(
                "drop-exclusion",
                "drops the constraint, and with it its index",
                tables,
                migration.name()));
  }

  @Override
  public List<String> net(AddExclusion migration, NetTarget target, Map<String, Object> facts) {
    return List.of(
        new Plain(target)
            .addConstraint(
                migration.table(), false, migration.name(), "EXCLUDE " + migration.definition()));
  }
}
