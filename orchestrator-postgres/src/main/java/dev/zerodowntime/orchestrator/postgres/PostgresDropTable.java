package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.DropTable;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A table is renamed to a tombstone, and after a while dropped.
 *
 * <p>A publication of all tables, or of a whole schema, goes on publishing the tombstone, of which
 * nothing is written: no subscriber meets a name it doesn't know.
 */
final class PostgresDropTable implements OperationSupport<DropTable> {

  @Override
  public OperationType<DropTable> type() {
    return DropTable.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      DropTable migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    DropTableCheck check = new DropTableCheck(migration, target, connection);
    if (phase == DropTable.PURGE) {
      return check.facts(tombstone(migration, target));
    }
    Catalog catalog = new Catalog(migration, target, connection);
    Map<String, Object> facts = check.facts(migration.table());
    Privileges.requireCreate(catalog, "tables", target.schema());
    catalog.requireFree("tombstone", tombstone(migration, target));
    return facts;
  }

  /** What came to use the table since must not break, nor keep it from being dropped. */
  @Override
  public boolean recaptures(int phase) {
    return true;
  }

  private static String tombstone(DropTable migration, Target target) {
    return Sql.tombstone(migration.id(), target.schema(), migration.table());
  }

  @Override
  public List<Step> steps(
      DropTable migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    String tombstone = tombstone(migration, target);
    boolean up = direction == Direction.UP;
    return switch (phase) {
      case DropTable.CONTRACT ->
          List.of(
              up
                  ? rename(
                      "quarantine-table",
                      "renames the table to a tombstone, with everything in it"
                          + stillRejects(facts),
                      target.schema(),
                      migration.table(),
                      tombstone)
                  : rename(
                      "restore-table",
                      "brings the table back from quarantine",
                      target.schema(),
                      tombstone,
                      migration.table()));
      case DropTable.PURGE ->
          up ? List.of(purge(facts, Sql.qualified(target.schema(), tombstone))) : List.of();
      default -> throw new IllegalArgumentException("DropTable has no phase " + phase);
    };
  }

  private static String stillRejects(Map<String, Object> facts) {
    List<String> rejecting = Facts.texts(facts, DropTableCheck.REJECTING);
    return rejecting.isEmpty()
        ? ""
        : "; until PURGE the rows it references can't be deleted, because of its foreign keys "
            + rejecting;
  }

  /** Also how a new table is taken back. */
  static Step rename(String name, String summary, String schema, String from, String to) {
    String table = Sql.qualified(schema, from);
    return new DdlStep(
        name,
        summary,
        "ACCESS EXCLUSIVE on " + table + ", within the lock budget",
        List.of(table),
        List.of("ALTER TABLE " + table + " RENAME TO " + Sql.quote(to)),
        Probes.all(Probes.not(Probes.table(table)), Probes.table(Sql.qualified(schema, to))),
        false);
  }

  private static Step purge(Map<String, Object> facts, String tombstone) {
    List<String> tables = new ArrayList<>(List.of(tombstone));
    tables.addAll(Facts.texts(facts, DropTableCheck.PARTNERS));
    return new DdlStep(
        "drop-table",
        "drops the tombstone, with everything in it; there is no way back",
        "ACCESS EXCLUSIVE on " + String.join(", ", tables) + ", within the lock budget",
        tables,
        List.of("DROP TABLE IF EXISTS " + tombstone),
        Probes.all(Probes.not(Probes.table(tombstone))),
        false);
  }

  @Override
  public List<String> net(DropTable migration, NetTarget target, Map<String, Object> facts) {
    return List.of("DROP TABLE " + new Plain(target).in(migration.table()));
  }
}
