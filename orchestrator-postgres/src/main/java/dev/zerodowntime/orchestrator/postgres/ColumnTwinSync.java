package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.Step;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The trigger form's sync. Both columns hold the same image after every write, whichever of them
 * the statement named.
 *
 * <p>The trigger's condition looks at the new row only: it fires where the two would differ, so
 * that a backfill, or an update of other columns, costs one comparison.
 *
 * <p>Which column was meant: in an UPDATE the new one if its value changes, else the old one. In an
 * INSERT the new one if it was given. "Not given" shows as NULL where the old column can't be NULL
 * or has no default: then nothing is lost by taking the old column's value. Else the new column's
 * default is a sentinel until CONTRACT, which the trigger always replaces.
 */
final class ColumnTwinSync {

  private final ColumnTwin twin;
  private final ColumnFacts facts;

  ColumnTwinSync(ColumnTwin twin) {
    this.twin = twin;
    this.facts = twin.facts();
  }

  /**
   * The column, the function, the trigger and the sentinel come together: at no moment is there a
   * column that isn't kept in step, or a sentinel that isn't replaced.
   */
  Step expand() {
    List<String> sql = new ArrayList<>(addColumn(twin));
    sql.addAll(sync());
    return twin.rowType(
        "add-column",
        "the new column, and the trigger that carries every write across, both ways"
            + (facts.flag(ColumnConversion.WIDENS)
                ? "; if up and down only say it in the other type, WidenColumn does without"
                : ""),
        twin.column(twin.to()) + " AND " + twin.triggerThere(),
        sql);
  }

  /**
   * What was there at EXPAND may have changed since: the default, and with it the sentinel; or the
   * trigger, by DISABLE and ENABLE TRIGGER ALL. Once the old column has its tombstone's name, this
   * is over.
   */
  Step settle() {
    return twin.ddl(
        "sync",
        "the trigger as the column's default now needs it",
        "ACCESS EXCLUSIVE",
        twin.column(twin.tombstone())
            + " OR ("
            + twin.triggerThere()
            + " AND EXISTS (SELECT 1 FROM pg_catalog.pg_proc p WHERE p.oid ="
            + " pg_catalog.to_regprocedure("
            + Sql.literal(twin.function() + "()")
            + ") AND p.prosrc = "
            + Sql.literal(source(twoWayBody()))
            + ") AND "
            + twin.column(
                twin.to(),
                facts.sentinel() == null ? facts.newDefaults().isNone() : Defaults.isOwn())
            + ")",
        sync());
  }

  private List<String> sync() {
    List<String> sql = new ArrayList<>();
    if (twin.converts()) {
      sql.addAll(twin.conversion().create());
    }
    sql.add(twoWay());
    sql.add(
        "CREATE OR REPLACE TRIGGER "
            + Sql.quote(twin.trigger())
            + " BEFORE INSERT OR UPDATE ON "
            + twin.table()
            + " FOR EACH ROW "
            // Of different types nothing can be said without converting.
            + (twin.converts()
                ? ""
                : "WHEN (" + ColumnTwin.differ("NEW." + twin.from(), "NEW." + twin.to()) + ") ")
            + "EXECUTE FUNCTION "
            + twin.function()
            + "()");
    sql.add(always());
    sql.add(ColumnTwinContract.alter(twin, twin.to()) + notGiven());
    return sql;
  }

  /** So that it fires whatever session_replication_role says. */
  String always() {
    return "ALTER TABLE " + twin.table() + " ENABLE ALWAYS TRIGGER " + Sql.quote(twin.trigger());
  }

  /** What the new column gets while the trigger decides, as an action on it. */
  String notGiven() {
    String sentinel = facts.sentinel();
    return sentinel == null ? facts.newDefaults().none() : "SET DEFAULT " + sentinel;
  }

  /** The new column as such, nullable, without default. */
  static List<String> addColumn(ColumnTwin twin) {
    ColumnFacts facts = twin.facts();
    List<String> sql = new ArrayList<>();
    sql.add(
        "ALTER TABLE "
            + twin.table()
            + " ADD COLUMN "
            + twin.to()
            + " "
            + facts.newType()
            + (twin.converts() ? "" : facts.collation())
            + facts.newDefaults().added());
    if (twin.converts()) {
      return sql;
    }
    String storage = facts.optional("storage");
    if (storage != null) {
      sql.add(ColumnTwinContract.alter(twin, twin.to()) + "SET STORAGE " + storage);
    }
    String compression = facts.optional("compression");
    if (compression != null) {
      sql.add(ColumnTwinContract.alter(twin, twin.to()) + "SET COMPRESSION " + compression);
    }
    return sql;
  }

  /**
   * Nothing is lost with the column: code that writes only the new name runs from ENFORCE on, and
   * is gone before this. All that the column holds is copies, or NULL in rows not yet copied.
   */
  Step remove() {
    return twin.rowType(
        "drop-column",
        "the new column, which holds nothing but copies, and its trigger",
        "NOT " + twin.column(twin.to()),
        drop(twin.to()));
  }

  /** The end: nothing is carried across any more. */
  Step purge() {
    return twin.rowType(
        "drop-column",
        "the old column for good, and the trigger",
        "NOT " + twin.column(twin.tombstone()),
        drop(twin.tombstone()));
  }

  private List<String> drop(String column) {
    List<String> sql = new ArrayList<>();
    sql.add("DROP TRIGGER IF EXISTS " + Sql.quote(twin.trigger()) + " ON " + twin.table());
    sql.add("DROP FUNCTION IF EXISTS " + twin.function() + "()");
    if (twin.converts()) {
      sql.addAll(twin.conversion().drop());
    }
    sql.add("ALTER TABLE " + twin.table() + " DROP COLUMN IF EXISTS " + column);
    return sql;
  }

