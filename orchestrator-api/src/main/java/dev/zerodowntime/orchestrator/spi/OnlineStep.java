package dev.zerodowntime.orchestrator.spi;

import java.util.List;

/**
 * One long statement that blocks neither reads nor writes, outside any transaction and without the
 * lock budget. Runs on a connection that holds the step's session lock, so that there is never a
 * second one.
 *
 * @param name see {@link Step#name()}
 * @param summary see {@link Step#summary()}
 * @param locks the strongest lock on each table that gets locked
 * @param statement the statement
 * @param done whether its result is there and whole
 * @param broken whether a useless remainder of an earlier attempt is there
 * @param repair removes that remainder; online as well
 * @param bounded whether the statement must end within the lock budget, for at its end it may take
 *     a lock that others wait for; {@code done} then says that its first part has happened, and
 *     another step does the rest
 */
public record OnlineStep(
    String name,
    String summary,
    List<TableLock> locks,
    String statement,
    Probe done,
    Probe broken,
    List<String> repair,
    boolean bounded)
    implements Step {

  /** Copies the lists. */
  public OnlineStep {
    locks = List.copyOf(locks);
    repair = List.copyOf(repair);
  }

  /**
   * One that takes no blocking lock.
   *
   * @param name see {@link Step#name()}
   * @param summary see {@link Step#summary()}
   * @param locks the strongest lock on each table that gets locked
   * @param statement the statement
   * @param done whether its result is there and whole
   * @param broken whether a useless remainder of an earlier attempt is there
   * @param repair removes that remainder; online as well
   */
  public OnlineStep(
      String name,
      String summary,
      List<TableLock> locks,
      String statement,
      Probe done,
      Probe broken,
      List<String> repair) {
    this(name, summary, locks, statement, done, broken, repair, false);
  }

  /**
   * Its locks as a text.
   *
   * @param name see {@link Step#name()}
   * @param summary see {@link Step#summary()}
   * @param lock one mode on one or more tables: {@code SHARE UPDATE EXCLUSIVE on "public"."users"};
   *     or {@code none}
   * @param statement the statement
   * @param done whether its result is there and whole
   * @param broken whether a useless remainder of an earlier attempt is there
   * @param repair removes that remainder; online as well
   * @throws IllegalArgumentException if the text names no table
   */
  public OnlineStep(
      String name,
      String summary,
      String lock,
      String statement,
      Probe done,
      Probe broken,
      List<String> repair) {
    this(name, summary, TableLock.parse(lock), statement, done, broken, repair);
  }

  @Override
  public String lock() {
    return locks.isEmpty()
        ? "none"
        : TableLock.describe(locks)
            + (bounded ? ", within the lock budget" : ": blocks neither reads nor writes");
  }

  @Override
  public List<String> sql() {
    return List.of(statement);
  }
}
