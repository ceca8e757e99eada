package dev.zerodowntime.orchestrator.internal.fleet.model;

/** What can happen next: one transaction, or one event around the library. */
enum Action {
  /** A process starts and asks to join. */
  REGISTER,
  /** A process writes the row that it decided on. */
  JOIN,
  /** A process that doesn't fit asks again. */
  ASK_AGAIN,
  /** A process heartbeats. */
  HEARTBEAT,
  /** A silent member is struck off. */
  EXPEL,
  /** A driver takes the lease. */
  TAKE_OVER,
  /** A driver looks at the heartbeats. */
  LOOK,
  /** A driver tries to enter a phase. */
  ENTER,
  /** A driver runs a phase's statements. */
  RUN,
  /** A driver confirms a phase. */
  CONFIRM,
  /** A driver turns back. */
  REVERSE,
  /** Time passes. */
  TICK,
  /** A process is closed. */
  CLOSE,
  /** A process that doesn't fit is ended. */
  END,
  /** A process crashes. */
  CRASH,
  /** A process freezes. */
  FREEZE,
  /** A process wakes. */
  WAKE,
  /** The next release is rolled out. */
  ROLL_OUT,
  /** The release before is rolled out again. */
  ROLL_BACK,
  /** A person pins builds. */
  PIN,
  /** A person ends that. */
  UNPIN,
  /** The server fails. */
  FAIL,
  /** The server is back. */
  RECOVER,
  /** A backup is made. */
  BACK_UP,
  /** A person rolls the migration back. */
  COMMAND,
  /** A person ends that. */
  RESUME,
  /** A person forgets a release. */
  FORGET,
  /** A person pauses everything. */
  PAUSE,
  /** A person ends that. */
  UNPAUSE
}
