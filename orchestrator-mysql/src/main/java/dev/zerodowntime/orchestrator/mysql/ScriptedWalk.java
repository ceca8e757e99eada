package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.Scan;
import java.util.ArrayList;
import java.util.List;

/**
 * The statements of a walk for the client. Keys are variables of the session, named {@code zdo_a…}
 * and {@code zdo_b…}: where the batch begins, and where it ends. The client prints them as text, in
 * hexadecimal digits after an x, so that an empty one is a word for the shell too.
 */
final class ScriptedWalk {

  private static final int BATCH_ROWS = 1_000;

  private final Scan scan;

  ScriptedWalk(Scan scan) {
    this.scan = scan;
  }

  /** Prints the greatest key, if there is one. */
  String lastKey() {
    return printed(MysqlScanSql.greatestKey(scan)) + ";\n";
  }

  /** Prints the key of the last row of a batch that is full. */
  String keyAt(boolean bounded) {
    return converted(bounded)
        + "SET @zdo_n = "
        + (BATCH_ROWS - 1)
        + ";\n"
        + prepared(printed(MysqlScanSql.keyOfRow(scan, bounded)), bounded, ", @zdo_n");
  }

  /** Changes the rows of a batch and prints how many, and makes a pause. */
  String change(BackfillStep step, boolean bounded) {
    return converted(bounded)
        + prepared(MysqlRowChanges.updateWaiting(step, bounded), bounded, "")
        + "SELECT ROW_COUNT();\nDO SLEEP(0.1);\n";
  }

  private String printed(String keys) {
    List<String> columns = new ArrayList<>();
    for (int i = 0; i < scan.keys().size(); i++) {
      columns.add("CONCAT('x', HEX(CONVERT(zdo_k" + i + " USING utf8mb4)))");
    }
    return "SELECT CONCAT_WS(' ', "
        + String.join(", ", columns)
        + ") FROM ("
        + keys
        + ") AS zdo_key";
  }

  private String prepared(String sql, boolean bounded, String more) {
    List<String> using = new ArrayList<>();
    if (bounded) {
      bind("@zdo_a", using);
    }
    bind("@zdo_b", using);
    return "PREPARE zdo FROM "
        + Sql.literal(sql)
        + ";\nEXECUTE zdo USING "
        + String.join(", ", using)
        + more
        + ";\n";
  }

  /** As {@link ScanParts#bind}. */
  private void bind(String prefix, List<String> using) {
    int last = scan.keys().size() - 1;
    for (int i = 0; i <= last; i++) {
      using.add(prefix + i);
      if (i < last) {
        using.add(prefix + i);
      }
    }
  }

  private String converted(boolean bounded) {
    StringBuilder set = new StringBuilder();
    for (int i = 0; i < scan.keys().size(); i++) {
      for (String each : bounded ? List.of("@zdo_a", "@zdo_b") : List.of("@zdo_b")) {
        set.append(ScanParts.type(scan.keys().get(i)).bind(each + i));
      }
    }
    return set.toString();
  }
}
