package dev.zerodowntime.orchestrator.postgres.oracle;

/**
 * Table locks, weakest first, as PostgreSQL's documentation has them. Not the library's own list:
 * that one is under test.
 */
enum Mode {
  ACCESS_SHARE("no query and no change of rows"),
  ROW_SHARE("no query and no change of rows"),
  ROW_EXCLUSIVE("no query and no change of rows"),
  SHARE_UPDATE_EXCLUSIVE("vacuum and other DDL"),
  SHARE("writes"),
  SHARE_ROW_EXCLUSIVE("writes"),
  EXCLUSIVE("writes"),
  ACCESS_EXCLUSIVE("reads and writes");

  final String blocks;

  Mode(String blocks) {
    this.blocks = blocks;
  }

  /** From the words of the documentation; a mode that isn't there would be a step's error. */
  static Mode of(String words) {
    return valueOf(words.replace(' ', '_'));
  }

  /** From pg_locks: {@code AccessShareLock}. */
  static Mode ofCatalog(String name) {
    for (Mode each : values()) {
      if ((each.name().replace("_", "") + "Lock").equalsIgnoreCase(name)) {
        return each;
      }
    }
    throw new IllegalArgumentException("no lock of tables: " + name);
  }

  boolean strongerThan(Mode other) {
    return compareTo(other) > 0;
  }

  /** Whether a query or a change of rows would wait for it. */
  boolean blocking() {
    return compareTo(SHARE) >= 0;
  }

  @Override
  public String toString() {
    return name().replace('_', ' ');
  }
}
