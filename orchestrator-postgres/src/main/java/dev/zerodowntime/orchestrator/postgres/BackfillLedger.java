package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Repeat;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.util.ArrayList;
import java.util.List;

/**
 * The keys of rows that were changed, or that were born later and are not to be changed.
 *
 * <p>It follows keys in BEFORE triggers: these run in the order in which rows are changed, even
 * within one statement, where AFTER triggers run at its end. So whenever a row gets a key, no other
 * row has it, nor does an entry of the ledger that is worth anything. Births are noted AFTER: an
 * INSERT ... ON CONFLICT fires BEFORE triggers for rows that it doesn't insert.
 */
final class BackfillLedger {

  private static final String PREFIX = "zdo_ledger_";

  private static final String LOCK = "SHARE ROW EXCLUSIVE on ";

  private final String table;
  private final String name;
  private final List<Scan.KeyColumn> keys;
  private final List<String> path;
  private final Target target;
  private final String hash;

  BackfillLedger(
      String migration, Target target, String table, List<Scan.KeyColumn> keys, List<String> path) {
    this.target = target;
    this.hash = Sql.hash8(migration, target.schema());
    this.table = Sql.qualified(target.schema(), table);
    this.name = table;
    this.keys = keys;
    this.path = path;
  }

  /** The name of one of its triggers. */
  static String trigger(String migration, Target target, String event) {
    return RowTriggers.OURS + "3_ledger_" + event + "_" + Sql.hash8(migration, target.schema());
  }

  private String ledger() {
    return Sql.qualified(target.controlSchema(), PREFIX + hash);
  }

  private String function() {
    return Sql.qualified(target.controlSchema(), PREFIX + hash);
  }

  Repeat repeat() {
    return new Repeat.OncePerLedger(ledger());
  }

  /**
   * Whether a row is not in it. The planner can't turn that into a join: a look at the index for
   * each row of a batch costs the same however long the ledger gets.
   */
  String without() {
    return "NOT EXISTS (SELECT FROM "
        + ledger()
        + " AS zdo_ledger WHERE "
        + same("zdo_ledger.", Sql.quote(name) + ".")
        + " OFFSET 0)";
  }

  private String same(String ledger, String row) {
    List<String> same = new ArrayList<>();
    for (Scan.KeyColumn key : keys) {
      same.add(ledger + "k" + same.size() + " = " + row + key.name());
    }
    return String.join(" AND ", same);
  }

  private String row(String row) {
    return "(" + String.join(", ", keys.stream().map(key -> row + "." + key.name()).toList()) + ")";
  }

  /** Rows that are there when it commits are those that are to be changed: nobody writes then. */
  Step create() {
    List<String> columns = new ArrayList<>();
    for (Scan.KeyColumn key : keys) {
      columns.add(key.name() + " AS k" + columns.size());
    }
    List<String> sql = new ArrayList<>();
    // Taken from the table itself, collations and all.
    sql.add(
        "CREATE TABLE "
            + ledger()
            + " AS SELECT "
            + String.join(", ", columns)
            + " FROM "
            + table
            + " WITH NO DATA");
    sql.add(
        "ALTER TABLE "
            + ledger()
            + " ADD PRIMARY KEY ("
            + ScanParts.numbered("k", keys.size())
            + ")");
    sql.add(functionSql());
    sql.add("REVOKE ALL ON FUNCTION " + function() + "() FROM PUBLIC");
    trigger(sql, "birth", "AFTER INSERT ON " + table + " FOR EACH ROW");
    trigger(
        sql,
        "key",
        "BEFORE UPDATE ON "
            + table
            + " FOR EACH ROW WHEN ("
            + row("OLD")
            + " IS DISTINCT FROM "
            + row("NEW")
            + ")");
    trigger(sql, "death", "BEFORE DELETE ON " + table + " FOR EACH ROW");
    trigger(sql, "truncate", "AFTER TRUNCATE ON " + table + " FOR EACH STATEMENT");
    List<String> there = new ArrayList<>();
    there.add(Sql.regclass(ledger()) + " IS NOT NULL");
    for (String event : List.of("birth", "key", "death", "truncate")) {
      there.add(Probes.alwaysTrigger(table, trigger(target.id(), target, event)));
    }
    return new DdlStep(
        "create-ledger",
        "a ledger of rows that were changed, which follows their keys; rows that are inserted from"
            + " now on are left alone",
        LOCK + table + ", within the lock budget",
        List.of(table),
        sql,
        Probes.all(there.toArray(String[]::new)),
        false);
  }

  private void trigger(List<String> sql, String event, String when) {
    String trigger = Sql.quote(trigger(target.id(), target, event));
    sql.add("CREATE TRIGGER " + trigger + " " + when + " EXECUTE FUNCTION " + function() + "()");
    sql.add("ALTER TABLE " + table + " ENABLE ALWAYS TRIGGER " + trigger);
  }

  /** With the rights of its owner: the application's role has none to the ledger. */
  private String functionSql() {
    String insert =
        "INSERT INTO "
            + ledger()
            + " ("
            + ScanParts.numbered("k", keys.size())
            + ") VALUES "
            + row("NEW")
            + " ON CONFLICT DO NOTHING;\n";
    String delete = "DELETE FROM " + ledger() + " AS zdo_ledger WHERE ";
    String body =
        "DECLARE zdo_done boolean;\n"
            + "BEGIN\n"
            + "  IF TG_OP = 'INSERT' THEN\n"
            + ("    " + insert)
            + "    RETURN NULL;\n"
            + "  ELSIF TG_OP = 'TRUNCATE' THEN\n"
            + ("    TRUNCATE " + ledger() + ";\n")
            + "    RETURN NULL;\n"
            + "  END IF;\n"
            + ("  " + delete + same("zdo_ledger.", "OLD.") + ";\n")
            + "  IF TG_OP = 'DELETE' THEN\n"
            + "    RETURN OLD;\n"
            + "  END IF;\n"
            + "  zdo_done := FOUND;\n"
            + ("  " + delete + same("zdo_ledger.", "NEW.") + ";\n")
            + "  IF zdo_done THEN\n"
            + ("    " + insert)
            + "  END IF;\n"
            + "  RETURN NEW;\n"
            + "END";
    List<String> schemas = new ArrayList<>(path);
    schemas.add("pg_temp");
    return "CREATE OR REPLACE FUNCTION "
        + function()
        + "() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "
        + String.join(", ", schemas)
        + " AS "
        + Sql.literal(body);
  }

  Step drop() {
    List<String> sql = new ArrayList<>();
    List<String> gone = new ArrayList<>();
    for (String event : List.of("birth", "key", "death", "truncate")) {
      String trigger = trigger(target.id(), target, event);
      sql.add("DROP TRIGGER IF EXISTS " + Sql.quote(trigger) + " ON " + table);
      gone.add(Probes.not(Probes.trigger(table, trigger)));
    }
    sql.add("DROP FUNCTION IF EXISTS " + function() + "()");
    sql.add("DROP TABLE IF EXISTS " + ledger());
    gone.add(Sql.regclass(ledger()) + " IS NULL");
    gone.add(Probes.not(Probes.function(target.controlSchema(), PREFIX + hash)));
    return new DdlStep(
        "drop-ledger",
        "every row was changed: nobody needs the ledger any more",
        "ACCESS EXCLUSIVE on " + table + ", within the lock budget",
        List.of(table),
        sql,
        Probes.all(gone.toArray(String[]::new)),
        false);
  }
}
