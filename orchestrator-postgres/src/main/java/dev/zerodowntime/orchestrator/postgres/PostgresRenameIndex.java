package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.RenameIndex;
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

/** An index under another name. */
final class PostgresRenameIndex implements OperationSupport<RenameIndex> {

  @Override
  public OperationType<RenameIndex> type() {
    return RenameIndex.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      RenameIndex migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    Catalog catalog = new Catalog(migration, target, connection);
    Sql.requireFits(migration.id(), "index", migration.to());
    CatalogTable table = catalog.table(migration.table());
    CatalogIndex index = DropIndexCheck.index(catalog, table, migration.from());
    if (index.constraint() != null) {
      throw catalog.refuse(
          "index "
              + Sql.quote(index.name())
              + " of table "
              + table.display()
              + " belongs to constraint "
              + Sql.quote(index.constraint())
              + ", which would be renamed with it",
          "Code may name a constraint in ON CONFLICT ON CONSTRAINT: rename it with"
              + " RenameConstraint.");
    }
    Privileges.requireCreate(catalog, "indexes", table.schema());
    catalog.requireFree("index", migration.to());
    return Map.of();
  }

  @Override
  public List<Step> steps(
      RenameIndex migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    return List.of(
        direction == Direction.UP
            ? rename(migration, target, "rename-index", migration.from(), migration.to())
            : rename(migration, target, "rename-index-back", migration.to(), migration.from()));
  }

  private static Step rename(
      RenameIndex migration, Target target, String name, String from, String to) {
    String table = Sql.qualified(target.schema(), migration.table());
    String index = Sql.qualified(target.schema(), from);
    return new DdlStep(
        name,
        "renames the index; whoever reads or writes the table doesn't notice",
        "SHARE UPDATE EXCLUSIVE on " + table,
        // In truth the index alone: no read or write waits for this lock, nor queues behind it.
        List.of(table),
        List.of("ALTER INDEX " + index + " RENAME TO " + Sql.quote(to)),
        Probes.all(
            Probes.index(table, Sql.qualified(target.schema(), to)),
            Probes.not(Probes.index(table, index))),
        false);
  }

  @Override
  public List<String> net(RenameIndex migration, NetTarget target, Map<String, Object> facts) {
    return List.of(
        "ALTER INDEX "
            + new Plain(target).in(migration.from())
            + " RENAME TO "
            + Plain.name(migration.to()));
  }
}
