package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.Probe;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.TableLock;
import java.util.List;

/**
 * Statements that change one table, each with the algorithm that it is allowed: the server then
 * refuses rather than copies the table.
 */
final class Ddl {

  private Ddl() {}

  /** What the catalog alone is changed by, on both flavors. */
  static String instant() {
    return ", ALGORITHM=INSTANT";
  }

  /** What reads or writes no rows, but isn't INSTANT everywhere. */
  static String catalogOnly(MysqlVersion version) {
    return noCopy(version);
  }

  /** What builds an index, and never the table. */
  static String noCopy(MysqlVersion version) {
    return version.mariadb() ? ", ALGORITHM=NOCOPY, LOCK=NONE" : ", ALGORITHM=INPLACE, LOCK=NONE";
  }

  /** A short one. */
  static Step step(
      String name, String summary, String schema, String table, String change, Probe done) {
    return step(name, summary, schema, table, change, done, false);
  }

  /**
   * A short one.
   *
   * @param changesRowType whether {@code SELECT *} gives something else afterwards, or snapshots
   *     that are older can't be read any more
   */
  static Step step(
      String name,
      String summary,
      String schema,
      String table,
      String change,
      Probe done,
      boolean changesRowType) {
    String qualified = Sql.qualified(schema, table);
    return new DdlStep(
        name,
        summary,
        TableLock.each("EXCLUSIVE", List.of(qualified)),
        List.of("ALTER TABLE " + qualified + " " + change),
        done,
        changesRowType);
  }

  /** A long one, during which the table is read and written. It leaves nothing if it is ended. */
  static Step online(
      String name, String summary, String schema, String table, String change, Probe done) {
    String qualified = Sql.qualified(schema, table);
    return new OnlineStep(
        name,
        summary,
        TableLock.each("SHARED_UPGRADABLE", List.of(qualified)),
        "ALTER TABLE " + qualified + " " + change,
        done,
        Probes.NEVER,
        List.of(),
        false);
  }
}
