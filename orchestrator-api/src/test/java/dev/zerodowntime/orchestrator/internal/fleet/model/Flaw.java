package dev.zerodowntime.orchestrator.internal.fleet.model;

/** A rule of the engine's protocol, left out. */
enum Flaw {
  NONE("nothing is left out"),
  REGISTRATION_IN_TWO("a registration reads the state and writes the member in two transactions"),
  REFUSED_UNKNOWN("an application is known only once a build of it was admitted"),
  GATES_BEFORE_LOCK("the gates are read before the fleet row is locked"),
  ENTERING_WRITTEN_LATE("the pair is written when the statements have run, not before"),
  ENTER_WITHOUT_TOKEN("a phase is entered without a look at the token"),
  RUN_WITHOUT_TOKEN("statements run without a look at the token"),
  CONFIRM_WITHOUT_TOKEN("a phase is confirmed without a look at the token"),
  EXPEL_WITHOUT_COMPARING("a member is struck off although its counter has moved since the look"),
  EXPEL_FORGETS_RELEASE("a release doesn't keep the time of its last member"),
  EXPEL_UNNOTICED("striking a member off doesn't count as a change of the fleet"),
  DRAIN_UNNOTICED("the end of a drain time doesn't count as a change of the fleet"),
  PIN_UNNOTICED("a pinned member that doesn't fit doesn't start the soak time anew"),
  UNPIN_UNNOTICED("the end of a pinned member doesn't count as a change of the fleet"),
  LOST_ROW_IGNORED("a member whose row is gone goes on as if nothing had happened"),
  LOST_ROW_REWRITTEN("a member whose row is gone writes it anew without asking"),
  REOPEN_UNTOUCHED("a release that asks for an earlier phase isn't warm for that"),
  REOPEN_TOUCHED_ONCE("a release that asks again for an earlier phase isn't warm for that"),
  REOPEN_UNHEARD("a release that asks for an earlier phase sets no target"),
  TARGET_KEPT("a request to reopen stays when it has been granted"),
  REQUEST_KEPT("a request to reopen stays although somebody stands in its way"),
  NEVER_SUPERSEDED("no release ever takes another's place"),
  RETURN_DEPLOYS("a member that was struck off and comes back deploys its release anew"),
  SOAK_CARRIED_OVER("the fleet's fitness for one movement is taken for that for the next"),
  OLD_INCARNATION_COUNTS("what was seen of the last incarnation counts for the new one"),
  PURGE_UNDONE("the phase of no return is left like any other");

  private final String text;

  Flaw(String text) {
    this.text = text;
  }

  /** Whether a driver goes by what it set out to do, not by what the database says. */
  boolean reliesOnClaims() {
    return this == GATES_BEFORE_LOCK
        || this == ENTERING_WRITTEN_LATE
        || this == RUN_WITHOUT_TOKEN
        || this == CONFIRM_WITHOUT_TOKEN;
  }

  /** Whether what was seen of a counter matters when the counter has moved. */
  boolean reliesOnOldCounters() {
    return this == EXPEL_WITHOUT_COMPARING || this == OLD_INCARNATION_COUNTS;
  }

  @Override
  public String toString() {
    return text;
  }
}
