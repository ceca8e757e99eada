package dev.zerodowntime.orchestrator.mysql.oracle;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** What one step was seen to do, over all its statements. Not thread-safe. */
final class Measured {

  /** What InnoDB wrote anew. */
  enum Built {
    NOTHING("nothing"),
    INDEX("an index"),
    TABLE("the table");

    final String words;

    Built(String words) {
      this.words = words;
    }
  }

  private final Map<String, Mode> strongest = new TreeMap<>();
  private final Set<String> letThrough = new TreeSet<>();
  private long longest;
  private Built built = Built.NOTHING;
  private int statements;

  void statement() {
    statements++;
  }

  void lock(String table, Mode mode) {
    strongest.merge(table, mode, Mode::stronger);
  }

  /** A write of another session began in the middle of the statement. */
  void letThrough(String table) {
    letThrough.add(table);
  }

  /** How long a write had to wait that came while the statement had its way. */
  void held(long nanos) {
    longest = Math.max(longest, nanos);
  }

  void built(Built what) {
    built = what.compareTo(built) > 0 ? what : built;
  }

  Map<String, Mode> strongest() {
    return strongest;
  }

  Set<String> letThrough() {
    return letThrough;
  }

  long nanos() {
    return longest;
  }

  Built built() {
    return built;
  }

  int statements() {
    return statements;
  }
}
