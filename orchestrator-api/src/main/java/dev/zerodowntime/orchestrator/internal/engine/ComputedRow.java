package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.RowFunction;
import dev.zerodowntime.orchestrator.spi.RowChange;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.ScanSql;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A row as the author's function sees it. */
final class ComputedRow implements RowFunction.Row {

  private final List<String> key;
  private final Map<String, @Nullable String> read;
  private final Map<String, @Nullable String> written;

  private ComputedRow(
      List<String> key, Map<String, @Nullable String> read, Map<String, @Nullable String> written) {
    this.key = key;
    this.read = read;
    this.written = written;
  }

  /** Reads the current row: its key, what the function reads, what it writes. */
  static ComputedRow read(ResultSet row, Scan scan, RowChange.Compute compute) throws SQLException {
    int column = scan.keys().size();
    Map<String, @Nullable String> read = new LinkedHashMap<>();
    for (String each : compute.reads()) {
      read.put(unquoted(each), row.getString(++column));
    }
    Map<String, @Nullable String> written = new LinkedHashMap<>();
    for (RowChange.Column each : compute.writes()) {
      written.put(unquoted(each.name()), row.getString(++column));
    }
    return new ComputedRow(ScanReads.key(row, scan), read, written);
  }

  private static String unquoted(String name) {
    String quote = name.substring(0, 1);
    return quote.equals("\"") || quote.equals("`")
        ? name.substring(1, name.length() - 1).replace(quote + quote, quote)
        : name;
  }

  @Override
  public @Nullable String get(String column) {
    if (read.containsKey(column)) {
      return read.get(column);
    }
    throw new IllegalArgumentException(
        "column " + column + " is not read by this backfill, only " + read.keySet());
  }

  @Override
  public void set(String column, @Nullable String value) {
    if (!written.containsKey(column)) {
      throw new IllegalArgumentException(
          "column " + column + " is not written by this backfill, only " + written.keySet());
    }
    written.put(column, value);
  }

  ScanSql.Computed computed() {
    return new ScanSql.Computed(key, new ArrayList<>(written.values()));
  }

  @Override
  public String toString() {
    return "row with key " + key;
  }
}
