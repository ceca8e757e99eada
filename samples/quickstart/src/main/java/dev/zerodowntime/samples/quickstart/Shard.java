package dev.zerodowntime.samples.quickstart;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * The rows that one worker alone writes. It outlives the worker: the pod that replaces another goes
 * on with the same rows, so new code meets what old code wrote, and the other way round.
 */
final class Shard {

  private final int number;
  private final int count;
  private final long filled;
  private final List<Long> inserted = new ArrayList<>();
  private final Random random;
  private int emails;

  /**
   * One of several.
   *
   * @param number which, from 0
   * @param count of how many
   * @param filled how many rows the table was filled with, all shards together
   */
  Shard(int number, int count, long filled) {
    this.number = number;
    this.count = count;
    this.filled = filled;
    this.random = new Random(number);
  }

  Random random() {
    return random;
  }

  /** Any row of this shard; of those it has inserted itself, every fourth time. */
  long anyRow() {
    if (!inserted.isEmpty() && random.nextInt(4) == 0) {
      return inserted.get(random.nextInt(inserted.size()));
    }
    long perShard = filled / count;
    return random.nextLong(perShard) * count + number + 1;
  }

  /** Any row of the table that was there from the start: another worker may be writing it. */
  long anyRowOfAll() {
    return 1 + random.nextLong(filled);
  }

  void inserted(long id) {
    inserted.add(id);
  }

  String newEmail() {
    return "new" + ++emails + "-of-" + number + "@example.com";
  }
}
