package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.spi.CopyStep;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.Probe;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.TableLock;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A table is replaced by a copy of it that has the change: the tool makes the copy, and its
 * triggers keep it up to date, in the very transactions that change the table. So whoever reads
 * both in one statement must find them the same, whatever is being written: that is proved in
 * batches, in both directions, before the two are swapped by one statement, within the lock budget.
 * Up to there nothing has happened to the table but its triggers.
 */
final class CopySteps {

  /** The tool cuts the beginning of its triggers' names off there. */
  private static final int LONGEST = 60;

  private static final String DROP_REPLACED = "drop-replaced";

  private static final Pattern NO_WORD = Pattern.compile("\\W", Pattern.UNICODE_CHARACTER_CLASS);

  private final String schema;
  private final String table;
  private final String copy;
  private final String replaced;
  private final Map<String, Object> facts;

  /**
   * Those of one copy.
   *
   * @param way tells two copies of one migration apart: its way forward and its way back
   * @param facts of {@link CopyRoute}
   */
  CopySteps(String migration, String schema, String table, String way, Map<String, Object> facts) {
    String hash = Sql.hash8(migration, schema, table, way);
    this.schema = schema;
    this.table = table;
    this.copy = "zdo_copy_" + hash;
    this.replaced = "zdo_replaced_" + hash;
    this.facts = facts;
  }

  /** The names that the tool gives its triggers, which are those of the table, as it were. */
  static List<String> triggers(String schema, String table) {
    String name = NO_WORD.matcher("pt_osc_" + schema + "_" + table).replaceAll("_");
    String prefix = Sql.cut(name, LONGEST);
    return List.of(prefix + "_ins", prefix + "_upd", prefix + "_del");
  }

  /** The names of tables that come and go. */
  List<String> tables() {
    return List.of(copy, PtOnlineSchemaChange.mark(copy), replaced);
  }

  /**
   * Copies, compares and swaps.
   *
   * @param alter what is different in the copy: what follows ALTER TABLE
   * @param summary what becomes of the table, for people
   * @param needless whether the table is so already; null where the catalog can't tell
   */
  List<Step> replace(String alter, String summary, @Nullable String needless) {
    return List.of(
        new CopyStep(
            "copy-rows",
            summary + ": copies the table, with its rows, while it is in use",
            schema,
            table,
            copy,
            alter,
            needless == null ? null : Probes.all(needless),
            DROP_REPLACED,
            Probes.all(
                Probes.table(schema, copy),
                Probes.table(schema, PtOnlineSchemaChange.mark(copy)),
                Probes.triggerNaming(schema, table, trigger(0), copy),
                Probes.triggerNaming(schema, table, trigger(1), copy),
                Probes.triggerNaming(schema, table, trigger(2), copy)),
            cleanUp()),
        new VerifyStep(
            "compare-rows",
            "each row must be in the copy, the same to the last bit",
            new Scan(Sql.qualified(schema, table), Facts.key(facts), missing(table, copy, true))),
        new VerifyStep(
            "compare-copy",
            "the copy must have no other rows",
            new Scan(Sql.qualified(schema, copy), Facts.key(facts), missing(copy, table, false))),
        swap(),
        ddl(
            DROP_REPLACED,
            "drops the table that was replaced, with the triggers that kept the copy up to date",
            List.of(replaced),
            "DROP TABLE IF EXISTS " + Sql.qualified(schema, replaced),
            Probes.all(Probes.not(Probes.table(schema, replaced))),
            false),
        dropMark());
  }

  /** Takes away what a copy that was not swapped has left, or the table that it replaced. */
  List<Step> undo() {
    return List.of(
        new CopyStep(
            "drop-copy",
            "ends a copy that is under way, and drops what it has left",
            schema,
            table,
            copy,
            null,
            null,
            "",
            Probes.all(
                Probes.not(Probes.table(schema, copy)),
                Probes.not(
                    "("
                        + Probes.table(schema, replaced)
                        + " AND "
                        + Probes.table(schema, table)
                        + ")"),
                Probes.not(Probes.table(schema, PtOnlineSchemaChange.mark(copy))),
                Probes.not(Probes.triggerNaming(schema, table, trigger(0), copy)),
                Probes.not(Probes.triggerNaming(schema, table, trigger(1), copy)),
                Probes.not(Probes.triggerNaming(schema, table, trigger(2), copy))),
            cleanUp()));
  }

  private String trigger(int number) {
    return triggers(schema, table).get(number);
  }

  private List<DdlStep> cleanUp() {
    List<DdlStep> steps = new ArrayList<>();
    for (String trigger : triggers(schema, table)) {
      steps.add(
          ddl(
              "drop-trigger:" + trigger,
              "the copy is not kept up to date any more",
              List.of(table),
              "DROP TRIGGER IF EXISTS " + Sql.qualified(schema, trigger),
              Probes.all(Probes.not(Probes.triggerNaming(schema, table, trigger, copy))),
              false));
    }
    steps.add(drop(copy, "FALSE"));
    // Never the only one that there is.
    steps.add(drop(replaced, Probes.not(Probes.table(schema, table))));
    steps.add(dropMark());
    return steps;
  }

  private DdlStep drop(String name, String unless) {
    return ddl(
        "drop:" + name,
        "drops what is left of a copy",
        List.of(name),
        "DROP TABLE IF EXISTS " + Sql.qualified(schema, name),
        Probes.all("(" + Probes.not(Probes.table(schema, name)) + " OR " + unless + ")"),
        false);
  }

  private DdlStep dropMark() {
    String mark = PtOnlineSchemaChange.mark(copy);
    return ddl(
        "drop-mark",
        "drops the mark that says that the copy was whole",
        List.of(mark),
        "DROP TABLE IF EXISTS " + Sql.qualified(schema, mark),
        Probes.all(Probes.not(Probes.table(schema, mark))),
        false);
  }

  /** Snapshots that are older can't read the table afterwards. */
  private DdlStep swap() {
    return ddl(
        "swap",
        "the copy takes the table's place, in one statement",
        List.of(table, copy),
        "RENAME TABLE "
            + Sql.qualified(schema, table)
            + " TO "
            + Sql.qualified(schema, replaced)
            + ", "
            + Sql.qualified(schema, copy)
            + " TO "
            + Sql.qualified(schema, table),
        Probes.all(
            Probes.table(schema, replaced),
            Probes.table(schema, table),
            Probes.not(Probes.table(schema, copy))),
        true);
  }

  private DdlStep ddl(
      String name,
      String summary,
      List<String> tables,
      String sql,
      Probe done,
      boolean changesRowType) {
    return new DdlStep(
        name,
        summary,
        TableLock.each(
            "EXCLUSIVE", tables.stream().map(each -> Sql.qualified(schema, each)).toList()),
        List.of(sql),
        done,
        changesRowType);
  }

  private String missing(String from, String in, boolean whole) {
    List<String> same = new ArrayList<>();
    for (Scan.KeyColumn each : Facts.key(facts)) {
      same.add(
          "zdo_other." + each.name() + " = " + Sql.qualified(schema, from) + "." + each.name());
    }
    if (whole) {
      for (Map<String, Object> each : Facts.maps(facts, CopyRoute.COLUMNS)) {
        ColumnImage column = ColumnImage.of(each);
        String name = Sql.quote(column.name());
        same.add(column.equal("zdo_other." + name, Sql.qualified(schema, from) + "." + name));
      }
    }
    return "NOT EXISTS (SELECT 1 FROM "
        + Sql.qualified(schema, in)
        + " AS zdo_other WHERE "
        + String.join(" AND ", same)
        + ")";
  }
}
