package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.Probe;
import dev.zerodowntime.orchestrator.spi.Repeat;
import dev.zerodowntime.orchestrator.spi.RowChange;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.ScriptSql;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import java.util.List;
import java.util.Locale;

/**
 * Scripts for a POSIX shell and the server's client. SQL alone can't make a statement depend on
 * what a query says: MySQL has conditions only in procedures, and these can't create triggers. So
 * the shell asks, and each statement is a call of the client, which ends the script if it fails.
 */
final class MysqlScriptSql implements ScriptSql {

  /** Whole seconds; whoever comes after a waiting ALTER waits as well. */
  private static final String SHORT =
      "SET SESSION lock_wait_timeout = 1, SESSION innodb_lock_wait_timeout = 5;\n";

  /** A build that met a long transaction at its end would have been for nothing. */
  private static final String LONG = "SET SESSION lock_wait_timeout = 10;\n";

  private static final String READ_COMMITTED =
      "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;\n";

  private static final String FUNCTIONS =
      """
      set -eu
      if [ $# -eq 0 ]; then
        echo "usage: sh $0 mysql --defaults-extra-file=my.cnf database" >&2
        exit 2
      fi
      # run CLIENT...: executes what it reads; the first error ends the script
      run() { "$@" --batch --raw --skip-column-names --default-character-set=utf8mb4; }
      # yes CLIENT...: whether a query says 1
      yes() {
        answer=$(run "$@") || exit 1
        case $answer in
          1) return 0 ;;
          0) return 1 ;;
          *)
            echo "not 0 or 1: $answer" >&2
            exit 1
            ;;
        esac
      }
      # keys NAME HEX...: the values of a key, as variables
      keys() {
        name=$1
        shift
        number=0
        for each in "$@"; do
          echo "SET @$name$number = CONVERT(X'${each#x}' USING utf8mb4);"
          number=$((number + 1))
        done
      }
      """;

  @Override
  public String literal(String text) {
    return Sql.literal(text);
  }

  @Override
  public boolean scriptable(Step step) {
    if (step instanceof BackfillStep backfill) {
      return !(backfill.change() instanceof RowChange.Compute)
          // What isn't known of its table yet.
          && !backfill.scan().keys().isEmpty()
          // Where it has come to is known to its chunks alone.
          && !(backfill.repeat() instanceof Repeat.OncePerKey);
    }
    return step instanceof DdlStep || step instanceof OnlineStep || step instanceof VerifyStep;
  }

  @Override
  public String write(Script script) {
    StringBuilder text = new StringBuilder("#!/bin/sh\n");
    script.notes().forEach(note -> text.append("# ").append(note).append('\n'));
    text.append(
        "# With a shell and the server's client, whose arguments must suffice to connect:\n");
    text.append("#   sh this-file mysql --defaults-extra-file=my.cnf database\n");
    text.append(FUNCTIONS).append('\n');
    text.append(call(lines(script.begin())));
    text.append(driversGone(script.id()));
    for (Movement each : script.movements()) {
      text.append('\n').append(movement(each));
    }
    text.append('\n').append(call(transaction(script.end())));
    for (Movement each : script.afterwards()) {
      text.append("\n# Not done here, for there is no way back from it:\n");
      movement(each)
          .lines()
          .forEach(line -> text.append(line.isEmpty() ? "#" : "# " + line).append('\n'));
    }
    return text.append('\n').toString();
  }

  /** A driver that was paused ends the statement that it is at. */
  private static String driversGone(String id) {
    String tag = "/* orchestrator " + id + " ";
    return "while yes \"$@\" "
        + here(
            "SELECT EXISTS (SELECT 1 FROM information_schema.PROCESSLIST WHERE ID <>"
                + " CONNECTION_ID() AND LEFT(INFO, "
                + tag.codePointCount(0, tag.length())
                + ") = "
                + Sql.literal(tag)
                + ");\n")
        + "do\n  echo 'waiting for a statement of a driver'\n  sleep 1\ndone\n";
  }

  /** What a movement finds in the catalog may be undone by those after it: the row tells. */
  private static String movement(Movement movement) {
    StringBuilder text = new StringBuilder(call(transaction(movement.entering())));
    for (Step step : movement.steps()) {
      text.append("# step ").append(step.name()).append(": ").append(oneLine(step.summary()));
      text.append("\n# lock: ").append(oneLine(step.lock().toString())).append('\n');
      text.append("echo ").append(word("step " + step.name())).append('\n');
      text.append(step(step));
    }
    text.append(call(transaction(movement.reached())));
    return "# "
        + movement.from()
        + " -> "
        + movement.to()
        + "; code that fits: "
        + movement.fitting()
        + "\n"
        + when("SELECT (" + movement.ahead() + ")", text.toString());
  }

