package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Shortcut;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.Probe;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.TableLock;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * On a table without rows, what is otherwise done in several steps, so that nobody waits for a scan
 * or a build, is done at once.
 *
 * <p>Whether there are rows is noted with the other facts, and asked again in the transaction that
 * relies on it, under the lock that keeps rows away. The usual steps stay where they are, after the
 * shortcut: they find everything done, or else do it. So whatever comes in between, be it rows or a
 * crash, nothing is missed and nothing is done twice.
 */
final class EmptyTable {

  /** Names the note for whether it was empty. */
  private static final String FACT = "emptyTable";

  /**
   * What is left of rows that were deleted is read too: more than this is not read under a lock.
   */
  private static final int MAX_BYTES = 1 << 20;

  private EmptyTable() {}

  /**
   * Notes whether a table is empty, as far as this user may look; partitioned tables are not looked
   * at.
   */
  static void note(Catalog catalog, CatalogTable table, Map<String, Object> facts)
      throws SQLException {
    boolean small =
        !table.partitioned()
            && !table.rowSecurity()
            && catalog
                .list(
                    "SELECT pg_relation_size(?::bigint::oid) <= "
                        + MAX_BYTES
                        + " AND has_table_privilege(?::bigint::oid, 'SELECT')",
                    row -> row.getBoolean(1),
                    table.oid(),
                    table.oid())
                .get(0);
    facts.put(FACT, small && catalog.text(condition(table.qualified())).equals("t"));
  }

  /** Whether it was, when that was noted. */
  static boolean was(Map<String, Object> facts) {
    return Facts.flag(facts, FACT);
  }

  private static String condition(String table) {
    return "SELECT CASE WHEN pg_catalog.pg_relation_size("
        + Sql.regclass(table)
        + ") > "
        + MAX_BYTES
        + " THEN false ELSE NOT EXISTS (SELECT 1 FROM "
        + table
        + ") END";
  }

  /**
   * The usual steps, after the shortcut if there were no rows.
   *
   * @param step the shortcut's name
   * @param summary what it does
   * @param mode the lock it takes, which keeps rows away
   * @param tables what it locks, the one without rows first; quoted and qualified
   * @param sql the statement
   * @param done whether it has happened
   * @param usual the steps that do the same for rows; they find it done
   */
  static List<Step> atOnce(
      Map<String, Object> facts,
      String step,
      String summary,
      LockMode mode,
      List<String> tables,
      String sql,
      Probe done,
      List<Step> usual) {
    if (!was(facts)) {
      return usual;
    }
    String table = tables.get(0);
    String words = mode.name().replace('_', ' ');
    List<Step> steps = new ArrayList<>();
    steps.add(
        new DdlStep(
                step,
                summary
                    + ", if the table still has no rows; else, and where that is done, the next"
                    + " steps see to it",
                TableLock.each(words, tables),
                List.of("LOCK TABLE " + table + " IN " + words + " MODE", sql),
                done,
                false)
            .onlyIf(new Probe(condition(table))));
    steps.addAll(usual);
    return steps;
  }

  /**
   * An index without CONCURRENTLY, which would wait for all transactions of the database that are
   * older.
   *
   * @param index quoted and qualified
   * @param sql the statement
   * @param usual builds it while the table is in use
   */
  static List<Step> indexAtOnce(
      Map<String, Object> facts, String table, String index, String sql, Step usual) {
    return atOnce(
        facts,
        "create-index-at-once",
        "builds the index at once",
        LockMode.SHARE,
        List.of(table),
        sql,
        Probes.all(Probes.index(table, index)),
        List.of(usual));
  }

  /** The same for the plan. */
  static List<Shortcut> indexShortcut(Map<String, Object> facts) {
    return shortcut(
        facts,
        "the index is built at once, in place of CONCURRENTLY, which waits for every older"
            + " transaction of the database");
  }

  /**
   * A constraint that is valid at once.
   *
   * @param tables what it locks, the constraint's own table first
   * @param name its name, unquoted
   * @param definition what follows the name
   * @param usual adds it without looking at the rows
   */
  static List<Step> constraintAtOnce(
      Map<String, Object> facts,
      LockMode mode,
      List<String> tables,
      String name,
      String definition,
      List<Step> usual) {
    String table = tables.get(0);
    return atOnce(
        facts,
        "constraint-at-once",
        "adds the constraint at once",
        mode,
        tables,
        "ALTER TABLE " + table + " ADD CONSTRAINT " + Sql.quote(name) + " " + definition,
        Probes.all(Probes.constraint(table, name)),
        usual);
  }

  /** The same for the plan. */
  static List<Shortcut> constraintShortcut(Map<String, Object> facts) {
    return shortcut(
        facts, "the constraint is valid at once, in place of NOT VALID first and VALIDATE later");
  }

  /**
   * For the plan.
   *
   * @param what what is done at once, and what for
   */
  static List<Shortcut> shortcut(Map<String, Object> facts, String what) {
    return was(facts)
        ? List.of(
            new Shortcut(
                Shortcut.Kind.EMPTY_TABLE,
                what + "; should rows have come by then, in the usual steps"))
        : List.of();
  }
}
