package dev.zerodowntime.orchestrator;

import java.util.List;

/**
 * One thing that {@link Orchestrator#doctor()} looked at. Immutable.
 *
 * @param severity how bad it is
 * @param subject what was looked at, such as {@code isolation level}
 * @param found what was found there, for people
 * @param remedy what to do about it, as sentences; empty where nothing is to be done
 * @param statements the SQL that is the remedy, ready to run by whoever may, such as the missing
 *     GRANTs; empty where no statement helps
 */
public record Finding(
    Severity severity, String subject, String found, String remedy, List<String> statements) {

  /** Copies the list. */
  public Finding {
    statements = List.copyOf(statements);
  }

  /** How bad a finding is. In the order in which they are shown. */
  public enum Severity {
    /** It will go wrong: a build will not start, or a migration will not move. */
    PROBLEM,
    /** It may go wrong, or holds something up until a person has done something. */
    WARN,
    /** It can't be looked at; what was found says why. */
    UNKNOWN,
    /** As it should be. */
    OK
  }

  /**
   * As it should be.
   *
   * @param subject what was looked at
   * @param found what was found
   * @return a finding
   */
  public static Finding ok(String subject, String found) {
    return new Finding(Severity.OK, subject, found, "", List.of());
  }

  /**
   * Something that may go wrong.
   *
   * @param subject what was looked at
   * @param found what was found
   * @param remedy what to do
   * @return a finding
   */
  public static Finding warn(String subject, String found, String remedy) {
    return new Finding(Severity.WARN, subject, found, remedy, List.of());
  }

  /**
   * Something that will go wrong.
   *
   * @param subject what was looked at
   * @param found what was found
   * @param remedy what to do
   * @return a finding
   */
  public static Finding problem(String subject, String found, String remedy) {
    return new Finding(Severity.PROBLEM, subject, found, remedy, List.of());
  }

  /**
   * Something that can't be looked at.
   *
   * @param subject what was to be looked at
   * @param found why it can't
   * @param remedy what to do
   * @return a finding
   */
  public static Finding unknown(String subject, String found, String remedy) {
    return new Finding(Severity.UNKNOWN, subject, found, remedy, List.of());
  }

  /**
   * The same, with the SQL that is its remedy.
   *
   * @param sql statements, without a semicolon
   * @return a copy
   */
  public Finding with(List<String> sql) {
    return new Finding(severity, subject, found, remedy, sql);
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    text.append(String.format("%-8s", severity)).append(subject).append(": ").append(found);
    if (!remedy.isEmpty()) {
      text.append("\n        ").append(remedy);
    }
    statements.forEach(each -> text.append("\n        ").append(each).append(';'));
    return text.toString();
  }
}
