package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import org.jspecify.annotations.Nullable;

/**
 * Which migration is carried out where there is nobody to give way to. Said by the call that does
 * so, heard by all threads of the process.
 */
final class Alone {

  private volatile @Nullable With with;

  private record With(String key, boolean nobody) {}

  /**
   * A migration whose tables have no rows, or in a database that nobody has used yet.
   *
   * @param nobody whether it is the latter
   */
  void with(MigrationRow row, boolean nobody) {
    with = new With(row.key(), nobody);
  }

  /** From here on, everybody counts again. */
  void over() {
    with = null;
  }

  /** Whether there is nothing to wait for a good hour for, nor for the load to go down. */
  boolean is(MigrationRow row) {
    With now = with;
    return now != null && now.key().equals(row.key());
  }

  /** Whether nobody is there who would have to go on reading and writing meanwhile. */
  boolean withNobody(MigrationRow row) {
    With now = with;
    return now != null && now.nobody() && now.key().equals(row.key());
  }
}
