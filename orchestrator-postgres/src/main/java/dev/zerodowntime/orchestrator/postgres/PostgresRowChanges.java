package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.Repeat;
import dev.zerodowntime.orchestrator.spi.RowChange;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.ScanSql;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The statements of backfills that change rows.
 *
 * <p>Their lock is the one that an UPDATE of a plain column takes: foreign keys that point to the
 * row don't wait for it.
 *
 * <p>A row that somebody changed while the statement ran is judged, and changed, in its newest
 * version. Tables beside it are read as they were when the statement began: so a row that was led
 * to another row of a joined table meanwhile is left as it is, and still pending. With a ledger
 * that means too that only its unique index tells for sure whether a row was changed before; an
 * error of that index takes the whole statement back, and the next attempt sees why.
 */
final class PostgresRowChanges {

  private static final String LOCK = " FOR NO KEY UPDATE";

  private static final String SKIP = " SKIP LOCKED";

  private PostgresRowChanges() {}

  static String update(BackfillStep step, boolean bounded) {
    String where = ScanParts.pendingIn(step.scan(), bounded);
    return step.change() instanceof RowChange.Copy copy
        ? copy(step, copy, where, LOCK + SKIP)
        : assignLocked(step, assign(step), where, LOCK + SKIP);
  }

  static String updateAll(BackfillStep step, boolean bounded) {
    return change(step, ScanParts.pendingIn(step.scan(), bounded));
  }

  static String updateOne(BackfillStep step) {
    return change(step, ScanParts.pendingAt(step.scan()));
  }

  private static String change(BackfillStep step, String where) {
    if (step.change() instanceof RowChange.Copy copy) {
      return copy(step, copy, where, LOCK);
    }
    RowChange.Assign assign = assign(step);
    // Where tables are joined, bare names in the predicate must not meet those of their columns.
    return assign.join() == null
        ? noted(step, "", updateSet(step, assign.set()) + " WHERE " + where)
        : assignLocked(step, assign, where, LOCK);
  }

  private static RowChange.Assign assign(BackfillStep step) {
    if (step.change() instanceof RowChange.Assign assign) {
      return assign;
    }
    throw new IllegalArgumentException(step.name() + " is computed in Java, not by one statement");
  }

  /**
   * Rows are locked first. Where that is done without waiting, nothing at all is waited for while
   * locks are held.
   */
  private static String assignLocked(
      BackfillStep step, RowChange.Assign assign, String where, String lock) {
    Scan scan = step.scan();
    RowChange.Join join = assign.join();
    List<String> renamed = new ArrayList<>();
    for (Scan.KeyColumn key : scan.keys()) {
      renamed.add(key.name() + " AS zdo_k" + renamed.size());
    }
    String rows =
        "zdo_rows AS MATERIALIZED (SELECT "
            + String.join(", ", renamed)
            + " FROM "
            + scan.table()
            + " WHERE "
            + where
            + lock
            + ")";
    return noted(
        step,
        rows,
        updateSet(step, assign.set())
            + " FROM zdo_rows"
            + (join == null ? "" : ", " + join.from())
            + " WHERE "
            + sameKey(scan, "zdo_rows", false)
            + (join == null ? "" : " AND (" + join.on() + ")"));
  }

  private static String updateSet(BackfillStep step, String set) {
    return "UPDATE " + step.scan().table() + " SET " + set;
  }

  private static String sameKey(Scan scan, String other, boolean text) {
    List<String> same = new ArrayList<>();
    for (Scan.KeyColumn key : scan.keys()) {
      String value = other + ".zdo_k" + same.size();
      same.add(
          scan.table()
              + "."
              + key.name()
              + " = "
              + (text ? "CAST(" + value + " AS " + key.type() + ")" : value));
    }
    return String.join(" AND ", same);
  }

  /**
   * An UPDATE, with the keys of its rows put into the ledger where there is one: as they are in the
   * version that was changed, and only if they were.
   */
  private static String noted(BackfillStep step, String with, String update) {
    if (!(step.repeat() instanceof Repeat.OncePerLedger ledger)) {
      return (with.isEmpty() ? "" : "WITH " + with + " ") + update;
    }
    Scan scan = step.scan();
    return "WITH "
        + (with.isEmpty() ? "" : with + ", ")
        + "zdo_done AS ("
        + update
        + " RETURNING "
        + ScanParts.each(scan, key -> scan.table() + "." + key.name())
        + ") "
        + intoLedger(scan, ledger)
        + " SELECT * FROM zdo_done";
  }

  private static String intoLedger(Scan scan, Repeat.OncePerLedger ledger) {
    return "INSERT INTO "
        + ledger.table()
        + " ("
        + ScanParts.numbered("k", scan.keys().size())
        + ")";
  }

