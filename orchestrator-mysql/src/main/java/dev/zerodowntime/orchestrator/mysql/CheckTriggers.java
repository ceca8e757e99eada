package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.util.List;
import java.util.Locale;

/**
 * The two triggers that are a check where the server can't add one while the table is in use. They
 * stay for as long as the check does, and are found by its name, whichever migration they are from.
 */
final class CheckTriggers extends OwnTriggers {

  /** What the names of all of them begin with. */
  static final String OURS = "zdo_check_";

  private static final String INSERT = OURS + "insert_";
  private static final String UPDATE = OURS + "update_";

  private final String check;

  /**
   * Those of one check.
   *
   * @param check its name, in whatever case; no other check of this database has it
   */
  CheckTriggers(String schema, String table, String check) {
    super(check.toLowerCase(Locale.ROOT), new Target(check, schema, schema), table);
    this.check = check;
  }

  /**
   * Creates them. The error is one of the class 23, but not the server's own number: INSERT IGNORE
   * would make a warning of that, and write the row.
   */
  List<Step> create(CheckText text) {
    String reject =
        "IF ("
            + text.overNew()
            + ") IS FALSE THEN SIGNAL SQLSTATE '23000' SET MESSAGE_TEXT = "
            + Sql.literal("Check constraint '" + check + "' is violated.")
            + "; END IF;";
    return List.of(
        create(
            "add-check-trigger-insert",
            "rows that fail the check can't be inserted any more",
            INSERT,
            "BEFORE INSERT",
            reject),
        create(
            "add-check-trigger-update",
            "rows can't come to fail the check by an update any more",
            UPDATE,
            "BEFORE UPDATE",
            reject));
  }

  /** Drops them. */
  List<Step> drop() {
    return List.of(
        drop("drop-check-trigger-update", "updates need not pass the check any more", UPDATE),
        drop("drop-check-trigger-insert", "inserts need not pass the check any more", INSERT));
  }

  /** Whether one of them is there. */
  String any() {
    return "(" + there(INSERT) + " OR " + there(UPDATE) + ")";
  }
}
