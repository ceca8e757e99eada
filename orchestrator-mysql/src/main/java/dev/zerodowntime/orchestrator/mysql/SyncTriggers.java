package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * Triggers that keep two columns of a row the same, in both directions. What differs is told by
 * image, not by the collation; and a statement that changes neither changes nothing, so that a
 * value which is not copied yet can never overwrite one.
 */
final class SyncTriggers extends OwnTriggers {

  /** What the names of all of them begin with. */
  static final String OURS = "zdo_sync_";

  private static final String INSERT = OURS + "both_insert_";
  private static final String UPDATE = OURS + "both_update_";

  SyncTriggers(String migration, Target target, String table) {
    super(migration, target, table);
  }

  /** Whether two values are the same to the last byte. */
  static String same(String one, String other) {
    return "("
        + one
        + " <=> "
        + other
        + " AND CAST("
        + one
        + " AS BINARY) <=> CAST("
        + other
        + " AS BINARY))";
  }

  /** Whoever comes after ours may change what ours has compared. */
  static void requireLast(Catalog catalog, CatalogTable table) throws SQLException {
    requireLast(catalog, table, OURS);
  }

  /** Both directions. */
  List<Step> both(String old, String fresh) {
    String o = Sql.quote(old);
    String n = Sql.quote(fresh);
    return List.of(
        create(
            "create-sync-both-insert",
            "rows that are inserted by either name have both",
            INSERT,
            "BEFORE INSERT",
            "IF NEW."
                + n
                + " IS NULL THEN SET NEW."
                + n
                + " = NEW."
                + o
                + "; ELSE SET NEW."
                + o
                + " = NEW."
                + n
                + "; END IF;"),
        create(
            "create-sync-both-update",
            "a change by either name changes both",
            UPDATE,
            "BEFORE UPDATE",
            "IF NOT "
                + same("NEW." + n, "OLD." + n)
                + " THEN SET NEW."
                + o
                + " = NEW."
                + n
                + "; ELSEIF NOT "
                + same("NEW." + o, "OLD." + o)
                + " THEN SET NEW."
                + n
                + " = NEW."
                + o
                + "; END IF;"));
  }

  List<Step> dropBoth() {
    return List.of(
        drop("drop-sync-both-update", "ends that", UPDATE),
        drop("drop-sync-both-insert", "ends that", INSERT));
  }

  /** Steps one after the other. */
  @SafeVarargs
  static List<Step> all(List<Step>... parts) {
    List<Step> steps = new ArrayList<>();
    for (List<Step> each : parts) {
      steps.addAll(each);
    }
    return steps;
  }
}