  private static String step(Step step) {
    if (step instanceof DdlStep ddl) {
      return unless(ddl.done(), call(SHORT + delimited(ddl.sql())));
    }
    if (step instanceof OnlineStep online) {
      return when(sql(online.broken()), call(SHORT + delimited(online.repair())))
          + unless(online.done(), call(LONG + delimited(List.of(online.statement()))));
    }
    return step instanceof VerifyStep verify ? none(verify.scan()) : walk((BackfillStep) step);
  }

  private static String unless(Probe done, String then) {
    return when("SELECT NOT (" + coalesced(done) + ")", then);
  }

  private static String sql(Probe probe) {
    return "SELECT " + coalesced(probe);
  }

  private static String coalesced(Probe probe) {
    return "COALESCE((" + probe.sql() + "), FALSE)";
  }

  private static String when(String query, String then) {
    return "if yes \"$@\" " + here(query + ";\n") + "then\n" + then + "fi\n";
  }

  /** In ranges of the key, each a statement by itself; pending rows alone are changed. */
  private static String walk(BackfillStep step) {
    Scan scan = step.scan();
    ScriptedWalk walk = new ScriptedWalk(scan);
    return "after=\nend=$(run \"$@\" "
        + here(READ_COMMITTED + walk.lastKey())
        + ")\nwhile [ -n \"$end\" ]; do\n"
        + "if [ -z \"$after\" ]; then\n"
        + batch(walk, step, false)
        + "else\n"
        + batch(walk, step, true)
        + "fi\n"
        + "echo \"$changed rows changed\"\n"
        + "if [ \"$upto\" = \"$end\" ]; then break; fi\n"
        + "after=$upto\ndone\n"
        + (step.mustFinish() ? none(scan) : "");
  }

  private static String batch(ScriptedWalk walk, BackfillStep step, boolean bounded) {
    String after = bounded ? "keys zdo_a $after; " : "";
    return "upto=$({ "
        + after
        + "keys zdo_b $end; cat "
        + here(READ_COMMITTED + walk.keyAt(bounded))
        + "} | run \"$@\")\n"
        + "if [ -z \"$upto\" ]; then upto=$end; fi\n"
        + "changed=$({ "
        + after
        + "keys zdo_b $upto; cat "
        + here(SHORT + READ_COMMITTED + walk.change(step, bounded))
        + "} | run \"$@\")\n";
  }

  private static String none(Scan scan) {
    String rows = "SELECT * FROM " + scan.table() + " WHERE " + scan.pending();
    return when(
        "SELECT EXISTS (" + rows + ")",
        "cat >&2 "
            + here("rows are left or different; look at them with: " + rows + "\n")
            + "exit 1\n");
  }

  private static String transaction(List<String> statements) {
    return "START TRANSACTION;\n" + lines(statements) + "COMMIT;\n";
  }

  private static String lines(List<String> statements) {
    StringBuilder text = new StringBuilder();
    statements.forEach(each -> text.append(each).append(";\n"));
    return text.toString();
  }

  /** The body of a trigger has semicolons. */
  private static String delimited(List<String> statements) {
    StringBuilder text = new StringBuilder();
    for (String each : statements) {
      if (each.startsWith(MysqlLockBudget.UNCHECKED)) {
        text.append("SET SESSION foreign_key_checks = 0;\n");
      }
      String delimiter = absent("$zdo$", each);
      text.append("DELIMITER ").append(delimiter).append('\n').append(each).append('\n');
      text.append(delimiter).append("\nDELIMITER ;\n");
    }
    return text.toString();
  }

  private static String call(String sql) {
    return "run \"$@\" " + here(sql);
  }

  /** A text that the shell takes as it is. */
  private static String here(String text) {
    String end = absent("zdo_sql", text);
    return "<<'" + end + "'\n" + text + end + "\n";
  }

  private static String absent(String word, String text) {
    String chosen = word;
    for (int i = 0; text.contains(chosen); i++) {
      chosen = word.replaceFirst("zdo", "zdo" + i);
    }
    return chosen;
  }

  private static String word(String text) {
    return "'" + text.replace("'", "'\\''").toLowerCase(Locale.ROOT) + "'";
  }

  private static String oneLine(String text) {
    return text.replaceAll("\\s+", " ");
  }
}
