package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.CallStep;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.Probe;
import dev.zerodowntime.orchestrator.spi.Repeat;
import dev.zerodowntime.orchestrator.spi.RowChange;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.ScriptSql;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Scripts for psql, from version 10 on. */
final class PostgresScriptSql implements ScriptSql {

  private static final int BATCH_ROWS = 1_000;

  private static final String PAUSE_SECONDS = "0.1";

  @Override
  public String literal(String text) {
    return Sql.literal(text);
  }

  @Override
  public boolean scriptable(Step step) {
    if (step instanceof CallStep) {
      return false;
    }
    return !(step instanceof BackfillStep backfill)
        || (!(backfill.change() instanceof RowChange.Compute)
            // What isn't known of its table yet.
            && !backfill.scan().keys().isEmpty()
            // Where it has come to is known to its chunks alone.
            && !(backfill.repeat() instanceof Repeat.OncePerKey));
  }

  @Override
  public String write(Script script) {
    StringBuilder text = new StringBuilder();
    script.notes().forEach(note -> text.append("-- ").append(note).append('\n'));
    text.append("-- With psql: psql -X -f this-file \"service=... or a connection URI\"\n");
    text.append("\\set ON_ERROR_STOP on\n");
    text.append("SET statement_timeout = 0;\n");
    // Rows that others have locked: a batch that waits for longer ends the script, which goes on.
    text.append("SET lock_timeout = '5s';\n\n");
    script.begin().forEach(each -> text.append(each).append(";\n"));
    text.append(driversGone(script.id()));
    for (Movement each : script.movements()) {
      text.append('\n').append(movement(each, script));
    }
    text.append('\n').append(transaction(script.end()));
    for (Movement each : script.afterwards()) {
      text.append("\n-- Not done here, for there is no way back from it:\n");
      movement(each, script)
          .lines()
          .forEach(line -> text.append(line.isEmpty() ? "--" : "-- " + line).append('\n'));
    }
    return text.append("\n").toString();
  }

  /** A driver that was paused ends the statement that it is at. */
  private static String driversGone(String id) {
    return block(
        "BEGIN\n"
            + "  WHILE EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE pid <>"
            + " pg_catalog.pg_backend_pid() AND state <> 'idle'\n"
            + "      AND query LIKE "
            + Sql.literal(
                "/* orchestrator "
                    + id.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%")
                    + " %")
            + ") LOOP\n"
            + "    RAISE NOTICE 'waiting for a statement of a driver';\n"
            + "    PERFORM pg_catalog.pg_sleep(1);\n"
            + "    PERFORM pg_catalog.pg_stat_clear_snapshot();\n"
            + "  END LOOP;\n"
            + "END");
  }

  /** What a movement finds in the catalog may be undone by those after it: the row tells. */
  private static String movement(Movement movement, Script script) {
    StringBuilder text = new StringBuilder(transaction(movement.entering()));
    for (Step step : movement.steps()) {
      text.append("-- step ").append(step.name()).append(": ").append(step.summary());
      text.append("\n-- lock: ").append(step.lock()).append('\n');
      text.append(step(step, script.lockBudget().toMillis()));
    }
    text.append(transaction(movement.reached()));
    return "-- "
        + movement.from()
        + " -> "
        + movement.to()
        + "; code that fits: "
        + movement.fitting()
        + "\n"
        + when(movement.ahead(), text.toString());
  }

  private static String step(Step step, long budgetMillis) {
    if (step instanceof DdlStep ddl) {
      List<String> bounded =
          new ArrayList<>(
              List.of(
                  "SET LOCAL lock_timeout = " + budgetMillis,
                  "SET LOCAL statement_timeout = " + budgetMillis));
      bounded.addAll(ddl.sql());
      return when("NOT ", ddl.done(), transaction(bounded));
    }
    if (step instanceof OnlineStep online) {
      return when("", online.broken(), alone(online.repair()))
          + when("NOT ", online.done(), alone(List.of(online.statement())));
    }
    if (step instanceof VerifyStep verify) {
      return block("BEGIN\n" + none(verify.scan()) + "END");
    }
    BackfillStep backfill = (BackfillStep) step;
    return block(walk(backfill));
  }

  /** Builds wait for transactions that are older: no timeout ends them. */
  private static String alone(List<String> statements) {
    return "SET lock_timeout = 0;\n" + lines(statements) + "SET lock_timeout = '5s';\n";
  }

  private static String when(String not, Probe probe, String then) {
    return not.isEmpty() && probe.equals(Probes.NEVER)
        ? ""
        : when("SELECT " + not + "coalesce((" + probe.sql() + "), false)", then);
  }

