package dev.zerodowntime.orchestrator.testing.rolling;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Migration;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.stream.Stream;

/**
 * An operation, the releases that carry it out, and what their code does.
 *
 * @param name what to call it
 * @param migration the operation
 * @param tables statements that make the table {@code accounts} as it was before
 * @param before what holds the subject before, as SQL
 * @param releases the stages that each release's build declares; none for one that was built before
 *     anybody thought of the migration
 * @param code what code of a stage does
 * @param filled what a row holds that no code gave a value
 * @param subjects the columns that hold the subject in a phase, every one of them for all rows
 * @param table what the table is called in a phase
 * @param early the release whose code meets phases that come too early for it, without the gate
 * @param harms what breaks where there is no gate
 * @param consents whether somebody consents to a way back that can't restore everything
 */
public record Scenario<C extends Enum<C> & CodeStage>(
    String name,
    Migration<C> migration,
    List<String> tables,
    String before,
    List<List<C>> releases,
    Function<C, Code> code,
    Function<Account, String> filled,
    IntFunction<List<String>> subjects,
    IntFunction<String> table,
    int early,
    Set<Harm> harms,
    boolean consents) {

  /** What breaks where there is no gate. */
  public enum Harm {
    /** Code that is older than the schema. */
    OF_OLD_CODE,
    /** Code that needs what the schema doesn't have yet. */
    OF_NEW_CODE
  }

  /** The table has another name in some phase; without a gate, either code breaks. */
  public Scenario(
      String name,
      Migration<C> migration,
      List<String> tables,
      String before,
      List<List<C>> releases,
      Function<C, Code> code,
      Function<Account, String> filled,
      IntFunction<List<String>> subjects,
      IntFunction<String> table,
      int early) {
    this(
        name,
        migration,
        tables,
        before,
        releases,
        code,
        filled,
        subjects,
        table,
        early,
        Set.of(Harm.values()),
        false);
  }

  /** The table keeps its name. */
  public Scenario(
      String name,
      Migration<C> migration,
      List<String> tables,
      String before,
      List<List<C>> releases,
      Function<C, Code> code,
      Function<Account, String> filled,
      IntFunction<List<String>> subjects,
      int early) {
    this(
        name,
        migration,
        tables,
        before,
        releases,
        code,
        filled,
        subjects,
        phase -> "accounts",
        early);
  }

  /** Without a gate, only this code breaks, or none. */
  public Scenario<C> harming(Harm... harms) {
    return new Scenario<>(
        name,
        migration,
        tables,
        before,
        releases,
        code,
        filled,
        subjects,
        table,
        early,
        Set.of(harms),
        consents);
  }

  /** The way back can't restore everything, and somebody consents to that. */
  public Scenario<C> consenting() {
    return new Scenario<>(
        name, migration, tables, before, releases, code, filled, subjects, table, early, harms,
        true);
  }

  int last() {
    return releases.size() - 1;
  }

  /** The lowest stage of a release. */
  C stage(int release) {
    return releases.get(release).isEmpty() ? oldest() : releases.get(release).get(0);
  }

  /** The stage of code whose build says nothing. */
  C oldest() {
    Class<C> type = releases.get(last()).get(0).getDeclaringClass();
    return Enum.valueOf(type, migration.lifecycle().oldest().stage());
  }

  /** Whether everything that code does is a query of its own, or can be. */
  public boolean singleQueries() {
    return Stream.of(oldest().getDeclaringClass().getEnumConstants())
        .noneMatch(each -> code.apply(each).hasBeside());
  }

  /** Whether any code upserts: then all pods do so on some of the same rows, at once. */
  boolean upserts() {
    return Stream.of(oldest().getDeclaringClass().getEnumConstants())
        .anyMatch(each -> code.apply(each).upsertsOn() != null);
  }

  /** What a row holds where every row has a value. */
  String value(Account account) {
    return account.subject() == null ? filled.apply(account) : account.subject();
  }
}
