package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.Scan;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;

/** What the statements of a walk are put together from. */
final class ScanParts {

  private ScanParts() {}

  /** The rows of a range that are pending; parameters: after, if bounded, and up to. */
  static String pendingIn(Scan scan, boolean bounded) {
    return range(scan, bounded) + " AND (" + scan.pending() + ")";
  }

  /** One row, if it is pending; parameters: the key. */
  static String pendingAt(Scan scan) {
    return "(" + names(scan) + ") = (" + parameters(scan) + ") AND (" + scan.pending() + ")";
  }

  static String range(Scan scan, boolean bounded) {
    String row = "(" + names(scan) + ")";
    String end = row + " <= (" + parameters(scan) + ")";
    return bounded ? row + " > (" + parameters(scan) + ") AND " + end : end;
  }

  /** The key as text, renamed. */
  static String selected(Scan scan) {
    List<String> columns = new ArrayList<>();
    for (Scan.KeyColumn key : scan.keys()) {
      columns.add(key.name() + "::text AS zdo_k" + columns.size());
    }
    return String.join(", ", columns);
  }

  static String names(Scan scan) {
    return each(scan, Scan.KeyColumn::name);
  }

  static String parameters(Scan scan) {
    return each(scan, key -> "CAST(? AS " + key.type() + ")");
  }

  static String each(Scan scan, Function<Scan.KeyColumn, String> part) {
    return scan.keys().stream().map(part).collect(Collectors.joining(", "));
  }

  /** Numbered names, in a list. */
  static String numbered(String prefix, int count) {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      names.add(prefix + i);
    }
    return String.join(", ", names);
  }
}
