package dev.zerodowntime.orchestrator.postgres.oracle;

import java.util.Map;
import java.util.TreeMap;

/** What one step was seen to do, over all its statements. Not thread-safe. */
final class Measured {

  private final Map<String, Mode> strongest = new TreeMap<>();
  private final Map<String, Long> holds = new TreeMap<>();
  private long rows;
  private int statements;

  void statement() {
    statements++;
  }

  void lock(String table, Mode mode) {
    Mode before = strongest.get(table);
    if (before == null || mode.strongerThan(before)) {
      strongest.put(table, mode);
      holds.remove(table);
    }
  }

  /** The longest one counts. */
  void held(String table, Mode mode, long nanos) {
    if (mode == strongest.get(table)) {
      holds.merge(table, nanos, Math::max);
    }
  }

  void rewritten(long count) {
    rows += count;
  }

  Map<String, Mode> strongest() {
    return strongest;
  }

  /** How long the table's strongest lock was held at most. */
  long nanos(String table) {
    return holds.getOrDefault(table, 0L);
  }

  long rows() {
    return rows;
  }

  int statements() {
    return statements;
  }
}
