package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.Repeat;
import dev.zerodowntime.orchestrator.spi.RowChange;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.ScanSql;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * The statements of backfills that change rows, for READ COMMITTED.
 *
 * <p>An UPDATE itself waits for whoever has locked a row, for a second at least. So rows are locked
 * first, in a table that is derived from them, where NOWAIT and SKIP LOCKED can be said; a locking
 * read sees the newest version of each, and judges that. Then they are found again by their key; a
 * zero in a date of the key is an error there where sql_mode forbids these.
 */
final class MysqlRowChanges {

  private static final String LOCK = " FOR UPDATE";
  private static final String SKIP = " SKIP LOCKED";
  private static final String NOWAIT = " NOWAIT";

  /** Keeps the server from merging the derived table with what it is joined to. */
  private static final String WHOLE = " LIMIT 18446744073709551615";

  private MysqlRowChanges() {}

  static String update(BackfillStep step, boolean bounded) {
    return change(step, ScanParts.pendingIn(step.scan(), bounded), LOCK + SKIP);
  }

  static String updateAll(BackfillStep step, boolean bounded) {
    return change(step, ScanParts.pendingIn(step.scan(), bounded), LOCK + NOWAIT);
  }

  /** For people's scripts, which wait for who has a row. */
  static String updateWaiting(BackfillStep step, boolean bounded) {
    return change(step, ScanParts.pendingIn(step.scan(), bounded), LOCK);
  }

  static String updateOne(BackfillStep step) {
    return change(step, ScanParts.pendingAt(step.scan()), LOCK);
  }

  private static String change(BackfillStep step, String where, String lock) {
    if (step.repeat() instanceof Repeat.OncePerLedger) {
      throw new IllegalArgumentException(step.name() + ": there are no ledgers here");
    }
    if (step.change() instanceof RowChange.Copy copy) {
      return copy(step.scan(), copy, where, lock);
    }
    if (step.change() instanceof RowChange.Assign assign) {
      return assign(step.scan(), assign, where, lock);
    }
    throw new IllegalArgumentException(step.name() + " is computed in Java, not by one statement");
  }

  private static String assign(Scan scan, RowChange.Assign assign, String where, String lock) {
    RowChange.Join join = assign.join();
    List<String> keys = new ArrayList<>();
    List<String> same = new ArrayList<>();
    for (Scan.KeyColumn key : scan.keys()) {
      String renamed = "zdo_k" + keys.size();
      keys.add(key.name() + " AS " + renamed);
      same.add(ScanParts.column(scan, key) + " = zdo_rows." + renamed);
    }
    return "UPDATE (SELECT "
        + String.join(", ", keys)
        + " FROM "
        + ScanParts.table(scan)
        + " WHERE "
        + where
        + WHOLE
        + lock
        + ") AS zdo_rows STRAIGHT_JOIN "
        + ScanParts.table(scan)
        + " ON "
        + String.join(" AND ", same)
        + (join == null ? "" : " INNER JOIN (" + join.from() + ") ON (" + join.on() + ")")
        + " SET "
        + assign.set();
  }

  /** From a derived table, whose columns both servers let ON DUPLICATE KEY UPDATE name. */
  private static String copy(Scan scan, RowChange.Copy copy, String where, String lock) {
    List<String> values = new ArrayList<>();
    List<String> set = new ArrayList<>();
    for (String column : copy.columns()) {
      String value = "zdo_v" + values.size();
      if (!copy.key().contains(column)) {
        set.add(column + " = zdo_new." + value);
      }
      values.add(copy.values().get(values.size()) + " AS " + value);
    }
    if (set.isEmpty()) {
      // Nothing but the key: it is there already.
      String key = copy.key().get(0);
      set.add(key + " = " + copy.into() + "." + key);
    }
    return "INSERT INTO "
        + copy.into()
        + " ("
        + String.join(", ", copy.columns())
        + ") SELECT * FROM (SELECT "
        + String.join(", ", values)
        + " FROM "
        + ScanParts.table(scan)
        + " WHERE "
        + where
        + WHOLE
        + lock
        + ") AS zdo_new ON DUPLICATE KEY UPDATE "
        + String.join(", ", set);
  }

