package dev.zerodowntime.orchestrator.spi;

/**
 * The SQL of backfills and verifications. Key values are selected as text and bound as text, once
 * per key column, cast by the statement.
 *
 * <p>A range is open at its start and closed at its end: {@code after < key <= upTo}. Statements
 * with {@code bounded} false have no lower end and no parameters for it.
 */
public interface ScanSql {

  /**
   * Selects the greatest key: no row if the table is empty.
   *
   * @param scan the walk
   * @return SQL without parameters
   */
  String lastKey(Scan scan);

  /**
   * Selects the key that ends the next chunk: no row if nothing is left. Reads only the index.
   *
   * @param scan the walk
   * @param bounded whether the range has a lower end
   * @return SQL; parameters: after, up to, number of rows
   */
  String chunkEnd(Scan scan, boolean bounded);

  /**
   * Changes the pending rows of a range that nobody else has locked.
   *
   * @param step the backfill
   * @param bounded whether the range has a lower end
   * @return SQL; parameters: after, up to
   */
  String update(BackfillStep step, boolean bounded);

  /**
   * Changes one row if it is pending, waiting for its lock.
   *
   * @param step the backfill
   * @return SQL; parameters: the key
   */
  String updateOne(BackfillStep step);

  /**
   * Selects keys of pending rows in a range.
   *
   * @param scan the walk
   * @param bounded whether the range has a lower end
   * @param extra an additional predicate, or empty
   * @return SQL; parameters: after, up to, number of rows
   */
  String pending(Scan scan, boolean bounded, String extra);

  /**
   * Counts pending rows in a range.
   *
   * @param scan the walk
   * @param bounded whether the range has a lower end
   * @return SQL; parameters: after, up to
   */
  String countPending(Scan scan, boolean bounded);

  /**
   * Estimates the number of rows without reading the table.
   *
   * @param scan the walk
   * @return SQL without parameters, one number, negative if unknown
   */
  String estimate(Scan scan);

  /**
   * Limits how long the next statements of a transaction wait for row locks.
   *
   * @param millis milliseconds
   * @return SQL
   */
  String limitLockWait(long millis);

  /**
   * Limits how long each of the next statements of a transaction may run, whatever limit the
   * session has otherwise.
   *
   * @return a query; parameter: milliseconds, 0 for no limit
   */
  String limitStatement();
}
