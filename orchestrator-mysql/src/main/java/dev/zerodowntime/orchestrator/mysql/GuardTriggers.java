package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.util.List;

/**
 * The two triggers that keep NULL out of a column until it is NOT NULL. They run after those that
 * are there already, which may still give a row its value.
 */
final class GuardTriggers extends OwnTriggers {

  private static final String INSERT = "zdo_guard_insert_";
  private static final String UPDATE = "zdo_guard_update_";

  GuardTriggers(String migration, Target target, String table) {
    super(migration, target, table);
  }

  /**
   * Creates them. The error is one of the class 23, as that of a column which is NOT NULL, but not
   * its number: INSERT IGNORE would make a warning of that, and write the NULL.
   *
   * @param column unquoted
   */
  List<Step> create(String column) {
    String reject =
        "IF NEW."
            + Sql.quote(column)
            + " IS NULL THEN SIGNAL SQLSTATE '23000' SET MESSAGE_TEXT = "
            + Sql.literal("Column '" + column + "' cannot be null")
            + "; END IF;";
    return List.of(
        create(
            "add-guard-trigger-insert",
            "rows can't be inserted without a value any more",
            INSERT,
            "BEFORE INSERT",
            reject),
        create(
            "add-guard-trigger-update",
            "rows can't be left without a value by an update any more",
            UPDATE,
            "BEFORE UPDATE",
            reject));
  }

  /** Drops them. */
  List<Step> drop() {
    return List.of(
        drop("drop-guard-trigger-update", "the trigger no longer guards updates", UPDATE),
        drop("drop-guard-trigger-insert", "the trigger no longer guards inserts", INSERT));
  }
}
