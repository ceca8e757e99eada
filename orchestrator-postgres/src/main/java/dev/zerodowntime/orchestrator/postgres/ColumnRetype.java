package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.Probe;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.TableLock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The steps that give a column another type by a change of the catalog only. That it is no more
 * than that is proved by the step itself: every file is the same as before, or all is rolled back.
 *
 * @param table quoted and qualified
 * @param column unquoted
 * @param type the type, as SQL
 * @param is what tells whether the column has it, as a condition on {@code pg_attribute a}
 * @param actions what else is done to the column in the same ALTER
 * @param checks checks over the column, which the server would look at every row for: maps of name,
 *     definition and comment
 * @param fits the check that stands for the narrower type on a way back, unquoted
 * @param partners tables at the other end of foreign keys
 * @param analyzed whether the column has statistics
 */
record ColumnRetype(
    String table,
    String column,
    String type,
    String is,
    List<String> actions,
    List<Map<String, Object>> checks,
    String fits,
    List<String> partners,
    boolean analyzed) {

  private static final String SETTING = "'zdo.files'";

  /** Whether a column has a type, as a condition on {@code pg_attribute a}. */
  static String is(String plain, String modifier) {
    return "(a.atttypid = pg_catalog.to_regtype("
        + Sql.literal(plain)
        + ") AND a.atttypmod = "
        + modifier
        + ")";
  }

  /** All of them. */
  List<Step> steps(String name, String summary) {
    List<Step> steps = new ArrayList<>();
    steps.add(retype(name, summary));
    for (Map<String, Object> check : checks) {
      String constraint = Facts.required(check, "name");
      steps.add(NotNull.validate("validate-check:" + constraint, table, constraint));
    }
    if (analyzed) {
      steps.add(analyze());
    }
    return steps;
  }

  private Step retype(String name, String summary) {
    List<String> tables = new ArrayList<>(List.of(table));
    partners.stream().filter(each -> !tables.contains(each)).forEach(tables::add);
    List<String> sql = new ArrayList<>();
    sql.add("LOCK TABLE " + table + " IN ACCESS EXCLUSIVE MODE");
    sql.add("SELECT pg_catalog.set_config(" + SETTING + ", " + files() + ", true)");
    sql.add("ALTER TABLE " + table + " " + String.join(", ", alter()));
    for (Map<String, Object> check : checks) {
      String comment = Facts.text(check, "comment");
      if (comment != null) {
        sql.add(
            "COMMENT ON CONSTRAINT "
                + Sql.quote(Facts.required(check, "name"))
                + " ON "
                + table
                + " IS "
                + Sql.literal(comment));
      }
    }
    sql.add(proof());
    return new DdlStep(name, summary, TableLock.each("ACCESS EXCLUSIVE", tables), sql, done(), true)
        .changingColumnType();
  }

  private List<String> alter() {
    String alter = "ALTER COLUMN " + Sql.quote(column) + " ";
    List<String> all = new ArrayList<>();
    all.add("DROP CONSTRAINT IF EXISTS " + Sql.quote(fits));
    checks.forEach(each -> all.add("DROP CONSTRAINT " + Sql.quote(Facts.required(each, "name"))));
    all.add(alter + "TYPE " + type);
    actions.forEach(each -> all.add(alter + each));
    for (Map<String, Object> each : checks) {
      all.add(
          "ADD CONSTRAINT "
              + Sql.quote(Facts.required(each, "name"))
              + " "
              + Facts.required(each, "definition")
              + " NOT VALID");
    }
    return all;
  }

  private Probe done() {
    return Probes.all(
        Probes.attribute(table, column, is), Probes.not(Probes.constraint(table, fits)));
  }

  /** The files of the table and its indexes, as SQL. */
  private String files() {
    return "(SELECT pg_catalog.string_agg(c.relname::pg_catalog.text || ' ' ||"
        + " pg_catalog.pg_relation_filenode(c.oid), ', ' ORDER BY c.relname::pg_catalog.text"
        + " COLLATE \"C\") FROM pg_catalog.pg_class c WHERE c.oid = "
        + Sql.regclass(table)
        + " OR c.oid IN (SELECT i.indexrelid FROM pg_catalog.pg_index i WHERE i.indrelid = "
        + Sql.regclass(table)
        + "))";
  }

  private String proof() {
    return "DO "
        + Sql.literal(
            "BEGIN IF pg_catalog.current_setting("
                + SETTING
                + ") <> "
                + files()
                + " THEN RAISE EXCEPTION 'it would be more than a change of the catalog: the files"
                + " were %, and would be %', pg_catalog.current_setting("
                + SETTING
                + "), "
                + files()
                + "; END IF; END");
  }

  /** The statistics went with the type. */
  private Step analyze() {
    String schemaTable =
        "EXISTS (SELECT 1 FROM pg_catalog.pg_stats s JOIN pg_catalog.pg_class c ON c.oid = "
            + Sql.regclass(table)
            + " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE s.schemaname ="
            + " n.nspname AND s.tablename = c.relname AND s.attname = "
            + Sql.literal(column)
            + ")";
    return new OnlineStep(
        "analyze",
        "the planner's statistics of the column went with its former type",
        "SHARE UPDATE EXCLUSIVE on " + table + ": blocks neither reads nor writes",
        "ANALYZE " + table,
        Probes.all("(" + schemaTable + " OR NOT EXISTS (SELECT 1 FROM " + table + "))"),
        Probes.NEVER,
        List.of());
  }
}
