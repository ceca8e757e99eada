package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.spi.Scan;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;

/** What the statements of a walk are put together from. */
final class ScanParts {

  private ScanParts() {}

  /**
   * The table, read along its primary key whatever else there is: the server might prefer an index
   * over a column of the predicate, and lock its entries too.
   */
  static String table(Scan scan) {
    return scan.table() + " FORCE INDEX (PRIMARY)";
  }

  /** The rows of a range that are pending; parameters: as {@link #range} says. */
  static String pendingIn(Scan scan, boolean bounded) {
    return rangeSql(scan, bounded) + " AND (" + scan.pending() + ")";
  }

  /** One row, if it is pending; parameters: the key. */
  static String pendingAt(Scan scan) {
    List<String> same = new ArrayList<>();
    for (Scan.KeyColumn key : scan.keys()) {
      same.add(column(scan, key) + " = " + type(key).parameter());
    }
    return String.join(" AND ", same) + " AND (" + scan.pending() + ")";
  }

  /**
   * Row values are not used for ranges: {@code (a, b) > (1, 2)} reads the whole index. So {@code a
   * > 1 OR (a = 1 AND b > 2)}.
   */
  static String rangeSql(Scan scan, boolean bounded) {
    String end = beside(scan, 0, " < ", " <= ");
    return bounded ? beside(scan, 0, " > ", " > ") + " AND " + end : end;
  }

  private static String beside(Scan scan, int from, String strictly, String atTheEnd) {
    Scan.KeyColumn key = scan.keys().get(from);
    String column = column(scan, key);
    String parameter = type(key).parameter();
    if (from == scan.keys().size() - 1) {
      return column + atTheEnd + parameter;
    }
    return "("
        + column
        + strictly
        + parameter
        + " OR ("
        + column
        + " = "
        + parameter
        + " AND "
        + beside(scan, from + 1, strictly, atTheEnd)
        + "))";
  }

  /** What is bound in one end of {@link #rangeSql}. */
  static void bind(Scan scan, List<String> key, List<Object> parameters) {
    int last = scan.keys().size() - 1;
    for (int i = 0; i <= last; i++) {
      Object bound = type(scan.keys().get(i)).bound(key.get(i));
      parameters.add(bound);
      if (i < last) {
        parameters.add(bound);
      }
    }
  }

  /** The key as text, renamed. */
  static String selected(Scan scan) {
    List<String> columns = new ArrayList<>();
    for (Scan.KeyColumn key : scan.keys()) {
      columns.add(type(key).text(key.name()) + " AS zdo_k" + columns.size());
    }
    return String.join(", ", columns);
  }

  static String names(Scan scan) {
    return each(scan, Scan.KeyColumn::name);
  }

  static String each(Scan scan, Function<Scan.KeyColumn, String> part) {
    return scan.keys().stream().map(part).collect(Collectors.joining(", "));
  }

  static KeyType type(Scan.KeyColumn key) {
    return KeyType.parse(key.type());
  }

  static String column(Scan scan, Scan.KeyColumn key) {
    return scan.table() + "." + key.name();
  }
}
