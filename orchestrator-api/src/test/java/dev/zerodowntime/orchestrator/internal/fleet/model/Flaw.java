package dev.zerodowntime.orchestrator.internal.fleet.model;

/** A rule of the engine's protocol, left out. */
enum Flaw {
  /** The protocol as it is. */
  NONE,
  /** A registration reads the state in one transaction and writes the member in another. */
  REGISTRATION_IN_TWO,
  /** An application is known only once a build of it was admitted. */
  REFUSED_UNKNOWN,
  /** The gates are read before the fleet row is locked. */
  GATES_BEFORE_LOCK,
  /** The pair is written when the statements have run, not before. */
  ENTERING_WRITTEN_LATE,
  /** A phase is entered without a look at the lease's token. */
  ENTER_WITHOUT_TOKEN,
  /** Statements run without a look at the lease's token. */
  RUN_WITHOUT_TOKEN,
  /** A phase is confirmed without a look at the lease's token. */
  CONFIRM_WITHOUT_TOKEN,
  /** A member is struck off although its counter has moved since the last look. */
  EXPEL_WITHOUT_COMPARING,
  /** A release whose last member is struck off doesn't keep the time. */
  EXPEL_FORGETS_RELEASE,
  /** Striking a member off doesn't count as a change of the fleet. */
  EXPEL_UNNOTICED,
  /** The end of a member's drain time doesn't count as a change of the fleet. */
  DRAIN_UNNOTICED,
  /** The end of a pinned member doesn't count as a change of the fleet. */
  ADOPTION_UNNOTICED,
  /** A member whose row is gone goes on as if nothing had happened. */
  LOST_ROW_IGNORED,
  /** A member whose row is gone writes it anew without asking whether it still fits. */
  LOST_ROW_REWRITTEN,
  /** A release that asks for an earlier phase isn't held to be warm. */
  REOPEN_UNTOUCHED,
  /** A release that asks for an earlier phase sets no target. */
  REOPEN_UNHEARD,
  /** The target stays when it has been reached. */
  TARGET_KEPT,
  /** A request to reopen stays when nobody is left who asked. */
  REQUEST_KEPT,
  /** A release keeps its place in the order of deployment while it has any member. */
  SUPERSEDED_BY_ORDER_ALONE,
  /** A member that was struck off and registers again makes its release the latest. */
  RETURN_DEPLOYS,
  /** The fleet's fitness for one movement is taken for its fitness for the next. */
  SOAK_CARRIED_OVER,
  /** What was seen of the last incarnation counts for the new one. */
  OLD_INCARNATION_COUNTS,
  /** A movement into the phase of no return is reversed like any other. */
  PURGE_REVERSED,
  /** A phase of no return is left like any other. */
  PURGE_LEFT
}
