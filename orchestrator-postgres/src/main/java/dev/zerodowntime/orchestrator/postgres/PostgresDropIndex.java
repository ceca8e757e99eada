package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.DropIndex;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** An index, dropped CONCURRENTLY, and built again CONCURRENTLY on the way back. */
final class PostgresDropIndex implements OperationSupport<DropIndex> {

  @Override
  public OperationType<DropIndex> type() {
    return DropIndex.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      DropIndex migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    return new DropIndexCheck(new Catalog(migration, target, connection)).facts(migration);
  }

  @Override
  public List<Step> steps(
      DropIndex migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    String table = Sql.qualified(target.schema(), migration.table());
    String index = Sql.qualified(target.schema(), migration.name());
    if (direction == Direction.DOWN) {
      return Facts.flag(facts, DropIndexCheck.VALID) ? back(facts, table, index) : List.of();
    }
    return List.of(
        new OnlineStep(
            "drop-index",
            "drops the index without blocking anybody; it first waits for transactions that may"
                + " use it",
            lock(table),
            drop(index),
            Probes.all(Probes.not(Probes.index(table, index))),
            // A drop that was cut off leaves it INVALID, and the same statement finishes it.
            Probes.NEVER,
            List.of()));
  }

  private static String lock(String table) {
    return "SHARE UPDATE EXCLUSIVE on " + table + ": blocks neither reads nor writes";
  }

  private static String drop(String index) {
    return "DROP INDEX CONCURRENTLY IF EXISTS " + index;
  }

  /** The index as it was, with its comment. */
  static List<Step> back(Map<String, Object> facts, String table, String index) {
    List<Step> steps = new ArrayList<>();
    steps.add(
        new OnlineStep(
            "rebuild-index",
            "builds the same index again while the table is in use; a unique one fails if there are"
                + " duplicates by now",
            lock(table),
            Facts.required(facts, DropIndexCheck.DEFINITION),
            Probes.all(Probes.validIndex(table, index)),
            Probes.all(Probes.invalidIndex(table, index)),
            List.of(drop(index))));
    for (Map<String, Object> each : Facts.maps(facts, DropIndexCheck.STATISTICS)) {
      String number = Facts.required(each, "number");
      String value = Facts.required(each, "value");
      steps.add(
          ofIndex(
              "statistics:" + number,
              "the statistics target of its expression",
              table,
              "ALTER INDEX " + index + " ALTER COLUMN " + number + " SET STATISTICS " + value,
              "EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid = "
                  + Sql.regclass(index)
                  + " AND a.attnum = "
                  + number
                  + " AND a.attstattarget = "
                  + value
                  + ")"));
    }
    String comment = Facts.text(facts, DropIndexCheck.COMMENT);
    if (comment != null) {
      steps.add(
          ofIndex(
              "comment",
              "its comment",
              table,
              "COMMENT ON INDEX " + index + " IS " + Sql.literal(comment),
              "coalesce(pg_catalog.obj_description("
                  + Sql.regclass(index)
                  + ", 'pg_class') = "
                  + Sql.literal(comment)
                  + ", false)"));
    }
    return steps;
  }

  /** In truth only the index is locked, and what queues behind that is no read or write. */
  private static Step ofIndex(
      String name, String summary, String table, String sql, String condition) {
    return new DdlStep(
        name,
        summary,
        "SHARE UPDATE EXCLUSIVE on " + table,
        List.of(table),
        List.of(sql),
        Probes.all(condition),
        false);
  }

  @Override
  public List<String> net(DropIndex migration, NetTarget target, Map<String, Object> facts) {
    return List.of("DROP INDEX " + new Plain(target).in(migration.name()));
  }
}