  /** The function while code of both kinds may write. */
  String twoWay() {
    return function(twoWayBody());
  }

  private String twoWayBody() {
    String from = "NEW." + twin.from();
    String to = "NEW." + twin.to();
    String reset = defaultAgain();
    if (twin.converts()) {
      return twoWayBody(from, to, reset);
    }
    return statements(
        "  IF TG_OP = 'INSERT' THEN\n"
            + "    IF "
            + given(to)
            + " THEN\n      "
            + (from + " := " + to)
            + ";\n    ELSE\n      "
            + (to + " := " + from)
            + ";\n    END IF;\n  ELSIF "
            + ColumnTwin.differ(to, "OLD." + twin.to())
            + " THEN\n"
            + (reset == null
                ? ""
                : "    IF NOT ("
                    + given(to)
                    + ") THEN\n      -- SET column = DEFAULT\n      "
                    + (to + " := " + reset)
                    + ";\n    END IF;\n")
            + "    "
            + (from + " := " + to)
            + ";\n  ELSE\n    "
            + (to + " := " + from)
            + ";\n  END IF;\n");
  }

  /**
   * The same between types. What corresponds already is left alone: a backfill's copy, or a value
   * that the other converts to without being what it converts to. What old code writes is taken
   * even if it can't be converted: its statement must not fail, and the row is found later.
   */
  private String twoWayBody(String from, String to, @Nullable String reset) {
    String changedFrom = ColumnTwin.differ(from, "OLD." + twin.from());
    String changedTo = ColumnTwin.differ(to, "OLD." + twin.to());
    return statements(
        "  IF TG_OP = 'INSERT' THEN\n    IF "
            + given(to)
            + " THEN\n      "
            + (from + " := " + twin.down(to))
            + ";\n      RETURN NEW;\n    END IF;\n  ELSIF "
            + changedTo
            + " THEN\n"
            + (reset == null
                ? ""
                : "    IF NOT ("
                    + given(to)
                    + ") THEN\n      -- SET column = DEFAULT\n      "
                    + (to + " := " + reset)
                    + ";\n      "
                    + (from + " := " + twin.down(to))
                    + ";\n      RETURN NEW;\n    END IF;\n")
            + "    IF NOT "
            + twin.conversion().isUp(from, to)
            + " THEN\n      "
            + (from + " := " + twin.down(to))
            + ";\n    END IF;\n    RETURN NEW;\n  ELSIF NOT "
            + changedFrom
            + " THEN\n    RETURN NEW;\n  END IF;\n  BEGIN\n    "
            + (to + " := " + twin.up(from))
            + ";\n  EXCEPTION WHEN OTHERS THEN\n    "
            + (to + " := NULL")
            + ";\n  END;\n");
  }

  /**
   * The function once no code names the old column: it keeps the way back open. Only an INSERT
   * without a column list still gives the old column a value, and means the new one.
   */
  String oneWay() {
    String to = "NEW." + twin.to();
    String tombstone = "NEW." + twin.tombstone();
    if (twin.converts()) {
      return function(oneWayBody(to, tombstone));
    }
    return function(
        statements(
            "  IF TG_OP = 'INSERT' AND pg_catalog.num_nonnulls("
                + tombstone
                + ") = 1 THEN\n    "
                + (to + " := " + tombstone)
                + ";\n  ELSE\n    "
                + (tombstone + " := " + to)
                + ";\n  END IF;\n"));
  }

  /**
   * The same between types. A new value that can't be carried back is kept all the same; the
   * tombstone has none then, by which the way back finds it.
   */
  private String oneWayBody(String to, String tombstone) {
    return statements(
        "  IF TG_OP = 'INSERT' THEN\n    IF pg_catalog.num_nonnulls("
            + tombstone
            + ") = 1 THEN\n      "
            + (to + " := " + twin.up(tombstone))
            + ";\n      RETURN NEW;\n    END IF;\n  ELSIF NOT "
            + ColumnTwin.differ(to, "OLD." + twin.to())
            + " THEN\n    RETURN NEW;\n  END IF;\n  BEGIN\n    "
            + (tombstone + " := " + twin.down(to))
            + ";\n  EXCEPTION WHEN OTHERS THEN\n    "
            + (tombstone + " := NULL")
            + ";\n  END;\n");
  }

  /**
   * NULL IS NOT NULL is true of rows with a null in them; counting looks at the value as a whole.
   */
  private String given(String value) {
    String sentinel = facts.sentinel();
    return sentinel == null
        ? "pg_catalog.num_nonnulls(" + value + ") = 1"
        : ColumnTwin.differ(value, sentinel);
  }

  private @Nullable String defaultAgain() {
    return facts.sentinel() != null || facts.notNull() ? facts.newDefaults().effective() : null;
  }

  private static String statements(String statements) {
    return "BEGIN\n" + statements + "  RETURN NEW;\nEND";
  }

  /** As the catalog has it. */
  private static String source(String body) {
    return "\n" + body + "\n";
  }

  private String function(String body) {
    String tag = "$zdo$";
    for (int i = 1; body.contains(tag); i++) {
      tag = "$zdo" + i + "$";
    }
    return "CREATE OR REPLACE FUNCTION "
        + twin.function()
        + "() RETURNS trigger LANGUAGE plpgsql "
        // What it calls is for nobody else to call.
        + (twin.converts() ? "SECURITY DEFINER " + twin.conversion().path() + " " : "")
        + "AS "
        + tag
        + source(body)
        + tag;
  }
}
