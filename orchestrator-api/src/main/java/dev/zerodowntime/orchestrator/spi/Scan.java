package dev.zerodowntime.orchestrator.spi;

import java.util.List;

/**
 * A walk over a table in the order of a unique key.
 *
 * @param table quoted, qualified name
 * @param keys the key's columns
 * @param pending SQL predicate over a row: it still has to be changed, or is wrong
 */
public record Scan(String table, List<KeyColumn> keys, String pending) {

  /** Copies the list. */
  public Scan {
    keys = List.copyOf(keys);
  }

  /**
   * A column of the key.
   *
   * @param name quoted name
   * @param type its type in SQL, for casts from text
   */
  public record KeyColumn(String name, String type) {}
}
