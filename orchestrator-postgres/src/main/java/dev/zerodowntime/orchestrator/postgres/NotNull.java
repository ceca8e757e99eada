package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.Step;
import java.util.List;

/** NOT NULL without a scan under a blocking lock. */
final class NotNull {

  private NotNull() {}

  /**
   * The steps to NOT NULL: a check that is validated while the table is in use is the proof that
   * lets the server skip the scan. Each step is also done when the last one is.
   *
   * @param table quoted and qualified
   * @param column unquoted
   * @param check the check constraint's name, unquoted
   */
  static List<Step> enforce(String table, String column, String check) {
    String alter = "ALTER TABLE " + table + " ";
    String quoted = Sql.quote(column);
    String lock = "ACCESS EXCLUSIVE on " + table + ", within the lock budget";
    String reached = Probes.notNull(table, column);
    return List.of(
        new DdlStep(
            "add-check",
            "new and changed rows must have a value; existing ones are not looked at",
            lock,
            List.of(table),
            List.of(
                alter
                    + "ADD CONSTRAINT "
                    + Sql.quote(check)
                    + " CHECK ("
                    + quoted
                    + " IS NOT NULL) NOT VALID"),
            Probes.all(Probes.either(reached, Probes.constraint(table, check))),
            false),
        new OnlineStep(
            "validate-check",
            "proves that every row has a value, while the table is in use",
            "SHARE UPDATE EXCLUSIVE on " + table + ": blocks neither reads nor writes",
            alter + "VALIDATE CONSTRAINT " + Sql.quote(check),
            Probes.all(Probes.either(reached, Probes.validated(table, check))),
            Probes.NEVER,
            List.of()),
        new DdlStep(
            "set-not-null",
            "NOT NULL; the validated check is the proof, so no row is looked at",
            lock,
            List.of(table),
            List.of(alter + "ALTER COLUMN " + quoted + " SET NOT NULL"),
            Probes.all(reached),
            false),
        new DdlStep(
            "drop-check",
            "the check has done its work",
            lock,
            List.of(table),
            List.of(alter + "DROP CONSTRAINT IF EXISTS " + Sql.quote(check)),
            Probes.all(Probes.not(Probes.constraint(table, check))),
            false));
  }

  /** Back to nullable, from wherever {@link #enforce} was. */
  static Step relax(String table, String column, String check) {
    return new DdlStep(
        "drop-not-null",
        "rows may be without a value again",
        "ACCESS EXCLUSIVE on " + table + ", within the lock budget",
        List.of(table),
        List.of(
            "ALTER TABLE "
                + table
                + " DROP CONSTRAINT IF EXISTS "
                + Sql.quote(check)
                + ", ALTER COLUMN "
                + Sql.quote(column)
                + " DROP NOT NULL"),
        Probes.all(
            Probes.not(Probes.notNull(table, column)), Probes.not(Probes.constraint(table, check))),
        false);
  }
}
