package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.Reindex;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Probe;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Indexes, rebuilt CONCURRENTLY, one by one.
 *
 * <p>The server builds a new index beside the old one, {@code _ccnew}; then, in one transaction,
 * the new one takes over the name and the old one becomes {@code _ccold} and INVALID; then it drops
 * the old one. So until the swap the leftover of a killed run is the new one, and after it the old
 * one; in either case it is the one that is INVALID and does not have the name. After the swap the
 * name means another oid and another file; a plain REINDEX, or whatever rewrites the table, gives
 * it at least another file, and has rebuilt it just as well.
 */
final class PostgresReindex implements OperationSupport<Reindex> {

  @Override
  public OperationType<Reindex> type() {
    return Reindex.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      Reindex migration, Target target, int phase, Map<String, Object> known, Connection connection)
      throws SQLException {
    return new ReindexCheck(migration, target, connection).facts();
  }

  @Override
  public List<Step> steps(
      Reindex migration, Target target, Map<String, Object> facts, int phase, Direction direction) {
    List<Step> steps = new ArrayList<>();
    if (direction == Direction.DOWN) {
      return steps;
    }
    String schema = target.schema();
    String table = Sql.qualified(schema, migration.table());
    for (String leftover : Facts.texts(facts, ReindexCheck.LEFTOVERS)) {
      steps.add(drop("drop-leftover:" + leftover, table, Sql.qualified(schema, leftover)));
    }
    for (Map<String, Object> each : Facts.maps(facts, ReindexCheck.INDEXES)) {
      String name = Facts.required(each, "name");
      String fresh = Sql.qualified(schema, leftover(name, "_ccnew"));
      String old = Sql.qualified(schema, leftover(name, "_ccold"));
      steps.add(
          new OnlineStep(
              "reindex:" + name,
              "builds the index anew while the table is in use, and drops the old one",
              lock(table),
              "REINDEX INDEX CONCURRENTLY " + Sql.qualified(schema, name),
              Probes.all(
                  Probes.rebuiltIndex(
                      table, Sql.qualified(schema, name), Facts.required(each, "was"))),
              broken(table, fresh, old),
              List.of(sql(fresh), sql(old))));
      // What is there in spite of a rebuilt index comes from a run that died after the swap, or
      // from one that died before it and was made needless by another.
      steps.add(drop("drop-old:" + name, table, old));
      steps.add(drop("drop-new:" + name, table, fresh));
    }
    return steps;
  }

  /** The name that the server gives an index for the time being. */
  static String leftover(String index, String suffix) {
    return Sql.cut(index, Sql.MAX_NAME_BYTES - suffix.length()) + suffix;
  }

  /** Nothing that is of use to anybody has one of these names. */
  private static Probe broken(String table, String fresh, String old) {
    return Probes.all(
        Probes.either(Probes.invalidIndex(table, fresh), Probes.invalidIndex(table, old)),
        Probes.not(Probes.validIndex(table, fresh)),
        Probes.not(Probes.validIndex(table, old)));
  }

  private static Step drop(String name, String table, String leftover) {
    return new OnlineStep(
        name,
        "drops what a run that was killed has left behind, if anything",
        lock(table),
        sql(leftover),
        Probes.all(Probes.not(Probes.invalidIndex(table, leftover))),
        Probes.NEVER,
        List.of());
  }

  private static String sql(String index) {
    return "DROP INDEX CONCURRENTLY IF EXISTS " + index;
  }

  private static String lock(String table) {
    return "SHARE UPDATE EXCLUSIVE on " + table + ": blocks neither reads nor writes";
  }

  @Override
  public List<String> net(Reindex migration, NetTarget target, Map<String, Object> facts) {
    return List.of();
  }
}
