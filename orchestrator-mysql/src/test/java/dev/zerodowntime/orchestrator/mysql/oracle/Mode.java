package dev.zerodowntime.orchestrator.mysql.oracle;

/**
 * Metadata locks of tables, weakest first, as performance_schema calls them. Not the library's own
 * list: that one is under test.
 */
enum Mode {
  SHARED("no query and no change of rows"),
  SHARED_HIGH_PRIO("no query and no change of rows"),
  SHARED_READ("no query and no change of rows"),
  SHARED_WRITE("no query and no change of rows"),
  SHARED_WRITE_LOW_PRIO("no query and no change of rows"),
  SHARED_UPGRADABLE("other DDL"),
  SHARED_READ_ONLY("writes"),
  SHARED_NO_WRITE("writes"),
  SHARED_NO_READ_WRITE("reads and writes"),
  EXCLUSIVE("reads and writes");

  final String blocks;

  Mode(String blocks) {
    this.blocks = blocks;
  }

  boolean strongerThan(Mode other) {
    return compareTo(other) > 0;
  }

  static Mode stronger(Mode one, Mode other) {
    return one.strongerThan(other) ? one : other;
  }

  /** Whether a query or a change of rows would wait for it. */
  boolean blocking() {
    return compareTo(SHARED_READ_ONLY) >= 0;
  }
}
