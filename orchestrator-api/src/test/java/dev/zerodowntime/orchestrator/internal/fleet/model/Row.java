package dev.zerodowntime.orchestrator.internal.fleet.model;

/**
 * A member's row in the database, as twelve bits: 0 when there is none, else a mark, the release,
 * the stage, how long ago it was closed, and what drivers have seen of its heartbeat.
 */
final class Row {

  /** No row. */
  static final int NONE = 0;

  /** Twelve bits. */
  static final int BITS = 12;

  private static final int WATCH = 7;

  private Row() {}

  static int of(int release, int stage) {
    return 1 | release << 1 | stage << 3;
  }

  static int release(int row) {
    return row >> 1 & 3;
  }

  static int stage(int row) {
    return row >> 3 & 3;
  }

  static boolean closed(int row) {
    return (row >> 5 & 3) != 0;
  }

  /** Ticks since it was closed, at most 2. */
  static int sinceClose(int row) {
    return (row >> 5 & 3) - 1;
  }

  static int close(int row) {
    return row | 1 << 5;
  }

  /** One tick later. */
  static int aged(int row) {
    int closed = row >> 5 & 3;
    return closed == 0 || closed == 3 ? row : row + (1 << 5);
  }

  static int watch(int row) {
    return row >> WATCH;
  }

  static int watch(int row, int watch) {
    return row & (1 << WATCH) - 1 | watch << WATCH;
  }

  static String text(int row) {
    if (row == NONE) {
      return "no row";
    }
    return "row "
        + release(row)
        + "/"
        + stage(row)
        + (closed(row) ? " closed " + sinceClose(row) : "")
        + " "
        + Watch.text(watch(row));
  }
}
