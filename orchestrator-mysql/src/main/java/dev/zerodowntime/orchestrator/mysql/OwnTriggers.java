package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.TableLock;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.SQLException;
import java.util.List;

/**
 * Triggers that a migration has on a table. Each comes and goes by a statement of its own, so that
 * nobody may rely on one before both are there.
 *
 * <p>They run after the triggers that are there already, which a server does in the order in which
 * they were created.
 */
abstract class OwnTriggers {

  private final String schema;
  private final String table;
  private final String hash;

  OwnTriggers(String migration, Target target, String table) {
    this.schema = target.schema();
    this.table = table;
    this.hash = Sql.hash8(migration, target.schema());
  }

  /** Unquoted. */
  final String table() {
    return table;
  }

  /**
   * Whether they may be created at all, as far as can be told.
   *
   * @throws SQLException if the catalog can't be read
   */
  static void require(Catalog catalog, CatalogTable table) throws SQLException {
    require(catalog, table, "");
  }

  /**
   * The same.
   *
   * @param instead another operation that needs none, for the remedy
   */
  static void require(Catalog catalog, CatalogTable table, String instead) throws SQLException {
    Privileges privileges = Privileges.of(catalog);
    privileges.require(table, "TRIGGER");
    if (catalog.settings().triggersNeedSuper()) {
      privileges.requireGlobal(
          "SUPER",
          "or SET GLOBAL log_bin_trust_function_creators = ON: with the binary log on, the server"
              + " lets nobody else create triggers; managed servers have it as a parameter."
              + instead);
    }
  }

  private record Placed(String name, String event, long order) {}

  /**
   * Refuses triggers of others that run after ours: they may change what ours has looked at. One
   * plain query: a join of the catalog's view of triggers with itself has crashed a MariaDB.
   *
   * @param prefix what the names of ours begin with
   */
  static void requireLast(Catalog catalog, CatalogTable table, String prefix) throws SQLException {
    List<Placed> all =
        catalog.list(
            "SELECT TRIGGER_NAME, CONCAT(ACTION_TIMING, ' ', EVENT_MANIPULATION), ACTION_ORDER FROM"
                + " information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = ? AND"
                + " EVENT_OBJECT_TABLE = ?",
            row -> new Placed(row.getString(1), row.getString(2), row.getLong(3)),
            table.schema(),
            table.name());
    List<String> after =
        all.stream()
            .filter(each -> !each.name().startsWith("zdo_"))
            .filter(
                each ->
                    all.stream()
                        .anyMatch(
                            ours ->
                                ours.name().startsWith(prefix)
                                    && ours.event().equals(each.event())
                                    && ours.order() < each.order()))
            .map(Placed::name)
            .toList();
    if (!after.isEmpty()) {
      throw catalog.refuse(
          "triggers " + after + " of table " + table.display() + " run after the library's own",
          "Drop these, and create them anew with PRECEDES a trigger of the library's.");
    }
  }

  /**
   * Creates one.
   *
   * @param step the step's name
   * @param prefix what the trigger's name begins with; the migration's hash follows
   * @param when such as {@code BEFORE INSERT}
   * @param body statements, each with its semicolon
   */
  final Step create(String step, String summary, String prefix, String when, String body) {
    return step(
        step,
        summary,
        "CREATE TRIGGER "
            + name(prefix)
            + " "
            + when
            + " ON "
            + Sql.qualified(schema, table)
            + " FOR EACH ROW BEGIN "
            + body
            + " END",
        there(prefix));
  }

  /** Drops one. */
  final Step drop(String step, String summary, String prefix) {
    return step(step, summary, "DROP TRIGGER IF EXISTS " + name(prefix), Probes.not(there(prefix)));
  }

  private String name(String prefix) {
    return Sql.qualified(schema, prefix + hash);
  }

  /** Whether it is there. */
  final String there(String prefix) {
    return Probes.trigger(schema, table, prefix + hash);
  }

  private Step step(String name, String summary, String sql, String done) {
    return new DdlStep(
        name,
        summary,
        TableLock.each("EXCLUSIVE", List.of(Sql.qualified(schema, table))),
        List.of(sql),
        Probes.all(done),
        false);
  }
}
