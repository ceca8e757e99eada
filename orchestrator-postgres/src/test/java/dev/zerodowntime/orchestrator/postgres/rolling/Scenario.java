package dev.zerodowntime.orchestrator.postgres.rolling;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Migration;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntFunction;

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
 */
record Scenario<C extends Enum<C> & CodeStage>(
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

  /** The table keeps its name. */
  Scenario(
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

  int last() {
    return releases.size() - 1;
  }

  /** The stage of code whose build says nothing. */
  C oldest() {
    Class<C> type = releases.get(last()).get(0).getDeclaringClass();
    return Enum.valueOf(type, migration.lifecycle().oldest().stage());
  }

  /** Whether code upserts: then all pods do so on some of the same rows, at once. */
  boolean upserts() {
    return code.apply(oldest()).upsertsOn() != null;
  }

  /** What a row holds where every row has a value. */
  String value(Account account) {
    return account.subject() == null ? filled.apply(account) : account.subject();
  }
}
