package dev.zerodowntime.orchestrator.spi;

import java.util.List;

/** One idempotent unit of a phase. A value: {@code plan()} prints what the engine will run. */
public sealed interface Step
    permits DdlStep, OnlineStep, BackfillStep, VerifyStep, CallStep, CopyStep {

  /**
   * The step's name, unique within its phase and direction and stable between releases of the
   * library: a driver that takes over goes on at the step of this name.
   *
   * @return the name
   */
  String name();

  /**
   * What it does and why, for people.
   *
   * @return half a sentence
   */
  String summary();

  /**
   * What it executes, for people.
   *
   * @return SQL statements
   */
  List<String> sql();

  /**
   * The locks it takes on tables, beyond those of queries and, where it changes rows, of their
   * changes. The strongest on each table; never less than the server takes.
   *
   * @return the locks; none unless an implementation says so
   */
  default List<TableLock> locks() {
    return List.of();
  }

  /**
   * Which lock it takes, for people: {@link #locks()} as a text.
   *
   * @return such as {@code ACCESS EXCLUSIVE on users, within the lock budget}
   */
  String lock();
}
