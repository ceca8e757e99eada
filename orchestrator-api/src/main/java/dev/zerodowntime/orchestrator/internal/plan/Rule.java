package dev.zerodowntime.orchestrator.internal.plan;

import java.util.function.Predicate;

/**
 * Something that a plan's statements may not be.
 *
 * @param name its name, by which it can be overridden
 * @param reason why not
 * @param instead what to use instead
 * @param overridable whether a step may do it all the same
 * @param matches whether a statement is such a thing
 */
record Rule(
    String name, String reason, String instead, boolean overridable, Predicate<Place> matches) {

  static Rule of(String name, String reason, String instead, Predicate<Place> matches) {
    return new Rule(name, reason, instead, true, matches);
  }

  static Rule always(String name, String reason, String instead, Predicate<Place> matches) {
    return new Rule(name, reason, instead, false, matches);
  }
}
