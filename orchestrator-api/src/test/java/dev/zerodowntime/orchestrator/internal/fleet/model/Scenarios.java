package dev.zerodowntime.orchestrator.internal.fleet.model;

import java.util.List;

/** What is explored. */
final class Scenarios {

  /** Everything that may go wrong in one run, for every operation. */
  private static final String EVERYTHING =
      "members 3, crashes 2, freezes 1, rollBacks 2, failover RESTART";

  private static final String RESTORE = "members 3, crashes 1, failover RESTORE, lostTicks 2";

  /** Releases whose builds can do either, so that one of them may run at the lower stage. */
  private static final Operation RENAME_BOTH_WAYS =
      Operation.RENAME_COLUMN.releases(List.of(List.of(0), List.of(0, 1), List.of(1)));

  static final Scenario PEOPLE =
      Scenario.of(
          Operation.CREATE_INDEX, "members 2, rollBacks 1, stops 1, pinned, pauses 1, commands 1");
  static final Scenario SMALL =
      Scenario.of(Operation.DROP_COLUMN, "members 2, rollBacks 1, stops 1");
  static final Scenario RENAMED = Scenario.of(Operation.RENAME_COLUMN, "members 2, rollBacks 2");
  static final Scenario DEVELOPMENT =
      Scenario.of(Operation.DROP_COLUMN, "members 2, pinned, rollBacks 1, development");
  static final Scenario RESTORED =
      Scenario.of(Operation.DROP_COLUMN, "members 2, failover RESTORE, lostTicks 2");
  static final Scenario RETURNING =
      Scenario.of(Operation.DROP_COLUMN, "members 3, freezes 1, rollBacks 2");
  static final Scenario DRIVERS =
      Scenario.of(Operation.CREATE_INDEX, "members 2, detailed, commands 1");
  static final Scenario FROZEN =
      Scenario.of(Operation.CREATE_INDEX, "members 2, detailed, freezes 1, commands 1");
  static final Scenario SESSIONS =
      Scenario.of(Operation.CREATE_INDEX, "members 2, detailed, freezes 1, commands 1, sessions");
  static final Scenario PINS =
      Scenario.of(Operation.DROP_COLUMN, "members 2, detailed, stops 1, pins 1");
  static final Scenario MORE_PINS =
      Scenario.of(Operation.ADD_COLUMN, "members 1, detailed, pins 1");
  static final Scenario OUTAGE =
      Scenario.of(
          Operation.CREATE_INDEX, "members 2, detailed, development, commands 1, failover OUTAGE");
  static final Scenario UNWATCHED =
      Scenario.of(
          Operation.CREATE_INDEX, "members 1, detailed, commands 1, failover RESTORE, lostTicks 1");

  private Scenarios() {}

  /** All of them, the longest first. */
  static List<Scenario> all() {
    return List.of(
        Scenario.of(Operation.RENAME_COLUMN_IN_CODE, EVERYTHING),
        Scenario.of(Operation.ADD_COLUMN, EVERYTHING),
        Scenario.of(Operation.DROP_COLUMN, EVERYTHING),
        Scenario.of(Operation.RENAME_COLUMN, EVERYTHING),
        Scenario.of(Operation.CREATE_INDEX, EVERYTHING),
        Scenario.of(Operation.RENAME_COLUMN_IN_CODE, RESTORE),
        Scenario.of(Operation.RENAME_COLUMN, RESTORE),
        Scenario.of(Operation.ADD_COLUMN, "members 2, crashes 1, failover RESTORE, lostTicks 2"),
        Scenario.of(Operation.DROP_COLUMN, RESTORE),
        UNWATCHED,
        Scenario.of(RENAME_BOTH_WAYS, "members 2, detailed, rollBacks 1, stops 1"),
        Scenario.of(
            Operation.CREATE_INDEX, "members 3, detailed, crashes 1, freezes 1, rollBacks 1"),
        Scenario.of(Operation.DROP_COLUMN, "members 3, detailed, rollBacks 2"),
        Scenario.of(
            Operation.CREATE_INDEX,
            "members 2, detailed, freezes 1, rollBacks 1, failover OUTAGE, sessions"),
        Scenario.of(
            Operation.DROP_COLUMN, "members 3, rollBacks 1, restarts 1, pins 1, commands 1"),
        FROZEN,
        SESSIONS,
        PINS,
        MORE_PINS,
        OUTAGE,
        DRIVERS,
        RETURNING,
        PEOPLE,
        SMALL,
        RENAMED,
        DEVELOPMENT,
        RESTORED);
  }

  /** Where a flaw of the protocol can be found. */
  static Scenario against(Flaw flaw) {
    return switch (flaw) {
      case NONE, REGISTRATION_IN_TWO, ENTERING_WRITTEN_LATE -> PEOPLE;
      case REFUSED_UNKNOWN -> RESTORED;
      case ENTER_WITHOUT_TOKEN, RUN_WITHOUT_TOKEN, CONFIRM_WITHOUT_TOKEN -> DRIVERS;
      case EXPEL_WITHOUT_COMPARING, EXPEL_UNNOTICED, LOST_ROW_IGNORED, LOST_ROW_REWRITTEN -> FROZEN;
      case EXPEL_FORGETS_RELEASE, DRAIN_UNNOTICED, PIN_UNNOTICED, UNPIN_UNNOTICED -> PINS;
      case SOAK_CARRIED_OVER -> MORE_PINS;
      case OLD_INCARNATION_COUNTS -> UNWATCHED;
      case RETURN_DEPLOYS -> RETURNING;
      case GATES_BEFORE_LOCK,
          REOPEN_UNTOUCHED,
          REOPEN_TOUCHED_ONCE,
          REOPEN_UNHEARD,
          TARGET_KEPT,
          REQUEST_KEPT,
          NEVER_SUPERSEDED,
          PURGE_UNDONE ->
          SMALL;
    };
  }
}
