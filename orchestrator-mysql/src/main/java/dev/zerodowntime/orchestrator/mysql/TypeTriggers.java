package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.operation.ChangeColumnType;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.util.List;

/**
 * Triggers that carry every write across between two columns of different types.
 *
 * <p>Which column was meant: in an UPDATE the new one if its image changes, else the old one if its
 * image does, else neither; in an INSERT the new one if it was given. An upsert is first the one
 * and then, of the row that is there, the other. What corresponds already is left alone: a batch's
 * copy, or a value that the other one converts to without being what it converts to.
 *
 * <p>Two kinds of them. As long as old code reads the old column, what can't be carried to it is
 * rejected. From then on it is kept, and the old column has NULL, by which the way back finds it.
 * One kind is there before the other one goes: no write is ever without. Where both are, the strict
 * ones decide.
 */
final class TypeTriggers extends OwnTriggers {

  private static final String INSERT = SyncTriggers.OURS + "type_insert_";
  private static final String UPDATE = SyncTriggers.OURS + "type_update_";
  private static final String KEEP_INSERT = SyncTriggers.OURS + "keep_insert_";
  private static final String KEEP_UPDATE = SyncTriggers.OURS + "keep_update_";

  private static final String FAILURE = "DECLARE EXIT HANDLER FOR SQLEXCEPTION ";

  private final ColumnConversion conversion;
  private final String old;
  private final String fresh;

  TypeTriggers(ChangeColumnType change, Target target, ColumnConversion conversion) {
    super(change.id(), target, change.table());
    this.conversion = conversion;
    this.old = "NEW." + conversion.from();
    this.fresh = "NEW." + conversion.to();
  }

  /** The strict ones. The one for updates first: without it, a row's copy would grow old. */
  List<Step> createStrict() {
    return List.of(
        create(
            "create-sync-update",
            "a change of either column changes both; what can't be converted back is rejected",
            UPDATE,
            "BEFORE UPDATE",
            "IF NOT "
                + SyncTriggers.same(fresh, "OLD." + conversion.to())
                + " THEN BEGIN DECLARE zdo_copy "
                + conversion.type()
                + " DEFAULT NULL; BEGIN "
                + FAILURE
                + "SET zdo_copy = NULL; SET zdo_copy = "
                + conversion.up(old)
                + "; END; IF zdo_copy IS NULL OR NOT "
                + SyncTriggers.same(fresh, "zdo_copy")
                + " THEN "
                + reject()
                + " END IF; END; ELSEIF NOT "
                + SyncTriggers.same(old, "OLD." + conversion.from())
                + " THEN "
                + carryUp()
                + " END IF;"),
        create(
            "create-sync-insert",
            "rows that are inserted with either column have both; what can't be converted back is"
                + " rejected",
            INSERT,
            "BEFORE INSERT",
            "IF " + fresh + " IS NOT NULL THEN " + reject() + " ELSE " + carryUp() + " END IF;"));
  }

  /**
   * In the reverse order: a row without a copy is found, one with an old copy would be, too late.
   */
  List<Step> dropStrict() {
    return List.of(
        drop("drop-sync-insert", "inserts are no longer carried across", INSERT),
        drop("drop-sync-update", "updates are no longer carried across", UPDATE));
  }

  /** Those that keep what can't be carried back. */
  List<Step> createKeeping() {
    return List.of(
        create(
            "create-keep-update",
            "a new value that can't be converted back is kept; the old column has none then",
            KEEP_UPDATE,
            "BEFORE UPDATE",
            "IF NOT "
                + SyncTriggers.same(fresh, "OLD." + conversion.to())
                + " THEN "
                + keep()
                + " END IF;"),
        create(
            "create-keep-insert",
            "the same for rows that are inserted",
            KEEP_INSERT,
            "BEFORE INSERT",
            keep()));
  }

  List<Step> dropKeeping() {
    return List.of(
        drop("drop-keep-insert", "inserts are carried across by another trigger", KEEP_INSERT),
        drop("drop-keep-update", "updates are carried across by another trigger", KEEP_UPDATE));
  }

  /** Whether one of those is there. */
  String keeping() {
    return "(" + there(KEEP_INSERT) + " OR " + there(KEEP_UPDATE) + ")";
  }

  /** What old code writes is taken even if it can't be converted: the row is found later. */
  private String carryUp() {
    return "BEGIN "
        + FAILURE
        + "SET "
        + fresh
        + " = NULL; SET "
        + fresh
        + " = "
        + conversion.up(old)
        + "; IF NOT "
        + conversion.newIs(fresh, conversion.up(old))
        + " THEN SET "
        + fresh
        + " = NULL; END IF; END;";
  }

  private String carryDown() {
    return "SET " + old + " = " + conversion.down(fresh) + ";";
  }

  private String carriedDown() {
    return "(("
        + old
        + " IS NULL) = ("
        + fresh
        + " IS NULL) AND "
        + conversion.oldIs(old, conversion.down(fresh))
        + ")";
  }

  private String reject() {
    return carryDown()
        + " IF NOT "
        + carriedDown()
        + " THEN SIGNAL SQLSTATE '22000' SET MESSAGE_TEXT = "
        + Sql.literal(
            "the value of column "
                + Sql.cut(conversion.to(), 30)
                + " can't be held exactly by "
                + Sql.cut(conversion.from(), 30))
        + "; END IF;";
  }

  private String keep() {
    return "BEGIN "
        + FAILURE
        + "SET "
        + old
        + " = NULL; "
        + carryDown()
        + " IF NOT "
        + carriedDown()
        + " THEN SET "
        + old
        + " = NULL; END IF; END;";
  }
}