  private static String when(String query, String then) {
    return "SELECT (" + query + ") AS zdo_todo \\gset\n\\if :zdo_todo\n" + then + "\\endif\n";
  }

  /** In ranges of the key, each in its own transaction; pending rows alone are changed. */
  private static String walk(BackfillStep step) {
    Scan scan = step.scan();
    int keys = scan.keys().size();
    String after = ScanParts.numbered("zdo_a", keys);
    String upTo = ScanParts.numbered("zdo_b", keys);
    String end = ScanParts.numbered("zdo_e", keys);
    PostgresScanSql sql = new PostgresScanSql();
    return "DECLARE\n  "
        + declared("zdo_a", keys)
        + declared("zdo_b", keys)
        + declared("zdo_e", keys)
        + "zdo_rows bigint;\n"
        + "BEGIN\n"
        + "  EXECUTE "
        + quoted(sql.lastKey(scan))
        + " INTO "
        + end
        + ";\n"
        + "  WHILE zdo_e0 IS NOT NULL LOOP\n"
        + "    IF zdo_a0 IS NULL THEN\n"
        + "      EXECUTE "
        + quoted(sql.keyAt(scan, false))
        + "\n        INTO "
        + upTo
        + " USING "
        + end
        + ", "
        + (BATCH_ROWS - 1)
        + ";\n    ELSE\n      EXECUTE "
        + quoted(sql.keyAt(scan, true))
        + "\n        INTO "
        + upTo
        + " USING "
        + after
        + ", "
        + end
        + ", "
        + (BATCH_ROWS - 1)
        + ";\n    END IF;\n"
        + "    IF zdo_b0 IS NULL THEN\n"
        + assign("zdo_b", "zdo_e", keys, "      ")
        + "    END IF;\n"
        + "    IF zdo_a0 IS NULL THEN\n      EXECUTE "
        + quoted(sql.updateAll(step, false))
        + "\n        USING "
        + upTo
        + ";\n    ELSE\n      EXECUTE "
        + quoted(sql.updateAll(step, true))
        + "\n        USING "
        + after
        + ", "
        + upTo
        + ";\n    END IF;\n"
        + "    GET DIAGNOSTICS zdo_rows = ROW_COUNT;\n"
        + "    COMMIT;\n"
        + "    RAISE NOTICE '% rows changed up to key %', zdo_rows, ROW("
        + upTo
        + ");\n"
        + "    EXIT WHEN ROW("
        + upTo
        + ") = ROW("
        + end
        + ");\n"
        + assign("zdo_a", "zdo_b", keys, "    ")
        + "    PERFORM pg_catalog.pg_sleep("
        + PAUSE_SECONDS
        + ");\n"
        + "  END LOOP;\n"
        + (step.mustFinish() ? none(scan) : "")
        + "END";
  }

  private static String declared(String prefix, int keys) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < keys; i++) {
      text.append(prefix).append(i).append(" text; ");
    }
    return text.toString();
  }

  private static String assign(String to, String from, int keys, String indent) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < keys; i++) {
      text.append(indent).append(to).append(i).append(" := ").append(from).append(i);
      text.append(";\n");
    }
    return text.toString();
  }

  private static String none(Scan scan) {
    String rows = "SELECT * FROM " + scan.table() + " WHERE " + scan.pending();
    return "  IF EXISTS ("
        + rows
        + ") THEN\n    RAISE EXCEPTION 'rows are left or different; look at them with: %', "
        + quoted(rows)
        + ";\n  END IF;\n";
  }

  /** Statements for EXECUTE: what JDBC calls a parameter has a number here. */
  private static String quoted(String sql) {
    StringBuilder numbered = new StringBuilder();
    int number = 0;
    int at = 0;
    // Parameters are always cast; a question mark that is an operator is written twice for JDBC.
    for (int next; (next = sql.indexOf("CAST(? AS ", at)) >= 0; at = next + "CAST(?".length()) {
      numbered.append(sql, at, next).append("CAST($").append(++number);
    }
    String text = numbered.append(sql.substring(at)).toString().replace("??", "?");
    String tag = "$zdo_sql$";
    for (int i = 0; text.contains(tag); i++) {
      tag = "$zdo_sql" + i + "$";
    }
    return tag + text + tag;
  }

  private static String block(String body) {
    String tag = "$zdo$";
    for (int i = 0; body.contains(tag); i++) {
      tag = "$zdo" + i + "$";
    }
    return "DO " + tag + "\n" + body + "\n" + tag + ";\n";
  }

  private static String transaction(List<String> statements) {
    return "BEGIN;\n" + lines(statements) + "COMMIT;\n";
  }

  private static String lines(List<String> statements) {
    return statements.stream().map(each -> each + ";\n").collect(Collectors.joining());
  }
}
