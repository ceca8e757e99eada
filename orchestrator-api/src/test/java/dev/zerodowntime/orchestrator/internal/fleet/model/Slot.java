package dev.zerodowntime.orchestrator.internal.fleet.model;

/** Room for one member's life: the process, if there is one, and its row, if there is one. */
final class Slot {

  /** What the process really does. */
  enum Process {
    /** There is none. A row without a process is that of one that crashed. */
    NONE,
    /** Runs, believes itself admitted, and heartbeats. */
    RUNNING,
    /** Ran into a pause of its machine and is back, but has not heartbeat since. */
    WOKEN,
    /** Sends nothing. */
    FROZEN,
    /** Knows that it doesn't fit, and asks again with the stage it has. */
    UNFIT,
    /** Has read that it would fit, but not written its row; only in a broken protocol. */
    JOINING,
    /** Was closed; its last transactions run. */
    CLOSING
  }

  private static final Process[] PROCESSES = Process.values();

  Process process = Process.NONE;
  int release;

  /** The stage that was chosen when it joined. */
  int stage;

  /** Whether it has heartbeat since the last tick. */
  boolean beat;

  /** Whether a session of it is open that the server can tell to be its own. */
  boolean session;

  /** The row in the database. */
  int row = Row.NONE;

  /** The row in the backup, if there is a backup. */
  int saved = Row.NONE;

  /** Whether the process, if there is one, is the one that the backup's row belongs to. */
  boolean same;

  /** Running, frozen or not, and believing itself admitted. */
  boolean believes() {
    return process == Process.RUNNING || process == Process.WOKEN || process == Process.FROZEN;
  }

  void vacate() {
    process = Process.NONE;
    release = 0;
    stage = 0;
    beat = false;
    session = false;
    same = false;
  }

  void copy(Slot other) {
    process = other.process;
    release = other.release;
    stage = other.stage;
    beat = other.beat;
    session = other.session;
    row = other.row;
    saved = other.saved;
    same = other.same;
  }

  /** How many bits {@link #code} has. */
  static int bits(boolean backups) {
    return backups ? 22 + Row.BITS : 9 + Row.BITS;
  }

  /** Everything in one number. */
  long code(boolean backups) {
    long code = process.ordinal();
    code = code << 2 | release;
    code = code << 2 | stage;
    code = code << 1 | (beat ? 1 : 0);
    code = code << 1 | (session ? 1 : 0);
    code = code << Row.BITS | row;
    return backups ? (code << Row.BITS | saved) << 1 | (same ? 1 : 0) : code;
  }

  void decode(long code, boolean backups) {
    long rest = code;
    if (backups) {
      same = (rest & 1) != 0;
      saved = (int) (rest >> 1) & (1 << Row.BITS) - 1;
      rest >>= Row.BITS + 1;
    }
    row = (int) rest & (1 << Row.BITS) - 1;
    rest >>= Row.BITS;
    session = (rest & 1) != 0;
    beat = (rest & 2) != 0;
    stage = (int) (rest >> 2) & 3;
    release = (int) (rest >> 4) & 3;
    process = PROCESSES[(int) (rest >> 6)];
  }

  @Override
  public String toString() {
    if (process == Process.NONE && row == Row.NONE && saved == Row.NONE) {
      return "-";
    }
    return (process == Process.NONE ? "none" : process + " " + release + "/" + stage)
        + (beat ? " beat" : "")
        + (session ? " session" : "")
        + ", "
        + Row.text(row)
        + (saved == Row.NONE ? "" : ", saved " + Row.text(saved) + (same ? " same" : ""));
  }
}
