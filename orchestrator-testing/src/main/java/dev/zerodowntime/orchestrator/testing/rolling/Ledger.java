package dev.zerodowntime.orchestrator.testing.rolling;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** What the whole table must hold: rows in slices, and rows that everybody upserts at once. */
final class Ledger {

  /** More than there are ever workers, so that nobody waits for one. */
  private static final int SLICES = 16;

  private static final int HOT_ROWS = 2;

  private final List<Slice> slices = new ArrayList<>();
  private final BlockingQueue<Slice> free = new LinkedBlockingQueue<>();
  private final Map<String, AtomicLong> hot = new LinkedHashMap<>();

  Ledger() {
    for (int i = 0; i < SLICES; i++) {
      slices.add(new Slice(i));
    }
    for (int i = 0; i < HOT_ROWS; i++) {
      // Numbers, for columns of any type.
      hot.put("-" + (i + 1), new AtomicLong());
    }
    free.addAll(slices);
  }

  /** Takes over the rows that are there. */
  void load(Database database, String subject) {
    database
        .rows("SELECT id, country, note, " + subject + " FROM accounts")
        .forEach(
            row -> {
              long id = Long.parseLong(row.get(0));
              Slice slice = slices.get((int) (id % SLICES));
              slice.put(new Account(id, row.get(1), row.get(2), row.get(3)));
              slice.commit();
            });
  }

  Slice take() throws InterruptedException {
    return free.take();
  }

  void giveBack(Slice slice) {
    free.add(slice);
  }

  List<String> hotKeys() {
    return List.copyOf(hot.keySet());
  }

  /** Counts what a committed statement did to a hot row. */
  void hit(String key, long change) {
    hot.get(key).addAndGet(change);
  }

  /**
   * Compares every row with what it must hold, while nobody works.
   *
   * @param table what the table is called now
   * @param subjects the columns that hold the subject now
   */
  void audit(
      Database database, Scenario<?> scenario, String table, List<String> subjects, Tally tally) {
    List<Slice> all = takeAll();
    try {
      Map<Long, Account> expected = new HashMap<>();
      all.forEach(each -> expected.putAll(each.accounts()));
      StringBuilder sql = new StringBuilder("SELECT id, country, note");
      subjects.forEach(each -> sql.append(", ").append(each));
      for (List<String> row : database.rows(sql + " FROM " + table + " WHERE country <> 'hot'")) {
        Account account = expected.remove(Long.parseLong(row.get(0)));
        if (account == null) {
          tally.differ("row " + row + " should not be there");
          continue;
        }
        List<String> right = new ArrayList<>(List.of(account.country(), account.note()));
        subjects.forEach(each -> right.add(scenario.value(account)));
        if (!row.subList(1, row.size()).equals(right)) {
          tally.differ("row " + row + " should be " + right);
        }
      }
      expected.values().forEach(each -> tally.differ(each + " is not there"));
      hot.forEach((key, hits) -> auditHot(database, table, key, hits.get(), subjects, tally));
    } finally {
      all.forEach(this::giveBack);
    }
  }

  private static void auditHot(
      Database database, String table, String key, long hits, List<String> subjects, Tally tally) {
    for (String subject : subjects) {
      long found =
          database.number(
              "SELECT coalesce(sum(hits), 0) FROM "
                  + table
                  + " WHERE country = 'hot' AND "
                  + subject
                  + " = '"
                  + key
                  + "'");
      if (found != hits) {
        tally.differ(key + " by " + subject + " has " + found + " hits instead of " + hits);
      }
    }
  }

  private List<Slice> takeAll() {
    List<Slice> taken = new ArrayList<>();
    try {
      while (taken.size() < SLICES) {
        Slice next = free.poll(1, TimeUnit.MINUTES);
        if (next == null) {
          throw new AssertionError("a worker does not give its slice back");
        }
        taken.add(next);
      }
      return taken;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }
}