  static String read(BackfillStep step, boolean bounded) {
    return read(step, ScanParts.pendingIn(step.scan(), bounded))
        + " ORDER BY "
        + ScanParts.names(step.scan())
        + LOCK
        // What can't be repeated is done for all rows of a batch, or for none.
        + (step.repeat() instanceof Repeat.OncePerKey ? NOWAIT : SKIP);
  }

  static String readOne(BackfillStep step) {
    return read(step, ScanParts.pendingAt(step.scan())) + LOCK;
  }

  private static String read(BackfillStep step, String where) {
    RowChange.Compute compute = compute(step);
    List<String> columns = new ArrayList<>();
    for (String column : compute.reads()) {
      columns.add("CONVERT(" + column + " USING utf8mb4) AS zdo_r" + columns.size());
    }
    for (RowChange.Column column : compute.writes()) {
      columns.add("CONVERT(" + column.name() + " USING utf8mb4) AS zdo_r" + columns.size());
    }
    return "SELECT "
        + ScanParts.selected(step.scan())
        + ", "
        + String.join(", ", columns)
        + " FROM "
        + ScanParts.table(step.scan())
        + " WHERE "
        + where;
  }

  private static RowChange.Compute compute(BackfillStep step) {
    if (step.change() instanceof RowChange.Compute compute) {
      return compute;
    }
    throw new IllegalArgumentException(step.name() + " is not computed in Java");
  }

  /**
   * All rows in one parameter, so that the statement is the same for any number of them. That a
   * value is null is said beside it: the servers don't agree on a null in JSON.
   */
  static String write(BackfillStep step) {
    Scan scan = step.scan();
    List<String> columns = new ArrayList<>();
    List<String> same = new ArrayList<>();
    List<String> set = new ArrayList<>();
    for (Scan.KeyColumn key : scan.keys()) {
      int i = columns.size();
      columns.add("zdo_c" + i + " VARCHAR(4000) PATH '$[" + i + "]'");
      same.add(
          ScanParts.column(scan, key) + " = " + ScanParts.type(key).fromText("zdo_new.zdo_c" + i));
    }
    for (RowChange.Column column : compute(step).writes()) {
      int i = columns.size();
      columns.add("zdo_c" + i + " INT PATH '$[" + i + "]'");
      columns.add("zdo_c" + (i + 1) + " LONGTEXT PATH '$[" + (i + 1) + "]'");
      set.add(
          scan.table()
              + "."
              + column.name()
              + " = IF(zdo_new.zdo_c"
              + i
              + " = 1, NULL, zdo_new.zdo_c"
              + (i + 1)
              + ")");
    }
    return "UPDATE JSON_TABLE(CONVERT(? USING utf8mb4), '$[*]' COLUMNS ("
        + String.join(", ", columns)
        + ")) AS zdo_new STRAIGHT_JOIN "
        + ScanParts.table(scan)
        + " ON "
        + String.join(" AND ", same)
        + " SET "
        + String.join(", ", set);
  }

  static int write(
      Connection connection, String tag, BackfillStep step, List<ScanSql.Computed> rows)
      throws SQLException {
    StringBuilder all = new StringBuilder("[");
    for (ScanSql.Computed row : rows) {
      all.append(all.length() == 1 ? "[" : ",[");
      String comma = "";
      for (String key : row.key()) {
        text(all.append(comma), key);
        comma = ",";
      }
      for (String value : row.values()) {
        text(all.append(value == null ? ",1," : ",0,"), value == null ? "" : value);
      }
      all.append(']');
    }
    all.append(']');
    try (PreparedStatement statement = connection.prepareStatement(tag + write(step))) {
      statement.setBytes(1, all.toString().getBytes(StandardCharsets.UTF_8));
      int written = statement.executeUpdate();
      if (written != rows.size()) {
        // Counted as found, not as changed: see MysqlDriver.
        throw new SQLException(
            "of "
                + rows.size()
                + " rows only "
                + written
                + " were found again by their key, as it is with zeros in dates",
            "22007");
      }
      return written;
    }
  }

  private static void text(StringBuilder json, String text) {
    json.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        json.append('\\').append(c);
      } else if (c < ' ') {
        json.append(String.format("\\u%04x", (int) c));
      } else {
        json.append(c);
      }
    }
    json.append('"');
  }
}
