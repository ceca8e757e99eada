package dev.zerodowntime.orchestrator.spi;

import java.util.List;

/** One idempotent unit of a phase. A value: {@code plan()} prints what the engine will run. */
public sealed interface Step permits DdlStep, OnlineStep, BackfillStep, VerifyStep {

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
   * Which lock it takes, for people.
   *
   * @return such as {@code ACCESS EXCLUSIVE on users, within the lock budget}
   */
  String lock();
}
