package dev.zerodowntime.orchestrator;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Computes values of rows in Java, a batch at a time. The rows are locked while it runs: it must be
 * quick, and must not use the database or wait for others. Where a row takes milliseconds, declare
 * smaller batches ({@link Pace#rows}): all of a batch should take no longer than the lock budget.
 * Called by several threads at once.
 */
@FunctionalInterface
public interface RowFunction {

  /**
   * Sets the columns of the rows of one batch.
   *
   * @param rows the rows, in the order of their keys
   * @throws Exception if it can't; the batch is split until the row is found, and the migration
   *     stops with its key
   */
  void apply(List<Row> rows) throws Exception;

  /** A row: the columns that were asked for, as the database's text. */
  interface Row {
    /**
     * A value.
     *
     * @param column the column's unquoted name, one of those that are read
     * @return its text in the database's form, or null
     */
    @Nullable String get(String column);

    /**
     * Changes a value. A column that isn't set stays as it is.
     *
     * @param column the column's unquoted name, one of those that are written
     * @param value its text in a form that the database reads, or null
     */
    void set(String column, @Nullable String value);
  }
}
