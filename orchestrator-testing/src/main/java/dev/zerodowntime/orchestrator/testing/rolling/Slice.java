package dev.zerodowntime.orchestrator.testing.rolling;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;

/**
 * Some rows and what they must hold. One worker at a time has it, so that expectations are exact;
 * it goes from pod to pod, so that rows written by one release are read by another.
 */
final class Slice {

  private final int number;
  private final TreeMap<Long, Account> accounts = new TreeMap<>();
  private final Map<Long, Optional<Account>> undo = new HashMap<>();
  private long values;

  Slice(int number) {
    this.number = number;
  }

  int number() {
    return number;
  }

  Map<Long, Account> accounts() {
    return accounts;
  }

  int size() {
    return accounts.size();
  }

  /** Null if the row was deleted. */
  Account get(long id) {
    return accounts.get(id);
  }

  Account pick(Random random) {
    long first = accounts.firstKey();
    long key = first + (long) (random.nextDouble() * (accounts.lastKey() - first + 1));
    Map.Entry<Long, Account> found = accounts.ceilingEntry(key);
    return found == null ? accounts.lastEntry().getValue() : found.getValue();
  }

  /** A value of those that code gives; unless it chooses otherwise, no other row has or had it. */
  String value(Code code) {
    return code.value(number, ++values);
  }

  void put(Account account) {
    undo.putIfAbsent(account.id(), Optional.ofNullable(accounts.get(account.id())));
    accounts.put(account.id(), account);
  }

  void remove(long id) {
    undo.putIfAbsent(id, Optional.ofNullable(accounts.get(id)));
    accounts.remove(id);
  }

  void commit() {
    undo.clear();
  }

  void rollback() {
    undo.forEach(
        (id, before) ->
            before.ifPresentOrElse(each -> accounts.put(id, each), () -> accounts.remove(id)));
    undo.clear();
  }
}