  /**
   * The rows are locked and read in their newest version, and stay so until it is committed: a copy
   * never puts an older image over a newer one.
   */
  private static String copy(BackfillStep step, RowChange.Copy copy, String where, String lock) {
    Scan scan = step.scan();
    String insert = "INSERT INTO " + copy.into() + " (" + String.join(", ", copy.columns()) + ") ";
    String from = " FROM " + scan.table() + " WHERE " + where + lock;
    String values = String.join(", ", copy.values());
    if (!(step.repeat() instanceof Repeat.OncePerLedger ledger)) {
      return insert + "SELECT " + values + from + onConflict(copy);
    }
    int columns = copy.columns().size();
    int keys = scan.keys().size();
    return "WITH zdo_rows("
        + ScanParts.numbered("zdo_v", columns)
        + ", "
        + ScanParts.numbered("zdo_k", keys)
        + ") AS MATERIALIZED (SELECT "
        + values
        + ", "
        + ScanParts.names(scan)
        + from
        + "), zdo_done AS ("
        + insert
        + "SELECT "
        + ScanParts.numbered("zdo_v", columns)
        + " FROM zdo_rows"
        + onConflict(copy)
        + ") "
        + intoLedger(scan, ledger)
        + " SELECT "
        + ScanParts.numbered("zdo_k", keys)
        + " FROM zdo_rows";
  }

  private static String onConflict(RowChange.Copy copy) {
    List<String> set =
        copy.columns().stream()
            .filter(column -> !copy.key().contains(column))
            .map(column -> column + " = EXCLUDED." + column)
            .toList();
    return " ON CONFLICT ("
        + String.join(", ", copy.key())
        + (set.isEmpty() ? ") DO NOTHING" : ") DO UPDATE SET " + String.join(", ", set));
  }

  static String read(BackfillStep step, boolean bounded) {
    return read(step, ScanParts.pendingIn(step.scan(), bounded))
        + " ORDER BY "
        + ScanParts.names(step.scan())
        + LOCK
        // What can't be repeated is done for all rows of a batch, or for none.
        + (step.repeat() instanceof Repeat.OncePerKey ? "" : SKIP);
  }

  static String readOne(BackfillStep step) {
    return read(step, ScanParts.pendingAt(step.scan())) + LOCK;
  }

  private static String read(BackfillStep step, String where) {
    RowChange.Compute compute = compute(step);
    List<String> columns = new ArrayList<>();
    // Renamed, or ORDER BY would take a text that is selected for the key.
    for (String column : compute.reads()) {
      columns.add(column + "::text AS zdo_r" + columns.size());
    }
    for (RowChange.Column column : compute.writes()) {
      columns.add(column.name() + "::text AS zdo_r" + columns.size());
    }
    return "SELECT "
        + ScanParts.selected(step.scan())
        + ", "
        + String.join(", ", columns)
        + " FROM "
        + step.scan().table()
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
   * One array a column, so that the statement is the same for any number of rows. The types have no
   * length: an explicit cast to one would cut a value off, where an assignment rejects it.
   */
  static String write(BackfillStep step) {
    Scan scan = step.scan();
    List<RowChange.Column> writes = compute(step).writes();
    List<String> set = new ArrayList<>();
    for (RowChange.Column column : writes) {
      set.add(column.name() + " = CAST(zdo_new.zdo_v" + set.size() + " AS " + column.type() + ")");
    }
    int columns = scan.keys().size() + writes.size();
    return noted(
        step,
        "",
        updateSet(step, String.join(", ", set))
            + " FROM unnest("
            + String.join(", ", Collections.nCopies(columns, "CAST(? AS text[])"))
            + ") AS zdo_new("
            + ScanParts.numbered("zdo_k", scan.keys().size())
            + ", "
            + ScanParts.numbered("zdo_v", writes.size())
            + ") WHERE "
            + sameKey(scan, "zdo_new", true));
  }

  static int write(
      Connection connection, String tag, BackfillStep step, List<ScanSql.Computed> rows)
      throws SQLException {
    int keys = step.scan().keys().size();
    int columns = keys + compute(step).writes().size();
    try (PreparedStatement statement = connection.prepareStatement(tag + write(step))) {
      for (int i = 0; i < columns; i++) {
        String[] values = new String[rows.size()];
        for (int j = 0; j < values.length; j++) {
          ScanSql.Computed row = rows.get(j);
          values[j] = i < keys ? row.key().get(i) : row.values().get(i - keys);
        }
        statement.setArray(i + 1, connection.createArrayOf("text", values));
      }
      return statement.executeUpdate();
    }
  }
}
