package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.RenameIndex;
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
final class MysqlRenameIndex implements OperationSupport<RenameIndex> {

  private final MysqlVersion version;

  MysqlRenameIndex(MysqlVersion version) {
    this.version = version;
  }

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
    Catalog catalog = new Catalog(migration, target, version, connection);
    Sql.requireFits(migration.id(), "index", migration.to());
    CatalogTable table = catalog.table(migration.table());
    CatalogIndex index = catalog.index(table, migration.from());
    if (index.primary() || migration.to().equalsIgnoreCase("PRIMARY")) {
      throw catalog.refuse(
          "the primary key of table " + table.display() + " is always called PRIMARY",
          "Correct the name.");
    }
    CatalogIndex there = catalog.find(table, migration.to()).orElse(null);
    if (there != null) {
      throw catalog.refuse(
          "the name \""
              + migration.to()
              + "\" for the index is taken: table "
              + table.display()
              + " has "
              + there.clause(),
          there.name().equals(index.name())
              ? "Upper and lower case make no difference in the names of indexes: nothing is to be"
                  + " done."
              : "Choose another name, or drop what has it.");
    }
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

  private Step rename(RenameIndex migration, Target target, String name, String from, String to) {
    String schema = target.schema();
    String table = migration.table();
    return Ddl.step(
        name,
        "renames the index; only a statement that names it in a hint notices",
        schema,
        table,
        "RENAME INDEX " + Sql.quote(from) + " TO " + Sql.quote(to) + Ddl.catalogOnly(version),
        Probes.all(Probes.index(schema, table, to), Probes.not(Probes.index(schema, table, from))));
  }

  @Override
  public List<String> net(RenameIndex migration, NetTarget target, Map<String, Object> facts) {
    return List.of(
        new Plain(target)
            .alter(
                migration.table(),
                "RENAME INDEX "
                    + Plain.name(migration.from())
                    + " TO "
                    + Plain.name(migration.to())));
  }
}
