package dev.zerodowntime.orchestrator.spi;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Short statements that take a blocking lock, within the lock budget. Where DDL is transactional
 * they commit together with the record that they did.
 *
 * @param name see {@link Step#name()}
 * @param summary see {@link Step#summary()}
 * @param locks the strongest lock on each table that gets locked, the first one first; empty where
 *     there is nothing to execute
 * @param sql the statements
 * @param done whether they already happened
 * @param changesRowType whether prepared {@code SELECT *} statements would notice
 * @param changesColumnType whether prepared statements that name their columns would notice too
 * @param check what the server is asked before the statements commit
 * @param onlyIf makes it a shortcut, which does at once what the steps after it do with care: asked
 *     once the first statement has taken the lock. Where it says no, or the lock can't be had at
 *     once, nothing else is executed, and it is left to those steps; else they find it done
 */
public record DdlStep(
    String name,
    String summary,
    List<TableLock> locks,
    List<String> sql,
    Probe done,
    boolean changesRowType,
    boolean changesColumnType,
    Check check,
    @Nullable Probe onlyIf)
    implements Step {

  /** What the server is asked about statements that somebody else than the library wrote. */
  public enum Check {
    /** Nothing. */
    NONE,
    /** Whether the transaction holds other locks than the step declares. */
    LOCKS,
    /** The same, and whether it has rewritten a table. */
    LOCKS_AND_FILES
  }

  /** Copies the lists. */
  public DdlStep {
    locks = List.copyOf(locks);
    sql = List.copyOf(sql);
  }

  /**
   * One that leaves the type of every column alone that code may name.
   *
   * @param name see {@link Step#name()}
   * @param summary see {@link Step#summary()}
   * @param locks the strongest lock on each table that gets locked, the first one first
   * @param sql the statements
   * @param done whether they already happened
   * @param changesRowType whether prepared {@code SELECT *} statements would notice
   */
  public DdlStep(
      String name,
      String summary,
      List<TableLock> locks,
      List<String> sql,
      Probe done,
      boolean changesRowType) {
    this(name, summary, locks, sql, done, changesRowType, false, Check.NONE);
  }

  /**
   * One that is no shortcut.
   *
   * @param name see {@link Step#name()}
   * @param summary see {@link Step#summary()}
   * @param locks the strongest lock on each table that gets locked, the first one first
   * @param sql the statements
   * @param done whether they already happened
   * @param changesRowType whether prepared {@code SELECT *} statements would notice
   * @param changesColumnType whether prepared statements that name their columns would notice too
   * @param check what the server is asked before the statements commit
   */
  public DdlStep(
      String name,
      String summary,
      List<TableLock> locks,
      List<String> sql,
      Probe done,
      boolean changesRowType,
      boolean changesColumnType,
      Check check) {
    this(name, summary, locks, sql, done, changesRowType, changesColumnType, check, null);
  }

  /**
   * One mode on all tables.
   *
   * @param name see {@link Step#name()}
   * @param summary see {@link Step#summary()}
   * @param lock a text that begins with the mode: {@code ACCESS EXCLUSIVE on …}; or {@code none}
   * @param tables quoted, qualified names of the tables that get locked, the first one first
   * @param sql the statements
   * @param done whether they already happened
   * @param changesRowType whether prepared {@code SELECT *} statements would notice
   */
  public DdlStep(
      String name,
      String summary,
      String lock,
      List<String> tables,
      List<String> sql,
      Probe done,
      boolean changesRowType) {
    this(
        name,
        summary,
        lock.startsWith("none") ? List.of() : TableLock.each(TableLock.mode(lock), tables),
        sql,
        done,
        changesRowType);
  }

  /**
   * The same for a column that has another type afterwards under the name that code uses: then even
   * statements without {@code *} that were prepared before have another result.
   *
   * @return a copy
   */
  public DdlStep changingColumnType() {
    return new DdlStep(name, summary, locks, sql, done, true, true, check, onlyIf);
  }

  /**
   * The same as a shortcut; see {@link #onlyIf}.
   *
   * @param condition asked once the first statement has taken the lock
   * @return a copy
   */
  public DdlStep onlyIf(Probe condition) {
    return new DdlStep(
        name, summary, locks, sql, done, changesRowType, changesColumnType, check, condition);
  }

  /**
   * Whether it is one.
   *
   * @return true where the steps after it do the same another way
   */
  public boolean shortcut() {
    return onlyIf != null;
  }

  /**
   * The tables that get locked.
   *
   * @return their quoted, qualified names, the first one first
   */
  public List<String> tables() {
    return locks.stream().map(TableLock::table).distinct().toList();
  }

  @Override
  public String lock() {
    return locks.isEmpty() ? "none" : TableLock.describe(locks) + ", within the lock budget";
  }
}
